#include "decode/search.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rows that keep a device busy, and source tokens that bound the encoder's memory.
enum { DEFAULT_ROWS = 256, MAX_ROWS = 65535, BATCH_TOKENS = 4096, MAX_NGRAM = 65535 };

static void fill_defaults(struct vks_translator_params *p) {
    if (p->beam_size == 0)
        p->beam_size = p->sampling == VKS_SAMPLING_NONE ? 4 : 1;
    p->n_best = p->n_best ? p->n_best : 1;
    p->max_length_factor = p->max_length_factor != 0.0f ? p->max_length_factor : 3.0f;
    p->max_length = p->max_length ? p->max_length : 1000;
    p->repetition_penalty = p->repetition_penalty != 0.0f ? p->repetition_penalty : 1.0f;
    p->sampling_k = p->sampling_k ? p->sampling_k : 10;
    p->sampling_mass = p->sampling_mass != 0.0f ? p->sampling_mass : 0.9f;
    p->temperature = p->temperature != 0.0f ? p->temperature : 1.0f;
}

// What may follow, and how it is drawn.
static enum vks_status check_choice(const struct vks_translator_params *p) {
    if (!isfinite(p->repetition_penalty) || p->repetition_penalty < 0.0f) {
        log_error(p->log, "a repetition penalty of %g; it must be over 0",
                  (double)p->repetition_penalty);
        return VKS_ERR_ARGUMENT;
    }
    if (!(p->temperature > 0.0f) || !isfinite(p->temperature) || !(p->sampling_mass > 0.0f) ||
        p->sampling_mass > 1.0f) {
        log_error(p->log,
                  "sampling with a temperature of %g from a probability of %g; the first must be "
                  "over 0, the second over 0 and at most 1",
                  (double)p->temperature, (double)p->sampling_mass);
        return VKS_ERR_ARGUMENT;
    }
    if (p->no_repeat_ngram > MAX_NGRAM) {
        log_error(p->log, "no sequence of %u tokens shall occur twice; at most %d are possible",
                  p->no_repeat_ngram, MAX_NGRAM);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

enum vks_status search_complete_params(struct vks_translator_params *params) {
    struct vks_translator_params p = *params;
    fill_defaults(&p);
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
    TRY(check_choice(&p));
    *params = p;
    return VKS_OK;
}

static uint32_t rule_of(const struct search_params *params) {
    const struct vks_translator_params *p = params->translator;
    enum vks_search search =
        p->search != VKS_SEARCH_DEFAULT ? p->search : params->models[0]->config.search;
    if (p->sampling != VKS_SAMPLING_NONE || params->branches)
        return BEAM_RULE_APART;
    if (p->beam_size == 1) // greedy search ends with the first </s>
        return BEAM_RULE_MARIAN;
    return search == VKS_SEARCH_HF      ? BEAM_RULE_HF
           : search == VKS_SEARCH_EXACT ? BEAM_RULE_EXACT
                                        : BEAM_RULE_MARIAN;
}

static struct step_params step_params(const struct search_params *params) {
    const struct vks_translator_params *p = params->translator;
    const struct vks_model_config *config = &params->models[0]->config;
    bool samples = p->sampling != VKS_SAMPLING_NONE;
    return (struct step_params){
        .models = params->models,
        .weights = p->weights,
        .num_models = params->num_models,
        .rule = {.rule = rule_of(params),
                 .k = p->beam_size,
                 .n_best = p->n_best,
                 .start_alive = samples ? p->beam_size : 1,
                 .start_token = config->pad_id,
                 .eos_id = config->eos_id,
                 .position_offset = config->position_offset,
                 .branches = params->branches},
        .normalize = p->normalize,
        .word_penalty = p->word_penalty,
        .min_length = p->min_length ? p->min_length + params->num_given : 0,
        .no_repeat_ngram = p->no_repeat_ngram,
        .repetition_penalty = p->repetition_penalty,
        .suppressed = params->suppressed,
        .num_suppressed = params->num_suppressed,
        .samples = samples,
        .sample_from = p->sampling == VKS_SAMPLING_TOP_K     ? SAMPLE_FROM_TOP_K
                       : p->sampling == VKS_SAMPLING_NUCLEUS ? SAMPLE_FROM_NUCLEUS
                                                             : SAMPLE_FROM_ALL,
        .sample_k = p->sampling_k,
        .sample_mass = p->sampling_mass,
        .temperature = p->temperature,
        .seed = p->seed,
    };
}

enum vks_status search_init(const struct search_params *params, struct search *search) {
    const struct vks_translator_params *p = params->translator;
    const struct step_params step = step_params(params);
    memset(search, 0, sizeof *search);
    search->params = *p;
    search->log = p->log;
    search->beam = (struct beam_params){.beam_size = p->beam_size,
                                        .n_best = p->n_best,
                                        .normalize = p->normalize,
                                        .word_penalty = p->word_penalty,
                                        .eos_id = params->models[0]->config.eos_id,
                                        .num_given = params->num_given,
                                        .shrinks = step.rule.rule == BEAM_RULE_MARIAN,
                                        .word_scores = p->word_scores};
    uint32_t most = MAX_ROWS / p->beam_size;
    search->max_sentences =
        p->mini_batch ? min_u32(p->mini_batch, most) : max_u32(DEFAULT_ROWS / p->beam_size, 1);
    TRY(step_decoder_init(&step, &search->decoder));
    if (search->decoder.max_cache_rows >= p->beam_size)
        return VKS_OK;
    log_error(p->log, "the device has no room for the cache of a beam of %u", p->beam_size);
    return VKS_ERR_DEVICE_OOM;
}

void search_finish(struct search *search) {
    step_decoder_finish(&search->decoder);
}

// Positions that all models have: UINT32_MAX where they are not learned.
static uint32_t max_positions(const struct search *search) {
    uint32_t most = UINT32_MAX;
    for (uint32_t i = 0; i < search->decoder.params.num_models; i++) {
        const struct vks_model_config *config = &search->decoder.models[i].model->config;
        if (config->positions == VKS_POSITIONS_LEARNED)
            most = min_u32(most, config->max_positions);
    }
    return most;
}

uint32_t search_max_source(const struct search *search) {
    return min_u32(search->params.max_length, max_positions(search));
}

// Tokens, </s> included, that the translation of num_src tokens should and may have at most.
static double wanted_target(const struct search *search, uint32_t num_src) {
    return ceil((double)search->params.max_length_factor * num_src);
}

static uint32_t most_target(const struct search *search) {
    return min_u32(search->decoder.max_cache_rows / search->params.beam_size,
                   max_positions(search));
}

// Without what it is forced to begin with.
static uint32_t max_target(const struct search *search, uint32_t num_src) {
    double wanted = wanted_target(search, num_src);
    uint32_t most = most_target(search);
    return wanted < 1 ? 1 : wanted < most ? (uint32_t)wanted : most;
}

// A sentence's place in the order of work: long ones first, so that batches are of like length and
// programs are built for the longest at once.
struct place {
    uint32_t num_ids, num_steps, num_prefix;
    size_t idx;
};

static int longer_first(const void *a_ref, const void *b_ref) {
    const struct place *a = a_ref, *b = b_ref;
    if (a->num_ids != b->num_ids)
        return a->num_ids < b->num_ids ? 1 : -1;
    return a->idx < b->idx ? -1 : 1;
}

static struct place place_of(const struct search *search, const struct sentence *sentence,
                             size_t idx) {
    uint32_t most = max_target(search, sentence->num_ids);
    struct place place = {sentence->num_ids,
                          min_u32(most + search->beam.num_given, most_target(search)),
                          min_u32(sentence->prefix.num_ids, most_target(search) - 1), idx};
    if (place.num_prefix < sentence->prefix.num_ids)
        log_warn(search->log,
                 "line %zu: %u tokens are given of the translation; those after %u "
                 "are cut off",
                 idx + 1, sentence->prefix.num_ids, place.num_prefix);
    place.num_steps = max_u32(place.num_steps, place.num_prefix + 1);
    return place;
}

static bool add_to_batch(const struct search *search, const struct place *place,
                         struct step_capacity *needed) {
    struct step_capacity next = {
        .num_src = needed->num_src + place->num_ids,
        .num_sentences = needed->num_sentences + 1,
        .num_steps = max_u32(needed->num_steps, place->num_steps),
        .num_positions = max_u32(needed->num_positions, max_u32(place->num_ids, place->num_steps)),
        .num_words = needed->num_words + place->num_prefix,
        .has_prefixes = needed->has_prefixes | (place->num_prefix > 0),
    };
    uint64_t cache_rows = (uint64_t)next.num_sentences * search->params.beam_size * next.num_steps;
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
    while (end < num && add_to_batch(search, &order[end], needed))
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
        most.num_steps = max_u32(most.num_steps, needed.num_steps);
        most.num_cache_rows = max_u32(most.num_cache_rows, needed.num_cache_rows);
        most.num_positions = max_u32(most.num_positions, needed.num_positions);
        most.num_words = max_u32(most.num_words, needed.num_words);
        most.has_prefixes |= needed.has_prefixes;
    }
    return step_decoder_reserve(&search->decoder, &most);
}

// A batch of sentences under way.
struct decoding {
    struct search *search;
    struct arena arena;
    struct beam *beams; // [num_sentences]
    struct step_sentence *sentences;
    size_t *indices;
    uint32_t *tokens, *offsets; // the batch, packed
    uint32_t num_sentences;
};

static enum vks_status begin(struct search *search, const struct step_capacity *needed,
                             const struct sentence *sentences, const struct place *order,
                             struct decoding *decoding) {
    struct arena *arena = &decoding->arena;
    uint32_t num = needed->num_sentences, num_tokens = 0;
    *decoding = (struct decoding){.search = search, .num_sentences = num};
    decoding->beams = ARENA_NEW(arena, struct beam, num);
    decoding->sentences = ARENA_NEW(arena, struct step_sentence, num);
    decoding->indices = ARENA_NEW(arena, size_t, num);
    decoding->tokens = ARENA_NEW(arena, uint32_t, needed->num_src);
    decoding->offsets = ARENA_NEW(arena, uint32_t, num + 1);
    if (!decoding->beams || !decoding->sentences || !decoding->indices || !decoding->tokens ||
        !decoding->offsets) {
        arena_finish(arena);
        return VKS_ERR_OOM;
    }
    for (uint32_t i = 0; i < num; i++) {
        const struct sentence *sentence = &sentences[order[i].idx];
        beam_init(&search->beam, search->decoder.params.rule.start_alive, &decoding->beams[i]);
        decoding->sentences[i] =
            (struct step_sentence){.ids = sentence->ids,
                                   .num_ids = sentence->num_ids,
                                   .max_steps = order[i].num_steps,
                                   .prefix = {sentence->prefix.ids, order[i].num_prefix},
                                   .num_given = search->beam.num_given};
        decoding->indices[i] = order[i].idx;
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

// Hypotheses that may be alive when the next step runs.
static uint32_t max_rows(const struct decoding *decoding) {
    uint32_t num_waiting = step_decoder_num_waiting(&decoding->search->decoder), num = 0;
    for (uint32_t i = 0; i < decoding->num_sentences; i++)
        num += beam_max_alive(&decoding->beams[i], num_waiting);
    return num;
}

static enum vks_status collect(struct decoding *decoding) {
    struct search *search = decoding->search;
    TRY(step_decoder_collect(&search->decoder));
    if (search->observer) {
        struct search_step step = {
            .beams = decoding->beams,
            .sentence_indices = decoding->indices,
            .num_sentences = decoding->num_sentences,
        };
        step_decoder_log_probs(&search->decoder, &step.log_probs);
        search->observer->observe(search->observer->user, &step);
    }
    for (uint32_t i = 0; i < decoding->num_sentences; i++) {
        struct beam_events events;
        step_decoder_events(&search->decoder, i, &events);
        enum vks_status status = beam_apply(&decoding->beams[i], &events);
        if (status == VKS_ERR_DIVERGED)
            log_error(search->log, "the model's probabilities are not finite numbers");
        TRY(status);
    }
    return VKS_OK;
}

// Keeps the device supplied with steps, and reads them as they end.
static enum vks_status run(struct decoding *decoding) {
    struct step_decoder *decoder = &decoding->search->decoder;
    const struct packed source = {decoding->tokens, decoding->offsets, decoding->num_sentences};
    TRY(step_decoder_begin(decoder, &source, decoding->sentences));
    for (uint32_t num_rows; (num_rows = max_rows(decoding)) > 0;) {
        TRY(step_decoder_submit(decoder, num_rows));
        if (step_decoder_num_waiting(decoder) == decoder->num_slots)
            TRY(collect(decoding));
    }
    while (step_decoder_num_waiting(decoder) > 0)
        TRY(collect(decoding));
    return VKS_OK;
}

static void warn_if_cut(const struct search *search, const struct place *place,
                        const struct vks_translation *translation) {
    uint32_t most = max_target(search, place->num_ids);
    if (translation->num_hypotheses > 0 && translation->hypotheses[0].num_ids == most &&
        most < wanted_target(search, place->num_ids))
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
            order[num++] = place_of(search, &sentences[i], i);
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
