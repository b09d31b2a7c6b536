#include "decode/masked_lines.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/placeholders.h"

#include <stdlib.h>
#include <string.h>

static char *mask_line(const struct placeholders *line) {
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_masked;
    for (size_t i = 0; i < line->num; i++)
        masks[i] = (struct text_mask){.span = line->spans[i], .symbol = (uint32_t)i};
    return placeholders_mask(line->text, strlen(line->text), masks, line->num, &num_masked);
}

enum vks_status masked_lines_make(const char *const *lines, size_t num,
                                  struct masked_lines *result) {
    struct masked_lines masked = {
        .lines = memory_calloc(num + 1, sizeof *masked.lines),
        .found = memory_calloc(num + 1, sizeof *masked.found),
        .num = num,
    };
    enum vks_status status = masked.lines && masked.found ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < num && status == VKS_OK; i++) {
        placeholders_find(lines[i], strlen(lines[i]), &masked.found[i]);
        masked.lines[i] = mask_line(&masked.found[i]);
        if (!masked.lines[i])
            status = VKS_ERR_OOM;
    }
    if (status != VKS_OK)
        masked_lines_free(&masked);
    else
        *result = masked;
    return status;
}

static char *mask_prefix(const struct placeholders *line, const char *prefix) {
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_bytes = strlen(prefix), num_masked;
    bool is_whole;
    size_t num = placeholders_match(line, prefix, num_bytes, masks, &is_whole);
    return placeholders_mask(prefix, num_bytes, masks, num, &num_masked);
}

enum vks_status masked_lines_mask_prefixes(const struct masked_lines *masked,
                                           const char *const *prefixes, char ***result) {
    char **texts = memory_calloc(masked->num + 1, sizeof *texts);
    if (!texts)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < masked->num; i++) {
        texts[i] = mask_prefix(&masked->found[i], prefixes[i]);
        if (!texts[i]) {
            masked_texts_free(texts, i);
            return VKS_ERR_OOM;
        }
    }
    *result = texts;
    return VKS_OK;
}

enum vks_status masked_lines_restore_text(const struct masked_lines *masked, size_t line,
                                          char **text, bool *is_whole) {
    char *restored = placeholders_restore(&masked->found[line], *text, is_whole);
    if (!restored)
        return VKS_ERR_OOM;
    free(*text);
    *text = restored;
    return VKS_OK;
}

enum vks_status masked_lines_restore(const struct masked_lines *masked,
                                     struct vks_translation *translations) {
    for (size_t i = 0; i < masked->num; i++) {
        for (size_t j = 0; j < translations[i].num_hypotheses; j++) {
            struct vks_hypothesis *hypothesis = &translations[i].hypotheses[j];
            bool is_whole;
            TRY(masked_lines_restore_text(masked, i, &hypothesis->text, &is_whole));
            hypothesis->placeholders_lost = !is_whole;
        }
    }
    return VKS_OK;
}

void masked_texts_free(char **texts, size_t num) {
    for (size_t i = 0; texts && i < num; i++)
        free(texts[i]);
    free(texts);
}

void masked_lines_free(struct masked_lines *masked) {
    masked_texts_free(masked->lines, masked->num);
    free(masked->found);
    *masked = (struct masked_lines){0};
}
