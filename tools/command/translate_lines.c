#include "translate_lines.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_LINES = 500 };

enum vks_status translate_lines(struct console *console, struct vks_translator *translator,
                                const struct line_block *sources, struct line_block *lines) {
    lines->lines = calloc(sources->num + 1, sizeof *lines->lines);
    if (!lines->lines)
        return VKS_ERR_OOM;
    while (lines->num < sources->num) {
        size_t num = sources->num - lines->num;
        struct vks_translation *translations;
        num = num < BLOCK_LINES ? num : BLOCK_LINES;
        enum vks_status status = vks_translate(
            translator, (const char *const *)sources->lines + lines->num, num, &translations);
        if (status != VKS_OK)
            return status;
        for (size_t i = 0; i < num; i++) {
            lines->lines[lines->num] = strdup(translations[i].hypotheses[0].text);
            if (!lines->lines[lines->num])
                status = VKS_ERR_OOM;
            else
                lines->num++;
        }
        vks_translations_free(translations, num);
        if (status != VKS_OK)
            return status;
        console_update_progress(console, lines->num);
    }
    return VKS_OK;
}

void print_lines(FILE *file, const struct line_block *block) {
    for (size_t i = 0; i < block->num; i++)
        fprintf(file, "%s\n", block->lines[i]);
}

enum vks_status write_lines(struct console *console, const char *path,
                            const struct line_block *block) {
    struct line_output output;
    enum vks_status status = line_output_open(&output, path, console);
    if (status != VKS_OK)
        return status;
    print_lines(output.file, block);
    return line_output_close(&output, VKS_OK);
}
