#include "bench/timing.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static int ascending(const void *a_ref, const void *b_ref) {
    double a = *(const double *)a_ref, b = *(const double *)b_ref;
    return a < b ? -1 : a > b;
}

void timing_summarize(double *ms, uint32_t num, struct vks_bench_result *result) {
    CHECK(num > 0);
    qsort(ms, num, sizeof *ms, ascending);
    result->step_ms_median = num % 2 ? ms[num / 2] : 0.5 * (ms[num / 2 - 1] + ms[num / 2]);
    result->step_ms_min = ms[0];
    result->step_ms_max = ms[num - 1];
}

static int longest_first(const void *a_ref, const void *b_ref) {
    const struct vks_bench_kernel *a = a_ref, *b = b_ref;
    if (a->ms != b->ms)
        return a->ms < b->ms ? 1 : -1;
    int order = strcmp(a->op, b->op);
    return order ? order : strcmp(a->name, b->name);
}

// The place of an operator's kernel among those so far, or the next one.
static size_t find_kernel(const struct vks_bench_result *result, const struct program_cost *cost) {
    size_t idx = 0;
    while (idx < result->num_kernels && (strcmp(result->kernels[idx].op, cost->op) != 0 ||
                                         strcmp(result->kernels[idx].name, cost->kernel) != 0))
        idx++;
    return idx;
}

static void add_cost(const struct program_cost *cost, struct vks_bench_result *result) {
    size_t idx = find_kernel(result, cost);
    struct vks_bench_kernel *kernel = &result->kernels[idx];
    if (idx == result->num_kernels) {
        *kernel = (struct vks_bench_kernel){.op = cost->op, .name = cost->kernel};
        result->num_kernels++;
    }
    kernel->num_dispatches++;
    kernel->ms += cost->ns * 1e-6;
    kernel->flops += cost->flops;
    kernel->bytes += cost->bytes;
}

enum vks_status timing_add_profile(struct program *program, struct vks_bench_result *result) {
    struct program_cost *costs;
    size_t num;
    TRY(program_costs(program, &costs, &num));
    struct vks_bench_kernel *grown =
        memory_realloc(result->kernels, (result->num_kernels + num + 1) * sizeof *grown);
    if (grown) {
        result->kernels = grown;
        for (size_t i = 0; i < num; i++)
            add_cost(&costs[i], result);
        qsort(grown, result->num_kernels, sizeof *grown, longest_first);
    }
    free(costs);
    return grown ? VKS_OK : VKS_ERR_OOM;
}

struct vks_bench_params timing_defaults(const struct vks_bench_params *params) {
    struct vks_bench_params p = *params;
    p.warmup = p.warmup ? p.warmup : 3;
    p.steps = p.steps ? p.steps : 15;
    p.mini_batch_words = p.mini_batch_words ? p.mini_batch_words : 2048;
    p.sentences = p.sentences ? p.sentences : 64;
    p.source_length = p.source_length ? p.source_length : 24;
    p.target_length = p.target_length ? p.target_length : 32;
    p.beam_size = p.beam_size ? p.beam_size : 1;
    return p;
}
