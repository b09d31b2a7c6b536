#include "decode/passages.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/source_alignment.h"
#include "text/tokenizer_frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// The most that normalisation makes of a byte: U+FDFA, 3 bytes, becomes 33.
enum { MAX_TOKENS_PER_BYTE = 11 };

static enum vks_status count_tokens(void *user, const char *text, size_t num_bytes,
                                    size_t *num_tokens) {
    const struct passages_params *params = user;
    uint32_t *ids;
    // Short texts, which are most, need not be tokenised twice. A token is a byte or more, apart
    // from the blank in front.
    if (num_bytes < params->max_tokens / MAX_TOKENS_PER_BYTE) {
        *num_tokens = num_bytes;
        return VKS_OK;
    }
    TRY(vks_tokenizer_encode(params->tokenizer, VKS_SOURCE, text, num_bytes, &ids, num_tokens));
    vks_free(ids);
    return VKS_OK;
}

// A part of a line, as a text of its own. The language code that the line begins with (>>deu<<),
// code [code_bytes], is every part's.
static char *copy_part(const struct segment *segment, const char *code, size_t code_bytes) {
    if (segment->text == code || segment->num_bytes == 0)
        code_bytes = 0;
    char *part = memory_malloc(code_bytes + segment->num_bytes + 1);
    if (!part)
        return NULL;
    memcpy(part, code, code_bytes);
    memcpy(part + code_bytes, segment->text, segment->num_bytes);
    part[code_bytes + segment->num_bytes] = '\0';
    return part;
}

// Takes the segments of the line that was just cut as parts.
static enum vks_status add_parts(const struct passages_params *params, struct passages *passages,
                                 const char *line, uint64_t line_number) {
    const struct segments *segments = &passages->lines[passages->num_lines - 1].segments;
    size_t code_bytes = tokenizer_code_bytes(params->tokenizer, line, strlen(line));
    size_t num = passages->num_parts + segments->num;
    char **parts = memory_realloc(passages->parts, (num + 1) * sizeof *parts);
    if (!parts)
        return VKS_ERR_OOM;
    passages->parts = parts;
    uint64_t *numbers = memory_realloc(passages->line_numbers, (num + 1) * sizeof *numbers);
    if (!numbers)
        return VKS_ERR_OOM;
    passages->line_numbers = numbers;
    for (size_t i = 0; i < segments->num; i++) {
        char *part = copy_part(&segments->items[i], line, code_bytes);
        if (!part)
            return VKS_ERR_OOM;
        passages->line_numbers[passages->num_parts] = line_number;
        passages->parts[passages->num_parts++] = part;
    }
    return VKS_OK;
}

static enum vks_status cut_line(const struct passages_params *params, const char *line,
                                struct passages *passages) {
    struct passage *passage = &passages->lines[passages->num_lines];
    uint64_t number = params->first_line + passages->num_lines + 1;
    const struct segment_params segments = {.count_tokens = count_tokens,
                                            .user = (void *)params,
                                            .max_tokens = params->max_tokens,
                                            .cut_sentences = params->cut_sentences,
                                            .log = params->log};
    if (!vks_utf8_is_valid(line, strlen(line))) {
        log_error(params->log, "source line %" PRIu64 ": not UTF-8", number);
        return VKS_ERR_FORMAT;
    }
    TRY(segments_cut(&segments, line, strlen(line), &passage->segments));
    passage->first_part = passages->num_parts;
    passages->num_lines++;
    return add_parts(params, passages, line, number);
}

enum vks_status passages_cut(const struct passages_params *params, const char *const *lines,
                             size_t num_lines, struct passages *result) {
    struct passages passages = {.lines = memory_calloc(num_lines + 1, sizeof *passages.lines)};
    enum vks_status status = passages.lines ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < num_lines && status == VKS_OK; i++)
        status = cut_line(params, lines[i], &passages);
    if (status != VKS_OK)
        passages_free(&passages);
    else
        *result = passages;
    return status;
}

// Word scores one after the other, for parts that have them.
static enum vks_status join_word_scores(const struct vks_translation *parts, size_t num_parts,
                                        struct vks_hypothesis *line) {
    size_t num = 0;
    bool has_scores = false;
    for (size_t i = 0; i < num_parts; i++) {
        num += parts[i].hypotheses[0].num_word_scores;
        has_scores |= parts[i].hypotheses[0].word_scores != NULL;
    }
    if (!has_scores)
        return VKS_OK;
    line->word_scores = memory_calloc(num + 1, sizeof *line->word_scores);
    if (!line->word_scores)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num_parts; i++) {
        const struct vks_hypothesis *best = &parts[i].hypotheses[0];
        if (best->num_word_scores > 0)
            memcpy(line->word_scores + line->num_word_scores, best->word_scores,
                   best->num_word_scores * sizeof *best->word_scores);
        line->num_word_scores += best->num_word_scores;
    }
    return VKS_OK;
}

// Sums by each model, for parts that have them.
static enum vks_status join_models(const struct vks_translation *parts, size_t num_parts,
                                   struct vks_hypothesis *line) {
    for (size_t i = 0; i < num_parts; i++) {
        const struct vks_hypothesis *best = &parts[i].hypotheses[0];
        if (best->num_models == 0)
            continue; // an empty part
        if (!line->model_log_probs)
            line->model_log_probs = memory_calloc(best->num_models, sizeof(float));
        if (!line->model_log_probs)
            return VKS_ERR_OOM;
        line->num_models = best->num_models;
        for (size_t j = 0; j < best->num_models; j++)
            line->model_log_probs[j] += best->model_log_probs[j];
    }
    return VKS_OK;
}

// One hypothesis of a line out of the best ones of its parts.
static enum vks_status join_line(const struct passage *passage, const struct vks_translation *parts,
                                 struct vks_hypothesis *line) {
    const struct segments *segments = &passage->segments;
    size_t num_ids = 0;
    const char **texts = memory_calloc(segments->num + 1, sizeof *texts);
    if (!texts)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < segments->num; i++) {
        texts[i] = parts[i].hypotheses[0].text;
        num_ids += parts[i].hypotheses[0].num_ids;
    }
    line->ids = memory_calloc(num_ids + 1, sizeof *line->ids);
    enum vks_status status = line->ids ? segments_join(segments, texts, &line->text) : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = join_word_scores(parts, segments->num, line);
    if (status == VKS_OK)
        status = join_models(parts, segments->num, line);
    for (size_t i = 0; i < segments->num && status == VKS_OK; i++) {
        const struct vks_hypothesis *best = &parts[i].hypotheses[0];
        memcpy(line->ids + line->num_ids, best->ids, best->num_ids * sizeof *best->ids);
        line->num_ids += best->num_ids;
        line->log_prob += best->log_prob;
        line->score += best->score;
    }
    free(texts);
    return status;
}

enum vks_status passages_join(const struct passages *passages, struct vks_translation *parts,
                              struct vks_translation *translations) {
    for (size_t i = 0; i < passages->num_lines; i++) {
        const struct passage *passage = &passages->lines[i];
        struct vks_translation *line = &translations[i];
        const struct segment *only = passage->segments.items;
        if (passage->segments.num == 1 && only->gap_bytes == 0) {
            *line = parts[passage->first_part];
            parts[passage->first_part] = (struct vks_translation){0};
            continue;
        }
        line->hypotheses = memory_calloc(1, sizeof *line->hypotheses);
        if (!line->hypotheses)
            return VKS_ERR_OOM;
        line->num_hypotheses = 1;
        TRY(join_line(passage, parts + passage->first_part, line->hypotheses));
        TRY(source_alignment_join(parts + passage->first_part, passage->segments.num, line));
    }
    return VKS_OK;
}

void passages_free(struct passages *passages) {
    for (size_t i = 0; i < passages->num_lines; i++)
        segments_free(&passages->lines[i].segments);
    for (size_t i = 0; i < passages->num_parts; i++)
        free(passages->parts[i]);
    free(passages->lines);
    free(passages->parts);
    free(passages->line_numbers);
    *passages = (struct passages){0};
}
