#include "vkseq/translator.h"

#include "base/log.h"
#include "base/memory.h"
#include "decode/search.h"
#include "decode/sentences.h"

#include <stdlib.h>
#include <string.h>

struct vks_translator {
    struct vks_model *model;               // borrowed
    const struct vks_tokenizer *tokenizer; // borrowed
    struct search search;
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

enum vks_status vks_translate(struct vks_translator *translator, const char *const *lines,
                              size_t num_lines, struct vks_translation **result) {
    const struct sentences_params params = {
        .tokenizer = translator->tokenizer,
        .side = VKS_SOURCE,
        .eos_id = translator->model->config.eos_id,
        .max_tokens = search_max_source(&translator->search),
        .keep_empty = true,
        .log = translator->search.log,
    };
    struct sentence *sentences;
    TRY(sentences_encode(&params, lines, num_lines, &sentences));
    struct vks_translation *translations = memory_calloc(num_lines + 1, sizeof *translations);
    enum vks_status status = translations ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = search_run(&translator->search, sentences, num_lines, translations);
    for (size_t i = 0; i < num_lines && status == VKS_OK; i++)
        status = add_texts(translator, &translations[i]);
    sentences_free(sentences, num_lines);
    if (status != VKS_OK)
        vks_translations_free(translations, num_lines);
    else
        *result = translations;
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
