#include "decode/search.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rows that keep a device busy, and source tokens that bound the encoder's memory.
enum { DEFAULT_ROWS = 256, MAX_ROWS = 65535, BATCH_TOKENS = 4096 };

enum vks_status search_complete_params(struct vks_translator_params *params) {
    struct vks_translator_params p = *params;
    p.beam_size = p.beam_size ? p.beam_size : 4;
    p.n_best = p.n_best ? p.n_best : 1;
    p.max_length_factor = p.max_length_factor != 0.0f ? p.max_length_factor : 3.0f;
    p.max_length = p.max_length ? p.max_length : 1000;
    if (p.beam_size > BEAM_MAX_SIZE) {
        log_error(p.log, "a beam size of %u; at most %d is possible", p.beam_size, BEAM_MAX_SIZE);
        return VKS_ERR_ARGUMENT;
    }
    if (p.n_best > p.beam_size) {
        log_error(p.log,
                  "%u translations of each line are wanted; a beam size of %u gives no more "
                  "than that",
                  p.n_best, p.beam_size);
        return VKS_ERR_ARGUMENT;
    }
    if (!isfinite(p.normalize) || !isfinite(p.word_penalty) || !isfinite(p.max_length_factor) ||
        p.max_length_factor < 0.0f) {
        log_error(p.log,
                  "normalisation %g, word penalty %g, length factor %g: these must be "
                  "finite, and the factor above 0",
                  (double)p.normalize, (double)p.word_penalty, (double)p.max_length_factor);
        return VKS_ERR_ARGUMENT;
    }
    *params = p;
    return VKS_OK;
}

enum vks_status search_init(struct vks_model *model, const struct vks_translator_params *params,
                            struct search *search) {
    const struct vks_model_config *config = &model->config;
    memset(search, 0, sizeof *search);
    search->params = *params;
    search->log = params->log;
    search->beam = (struct beam_params){.beam_size = params->beam_size,
                                        .n_best = params->n_best,
                                        .normalize = params->normalize,
                                        .word_penalty = params->word_penalty,
                                        .eos_id = config->eos_id};
    uint32_t most = MAX_ROWS / params->beam_size;
    search->max_sentences = params->mini_batch ? min_u32(params->mini_batch, most)
                                               : max_u32(DEFAULT_ROWS / params->beam_size, 1);
    step_decoder_init(model, min_u32(params->beam_size, config->target_vocab - 1),
                      &search->decoder);
    if (search->decoder.max_cache_rows >= params->beam_size)
        return VKS_OK;
    log_error(params->log, "the device has no room for the cache of a beam of %u",
              params->beam_size);
    return VKS_ERR_DEVICE_OOM;
}

void search_finish(struct search *search) {
    step_decoder_finish(&search->decoder);
}

uint32_t search_max_source(const struct search *search) {
    const struct vks_model_config *config = &search->decoder.model->config;
    bool is_bounded = config->positions == VKS_POSITIONS_LEARNED;
    return is_bounded ? min_u32(search->params.max_length, config->max_positions)
                      : search->params.max_length;
}

// Tokens, </s> included, that the translation of num_src tokens should and may have at most.
static double wanted_target(const struct search *search, uint32_t num_src) {
    return ceil((double)search->params.max_length_factor * num_src);
}

static uint32_t max_target(const struct search *search, uint32_t num_src) {
    const struct vks_model_config *config = &search->decoder.model->config;
    double wanted = wanted_target(search, num_src);
    uint32_t most = search->decoder.max_cache_rows / search->params.beam_size;
    if (config->positions == VKS_POSITIONS_LEARNED)
        most = min_u32(most, config->max_positions);
    return wanted < 1 ? 1 : wanted < most ? (uint32_t)wanted : most;
}

// A sentence's place in the order of work: long ones first, so that batches are of like length and
// programs are built for the longest at once.
struct place {
    uint32_t num_ids;
    size_t idx;
};

static int longer_first(const void *a_ref, const void *b_ref) {
    const struct place *a = a_ref, *b = b_ref;
    if (a->num_ids != b->num_ids)
        return a->num_ids < b->num_ids ? 1 : -1;
    return a->idx < b->idx ? -1 : 1;
}

static bool add_to_batch(const struct search *search, uint32_t num_ids,
                         struct step_capacity *needed) {
    uint32_t steps = max_target(search, num_ids);
    struct step_capacity next = {
        .num_src = needed->num_src + num_ids,
        .num_sentences = needed->num_sentences + 1,
        .num_rows = needed->num_rows + search->params.beam_size,
        .num_steps = max_u32(needed->num_steps, steps),
        .num_positions = max_u32(needed->num_positions, max_u32(num_ids, steps)),
    };
    uint64_t cache_rows = (uint64_t)next.num_rows * next.num_steps;
    if (needed->num_sentences > 0 &&
        (next.num_sentences > search->max_sentences || next.num_src > BATCH_TOKENS ||
         cache_rows > search->decoder.max_cache_rows))
        return false;
    next.num_cache_rows = (uint32_t)cache_rows;
    *needed = next;
    return true;
}

// The end of the batch that begins at `first`, and what it needs.
static size_t batch_end(const struct search *search, const struct place *order, size_t first,
                        size_t num, struct step_capacity *needed) {
    *needed = (struct step_capacity){0};
    size_t end = first;
    while (end < num && add_to_batch(search, order[end].num_ids, needed))
        end++;
    return end;
}

// Programs for the largest of all batches, so that they are built once.
static enum vks_status reserve(struct search *search, const struct place *order, size_t num) {
    struct step_capacity most = {0}, needed;
    for (size_t first = 0; first < num;) {
        first = batch_end(search, order, first, num, &needed);
        most.num_src = max_u32(most.num_src, needed.num_src);
        most.num_sentences = max_u32(most.num_sentences, needed.num_sentences);
        most.num_rows = max_u32(most.num_rows, needed.num_rows);
        most.num_steps = max_u32(most.num_steps, needed.num_steps);
        most.num_cache_rows = max_u32(most.num_cache_rows, needed.num_cache_rows);
        most.num_positions = max_u32(most.num_positions, needed.num_positions);
    }
    return step_decoder_reserve(&search->decoder, &most);
}

// A batch under way.
struct decoding {
    struct arena arena;
    struct search *search;
    uint32_t num_sentences, num_rows; // at most
    struct beam *beams;
    uint32_t *tokens, *offsets;         // of the sources
    uint32_t *first_rows;               // of a sentence's hypotheses in the step before
    uint32_t *ancestry, *next_ancestry; // [R, T]: cache rows that a row's hypothesis has come by
    uint32_t num_steps, step;
};

static enum vks_status begin(struct search *search, const struct step_capacity *needed,
                             const struct sentence *sentences, const struct place *order,
                             struct decoding *decoding) {
    uint32_t num = needed->num_sentences, num_tokens = 0;
    *decoding = (struct decoding){.search = search,
                                  .num_sentences = num,
                                  .num_rows = needed->num_rows,
                                  .num_steps = needed->num_steps};
    struct arena *arena = &decoding->arena;
    decoding->beams = ARENA_NEW(arena, struct beam, num);
    decoding->tokens = ARENA_NEW(arena, uint32_t, needed->num_src);
    decoding->offsets = ARENA_NEW(arena, uint32_t, num + 1);
    decoding->first_rows = ARENA_NEW(arena, uint32_t, num);
    decoding->ancestry = ARENA_NEW(arena, uint32_t, needed->num_cache_rows);
    decoding->next_ancestry = ARENA_NEW(arena, uint32_t, needed->num_cache_rows);
    if (!decoding->beams || !decoding->tokens || !decoding->offsets || !decoding->first_rows ||
        !decoding->ancestry || !decoding->next_ancestry) {
        arena_finish(arena);
        return VKS_ERR_OOM;
    }
    for (uint32_t i = 0; i < num; i++) {
        const struct sentence *sentence = &sentences[order[i].idx];
        beam_init(&search->beam, max_target(search, sentence->num_ids), &decoding->beams[i]);
        memcpy(decoding->tokens + num_tokens, sentence->ids,
               sentence->num_ids * sizeof *decoding->tokens);
        num_tokens += sentence->num_ids;
        decoding->offsets[i + 1] = num_tokens;
    }
    return VKS_OK;
}

static void finish(struct decoding *decoding) {
    for (uint32_t i = 0; i < decoding->num_sentences; i++)
        beam_finish(&decoding->beams[i]);
    arena_finish(&decoding->arena);
}

// Writes the rows of a sentence's hypotheses: a hypothesis refers to the cache rows of those it
// continues, and adds its own.
static void write_rows(struct decoding *decoding, const struct step_rows *to, uint32_t sentence_idx,
                       uint32_t first_row) {
    const struct vks_model_config *config = &decoding->search->decoder.model->config;
    const struct beam *beam = &decoding->beams[sentence_idx];
    uint32_t step = decoding->step;
    for (uint32_t i = 0; i < beam->num_alive; i++) {
        uint32_t row = first_row + i,
                 parent = decoding->first_rows[sentence_idx] + beam->alive[i].parent;
        uint32_t *ancestry = decoding->next_ancestry + (size_t)row * decoding->num_steps;
        memcpy(ancestry, decoding->ancestry + (size_t)parent * decoding->num_steps,
               step * sizeof *ancestry);
        ancestry[step] = step * decoding->num_rows + row;
        to->tokens[row] = beam_token(beam, i, config->pad_id);
        to->positions[row] = config->position_offset + step;
        to->cache_places[row] = ancestry[step];
        memcpy(to->cache_rows + (size_t)row * to->cache_stride, ancestry,
               (step + 1) * sizeof *ancestry);
        to->self_ranges[row][2] = 0;
        to->self_ranges[row][3] = step + 1;
        to->cross_ranges[row][2] = decoding->offsets[sentence_idx];
        to->cross_ranges[row][3] = decoding->offsets[sentence_idx + 1];
    }
    decoding->first_rows[sentence_idx] = first_row;
}

// Rows are numbered anew in every step, so that those that have ended leave no gap.
static uint32_t write_step(struct decoding *decoding) {
    struct step_rows rows;
    uint32_t num_rows = 0;
    step_decoder_rows(&decoding->search->decoder, &rows);
    for (uint32_t i = 0; i < decoding->num_sentences; i++) {
        write_rows(decoding, &rows, i, num_rows);
        num_rows += decoding->beams[i].num_alive;
    }
    uint32_t *ancestry = decoding->ancestry;
    decoding->ancestry = decoding->next_ancestry;
    decoding->next_ancestry = ancestry;
    return num_rows;
}

static enum vks_status advance(struct decoding *decoding, const struct top_k_rows *best) {
    for (uint32_t i = 0; i < decoding->num_sentences; i++) {
        if (decoding->beams[i].num_alive == 0)
            continue;
        enum vks_status status = beam_advance(&decoding->beams[i], best, decoding->first_rows[i]);
        if (status == VKS_ERR_DIVERGED)
            log_error(decoding->search->log, "the model's probabilities are not finite numbers");
        TRY(status);
    }
    return VKS_OK;
}

static enum vks_status run(struct decoding *decoding) {
    struct step_decoder *decoder = &decoding->search->decoder;
    const struct packed source = {decoding->tokens, decoding->offsets, decoding->num_sentences};
    TRY(step_decoder_encode(decoder, &source));
    for (uint32_t num_rows; (num_rows = write_step(decoding)) > 0; decoding->step++) {
        struct top_k_rows best;
        TRY(step_decoder_run(decoder, num_rows, &best));
        TRY(advance(decoding, &best));
    }
    return VKS_OK;
}

static void warn_if_cut(const struct search *search, const struct place *place,
                        const struct vks_translation *translation) {
    uint32_t most = max_target(search, place->num_ids);
    if (translation->hypotheses[0].num_ids == most && most < wanted_target(search, place->num_ids))
        log_warn(search->log, "line %zu: no more than %u tokens of the translation are possible",
                 place->idx + 1, most);
}

static enum vks_status translate_batch(struct search *search, const struct step_capacity *needed,
                                       const struct sentence *sentences, const struct place *order,
                                       struct vks_translation *translations) {
    struct decoding decoding;
    TRY(begin(search, needed, sentences, order, &decoding));
    enum vks_status status = run(&decoding);
    for (uint32_t i = 0; i < decoding.num_sentences && status == VKS_OK; i++) {
        status = beam_results(&decoding.beams[i], &translations[order[i].idx]);
        if (status == VKS_OK)
            warn_if_cut(search, &order[i], &translations[order[i].idx]);
    }
    finish(&decoding);
    return status;
}

enum vks_status search_run(struct search *search, const struct sentence *sentences,
                           size_t num_sentences, struct vks_translation *translations) {
    struct place *order = memory_calloc(num_sentences + 1, sizeof *order);
    size_t num = 0;
    if (!order)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num_sentences; i++)
        if (sentences[i].num_ids > 0)
            order[num++] = (struct place){sentences[i].num_ids, i};
    qsort(order, num, sizeof *order, longer_first);
    enum vks_status status = num > 0 ? reserve(search, order, num) : VKS_OK;
    for (size_t first = 0; first < num && status == VKS_OK;) {
        struct step_capacity needed;
        size_t end = batch_end(search, order, first, num, &needed);
        status = translate_batch(search, &needed, sentences, order + first, translations);
        first = end;
    }
    free(order);
    return status;
}
