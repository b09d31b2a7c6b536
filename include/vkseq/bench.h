// Measurements of speed on random data: what `vkseq bench` prints.
#ifndef VKSEQ_BENCH_H
#define VKSEQ_BENCH_H

#include "vkseq/model.h"
#include "vkseq/trainer.h"

#ifdef __cplusplus
extern "C" {
#endif

// One kernel's share of a profiled step.
struct vks_bench_kernel {
    const char *name;
    uint32_t num_dispatches;
    double ms;
};

struct vks_bench_result {
    double step_ms_median; // a training step, or decoding one batch
    double step_ms_min, step_ms_max;
    double target_tokens_per_s;
    double gflops; // matrix products only: 2 M N K over time
    uint64_t num_parameters;
    uint64_t peak_device_bytes;
    struct vks_bench_kernel *kernels; // by time, longest first; [num_kernels]; free with vks_free
    size_t num_kernels;               // 0 without profiling
};

struct vks_bench_params {
    uint32_t warmup, steps; // (3, 15)
    bool profile;           // time every kernel of one step, apart from the measurement
    // Training: sentence lengths, a pair a sentence in tokens (</s> not counted); NULL: 32 pairs of
    // source_length and source_length tokens. Packed into batches of at most mini_batch_words.
    const uint32_t (*lengths)[2];
    size_t num_lengths;
    uint32_t mini_batch_words;
    // Decoding (and training without lengths).
    uint32_t sentences, source_length, target_length;
    uint32_t seed;
    const struct vks_log *log;
};

// C [M, N] = A [M, K] B [N, K]^T in float32.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_gemm(struct vks_device *device, uint32_t m,
                                                      uint32_t n, uint32_t k,
                                                      const struct vks_bench_params *params,
                                                      struct vks_bench_result *result);
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
// Greedy decoding of `sentences` sentences to target_length tokens each, with a cache.
VKS_API VKS_MUST_CHECK enum vks_status vks_bench_translate(struct vks_device *device,
                                                           const struct vks_model_config *config,
                                                           const struct vks_bench_params *params,
                                                           struct vks_bench_result *result);

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
