// Models into the files of other toolkits, and what a file or directory of a model is.
#ifndef VKSEQ_CONVERT_H
#define VKSEQ_CONVERT_H

#include "vkseq/model.h"
#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_export_format {
    VKS_EXPORT_VKSEQ,  // vkseq's own directory, which has Hugging Face's layout
    VKS_EXPORT_HF,     // the same, if a class of transformers computes what the model does
    VKS_EXPORT_MARIAN, // model.npz, vocabularies and decoder.yml for Marian
    VKS_EXPORT_CT2     // model.npz and vocabularies for CTranslate2's ct2-marian-converter
};

struct vks_export_params {
    enum vks_export_format format;
    bool is_half;              // float16; default: float32
    const struct vks_log *log; // NULL: the log of the model's device
};

// Writes a model with its vocabularies into a directory, which is made if need be; each file is
// replaced in one step, the weights a tensor at a time. What each format cannot have is in
// docs/models-out.md.
// Errors: VKS_ERR_UNSUPPORTED for a model that the format cannot express, or a value beyond
// float16 (the log says what, and what to take instead), VKS_ERR_IO, VKS_ERR_OOM,
// VKS_ERR_DEVICE_LOST.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_export(struct vks_model *model,
                                                        const struct vks_tokenizer *tokenizer,
                                                        const struct vks_export_params *params,
                                                        const char *dir);

// What there is to know about a file or directory of a model, without loading it.
struct vks_inspection;

// Something known: "width" is "512", a number.
struct vks_fact {
    const char *key, *value;
    bool is_number; // the value as it would stand in JSON; else a text
};

struct vks_inspected_tensor {
    const char *name, *type; // "F32"
    uint32_t num_dims;
    const uint64_t *dims;
};

// Looks at a model's directory or at one of its files, by their content. Needs no device. What is
// wrong with it, is missing or not supported becomes a problem of the inspection, not an error;
// nothing is logged then.
// Errors: VKS_ERR_IO for a path that cannot be read, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_inspect(const char *path, const struct vks_log *log,
                                                   struct vks_inspection **inspection);
VKS_API void vks_inspection_destroy(struct vks_inspection **inspection);

// All that these give is borrowed while the inspection lives. Indices are below the numbers.
VKS_API size_t vks_inspection_num_facts(const struct vks_inspection *inspection);
VKS_API const struct vks_fact *vks_inspection_fact(const struct vks_inspection *inspection,
                                                   size_t idx);
VKS_API size_t vks_inspection_num_tensors(const struct vks_inspection *inspection);
VKS_API const struct vks_inspected_tensor *
vks_inspection_tensor(const struct vks_inspection *inspection, size_t idx);
// Reasons why vkseq cannot use it; none: it can.
VKS_API size_t vks_inspection_num_problems(const struct vks_inspection *inspection);
VKS_API const char *vks_inspection_problem(const struct vks_inspection *inspection, size_t idx);

#ifdef __cplusplus
}
#endif
#endif
