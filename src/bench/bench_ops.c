// Single operators: matrix product and attention.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "bench/timing.h"
#include "graph/program.h"
#include "model/feed.h"
#include "ops/attention.h"
#include "ops/linear.h"

#include <stdlib.h>

// Products are repeated within a run until it does this much work.
static const double RUN_FLOPS = 4e10;

static enum vks_status time_program(struct program *program, const struct vks_bench_params *p,
                                    uint32_t repeats, struct vks_bench_result *result) {
    double *ms = memory_calloc(p->steps, sizeof *ms);
    enum vks_status status = ms ? VKS_OK : VKS_ERR_OOM;
    for (uint32_t i = 0; i < p->warmup + p->steps && status == VKS_OK; i++) {
        double begin = platform_now_s();
        status = program_submit(program, 0);
        if (status == VKS_OK)
            status = program_wait(program, 0);
        if (i >= p->warmup)
            ms[i - p->warmup] = (platform_now_s() - begin) * 1e3 / repeats;
    }
    if (status == VKS_OK)
        timing_summarize(ms, p->steps, result);
    free(ms);
    return status;
}

static enum vks_status build_gemm(struct parameter_store *store, const uint32_t shape[3],
                                  uint32_t repeats, struct program **program) {
    struct parameter x, weight;
    struct graph *graph;
    TRY(parameter_store_reserve(store, shape[0], shape[2], &x));
    TRY(parameter_store_reserve(store, shape[1], shape[2], &weight));
    TRY(parameter_store_allocate(store, PARTS_RUN));
    TRY(parameter_fill_random(store, &x, 1));
    TRY(parameter_fill_random(store, &weight, 2));
    TRY(graph_create(store->device, &graph));
    struct tensor *a = graph_parameter(graph, store, &x);
    struct tensor *b = graph_parameter(graph, store, &weight);
    for (uint32_t i = 0; i < repeats; i++)
        op_linear(graph, a, b, NULL);
    return program_create(&graph, &(struct program_params){.num_slots = 1}, program);
}

enum vks_status vks_bench_gemm(struct vks_device *device, uint32_t m, uint32_t n, uint32_t k,
                               const struct vks_bench_params *params,
                               struct vks_bench_result *result) {
    const struct vks_bench_params p = timing_defaults(params);
    const double flops = 2.0 * m * n * k;
    const uint32_t repeats = flops < RUN_FLOPS ? (uint32_t)(RUN_FLOPS / flops) : 1;
    struct parameter_store store;
    struct program *program = NULL;
    struct vks_bench_result measured = {0};
    parameter_store_init(device, &store);
    const uint32_t num_repeats = min_u32(repeats, 256);
    enum vks_status status = build_gemm(&store, (uint32_t[]){m, n, k}, num_repeats, &program);
    if (status == VKS_OK)
        status = time_program(program, &p, num_repeats, &measured);
    program_destroy(&program);
    parameter_store_finish(&store);
    if (status == VKS_OK) {
        measured.gflops = flops / measured.step_ms_median * 1e-6;
        *result = measured;
    }
    return status;
}

enum { COPY_BYTES = 64 << 20, NUM_COPIES = 8 };

static enum vks_status time_copies(struct recording *recording, const struct vk_buffer *buffers,
                                   const struct vks_bench_params *p, double *ms) {
    for (int i = 0; i < NUM_COPIES; i++)
        TRY(recording_copy(recording, (struct vk_range){&buffers[0], 0, buffers[0].bytes},
                           (struct vk_range){&buffers[1], 0, buffers[1].bytes}));
    TRY(recording_end(recording));
    for (uint32_t i = 0; i < p->warmup + p->steps; i++) {
        double begin = platform_now_s();
        TRY(recording_submit(recording));
        TRY(recording_wait(recording));
        if (i >= p->warmup)
            ms[i - p->warmup] = (platform_now_s() - begin) * 1e3 / NUM_COPIES;
    }
    return VKS_OK;
}

enum vks_status vks_bench_copy(struct vks_device *device, const struct vks_bench_params *params,
                               double *bytes_per_s) {
    const struct vks_bench_params p = timing_defaults(params);
    struct vk_buffer buffers[2] = {0};
    struct recording *recording = NULL;
    struct vks_bench_result result;
    uint64_t most = buffer_max_bytes(device), bytes = most < COPY_BYTES ? most : COPY_BYTES;
    double *ms = memory_calloc(p.steps, sizeof *ms);
    enum vks_status status = ms ? VKS_OK : VKS_ERR_OOM;
    for (int i = 0; i < 2 && status == VKS_OK; i++)
        status = buffer_init(device, BUFFER_DEVICE, bytes, &buffers[i]);
    for (int i = 0; i < 2 && status == VKS_OK; i++)
        status = buffer_fill(device, (struct vk_range){&buffers[i], 0, bytes}, 1);
    if (status == VKS_OK)
        status = recording_create(device, &(struct recording_params){0}, &recording);
    if (status == VKS_OK)
        status = time_copies(recording, buffers, &p, ms);
    if (status == VKS_OK) {
        timing_summarize(ms, p.steps, &result);
        *bytes_per_s = 2.0 * (double)bytes / result.step_ms_median * 1e3;
    }
    recording_destroy(&recording);
    for (int i = 0; i < 2; i++)
        buffer_finish(device, &buffers[i]);
    free(ms);
    return status;
}

// Self-attention of packed sentences, all of one length.
static enum vks_status build_attention(struct parameter_store *store, uint32_t width,
                                       uint32_t num_heads, const struct vks_bench_params *p,
                                       struct attention_blocks *blocks, struct program **program) {
    struct graph *graph;
    struct parameter qkv;
    uint32_t num_tokens = p->sentences * p->source_length;
    uint32_t num_blocks = p->sentences * ((p->source_length + ATTENTION_ROWS - 1) / ATTENTION_ROWS);
    TRY(parameter_store_reserve(store, num_tokens, 3 * width, &qkv));
    TRY(parameter_store_allocate(store, PARTS_RUN));
    TRY(parameter_fill_random(store, &qkv, 1));
    TRY(graph_create(store->device, &graph));
    struct tensor *x = graph_parameter(graph, store, &qkv);
    blocks->queries = graph_input(graph, graph_dim(graph, num_blocks), 4);
    const struct attention_params params = {.q = x,
                                            .kv = x,
                                            .k_col = width,
                                            .v_col = 2 * width,
                                            .width = width,
                                            .num_heads = num_heads,
                                            .blocks = *blocks};
    op_attention(graph, &params);
    return program_create(&graph, &(struct program_params){.num_slots = 1}, program);
}

static void write_blocks(struct program *program, const struct attention_blocks *blocks,
                         const struct vks_bench_params *p) {
    uint32_t(*rows)[4] = program_input(program, 0, blocks->queries);
    uint32_t num = 0;
    for (uint32_t i = 0; i < p->sentences; i++) {
        uint32_t begin = i * p->source_length, end = begin + p->source_length;
        for (uint32_t first = begin; first < end; first += ATTENTION_ROWS, num++) {
            rows[num][0] = first;
            rows[num][1] = min_u32(ATTENTION_ROWS, end - first);
            rows[num][2] = begin;
            rows[num][3] = end;
        }
    }
    program_set_dim(program, 0, blocks->queries->rows, num);
}

enum vks_status vks_bench_attention(struct vks_device *device, uint32_t width, uint32_t num_heads,
                                    const struct vks_bench_params *params,
                                    struct vks_bench_result *result) {
    const struct vks_bench_params p = timing_defaults(params);
    struct parameter_store store;
    struct attention_blocks blocks = {0};
    struct program *program = NULL;
    struct vks_bench_result measured = {0};
    parameter_store_init(device, &store);
    enum vks_status status = build_attention(&store, width, num_heads, &p, &blocks, &program);
    if (status == VKS_OK) {
        write_blocks(program, &blocks, &p);
        status = time_program(program, &p, 1, &measured);
    }
    program_destroy(&program);
    parameter_store_finish(&store);
    if (status == VKS_OK) {
        double flops = 4.0 * p.sentences * p.source_length * p.source_length * width;
        measured.gflops = flops / measured.step_ms_median * 1e-6;
        measured.target_tokens_per_s =
            p.sentences * p.source_length / measured.step_ms_median * 1e3;
        *result = measured;
    }
    return status;
}
