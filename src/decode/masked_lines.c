#include "decode/masked_lines.h"

#include "base/check.h"
#include "base/memory.h"
#include "text/placeholders.h"

#include <stdlib.h>
#include <string.h>

struct masked_line {
    struct text_span *spans; // [num], of the original; owned
    size_t num;
};

static enum vks_status mask_line(const char *text, struct masked_line *line, char **masked) {
    struct text_span spans[PLACEHOLDERS_MAX];
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_bytes = strlen(text), num_masked;
    size_t num = placeholders_find(text, num_bytes, spans, PLACEHOLDERS_MAX);
    for (size_t i = 0; i < num; i++)
        masks[i] = (struct text_mask){.span = spans[i], .symbol = (uint32_t)i};
    line->spans = memory_calloc(num + 1, sizeof *spans);
    *masked = placeholders_mask(text, num_bytes, masks, num, &num_masked);
    if (!line->spans || !*masked)
        return VKS_ERR_OOM;
    memcpy(line->spans, spans, num * sizeof *spans);
    line->num = num;
    return VKS_OK;
}

enum vks_status masked_lines_make(const char *const *lines, size_t num,
                                  struct masked_lines *result) {
    struct masked_lines masked = {
        .originals = lines,
        .lines = memory_calloc(num + 1, sizeof *masked.lines),
        .masks = memory_calloc(num + 1, sizeof *masked.masks),
    };
    enum vks_status status = masked.lines && masked.masks ? VKS_OK : VKS_ERR_OOM;
    for (; masked.num < num && status == VKS_OK; masked.num++)
        status = mask_line(lines[masked.num], &masked.masks[masked.num], &masked.lines[masked.num]);
    if (status != VKS_OK)
        masked_lines_free(&masked);
    else
        *result = masked;
    return status;
}

static char *mask_prefix(const char *original, const struct masked_line *line, const char *prefix) {
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_bytes = strlen(prefix), num_masked;
    bool is_whole;
    size_t num =
        placeholders_match(original, line->spans, line->num, prefix, num_bytes, masks, &is_whole);
    return placeholders_mask(prefix, num_bytes, masks, num, &num_masked);
}

enum vks_status masked_lines_mask_prefixes(const struct masked_lines *masked,
                                           const char *const *prefixes, char ***result) {
    char **texts = memory_calloc(masked->num + 1, sizeof *texts);
    if (!texts)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < masked->num; i++) {
        texts[i] = mask_prefix(masked->originals[i], &masked->masks[i], prefixes[i]);
        if (!texts[i]) {
            masked_texts_free(texts, i);
            return VKS_ERR_OOM;
        }
    }
    *result = texts;
    return VKS_OK;
}

enum vks_status masked_lines_restore(const struct masked_lines *masked,
                                     struct vks_translation *translations) {
    for (size_t i = 0; i < masked->num; i++) {
        const struct masked_line *line = &masked->masks[i];
        for (size_t j = 0; j < translations[i].num_hypotheses; j++) {
            struct vks_hypothesis *hypothesis = &translations[i].hypotheses[j];
            bool is_whole;
            char *text = placeholders_restore(hypothesis->text, masked->originals[i], line->spans,
                                              line->num, &is_whole);
            if (!text)
                return VKS_ERR_OOM;
            free(hypothesis->text);
            hypothesis->text = text;
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
    for (size_t i = 0; masked->masks && i < masked->num; i++)
        free(masked->masks[i].spans);
    free(masked->masks);
    *masked = (struct masked_lines){0};
}
