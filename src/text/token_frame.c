#include "text/token_frame.h"

#include "base/memory.h"
#include "base/log.h"

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

uint32_t token_frame_num_before(const struct token_frame *frame, const uint32_t *ids,
                                size_t num_ids) {
    const struct languages *codes = frame->own_codes;
    bool has_own = codes && num_ids > 0 && languages_find_id(codes, ids[0]) < codes->num;
    return has_own ? 0 : frame->num_before;
}

uint32_t token_frame_size(const struct token_frame *frame) {
    return frame->num_before + frame->num_after;
}

bool token_frame_add(const struct token_frame *frame, size_t num_kept, uint32_t **ids,
                     size_t *num_ids) {
    uint32_t num_before = token_frame_num_before(frame, *ids, *num_ids);
    size_t num = num_before + num_kept + frame->num_after;
    uint32_t *grown = memory_realloc(*ids, num * sizeof *grown);
    if (!grown)
        return false;
    memmove(grown + num_before, grown, num_kept * sizeof *grown);
    memcpy(grown, frame->before, num_before * sizeof *grown);
    memcpy(grown + num_before + num_kept, frame->after, frame->num_after * sizeof *grown);
    *ids = grown;
    *num_ids = num;
    return true;
}

bool tokenizer_fits(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t num_rows) {
    uint32_t size = tokenizer->vocab[side]->size;
    bool may_have_more = is_multilingual(tokenizer) || tokenizer->settings.is_there;
    return num_rows == size || (may_have_more && num_rows > size);
}
