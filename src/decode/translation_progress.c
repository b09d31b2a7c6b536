#include "decode/translation_progress.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

enum vks_status translation_progress_init(struct translation_progress *progress) {
    const struct passages *passages = progress->passages;
    progress->lines = memory_calloc(passages->num_parts + 1, sizeof *progress->lines);
    progress->num_open = memory_calloc(passages->num_lines + 1, sizeof *progress->num_open);
    progress->is_done = memory_calloc(passages->num_parts + 1, sizeof *progress->is_done);
    if (!progress->lines || !progress->num_open || !progress->is_done)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < passages->num_lines; i++) {
        const struct passage *passage = &passages->lines[i];
        for (size_t j = 0; j < passage->segments.num; j++) {
            size_t part = passage->first_part + j;
            progress->lines[part] = i;
            progress->is_done[part] = progress->sentences[part].num_ids == 0;
            progress->num_open[i] += !progress->is_done[part];
        }
        progress->num_done += progress->num_open[i] == 0;
    }
    return VKS_OK;
}

void translation_progress_finish(struct translation_progress *progress) {
    free(progress->lines);
    free(progress->num_open);
    free(progress->is_done);
}

// The text of a hypothesis that may still grow.
static enum vks_status decode_alive(const struct translation_progress *progress,
                                    const struct beam *beam, char **text) {
    const struct hypothesis *hypothesis = &beam->alive[0];
    uint32_t num = beam_tokens(beam, hypothesis, NULL, 0);
    uint32_t *ids = memory_calloc((size_t)num + 1, sizeof *ids);
    if (!ids)
        return VKS_ERR_OOM;
    beam_tokens(beam, hypothesis, ids, num);
    enum vks_status status =
        tokenizer_decode_settled(progress->tokenizer, VKS_TARGET, ids, num, text);
    free(ids);
    return status;
}

// The text of a part so far; NULL if there is none yet.
static enum vks_status part_text(const struct translation_progress *progress,
                                 const struct search_step *step, size_t part, char **text) {
    const struct vks_translation *translation = &progress->parts[part];
    *text = NULL;
    if (progress->is_done[part]) {
        const struct vks_hypothesis *best = translation->hypotheses;
        return vks_tokenizer_decode(progress->tokenizer, VKS_TARGET, best ? best->ids : NULL,
                                    best ? best->num_ids : 0, text);
    }
    for (uint32_t i = 0; i < step->num_sentences; i++)
        if (step->sentence_indices[i] == part)
            return decode_alive(progress, step->beams[i], text);
    return VKS_OK;
}

// Joins the texts of a line's parts up to the first that is not done; texts [parts]: room. The
// white space behind them is told when the next one has begun.
static enum vks_status join_parts(const struct translation_progress *progress,
                                  const struct search_step *step, const struct passage *passage,
                                  char **texts, char **line) {
    struct segments segments = {.items = passage->segments.items};
    bool is_whole = true;
    while (is_whole && segments.num < passage->segments.num) {
        size_t part = passage->first_part + segments.num;
        TRY(part_text(progress, step, part, &texts[segments.num]));
        is_whole = progress->is_done[part];
        // What stands before a part depends on how it begins.
        if (!is_whole && (!texts[segments.num] || !texts[segments.num][0]))
            break;
        segments.num++;
    }
    TRY(segments_join(&segments, (const char *const *)texts, line));
    if (segments.num > 0 && !(is_whole && segments.num == passage->segments.num))
        (*line)[strlen(*line) - segments.items[segments.num - 1].gap_bytes] = '\0';
    return VKS_OK;
}

static enum vks_status line_text(const struct translation_progress *progress,
                                 const struct search_step *step, size_t line, char **text) {
    const struct passage *passage = &progress->passages->lines[line];
    char **texts = memory_calloc(passage->segments.num + 1, sizeof *texts);
    if (!texts)
        return VKS_ERR_OOM;
    enum vks_status status = join_parts(progress, step, passage, texts, text);
    bool is_whole; // not before the end
    if (status == VKS_OK && progress->masked)
        status = masked_lines_restore_text(progress->masked, line, text, &is_whole);
    for (size_t i = 0; i < passage->segments.num; i++)
        vks_free(texts[i]);
    free(texts);
    return status;
}

// Counts what the step has done, and finds the line to tell of.
static size_t count_done(struct translation_progress *progress, const struct search_step *step) {
    size_t first = SIZE_MAX, first_done = SIZE_MAX;
    for (uint32_t i = 0; i < step->num_sentences; i++) {
        size_t part = step->sentence_indices[i], line = progress->lines[part];
        if (!progress->is_done[part] && progress->parts[part].hypotheses) {
            progress->is_done[part] = true;
            progress->num_done += --progress->num_open[line] == 0;
            first_done = line < first_done ? line : first_done;
        }
        if (progress->num_open[line] > 0)
            first = line < first ? line : first;
    }
    return first != SIZE_MAX ? first : first_done;
}

bool translation_progress_tell(void *user, const struct search_step *step) {
    struct translation_progress *progress = user;
    size_t line = count_done(progress, step);
    char *text = NULL;
    if (line == SIZE_MAX)
        return true;
    if (progress->params->beam_size == 1)
        progress->status = line_text(progress, step, line, &text);
    if (progress->status != VKS_OK) {
        vks_free(text);
        return false;
    }
    const struct vks_progress told = {line, text, progress->num_done,
                                      progress->passages->num_lines};
    bool goes_on = progress->params->observe(progress->params->observe_user, &told);
    vks_free(text);
    return goes_on;
}
