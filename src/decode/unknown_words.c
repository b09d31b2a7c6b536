#include "decode/unknown_words.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>

// Where the attention of a target token is most: among what is unknown in the source, too, and if
// nothing is, among all tokens of the text.
static size_t most_attended(const struct unknown_words *params, const float *shares,
                            const struct vks_translation *translation) {
    uint32_t unk_id = vks_tokenizer_unk_id(params->tokenizer, VKS_SOURCE);
    size_t best = params->frame.num_before;
    for (size_t i = best + 1; i < translation->num_source_ids - params->frame.num_after; i++) {
        bool is_unknown = translation->source_ids[i] == unk_id;
        bool best_is_unknown = translation->source_ids[best] == unk_id;
        if (is_unknown != best_is_unknown ? is_unknown : shares[i] > shares[best])
            best = i;
    }
    return best;
}

// The text of a hypothesis; instead [num_ids], zeroed, is filled with allocated texts.
static enum vks_status replace(const struct unknown_words *params, const char *source_text,
                               const struct vks_translation *translation,
                               struct vks_hypothesis *hypothesis, char **instead) {
    uint32_t unk_id = vks_tokenizer_unk_id(params->tokenizer, VKS_TARGET);
    size_t first = params->has_first && hypothesis->num_ids > 0;
    for (size_t i = first; i < hypothesis->num_ids; i++) {
        const float *shares = hypothesis->alignment + i * translation->num_source_ids;
        if (hypothesis->ids[i] != unk_id)
            continue;
        size_t place = most_attended(params, shares, translation) - params->frame.num_before;
        TRY(tokenizer_token_text(params->tokenizer, VKS_SOURCE, source_text, place, &instead[i]));
    }
    char *text;
    TRY(tokenizer_decode_with(params->tokenizer, VKS_TARGET, hypothesis->ids + first,
                              (const char *const *)instead + first, hypothesis->num_ids - first,
                              &text));
    vks_free(hypothesis->text);
    hypothesis->text = text;
    return VKS_OK;
}

static bool has_unknown(const struct unknown_words *params,
                        const struct vks_hypothesis *hypothesis) {
    uint32_t unk_id = vks_tokenizer_unk_id(params->tokenizer, VKS_TARGET);
    bool has = false;
    for (size_t i = 0; i < hypothesis->num_ids; i++)
        has |= hypothesis->ids[i] == unk_id;
    return has;
}

static enum vks_status replace_in(const struct unknown_words *params, const char *source_text,
                                  const struct vks_translation *translation,
                                  struct vks_hypothesis *hypothesis) {
    if (!has_unknown(params, hypothesis))
        return VKS_OK;
    char **instead = memory_calloc(hypothesis->num_ids, sizeof *instead);
    if (!instead)
        return VKS_ERR_OOM;
    enum vks_status status = replace(params, source_text, translation, hypothesis, instead);
    for (size_t i = 0; i < hypothesis->num_ids; i++)
        free(instead[i]);
    free(instead);
    return status;
}

static void drop_alignments(struct vks_translation *translation) {
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        free(translation->hypotheses[i].alignment);
        translation->hypotheses[i].alignment = NULL;
    }
    free(translation->source_ids);
    translation->source_ids = NULL;
    translation->num_source_ids = 0;
}

enum vks_status unknown_words_replace(const struct unknown_words *params,
                                      const struct sentence *source, const char *source_text,
                                      struct vks_translation *translation) {
    bool has = false, is_aligned = translation->source_ids != NULL;
    for (size_t i = 0; i < translation->num_hypotheses; i++)
        has |= has_unknown(params, &translation->hypotheses[i]);
    // A source that was cut to nothing has no text to take.
    if (!has || source->num_ids <= token_frame_size(&params->frame))
        return VKS_OK;
    enum vks_status status =
        is_aligned ? VKS_OK : source_alignment_add(params->maps, source, 1, translation);
    for (size_t i = 0; i < translation->num_hypotheses && status == VKS_OK; i++)
        status = replace_in(params, source_text, translation, &translation->hypotheses[i]);
    if (!is_aligned)
        drop_alignments(translation);
    return status;
}
