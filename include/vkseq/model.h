// Encoder-decoder Transformers: their shape, and their parameters on a device.
#ifndef VKSEQ_MODEL_H
#define VKSEQ_MODEL_H

#include "vkseq/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_activation { VKS_RELU, VKS_GELU, VKS_SILU };

// Positions. Sinusoidal ones are D/2 sines, then D/2 cosines, of position * frequency i.
enum vks_positions {
    VKS_POSITIONS_HF,      // 10000^(-2i/D): Vaswani et al. 2017, and Hugging Face's Marian
    VKS_POSITIONS_FAIRSEQ, // 10000^(-i/(D/2-1)): tensor2tensor, fairseq and Marian
    VKS_POSITIONS_LEARNED
};

// Which embedding matrices are one.
enum vks_tying {
    VKS_TIED_ALL,    // source, target and output (one joint vocabulary)
    VKS_TIED_OUTPUT, // target and output
    VKS_TIED_NONE
};

// When a search for translations is over; docs/decoding.md has the rules.
enum vks_search {
    VKS_SEARCH_DEFAULT, // of a translation: the model's rule; of a model: Marian's
    VKS_SEARCH_MARIAN,
    VKS_SEARCH_HF,
    VKS_SEARCH_EXACT
};

// Zero-initialised fields mean the default in parentheses, if one is given.
struct vks_model_config {
    uint32_t source_vocab, target_vocab;     // V, <pad> included; must be set
    uint32_t width;                          // D (512)
    uint32_t ffn_width;                      // F (4 D)
    uint32_t num_heads;                      // H (8); D / H is a multiple of 4, at most 128
    uint32_t encoder_layers, decoder_layers; // L (6)
    enum vks_activation activation;
    enum vks_positions positions;
    uint32_t position_offset; // of the first position
    uint32_t max_positions;   // rows of learned positions (512)
    enum vks_tying tying;
    bool pre_norm; // normalise before each block, and once at the end (default: after each)
    bool no_embedding_scale; // default: embeddings are multiplied by sqrt(D)
    float norm_eps;          // (1e-5)
    uint32_t eos_id;         // </s> (0)
    uint32_t pad_id;        // starts the decoder, is never predicted; its embedding is zero (V - 1)
    enum vks_search search; // what the toolkit does that the model comes from
    // Decoder layer, from 1 on, whose first head has learned alignments; 0: none.
    uint32_t alignment_layer;
    bool placeholders; // trained with placeholders masked by <ph0> to <ph15> of the vocabulary
};

// The shape of a preset: "tiny" (64/256/4, 2+2), "demo" (128/512/4, 2+2), "small" (256/1024/4,
// 3+3), "transformer-base" (512/2048/8, 6+6), "transformer-big" (1024/4096/16, 6+6). The
// vocabularies stay 0. Errors: VKS_ERR_ARGUMENT for another name, config untouched.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_config_preset(const char *task,
                                                               struct vks_model_config *config);

struct vks_model;

// A new model, randomly initialised: matrices uniform in +-sqrt(6 / (rows + columns)), embeddings
// normal with variance 1/D. Source: Glorot and Bengio 2010, eq. 16; Vaswani et al. 2017, 3.4.
// device: borrowed while the model lives.
// Errors: VKS_ERR_ARGUMENT for a shape that makes no sense (the log says why), VKS_ERR_UNSUPPORTED,
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_create(struct vks_device *device,
                                                        const struct vks_model_config *config,
                                                        uint32_t seed, struct vks_model **model);

// Reads config.json and model.safetensors of a directory in Hugging Face's layout.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_SHAPE (a tensor that the configuration does not
// describe), VKS_ERR_UNSUPPORTED, VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_load(struct vks_device *device, const char *dir,
                                                      struct vks_model **model);

// Writes config.json, generation_config.json and model.safetensors (float32) into a directory,
// which is made if need be; each file is replaced in one step.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_save(struct vks_model *model, const char *dir);

// Borrowed while the model lives.
VKS_API const struct vks_model_config *vks_model_config(const struct vks_model *model);
VKS_API uint64_t vks_model_num_parameters(const struct vks_model *model);
VKS_API void vks_model_destroy(struct vks_model **model);

// The mean of several models' weights, in double precision: weight_paths [num] are safetensors
// files with the same tensors in the same shapes, such as the model.safetensors of models or the
// weights.safetensors of training states. output_dir becomes a model directory with configuration
// and vocabulary of model_dir; weights come last. Needs no device.
// Errors: VKS_ERR_ARGUMENT (none), VKS_ERR_SHAPE (not the same model), VKS_ERR_IO, VKS_ERR_FORMAT,
// VKS_ERR_UNSUPPORTED, VKS_ERR_OOM. Source: Vaswani et al. 2017, arXiv:1706.03762, 6.1.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_average(const char *const *weight_paths,
                                                         size_t num, const char *model_dir,
                                                         const char *output_dir,
                                                         const struct vks_log *log);

#ifdef __cplusplus
}
#endif
#endif
