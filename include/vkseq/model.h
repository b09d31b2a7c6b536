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
    VKS_TIED_NONE,
    VKS_TIED_SOURCE // source and target (one joint vocabulary)
};

// What a decoder layer knows the tokens before by.
enum vks_decoder_cell {
    VKS_CELL_ATTENTION,
    VKS_CELL_SSRU // simpler simple recurrent unit: Kim et al. 2019, D19-5632, section 3.1
};

// What activations are, and weights in products: float32, or halves of it whose sums are float32.
// Parameters, gradients, moments and statistics are float32 in any case.
enum vks_precision { VKS_FLOAT32, VKS_FLOAT16, VKS_BFLOAT16 };

enum { VKS_MAX_LAYERS = 64 };

// When a search for translations is over; docs/decoding.md has the rules.
enum vks_search {
    VKS_SEARCH_DEFAULT, // of a translation: the model's rule; of a model: Marian's
    VKS_SEARCH_MARIAN,
    VKS_SEARCH_HF,
    VKS_SEARCH_EXACT,
    VKS_SEARCH_HF_EARLY // with early stopping
};

// Classes of Hugging Face's transformers. A model that is read as one is saved as one.
enum vks_model_class {
    VKS_CLASS_OWN, // vkseq's own, whose config.json says all; where a class can express it, in its
                   // form
    VKS_CLASS_MARIAN,
    VKS_CLASS_PEGASUS,
    VKS_CLASS_M2M_100, // NLLB-200 too
    VKS_CLASS_MBART
};

enum { VKS_MAX_SUPPRESSED_IDS = 64 };

// How a model is translated with where nothing else is asked for: what its generation_config.json
// says. Zero-initialised: nothing.
struct vks_generation {
    uint32_t beam_size;
    uint32_t max_length; // longest translation in tokens, </s> included
    uint32_t min_length; // tokens before </s>, at least
    uint32_t no_repeat_ngram;
    float normalize, repetition_penalty;
    float word_penalty;
    bool forces_first, forces_eos; // translations begin with first_id; the longest end with </s>
    uint32_t first_id;
    // Sequences of tokens that do not occur, each after its length; a length of 0 ends the list.
    uint32_t suppressed[VKS_MAX_SUPPRESSED_IDS];
};

// Zero-initialised fields mean the default in parentheses, if one is given.
struct vks_model_config {
    uint32_t source_vocab, target_vocab;       // V, <pad> included; must be set
    uint32_t width;                            // D (512)
    uint32_t ffn_width;                        // F (4 D)
    uint32_t num_heads;                        // H (8); D / H is a multiple of 4, at most 128
    uint32_t decoder_ffn_width, decoder_heads; // (those of the encoder)
    uint32_t encoder_layers, decoder_layers;   // L (6)
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
    bool pad_is_zero;       // pad_id is 0 rather than the default
    bool pad_in_softmax;    // <pad> has a probability, and may be predicted
    uint32_t start_id;      // the decoder's first input (pad_id)
    bool embedding_norm;    // embeddings are normalised
    enum vks_search search; // what the toolkit does that the model comes from
    // Decoder layer, from 1 on, whose first head has learned alignments; 0: none.
    uint32_t alignment_layer;
    bool placeholders; // trained with placeholders masked by <ph0> to <ph15> of the vocabulary
    enum vks_decoder_cell decoder_cell;
    bool rnn_projection;   // what the decoder's cells give is projected, as attention is
    bool no_final_norm;    // pre_norm without the norm at the end
    bool shared_positions; // learned ones of source and target are the same
    bool output_bias;      // logits have a bias
    // Decoder layers that have the weights of an earlier one: its number, from 1 on; 0: their own.
    uint8_t tied_layers[VKS_MAX_LAYERS];
    enum vks_model_class model_class;
    struct vks_generation generation;
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

// Reads a directory in Hugging Face's layout: config.json, generation_config.json if there is one,
// and tensors from model.safetensors or pytorch_model.bin, or from several such files with their
// index. docs/models.md has the classes. Nothing in a file is run.
// Or reads a Marian model, a file .npz or .bin or a directory that holds one (docs/marian.md).
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
