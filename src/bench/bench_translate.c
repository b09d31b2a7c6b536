// Greedy decoding of random sentences to a fixed length.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/rng.h"
#include "bench/timing.h"
#include "decode/step_decoder.h"
#include "ops/decoding.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_WORD = 4 };

struct bench {
    struct vks_bench_params params;
    struct step_decoder decoder;
    struct packed source;
    uint32_t *tokens, *offsets, *best; // owned
    double middle_ms;                  // of the step in the middle of the last batch
};

static enum vks_status make_source(struct bench *bench, const struct vks_model_config *config) {
    const struct vks_bench_params *p = &bench->params;
    struct rng rng = {.seed = p->seed};
    size_t length = p->source_length + 1;
    bench->tokens = memory_calloc(p->sentences * length, sizeof(uint32_t));
    bench->offsets = memory_calloc((size_t)p->sentences + 1, sizeof(uint32_t));
    bench->best = memory_calloc(p->sentences, sizeof(uint32_t));
    if (!bench->tokens || !bench->offsets || !bench->best)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < p->sentences * length; i++)
        bench->tokens[i] =
            i % length == p->source_length
                ? config->eos_id
                : FIRST_WORD + rng_below(&rng, config->source_vocab - FIRST_WORD - 1);
    for (uint32_t i = 0; i <= p->sentences; i++)
        bench->offsets[i] = i * (uint32_t)length;
    bench->source = (struct packed){bench->tokens, bench->offsets, p->sentences};
    return VKS_OK;
}

static void write_rows(struct bench *bench, uint32_t step) {
    struct step_rows rows;
    uint32_t num = bench->params.sentences;
    step_decoder_rows(&bench->decoder, &rows);
    for (uint32_t row = 0; row < num; row++) {
        rows.tokens[row] = bench->best[row];
        rows.positions[row] = step;
        rows.cache_places[row] = step * num + row;
        for (uint32_t i = 0; i <= step; i++)
            rows.cache_rows[(size_t)row * rows.cache_stride + i] = i * num + row;
        rows.self_ranges[row][2] = 0;
        rows.self_ranges[row][3] = step + 1;
        rows.cross_ranges[row][2] = bench->offsets[row];
        rows.cross_ranges[row][3] = bench->offsets[row + 1];
    }
}

// The best token of each row. Random weights end sentences at any time: that is left out of count.
static void choose(struct bench *bench, const struct top_k_rows *best) {
    for (uint32_t row = 0; row < bench->params.sentences; row++) {
        const uint32_t *words = best->words + (size_t)row * best->stride;
        bench->best[row] = words[TOP_K_HEAD + 1];
    }
}

static enum vks_status decode_batch(struct bench *bench, uint32_t pad_id, uint32_t num_steps) {
    TRY(step_decoder_encode(&bench->decoder, &bench->source));
    for (uint32_t row = 0; row < bench->params.sentences; row++)
        bench->best[row] = pad_id;
    for (uint32_t step = 0; step < num_steps; step++) {
        struct top_k_rows best;
        double begin = platform_now_s();
        write_rows(bench, step);
        TRY(step_decoder_run(&bench->decoder, bench->params.sentences, &best));
        choose(bench, &best);
        if (step == bench->params.target_length / 2)
            bench->middle_ms = (platform_now_s() - begin) * 1e3;
    }
    return VKS_OK;
}

// The step in the middle of a batch that is decoded by programs made for profiling.
static enum vks_status profile(struct bench *bench, struct vks_model *model,
                               const struct step_capacity *needed,
                               struct vks_bench_result *result) {
    uint32_t middle = bench->params.target_length / 2;
    step_decoder_finish(&bench->decoder);
    step_decoder_init(model, 1, &bench->decoder);
    bench->decoder.profile = true;
    TRY(step_decoder_reserve(&bench->decoder, needed));
    TRY(decode_batch(bench, model->config.pad_id, middle + 1));
    return timing_add_profile(bench->decoder.step, result);
}

static enum vks_status run(struct bench *bench, struct vks_model *model,
                           struct vks_bench_result *result) {
    const struct vks_bench_params *p = &bench->params;
    step_decoder_init(model, 1, &bench->decoder);
    const struct step_capacity needed = {
        .num_src = p->sentences * (p->source_length + 1),
        .num_sentences = p->sentences,
        .num_rows = p->sentences,
        .num_steps = p->target_length,
        .num_cache_rows = p->sentences * p->target_length,
        .num_positions = max_u32(p->source_length + 1, p->target_length),
    };
    TRY(make_source(bench, &model->config));
    TRY(step_decoder_reserve(&bench->decoder, &needed));
    double *ms = memory_calloc(2 * (size_t)p->steps, sizeof *ms);
    double *step_ms = ms ? ms + p->steps : NULL;
    enum vks_status status = ms ? VKS_OK : VKS_ERR_OOM;
    for (uint32_t i = 0; i < p->warmup + p->steps && status == VKS_OK; i++) {
        double begin = platform_now_s();
        status = decode_batch(bench, model->config.pad_id, p->target_length);
        if (i >= p->warmup) {
            ms[i - p->warmup] = (platform_now_s() - begin) * 1e3;
            step_ms[i - p->warmup] = bench->middle_ms;
        }
    }
    if (status == VKS_OK) {
        timing_summarize(step_ms, p->steps, result);
        result->profiled_ms = result->step_ms_median;
        timing_summarize(ms, p->steps, result);
        result->target_tokens_per_s =
            p->sentences * p->target_length / result->step_ms_median * 1e3;
    }
    free(ms);
    return status == VKS_OK && p->profile ? profile(bench, model, &needed, result) : status;
}

enum vks_status vks_bench_translate(struct vks_device *device,
                                    const struct vks_model_config *config,
                                    const struct vks_bench_params *params,
                                    struct vks_bench_result *result) {
    struct vks_model *model;
    struct vks_bench_result measured = {0};
    struct bench bench = {.params = timing_defaults(params)};
    TRY(vks_model_create(device, config, 1, &model));
    enum vks_status status = run(&bench, model, &measured);
    uint64_t now;
    measured.num_parameters = vks_model_num_parameters(model);
    vks_device_memory(device, &now, &measured.peak_device_bytes);
    step_decoder_finish(&bench.decoder);
    vks_model_destroy(&model);
    free(bench.tokens);
    free(bench.offsets);
    free(bench.best);
    if (status == VKS_OK)
        *result = measured;
    else
        free(measured.kernels);
    return status;
}
