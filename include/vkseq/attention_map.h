// Where a model looks: the attention of one layer, for a sentence and its translation.
#ifndef VKSEQ_ATTENTION_MAP_H
#define VKSEQ_ATTENTION_MAP_H

#include "vkseq/model.h"
#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_attention {
    VKS_ATTENTION_CROSS,   // of the translation to the source
    VKS_ATTENTION_ENCODER, // of the source to itself
    VKS_ATTENTION_DECODER, // of the translation to what stands before it
};

// The mean over heads.
#define VKS_ATTENTION_ALL_HEADS UINT32_MAX

struct vks_attention_params {
    enum vks_attention kind;
    uint32_t layer, head; // from 0; head may be VKS_ATTENTION_ALL_HEADS
    // Codes of the tokenizer's languages. NULL: what the model directory says, if it does.
    const char *source_language, *target_language;
    const struct vks_log *log;
};

// Rows look at columns: weights sum to 1 in each row. A row of the translation stands for the token
// that is predicted there, a column of it for one that was read, the first being <pad>, which
// starts every translation.
struct vks_attention_map {
    uint32_t *row_ids, *col_ids; // [num_rows], [num_cols]; </s> included
    float *weights;              // [num_rows, num_cols]
    size_t num_rows, num_cols;
};

// One line of text and its translation, which may be empty for VKS_ATTENTION_ENCODER. Release with
// vks_attention_map_free. Errors: VKS_ERR_ARGUMENT for a layer or head that the model does not
// have, or a text that is longer than it can read, VKS_ERR_FORMAT for text that is not UTF-8,
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_DEVICE_LOST.
VKS_API VKS_MUST_CHECK enum vks_status
vks_attention_compute(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                      const struct vks_attention_params *params, const char *source,
                      const char *target, struct vks_attention_map *map);
VKS_API void vks_attention_map_free(struct vks_attention_map *map);

#ifdef __cplusplus
}
#endif
#endif
