#include "vkseq/translator.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/passages.h"
#include "decode/search.h"
#include "decode/sentences.h"

#include <stdlib.h>
#include <string.h>

struct vks_translator {
    struct vks_model *model;               // borrowed
    const struct vks_tokenizer *tokenizer; // borrowed
    struct search search;
    bool split_sentences;
    uint64_t num_lines; // translated so far
};

enum vks_status vks_translator_create(struct vks_model *model,
                                      const struct vks_tokenizer *tokenizer,
                                      const struct vks_translator_params *params,
                                      struct vks_translator **result) {
    struct vks_translator_params complete = *params;
    TRY(search_complete_params(&complete));
    TRY(sentences_check_vocabulary(&model->config, tokenizer, params->log));
    struct vks_translator *translator = memory_calloc(1, sizeof *translator);
    if (!translator)
        return VKS_ERR_OOM;
    translator->model = model;
    translator->tokenizer = tokenizer;
    translator->split_sentences = params->split_sentences;
    enum vks_status status = search_init(model, &complete, &translator->search);
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

static enum vks_status add_texts(const struct vks_translator *translator,
                                 struct vks_translation *translation) {
    if (translation->num_hypotheses == 0)
        TRY(add_empty(translation));
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        TRY(vks_tokenizer_decode(translator->tokenizer, VKS_TARGET, hypothesis->ids,
                                 hypothesis->num_ids, &hypothesis->text));
    }
    return VKS_OK;
}

// Translations [passages->num_parts] of the parts; zeroed before.
static enum vks_status translate_parts(struct vks_translator *translator,
                                       const struct passages *passages,
                                       struct vks_translation *parts) {
    const struct sentences_params params = {
        .tokenizer = translator->tokenizer,
        .side = VKS_SOURCE,
        .eos_id = translator->model->config.eos_id,
        .max_tokens = search_max_source(&translator->search),
        .keep_empty = true,
        .line_numbers = passages->line_numbers,
        .log = translator->search.log,
    };
    size_t num = passages->num_parts;
    struct sentence *sentences;
    TRY(sentences_encode(&params, (const char *const *)passages->parts, num, &sentences));
    enum vks_status status = search_run(&translator->search, sentences, num, parts);
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        status = add_texts(translator, &parts[i]);
    sentences_free(sentences, num);
    return status;
}

enum vks_status vks_translate(struct vks_translator *translator, const char *const *lines,
                              size_t num_lines, struct vks_translation **result) {
    const struct passages_params params = {
        .tokenizer = translator->tokenizer,
        .max_tokens = max_u32(search_max_source(&translator->search), 2) - 1,
        .cut_sentences = translator->split_sentences,
        .first_line = translator->num_lines,
        .log = translator->search.log,
    };
    struct passages passages;
    TRY(passages_cut(&params, lines, num_lines, &passages));
    size_t num_parts = passages.num_parts;
    struct vks_translation *parts = memory_calloc(num_parts + 1, sizeof *parts);
    struct vks_translation *translations = memory_calloc(num_lines + 1, sizeof *translations);
    enum vks_status status = parts && translations ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = translate_parts(translator, &passages, parts);
    if (status == VKS_OK)
        status = passages_join(&passages, parts, translations);
    vks_translations_free(parts, num_parts);
    passages_free(&passages);
    if (status != VKS_OK)
        vks_translations_free(translations, num_lines);
    else
        *result = translations;
    translator->num_lines += status == VKS_OK ? num_lines : 0;
    return status;
}

void vks_translations_free(struct vks_translation *translations, size_t num_lines) {
    for (size_t i = 0; translations && i < num_lines; i++) {
        for (size_t j = 0; j < translations[i].num_hypotheses; j++) {
            free(translations[i].hypotheses[j].text);
            free(translations[i].hypotheses[j].ids);
        }
        free(translations[i].hypotheses);
    }
    free(translations);
}

void vks_translator_destroy(struct vks_translator **translator_ref) {
    struct vks_translator *translator = *translator_ref;
    if (!translator)
        return;
    search_finish(&translator->search);
    free(translator);
    *translator_ref = NULL;
}
