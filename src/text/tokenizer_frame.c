#include "text/tokenizer_frame.h"

#include "base/log.h"
#include "text/tokenizer_object.h"

#include <string.h>

static bool is_multilingual(const struct vks_tokenizer *tokenizer) {
    return tokenizer->family >= TOKENIZER_M2M100;
}

// The id of a language.
static enum vks_status find(const struct vks_tokenizer *tokenizer, const char *code,
                            const struct vks_log *log, uint32_t *id) {
    uint32_t i = languages_find(&tokenizer->languages, code);
    if (i == tokenizer->languages.num) {
        languages_report_unknown(&tokenizer->languages, code, log);
        return VKS_ERR_ARGUMENT;
    }
    *id = tokenizer->languages.items[i].id;
    return VKS_OK;
}

// Marian's sources begin with the language that is wanted; of the source's own, nothing is said.
static enum vks_status frame_marian(const struct vks_tokenizer *tokenizer,
                                    const struct vks_sequence_params *params,
                                    const struct vks_log *log, struct token_frame *frame) {
    const char *unknown = tokenizer->languages.num == 0 ? params->source_language : NULL;
    const char *code = params->target_language ? params->target_language : unknown;
    uint32_t id;
    if (!code)
        return VKS_OK;
    TRY(find(tokenizer, code, log, &id));
    if (params->side == VKS_SOURCE) {
        frame->before[0] = id;
        frame->num_before = 1;
        frame->own_codes = &tokenizer->languages;
    }
    return VKS_OK;
}

enum vks_status tokenizer_frame(const struct vks_tokenizer *tokenizer,
                                const struct vks_sequence_params *params, const struct vks_log *log,
                                struct token_frame *result) {
    bool is_source = params->side == VKS_SOURCE;
    struct token_frame frame = {.after = {tokenizer->vocab[params->side]->eos_id}, .num_after = 1};
    if (!is_multilingual(tokenizer)) {
        TRY(frame_marian(tokenizer, params, log, &frame));
        *result = frame;
        return VKS_OK;
    }
    const char *code = is_source ? params->source_language : params->target_language;
    uint32_t id;
    if (!code)
        code = tokenizer->settings.languages[params->side];
    if (!code) {
        languages_report_missing(&tokenizer->languages,
                                 is_source ? "source language" : "target language", log);
        return VKS_ERR_ARGUMENT;
    }
    TRY(find(tokenizer, code, log, &id));
    if (is_source && tokenizer->settings.language_last)
        frame.after[frame.num_after++] = id;
    else
        frame.before[frame.num_before++] = id;
    *result = frame;
    return VKS_OK;
}

bool tokenizer_fits(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t num_rows) {
    uint32_t size = tokenizer->vocab[side]->size;
    bool may_have_more = is_multilingual(tokenizer) || tokenizer->settings.is_there;
    return num_rows == size || (may_have_more && num_rows > size);
}

size_t tokenizer_code_bytes(const struct vks_tokenizer *tokenizer, const char *text,
                            size_t text_bytes) {
    if (!tokenizer->leads_with_code || text_bytes < 4 || memcmp(text, ">>", 2) != 0)
        return 0;
    for (size_t i = 2; i + 2 <= text_bytes; i++)
        if (memcmp(text + i, "<<", 2) == 0)
            return i + 2;
    return 0;
}
