// Decoding of random sentences to a fixed length: random weights would end them at any time,
// so that </s> is suppressed.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/rng.h"
#include "bench/endless.h"
#include "bench/timing.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_WORD = 4 };

struct bench {
    struct vks_bench_params params;
    struct step_decoder decoder;
    struct packed source;
    struct step_sentence *sentences; // owned
    uint32_t *tokens, *offsets;      // owned
    double middle_ms;                // of the step in the middle of the last batch
};

static enum vks_status make_source(struct bench *bench, const struct vks_model_config *config) {
    const struct vks_bench_params *p = &bench->params;
    struct rng rng = {.seed = p->seed};
    size_t length = p->source_length + 1;
    bench->tokens = memory_calloc(p->sentences * length, sizeof(uint32_t));
    bench->offsets = memory_calloc((size_t)p->sentences + 1, sizeof(uint32_t));
    bench->sentences = memory_calloc(p->sentences, sizeof *bench->sentences);
    if (!bench->tokens || !bench->offsets || !bench->sentences)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < p->sentences * length; i++)
        bench->tokens[i] =
            i % length == p->source_length
                ? config->eos_id
                : FIRST_WORD + rng_below(&rng, config->source_vocab - FIRST_WORD - 1);
    for (uint32_t i = 0; i <= p->sentences; i++)
        bench->offsets[i] = i * (uint32_t)length;
    for (uint32_t i = 0; i < p->sentences; i++)
        bench->sentences[i] =
            (struct step_sentence){.ids = bench->tokens + bench->offsets[i],
                                   .num_ids = (uint32_t)length,
                                   .max_steps = p->target_length,
                                   .slot = i,
                                   .first_key = bench->offsets[i],
                                   .first_place = i * p->beam_size * p->target_length};
    bench->source = (struct packed){bench->tokens, bench->offsets, p->sentences};
    return VKS_OK;
}

static enum vks_status decode_batch(struct bench *bench, uint32_t num_steps) {
    struct step_decoder *decoder = &bench->decoder;
    TRY(step_decoder_restart(decoder));
    TRY(step_decoder_admit(decoder, &bench->source, bench->sentences, bench->params.sentences));
    for (uint32_t step = 0; step < num_steps; step++) {
        double begin = platform_now_s();
        TRY(step_decoder_submit(decoder,
                                bench->params.sentences * (step ? bench->params.beam_size : 1)));
        if (step_decoder_num_waiting(decoder) == decoder->num_slots)
            TRY(step_decoder_collect(decoder));
        if (step == bench->params.target_length / 2)
            bench->middle_ms = (platform_now_s() - begin) * 1e3;
    }
    while (step_decoder_num_waiting(decoder) > 0)
        TRY(step_decoder_collect(decoder));
    return VKS_OK;
}

// The step in the middle of a batch that is decoded by programs made for profiling.
static enum vks_status profile(struct bench *bench, struct vks_model *model,
                               const struct step_capacity *needed,
                               struct vks_bench_result *result) {
    uint32_t middle = bench->params.target_length / 2;
    step_decoder_finish(&bench->decoder);
    TRY(endless_decoder_init(model, bench->params.beam_size, &bench->decoder));
    bench->decoder.profile = true;
    TRY(step_decoder_reserve(&bench->decoder, needed));
    TRY(decode_batch(bench, middle + 1));
    return timing_add_profile(bench->decoder.step, result);
}

static enum vks_status run(struct bench *bench, struct vks_model *model,
                           struct vks_bench_result *result) {
    const struct vks_bench_params *p = &bench->params;
    TRY(endless_decoder_init(model, bench->params.beam_size, &bench->decoder));
    uint64_t cache_rows = (uint64_t)p->sentences * p->beam_size * p->target_length;
    const struct step_capacity needed = {
        .num_src = p->sentences * (p->source_length + 1),
        .num_sentences = p->sentences,
        .num_steps = p->target_length,
        .num_cache_rows = (uint32_t)cache_rows,
        .num_positions = max_u32(p->source_length + 1, p->target_length),
    };
    if (cache_rows > bench->decoder.max_cache_rows) {
        log_error(p->log,
                  "%u sentences, a beam of %u and %u tokens need %llu rows of the cache; %u "
                  "are possible",
                  p->sentences, p->beam_size, p->target_length, (unsigned long long)cache_rows,
                  bench->decoder.max_cache_rows);
        return VKS_ERR_DEVICE_OOM;
    }
    TRY(make_source(bench, &model->config));
    TRY(step_decoder_reserve(&bench->decoder, &needed));
    double *ms = memory_calloc(2 * (size_t)p->steps, sizeof *ms);
    double *step_ms = ms ? ms + p->steps : NULL;
    enum vks_status status = ms ? VKS_OK : VKS_ERR_OOM;
    for (uint32_t i = 0; i < p->warmup + p->steps && status == VKS_OK; i++) {
        double begin = platform_now_s();
        status = decode_batch(bench, p->target_length);
        if (i >= p->warmup) {
            ms[i - p->warmup] = (platform_now_s() - begin) * 1e3;
            step_ms[i - p->warmup] = bench->middle_ms;
        }
    }
    if (status == VKS_OK) {
        timing_summarize(step_ms, p->steps, result);
        result->profiled_ms = result->step_ms_median;
        timing_summarize(ms, p->steps, result);
        result->sentences_per_s = p->sentences / result->step_ms_median * 1e3;
        result->target_tokens_per_s = result->sentences_per_s * p->target_length;
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
    free(bench.sentences);
    if (status == VKS_OK)
        *result = measured;
    else
        free(measured.kernels);
    return status;
}
