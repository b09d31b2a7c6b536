#include "decode/search.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/admission.h"
#include "ops/constrain.h"
#include "ops/sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rows that keep a device busy, and source tokens that bound the encoder's memory.
enum { DEFAULT_ROWS = 256, MAX_ROWS = 65535, BATCH_TOKENS = 4096, MAX_NGRAM = 65535 };

static void fill_defaults(const struct vks_generation *model, struct vks_translator_params *p) {
    if (p->beam_size == 0 && p->sampling == VKS_SAMPLING_NONE)
        p->beam_size = model->beam_size ? model->beam_size : 4;
    p->beam_size = p->beam_size ? p->beam_size : 1;
    if (p->normalize == 0.0f && !p->no_normalize)
        p->normalize = model->normalize;
    if (p->word_penalty == 0.0f)
        p->word_penalty = model->word_penalty;
    p->min_length = p->min_length ? p->min_length : model->min_length;
    p->no_repeat_ngram = p->no_repeat_ngram ? p->no_repeat_ngram : model->no_repeat_ngram;
    if (p->repetition_penalty == 0.0f)
        p->repetition_penalty = model->repetition_penalty;
    p->n_best = p->n_best ? p->n_best : 1;
    p->max_length_factor = p->max_length_factor != 0.0f ? p->max_length_factor : 3.0f;
    p->max_target_length = p->max_target_length ? p->max_target_length : model->max_length;
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

enum vks_status search_complete_params(const struct vks_model_config *model,
                                       struct vks_translator_params *params) {
    struct vks_translator_params p = *params;
    fill_defaults(&model->generation, &p);
    if (p.beam_size > BEAM_MAX_SIZE) {
        log_error(p.log, "a beam size of %u; at most %d is possible", p.beam_size, BEAM_MAX_SIZE);
        return VKS_ERR_ARGUMENT;
    }
    if (p.precision > VKS_BFLOAT16) {
        log_error(p.log, "%d is no precision: expected float32, float16 or bfloat16",
                  (int)p.precision);
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
    return search == VKS_SEARCH_HF         ? BEAM_RULE_HF
           : search == VKS_SEARCH_EXACT    ? BEAM_RULE_EXACT
           : search == VKS_SEARCH_HF_EARLY ? BEAM_RULE_HF_EARLY
                                           : BEAM_RULE_MARIAN;
}

// What the model's own sequences are that do not occur. lists [VKS_MAX_SUPPRESSED_IDS]: written;
// borrowed from the configuration. Returns how many there are.
static uint32_t model_suppressed(const struct vks_model_config *config, struct token_list *lists) {
    const uint32_t *ids = config->generation.suppressed;
    uint32_t num = 0;
    for (uint32_t i = 0; i < VKS_MAX_SUPPRESSED_IDS && ids[i] > 0; i += 1 + ids[i])
        lists[num++] = (struct token_list){ids + i + 1, ids[i]};
    return num;
}

// Whether <pad> may be predicted: never by models that have learned nothing about it.
static bool predicts_pad(const struct vks_model_config *config, const struct token_list *lists,
                         uint32_t num_lists) {
    bool is_suppressed = !config->pad_in_softmax;
    for (uint32_t i = 0; i < num_lists; i++)
        is_suppressed |= lists[i].num_ids == 1 && lists[i].ids[0] == config->pad_id;
    return !is_suppressed;
}

// As the toolkit that the model comes from.
static uint32_t penalty_kind(const struct vks_model_config *config,
                             const struct vks_translator_params *p) {
    bool is_beam = p->beam_size > 1 && p->sampling == VKS_SAMPLING_NONE;
    if (config->model_class == VKS_CLASS_OWN)
        return 0;
    return is_beam ? PENALTY_OF_START : PENALTY_OF_START | PENALTY_OF_LOGITS;
}

static struct step_params step_params(const struct search_params *params) {
    const struct vks_translator_params *p = params->translator;
    const struct vks_model_config *config = &params->models[0]->config;
    bool samples = p->sampling != VKS_SAMPLING_NONE;
    return (struct step_params){
        .models = params->models,
        .weights = p->weights,
        .num_models = params->num_models,
        .halves = params->halves,
        .rule = {.rule = rule_of(params),
                 .k = p->beam_size,
                 .n_best = p->n_best,
                 .start_alive = samples ? p->beam_size : 1,
                 .start_token = config->start_id,
                 .eos_id = config->eos_id,
                 .position_offset = config->position_offset,
                 .branches = params->branches},
        .normalize = p->normalize,
        .word_penalty = p->word_penalty,
        .min_length = p->min_length,
        .no_repeat_ngram = p->no_repeat_ngram,
        .repetition_penalty = p->repetition_penalty,
        .penalty_kind = penalty_kind(config, p),
        .forces_first = params->first_id || config->generation.forces_first,
        .first_id = params->first_id ? *params->first_id : config->generation.first_id,
        .forces_eos = config->generation.forces_eos,
        .shortlist = p->shortlist,
        .samples = samples,
        .sample_from = p->sampling == VKS_SAMPLING_TOP_K     ? SAMPLE_FROM_TOP_K
                       : p->sampling == VKS_SAMPLING_NUCLEUS ? SAMPLE_FROM_NUCLEUS
                                                             : SAMPLE_FROM_ALL,
        .sample_k = p->sampling_k,
        .sample_mass = p->sampling_mass,
        .temperature = p->temperature,
        .seed = p->seed,
        .cache_bytes = (uint64_t)p->workspace << 20,
    };
}

// The device's part, with the sequences that the user and the model suppress.
static enum vks_status init_decoder(const struct search_params *params, struct step_params *step,
                                    struct step_decoder *decoder) {
    const struct vks_model_config *config = &params->models[0]->config;
    struct token_list own[VKS_MAX_SUPPRESSED_IDS];
    uint32_t num_own = model_suppressed(config, own), num = 0;
    struct token_list *lists =
        memory_calloc((size_t)params->num_suppressed + num_own + 1, sizeof *lists);
    if (!lists)
        return VKS_ERR_OOM;
    for (uint32_t i = 0; i < params->num_suppressed; i++)
        lists[num++] = params->suppressed[i];
    for (uint32_t i = 0; i < num_own; i++)
        if (own[i].num_ids > 1 || own[i].ids[0] != config->pad_id)
            lists[num++] = own[i];
    step->predicts_pad = predicts_pad(config, own, num_own);
    step->suppressed = lists;
    step->num_suppressed = num;
    enum vks_status status = step_decoder_init(step, decoder);
    free(lists);
    return status;
}

enum vks_status search_init(const struct search_params *params, struct search *search) {
    const struct vks_translator_params *p = params->translator;
    struct step_params step = step_params(params);
    memset(search, 0, sizeof *search);
    search->params = *p;
    search->log = p->log;
    search->beam = (struct beam_params){.beam_size = p->beam_size,
                                        .n_best = p->n_best,
                                        .normalize = p->normalize,
                                        .word_penalty = p->word_penalty,
                                        .eos_id = params->models[0]->config.eos_id,
                                        .num_given = step.forces_first,
                                        .shrinks = step.rule.rule == BEAM_RULE_MARIAN,
                                        .word_scores = p->word_scores};
    uint32_t most = MAX_ROWS / p->beam_size;
    search->max_sentences =
        p->mini_batch ? min_u32(p->mini_batch, most) : max_u32(DEFAULT_ROWS / p->beam_size, 1);
    search->max_tokens = BATCH_TOKENS;
    TRY(init_decoder(params, &step, &search->decoder));
    search->max_cache_rows = search->decoder.max_cache_rows;
    if (search->decoder.max_cache_rows / p->beam_size > step.forces_first)
        return VKS_OK;
    log_error(p->log, "a workspace of %.1f MiB has no room for keys and values of a beam of %u",
              (double)search->decoder.cache_bytes / 0x1p20, p->beam_size);
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
    uint32_t most = min_u32(search->params.max_length, max_positions(search));
    // A source that is longer than its translation can be would lose its end.
    uint32_t longest = search->params.max_target_length;
    return longest > 0 ? min_u32(most, longest) : most;
}

// Tokens, </s> included, that the translation of num_src tokens should have room for.
static double wanted_target(const struct search *search, uint32_t num_src) {
    double wanted = ceil((double)search->params.max_length_factor * num_src);
    double least = (double)search->params.min_length + 1;
    return wanted > least ? wanted : least;
}

// And that any translation may have.
static uint32_t most_target(const struct search *search) {
    return min_u32(search->decoder.max_cache_rows / search->params.beam_size,
                   max_positions(search));
}

// Without what it is forced to begin with.
static uint32_t max_target(const struct search *search, uint32_t num_src) {
    double wanted = wanted_target(search, num_src);
    uint32_t most = most_target(search), longest = search->params.max_target_length;
    if (longest > 0)
        most = min_u32(most, longest);
    return wanted < most ? (uint32_t)wanted : most;
}

// Long ones first, so that those under way are of like length and programs are built for the
// longest at once.
static int longer_first(const void *a_ref, const void *b_ref) {
    const struct work_item *a = a_ref, *b = b_ref;
    if (a->num_ids != b->num_ids)
        return a->num_ids < b->num_ids ? 1 : -1;
    return a->idx < b->idx ? -1 : 1;
}

static struct work_item item_of(const struct search *search, const struct sentence *sentence,
                                size_t idx) {
    uint32_t num_first = search->decoder.params.forces_first;
    uint32_t most = max_u32(most_target(search) - 1, num_first);
    struct work_item item = {sentence->num_ids, max_target(search, sentence->num_ids),
                             min_u32(num_first + sentence->prefix.num_ids, most), idx};
    if (item.num_prefix < num_first + sentence->prefix.num_ids)
        log_warn(search->log,
                 "line %" PRIu64 ": %u tokens are given of the translation; those after %u "
                 "are cut off",
                 sentence->line, sentence->prefix.num_ids, item.num_prefix - num_first);
    item.num_steps = max_u32(item.num_steps, item.num_prefix + 1);
    return item;
}

static bool add_to_batch(const struct search *search, const struct work_item *item,
                         struct step_capacity *needed) {
    struct step_capacity next = {
        .num_src = needed->num_src + item->num_ids,
        .num_sentences = needed->num_sentences + 1,
        .num_steps = max_u32(needed->num_steps, item->num_steps),
        .num_positions = max_u32(needed->num_positions, max_u32(item->num_ids, item->num_steps)),
        .num_words = needed->num_words + item->num_prefix + search->decoder.num_set_words,
        .has_prefixes = needed->has_prefixes | (item->num_prefix > 0),
    };
    uint64_t cache_rows =
        needed->num_cache_rows + (uint64_t)search->params.beam_size * item->num_steps;
    if (needed->num_sentences > 0 &&
        (next.num_sentences > search->max_sentences || next.num_src > search->max_tokens ||
         cache_rows > search->max_cache_rows))
        return false;
    next.num_cache_rows = (uint32_t)cache_rows;
    *needed = next;
    return true;
}

// The end of the batch that begins at `first`, and what it needs.
static size_t batch_end(const struct search *search, const struct work_item *order, size_t first,
                        size_t num, struct step_capacity *needed) {
    *needed = (struct step_capacity){0};
    size_t end = first;
    while (end < num && add_to_batch(search, &order[end], needed))
        end++;
    return end;
}

// What the largest of all batches need.
static struct step_capacity capacity_for(const struct search *search, const struct work_item *order,
                                         size_t num) {
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
    return most;
}

// Programs that are built once, for all that can be under way together: the fewer, the less memory
// the device has.
static enum vks_status reserve(struct search *search, const struct work_item *order, size_t num) {
    struct vks_device *device = search->decoder.models[0].model->device;
    const struct vks_log *log = device->log;
    uint32_t max_sentences = search->max_sentences;
    for (;;) {
        struct step_capacity most = capacity_for(search, order, num);
        // What fails here is told only if nothing less can be tried.
        device->log = most.num_sentences > 1 ? NULL : log;
        enum vks_status status = step_decoder_reserve(&search->decoder, &most);
        device->log = log;
        bool is_too_much = status == VKS_ERR_DEVICE_OOM || status == VKS_ERR_UNSUPPORTED;
        if (status == VKS_OK && search->max_sentences < max_sentences)
            log_warn(search->log,
                     "device memory does not suffice for %u sentences at once: %u are translated "
                     "together",
                     max_sentences, search->max_sentences);
        if (!is_too_much || most.num_sentences == 1)
            return status;
        search->max_sentences = most.num_sentences / 2;
        search->max_tokens = max_u32(most.num_src / 2, 1);
        search->max_cache_rows = max_u32(most.num_cache_rows / 2, 1);
    }
}

void search_warn_if_cut(const struct search *search, const struct sentence *sentence,
                        const struct vks_translation *translation) {
    uint32_t most = max_target(search, sentence->num_ids);
    uint32_t forced = search->decoder.params.forces_eos;
    if (translation->num_hypotheses == 0 || most >= wanted_target(search, sentence->num_ids) ||
        translation->hypotheses[0].num_ids + forced < most)
        return;
    log_warn(search->log, "line %" PRIu64 ": no more than %u tokens of the translation are %s",
             sentence->line, most,
             most == search->params.max_target_length ? "allowed (max_target_length)" : "possible");
}

enum vks_status search_run(struct search *search, const struct sentence *sentences,
                           size_t num_sentences, struct vks_translation *translations) {
    struct work_item *order = memory_calloc(num_sentences + 1, sizeof *order);
    size_t num = 0;
    if (!order)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num_sentences; i++)
        if (sentences[i].num_ids > 0)
            order[num++] = item_of(search, &sentences[i], i);
    qsort(order, num, sizeof *order, longer_first);
    enum vks_status status = num > 0 ? reserve(search, order, num) : VKS_OK;
    if (num > 0 && status == VKS_OK)
        status = admission_run(search, sentences, order, num, translations);
    free(order);
    return status;
}
