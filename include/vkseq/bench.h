// Measurements of speed on random data: what `vkseq bench` prints.
#ifndef VKSEQ_BENCH_H
#define VKSEQ_BENCH_H

#include "vkseq/model.h"
#include "vkseq/trainer.h"

#ifdef __cplusplus
extern "C" {
#endif

// What the dispatches of one kernel for one operator take of a profiled step.
struct vks_bench_kernel {
    const char *op, *name;
    uint32_t num_dispatches;
    double ms;           // negative on a device without timestamps
    double flops, bytes; // of products; of operands, each read or written once
};

struct vks_bench_result {
    double step_ms_median; // a training step, or decoding one batch
    double step_ms_min, step_ms_max;
    double target_tokens_per_s;
    double sentences_per_s; // decoding only
    double gflops;          // matrix products only: 2 M N K over time
    uint64_t num_parameters;
    uint64_t peak_device_bytes;
    // Training: mean times of a step. The rest of the time one waited for the other.
    double device_ms; // in which the device was at work; negative without timestamps
    double host_ms;   // in which the host prepared and submitted batches
    double wall_ms;
    // A profile of one training step or, in the middle of a batch, one step of decoding: its median
    // time without the profile's timestamps, and its kernels by time, longest first.
    double profiled_ms;
    struct vks_bench_kernel *kernels; // [num_kernels]; free with vks_free
    size_t num_kernels;               // 0 without profiling
};

struct vks_bench_params {
    uint32_t warmup, steps; // (3, 15)
    bool profile;           // train, translate: time every kernel of a step, apart from the rest
    // Training: sentence lengths, a pair a sentence in tokens (</s> not counted); NULL: 32 pairs of
    // source_length and source_length tokens. Packed into batches of at most mini_batch_words.
    const uint32_t (*lengths)[2];
    size_t num_lengths;
    uint32_t mini_batch_words;
    // Decoding (and training without lengths).
    uint32_t sentences, source_length, target_length;
    uint32_t beam_size; // decoding (1)
    uint32_t seed;
    const struct vks_log *log;
};

// C [M, N] = A [M, K] B [N, K]^T in float32.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_gemm(struct vks_device *device, uint32_t m,
                                                      uint32_t n, uint32_t k,
                                                      const struct vks_bench_params *params,
                                                      struct vks_bench_result *result);
// Copies of a buffer of 64 MiB, or the device's largest, in its memory: bytes read and written a
// second go to *bytes_per_s.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_copy(struct vks_device *device,
                                                      const struct vks_bench_params *params,
                                                      double *bytes_per_s);
// Multi-head self-attention, the forward pass, over `sentences` sentences of source_length tokens.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_attention(struct vks_device *device,
                                                           uint32_t width, uint32_t num_heads,
                                                           const struct vks_bench_params *params,
                                                           struct vks_bench_result *result);
// Training steps (forward, backward, Adam with clipping, dropout 0.1, label smoothing 0.1).
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_train(struct vks_device *device,
                                                       const struct vks_model_config *config,
                                                       const struct vks_bench_params *params,
                                                       struct vks_bench_result *result);
// Decoding of `sentences` sentences to target_length tokens each, with a cache; greedy, or with a
// beam.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_translate(struct vks_device *device,
                                                           const struct vks_model_config *config,
                                                           const struct vks_bench_params *params,
                                                           struct vks_bench_result *result);

// Which kernel the products of a shape get: C [rows, n], or in the layout TN [cols, n], with A of
// rows and cols.
struct vks_tile_choice {
    const char *layout; // "NT", "NN", "TN"
    uint32_t rows, cols, n;
    const char *tile;
};

// Times the tiles of all products in training the model on batches of at most mini_batch_words
// tokens a side, and in decoding with it, on the model's device, in place of what was known. Later
// programs on it take the fastest, which changes no result, and so do later processes if
// VKSEQ_CACHE_DIR names a folder. *choices is allocated; free with vks_free.
// Errors: VKS_ERR_ARGUMENT if VKSEQ_TILES fixes the tiles; those of programs.
VKS_API VKS_MUST_CHECK enum vks_status vks_tune(struct vks_model *model, uint32_t mini_batch_words,
                                                struct vks_tile_choice **choices,
                                                size_t *num_choices);

struct vks_bench_data_result {
    uint64_t num_lines; // of the text; 0 for standard input
    // Of an epoch's batches:
    uint64_t num_pairs, num_source_tokens, num_target_tokens, num_batches;
    double open_s, epoch_s; // until the first batch is asked for, and from then on
};

// Opens the text as a trainer with these parameters does, and makes the batches of one epoch.
// Errors: those of vks_trainer_create that have to do with the text.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_data(const struct vks_trainer_params *params,
                                                      const struct vks_tokenizer *tokenizer,
                                                      struct vks_bench_data_result *result);

#ifdef __cplusplus
}
#endif
#endif
