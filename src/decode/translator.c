#include "vkseq/translator.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/masked_lines.h"
#include "decode/passages.h"
#include "decode/search.h"
#include "decode/sentences.h"
#include "decode/source_alignment.h"
#include "decode/suppressed_words.h"
#include "decode/translation_progress.h"
#include "decode/unknown_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SIDES = 2 };

struct vks_translator {
    struct vks_model *models[VKS_MAX_MODELS]; // borrowed
    float weights[VKS_MAX_MODELS];
    struct half_weights *halves[VKS_MAX_MODELS]; // owned; with another precision than float32
    uint32_t num_models;
    const struct vks_tokenizer *tokenizer; // borrowed
    struct vks_translator_params params;   // complete
    struct suppressed_words suppressed;
    struct token_frame frames[NUM_SIDES];
    struct search search;
    struct search branching; // of alternatives; beam size 0: there is none
    struct attention_maps alignments;
    const struct masked_lines *masked; // those that are translated; NULL: nothing is masked
    uint64_t num_lines;                // translated so far
};

// Whether a model can translate together with the first one.
static enum vks_status check_model(const struct vks_model *first, const struct vks_model *model,
                                   size_t number, const struct vks_log *log) {
    const struct vks_model_config *a = &first->config, *b = &model->config;
    const struct {
        const char *what;
        uint32_t first, other;
    } checks[] = {
        {"tokens of the source vocabulary", a->source_vocab, b->source_vocab},
        {"tokens of the target vocabulary", a->target_vocab, b->target_vocab},
        {"as the id of </s>", a->eos_id, b->eos_id},
        {"as the id of <pad>", a->pad_id, b->pad_id},
        {"as the offset of positions", a->position_offset, b->position_offset},
        {"as the first token of a decoder's input", a->start_id, b->start_id},
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        if (checks[i].first == checks[i].other)
            continue;
        log_error(log,
                  "models that translate together have one vocabulary: the first has %u %s, "
                  "model %zu has %u",
                  checks[i].first, checks[i].what, number, checks[i].other);
        return VKS_ERR_ARGUMENT;
    }
    if (model->device == first->device)
        return VKS_OK;
    log_error(log, "models that translate together lie on one device; model %zu does not", number);
    return VKS_ERR_ARGUMENT;
}

static enum vks_status collect_models(struct vks_model *model,
                                      const struct vks_translator_params *params,
                                      struct vks_translator *translator) {
    size_t num = 1 + params->num_more_models;
    if (num > VKS_MAX_MODELS) {
        log_error(params->log, "%zu models; at most %d can translate together", num,
                  VKS_MAX_MODELS);
        return VKS_ERR_ARGUMENT;
    }
    translator->models[0] = model;
    for (size_t i = 1; i < num; i++) {
        translator->models[i] = params->more_models[i - 1];
        TRY(check_model(model, translator->models[i], i + 1, params->log));
    }
    for (size_t i = 0; i < num; i++) {
        float weight = params->weights ? params->weights[i] : 1.0f;
        translator->weights[i] = weight;
        if (isfinite(weight) && weight >= 0.0f)
            continue;
        log_error(params->log, "the weight %g of model %zu; it must be a number of at least 0",
                  (double)weight, i + 1);
        return VKS_ERR_ARGUMENT;
    }
    translator->num_models = (uint32_t)num;
    for (size_t i = 0; i < num; i++)
        if (translator->weights[i] > 0.0f)
            return VKS_OK;
    log_error(params->log, "the weights of all models are 0; one must be above");
    return VKS_ERR_ARGUMENT;
}

// What stands around the tokens of both sides, which the languages decide.
static enum vks_status find_frames(struct vks_translator *translator) {
    const struct vks_translator_params *p = &translator->params;
    struct vks_sequence_params params = {.source_language = p->source_language,
                                         .target_language = p->target_language};
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++) {
        params.side = side;
        TRY(tokenizer_frame(translator->tokenizer, &params, p->log, &translator->frames[side]));
    }
    uint32_t frame_size = token_frame_size(&translator->frames[VKS_SOURCE]);
    if (p->max_length > frame_size)
        return VKS_OK;
    log_error(p->log, "lines of at most %u tokens; %u stand around the text of each", p->max_length,
              frame_size);
    return VKS_ERR_ARGUMENT;
}

static struct search_params search_params(const struct vks_translator *translator,
                                          const struct vks_translator_params *params) {
    const struct token_frame *target = &translator->frames[VKS_TARGET];
    return (struct search_params){.models = translator->models,
                                  .num_models = translator->num_models,
                                  .halves = params->precision ? translator->halves : NULL,
                                  .translator = params,
                                  .suppressed = translator->suppressed.items,
                                  .num_suppressed = translator->suppressed.num,
                                  .first_id = target->num_before > 0 ? target->before : NULL};
}

static enum vks_status make_halves(struct vks_translator *translator) {
    enum vks_precision precision = translator->params.precision;
    for (uint32_t i = 0; i < translator->num_models && precision != VKS_FLOAT32; i++)
        TRY(half_weights_create(&translator->models[i]->config, &translator->models[i]->weights,
                                precision, &translator->halves[i]));
    return VKS_OK;
}

static enum vks_status set_up(struct vks_translator *translator, struct vks_model *model,
                              const struct vks_translator_params *params) {
    translator->params = *params;
    TRY(search_complete_params(&model->config, &translator->params));
    TRY(collect_models(model, params, translator));
    translator->params.weights = translator->weights;
    TRY(suppressed_words_init(translator->tokenizer, params->suppressed, params->num_suppressed,
                              params->log, &translator->suppressed));
    TRY(find_frames(translator));
    TRY(make_halves(translator));
    // The last layer but one, all heads: Garg et al. 2019, arXiv:1909.02074.
    struct attention_maps_params alignments = {
        .kind = VKS_ATTENTION_CROSS,
        .layer = max_u32(model->config.decoder_layers, 2) - 2,
        .element = precision_element(translator->params.precision)};
    if (model->config.alignment_layer) {
        alignments.layer = model->config.alignment_layer - 1;
        alignments.num_mean_heads = 1;
    }
    attention_maps_init(model, &alignments, &translator->alignments);
    const struct search_params search = search_params(translator, &translator->params);
    return search_init(&search, &translator->search);
}

enum vks_status vks_translator_create(struct vks_model *model,
                                      const struct vks_tokenizer *tokenizer,
                                      const struct vks_translator_params *params,
                                      struct vks_translator **result) {
    TRY(sentences_check_vocabulary(&model->config, tokenizer, params->log));
    struct vks_translator *translator = memory_calloc(1, sizeof *translator);
    if (!translator)
        return VKS_ERR_OOM;
    translator->tokenizer = tokenizer;
    enum vks_status status = set_up(translator, model, params);
    if (status != VKS_OK)
        vks_translator_destroy(&translator);
    else
        *result = translator;
    return status;
}

// What an empty line becomes: nothing, with certainty.
static enum vks_status add_empty(struct vks_translation *translation) {
    translation->hypotheses = memory_calloc(1, sizeof *translation->hypotheses);
    if (!translation->hypotheses)
        return VKS_ERR_OOM;
    translation->num_hypotheses = 1;
    return VKS_OK;
}

// Texts, of what stands behind the token that every translation is forced to begin with.
static enum vks_status add_texts(const struct vks_translator *translator,
                                 struct vks_translation *translation) {
    bool has_first = translator->search.decoder.params.forces_first;
    if (translation->num_hypotheses == 0)
        TRY(add_empty(translation));
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        size_t first = has_first && hypothesis->num_ids > 0;
        TRY(vks_tokenizer_decode(translator->tokenizer, VKS_TARGET, hypothesis->ids + first,
                                 hypothesis->num_ids - first, &hypothesis->text));
    }
    return VKS_OK;
}

// Leaves out the token that every translation is forced to begin with, such as its language.
static void drop_first(const struct search *search, struct vks_translation *translation) {
    size_t num_cols = translation->num_source_ids;
    for (size_t i = 0; search->decoder.params.forces_first && i < translation->num_hypotheses;
         i++) {
        struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        if (hypothesis->num_ids == 0)
            continue;
        hypothesis->num_ids--;
        memmove(hypothesis->ids, hypothesis->ids + 1,
                hypothesis->num_ids * sizeof *hypothesis->ids);
        if (hypothesis->word_scores) {
            hypothesis->num_word_scores--;
            memmove(hypothesis->word_scores, hypothesis->word_scores + 1,
                    hypothesis->num_word_scores * sizeof(float));
        }
        if (hypothesis->alignment)
            memmove(hypothesis->alignment, hypothesis->alignment + num_cols,
                    hypothesis->num_ids * num_cols * sizeof(float));
    }
}

// The tokens of the text that a translation begins with, without what stands around them.
static struct token_list prefix_of(const struct vks_translator *translator,
                                   const struct sentence *forced) {
    const struct token_frame *frame = &translator->frames[VKS_TARGET];
    if (forced->num_ids == 0)
        return (struct token_list){0};
    return (struct token_list){forced->ids + frame->num_before,
                               forced->num_ids - token_frame_size(frame)};
}

// A line's forced beginning belongs to the first of its parts that has tokens. prefixes: NULL:
// there are none.
static void add_prefixes(const struct vks_translator *translator, const struct passages *passages,
                         const struct sentence *prefixes, struct sentence *parts) {
    for (size_t i = 0; prefixes && i < passages->num_lines; i++) {
        struct sentence *part = &parts[passages->lines[i].first_part];
        size_t num_left = passages->lines[i].segments.num;
        while (num_left > 0 && part->num_ids == 0) {
            part++;
            num_left--;
        }
        if (num_left > 0)
            part->prefix = prefix_of(translator, &prefixes[i]);
    }
}

// Searches for the translations of parts, and tells how far it is.
static enum vks_status search_parts(struct vks_translator *translator,
                                    const struct passages *passages,
                                    const struct sentence *sentences,
                                    struct vks_translation *parts) {
    struct search *search = &translator->search;
    struct translation_progress progress = {.params = &translator->params,
                                            .tokenizer = translator->tokenizer,
                                            .passages = passages,
                                            .masked = translator->masked,
                                            .sentences = sentences,
                                            .parts = parts};
    const struct search_observer observer = {.user = &progress,
                                             .may_go_on = translation_progress_tell};
    if (!translator->params.observe)
        return search_run(search, sentences, passages->num_parts, parts);
    enum vks_status status = translation_progress_init(&progress);
    search->observer = &observer;
    if (status == VKS_OK)
        status = search_run(search, sentences, passages->num_parts, parts);
    search->observer = NULL;
    if (progress.status != VKS_OK)
        status = progress.status;
    translation_progress_finish(&progress);
    return status;
}

// Translations [passages->num_parts] of the parts; zeroed before. prefixes [passages->num_lines];
// may be NULL.
static enum vks_status translate_parts(struct vks_translator *translator,
                                       const struct passages *passages,
                                       const struct sentence *prefixes,
                                       struct vks_translation *parts) {
    const struct sentences_params params = {
        .tokenizer = translator->tokenizer,
        .side = VKS_SOURCE,
        .frame = translator->frames[VKS_SOURCE],
        .max_tokens = search_max_source(&translator->search),
        .keep_empty = true,
        .line_numbers = passages->line_numbers,
        .log = translator->search.log,
    };
    size_t num = passages->num_parts;
    struct sentence *sentences;
    TRY(sentences_encode(&params, (const char *const *)passages->parts, num, &sentences));
    add_prefixes(translator, passages, prefixes, sentences);
    enum vks_status status = search_parts(translator, passages, sentences, parts);
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        status = add_texts(translator, &parts[i]);
    if (status == VKS_OK && translator->params.alignment)
        status = source_alignment_add(&translator->alignments, sentences, num, parts);
    const struct unknown_words unknown = {.tokenizer = translator->tokenizer,
                                          .maps = &translator->alignments,
                                          .frame = params.frame,
                                          .has_first =
                                              translator->search.decoder.params.forces_first};
    bool replaces = translator->params.replace_unknowns;
    for (size_t i = 0; i < num && status == VKS_OK && replaces; i++)
        status = unknown_words_replace(&unknown, &sentences[i], passages->parts[i], &parts[i]);
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        drop_first(&translator->search, &parts[i]);
    sentences_free(sentences, num);
    return status;
}

// The translations of lines that are cut; prefixes [num_lines], may be NULL.
static enum vks_status translate_passages(struct vks_translator *translator,
                                          const struct passages *passages,
                                          const struct sentence *prefixes,
                                          struct vks_translation **result) {
    size_t num_lines = passages->num_lines, num_parts = passages->num_parts;
    struct vks_translation *parts = memory_calloc(num_parts + 1, sizeof *parts);
    struct vks_translation *translations = memory_calloc(num_lines + 1, sizeof *translations);
    enum vks_status status = parts && translations ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = translate_parts(translator, passages, prefixes, parts);
    if (status == VKS_OK)
        status = passages_join(passages, parts, translations);
    vks_translations_free(parts, num_parts);
    if (status != VKS_OK)
        vks_translations_free(translations, num_lines);
    else
        *result = translations;
    return status;
}

static enum vks_status encode_prefixes(const struct vks_translator *translator,
                                       const char *const *prefixes, size_t num_lines,
                                       struct sentence **result) {
    const struct sentences_params params = {
        .tokenizer = translator->tokenizer,
        .side = VKS_TARGET,
        .frame = translator->frames[VKS_TARGET],
        .max_tokens = UINT32_MAX,
        .keep_empty = true,
        .first_line = translator->num_lines,
        .log = translator->search.log,
    };
    return sentences_encode(&params, prefixes, num_lines, result);
}

// As vks_translate_from, of texts as the model takes them.
static enum vks_status translate_lines(struct vks_translator *translator, const char *const *lines,
                                       const char *const *prefixes, size_t num_lines,
                                       struct vks_translation **result) {
    uint32_t frame_size = token_frame_size(&translator->frames[VKS_SOURCE]);
    const struct passages_params params = {
        .tokenizer = translator->tokenizer,
        .max_tokens = max_u32(search_max_source(&translator->search), frame_size + 1) - frame_size,
        .cut_sentences = translator->params.split_sentences,
        .first_line = translator->num_lines,
        .log = translator->search.log,
    };
    struct passages passages;
    struct sentence *forced = NULL;
    TRY(passages_cut(&params, lines, num_lines, &passages));
    enum vks_status status = VKS_OK;
    if (prefixes)
        status = encode_prefixes(translator, prefixes, num_lines, &forced);
    if (status == VKS_OK)
        status = translate_passages(translator, &passages, forced, result);
    sentences_free(forced, num_lines);
    passages_free(&passages);
    translator->num_lines += status == VKS_OK ? num_lines : 0;
    return status;
}

// The same with placeholders masked.
static enum vks_status translate_masked(struct vks_translator *translator, const char *const *lines,
                                        const char *const *prefixes, size_t num_lines,
                                        struct vks_translation **result) {
    struct masked_lines masked;
    char **masked_prefixes = NULL;
    struct vks_translation *translations = NULL;
    TRY(masked_lines_make(lines, num_lines, &masked));
    enum vks_status status = VKS_OK;
    if (prefixes)
        status = masked_lines_mask_prefixes(&masked, prefixes, &masked_prefixes);
    translator->masked = &masked;
    if (status == VKS_OK)
        status = translate_lines(translator, (const char *const *)masked.lines,
                                 (const char *const *)masked_prefixes, num_lines, &translations);
    translator->masked = NULL;
    if (status == VKS_OK)
        status = masked_lines_restore(&masked, translations);
    masked_texts_free(masked_prefixes, num_lines);
    masked_lines_free(&masked);
    if (status != VKS_OK)
        vks_translations_free(translations, num_lines);
    else
        *result = translations;
    return status;
}

enum vks_status vks_translate_from(struct vks_translator *translator, const char *const *lines,
                                   const char *const *prefixes, size_t num_lines,
                                   struct vks_translation **result) {
    return translator->models[0]->config.placeholders
               ? translate_masked(translator, lines, prefixes, num_lines, result)
               : translate_lines(translator, lines, prefixes, num_lines, result);
}

enum vks_status vks_translate(struct vks_translator *translator, const char *const *lines,
                              size_t num_lines, struct vks_translation **result) {
    return vks_translate_from(translator, lines, NULL, num_lines, result);
}

// A search of `num` hypotheses that part after what is forced.
static enum vks_status open_branching(struct vks_translator *translator, uint32_t num) {
    if (translator->branching.params.beam_size == num)
        return VKS_OK;
    search_finish(&translator->branching);
    translator->branching = (struct search){0};
    struct vks_translator_params params = translator->params;
    params.beam_size = params.n_best = num;
    params.sampling = VKS_SAMPLING_NONE;
    params.word_scores = true;
    struct search_params search = search_params(translator, &params);
    search.branches = true;
    TRY(search_complete_params(&translator->models[0]->config, &params));
    enum vks_status status = search_init(&search, &translator->branching);
    if (status != VKS_OK) {
        search_finish(&translator->branching);
        translator->branching = (struct search){0};
    }
    return status;
}

// By the probability of the token at a position; equal ones stay in order.
static void sort_by_word(struct vks_translation *translation, size_t position) {
    struct vks_hypothesis *items = translation->hypotheses;
    for (size_t i = 1; i < translation->num_hypotheses; i++) {
        struct vks_hypothesis item = items[i];
        size_t place = i;
        for (; place > 0 && items[place - 1].word_scores[position] < item.word_scores[position];
             place--)
            items[place] = items[place - 1];
        items[place] = item;
    }
}

static enum vks_status find_alternatives(struct vks_translator *translator, struct sentence *source,
                                         const struct sentence *prefix,
                                         struct vks_translation *translation, size_t *position) {
    struct search *search = &translator->branching;
    if (source->num_ids > search_max_source(search)) {
        log_error(search->log, "a line of %u tokens; alternatives are for lines of at most %u",
                  source->num_ids, search_max_source(search));
        return VKS_ERR_ARGUMENT;
    }
    source->prefix = prefix_of(translator, prefix);
    uint32_t num_forced = source->prefix.num_ids;
    TRY(search_run(search, source, 1, translation));
    for (size_t i = 0; i < translation->num_hypotheses; i++)
        if (translation->hypotheses[i].num_word_scores <=
            search->decoder.params.forces_first + num_forced) {
            log_error(search->log, "%u tokens are given of the translation: no more are possible",
                      num_forced);
            return VKS_ERR_ARGUMENT;
        }
    TRY(add_texts(translator, translation));
    if (translator->params.alignment)
        TRY(source_alignment_add(&translator->alignments, source, 1, translation));
    drop_first(search, translation);
    sort_by_word(translation, num_forced);
    *position = num_forced;
    return VKS_OK;
}

// As vks_translate_alternatives, of texts as the model takes them.
static enum vks_status translate_alternatives(struct vks_translator *translator, const char *line,
                                              const char *prefix, uint32_t num,
                                              struct vks_translation **result, size_t *position) {
    struct sentences_params params = {.tokenizer = translator->tokenizer,
                                      .side = VKS_SOURCE,
                                      .frame = translator->frames[VKS_SOURCE],
                                      .max_tokens = UINT32_MAX,
                                      .log = translator->params.log};
    struct sentence *source = NULL, *forced = NULL;
    struct vks_translation *translation = memory_calloc(1, sizeof *translation);
    enum vks_status status = translation ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK && num == 0) {
        log_error(params.log, "no alternatives are asked for");
        status = VKS_ERR_ARGUMENT;
    }
    if (status == VKS_OK)
        status = open_branching(translator, num);
    if (status == VKS_OK)
        status = sentences_encode(&params, &line, 1, &source);
    params.side = VKS_TARGET;
    params.frame = translator->frames[VKS_TARGET];
    if (status == VKS_OK)
        status = sentences_encode(&params, &prefix, 1, &forced);
    if (status == VKS_OK)
        status = find_alternatives(translator, source, forced, translation, position);
    sentences_free(source, 1);
    sentences_free(forced, 1);
    if (status != VKS_OK)
        vks_translations_free(translation, 1);
    else
        *result = translation;
    return status;
}

enum vks_status vks_translate_alternatives(struct vks_translator *translator, const char *line,
                                           const char *prefix, uint32_t num,
                                           struct vks_translation **result, size_t *position) {
    prefix = prefix ? prefix : "";
    if (!translator->models[0]->config.placeholders)
        return translate_alternatives(translator, line, prefix, num, result, position);
    struct masked_lines masked;
    char **masked_prefix = NULL;
    struct vks_translation *translation = NULL;
    TRY(masked_lines_make(&line, 1, &masked));
    enum vks_status status = masked_lines_mask_prefixes(&masked, &prefix, &masked_prefix);
    if (status == VKS_OK)
        status = translate_alternatives(translator, masked.lines[0], masked_prefix[0], num,
                                        &translation, position);
    if (status == VKS_OK)
        status = masked_lines_restore(&masked, translation);
    masked_texts_free(masked_prefix, 1);
    masked_lines_free(&masked);
    if (status != VKS_OK)
        vks_translations_free(translation, 1);
    else
        *result = translation;
    return status;
}

void vks_translations_free(struct vks_translation *translations, size_t num_lines) {
    for (size_t i = 0; translations && i < num_lines; i++) {
        for (size_t j = 0; j < translations[i].num_hypotheses; j++) {
            free(translations[i].hypotheses[j].text);
            free(translations[i].hypotheses[j].ids);
            free(translations[i].hypotheses[j].word_scores);
            free(translations[i].hypotheses[j].model_log_probs);
            free(translations[i].hypotheses[j].alignment);
        }
        free(translations[i].source_ids);
        free(translations[i].hypotheses);
    }
    free(translations);
}

void vks_translator_destroy(struct vks_translator **translator_ref) {
    struct vks_translator *translator = *translator_ref;
    if (!translator)
        return;
    suppressed_words_finish(&translator->suppressed);
    search_finish(&translator->search);
    search_finish(&translator->branching);
    attention_maps_finish(&translator->alignments);
    for (uint32_t i = 0; i < translator->num_models; i++)
        half_weights_destroy(&translator->halves[i]);
    free(translator);
    *translator_ref = NULL;
}
