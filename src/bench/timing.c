#include "bench/timing.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_KERNELS = 64 };

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
    return a->ms < b->ms ? 1 : a->ms > b->ms ? -1 : strcmp(a->name, b->name);
}

static void add_kernel(struct vks_bench_result *result, const char *name, double ms) {
    for (size_t i = 0; i < result->num_kernels; i++) {
        if (strcmp(result->kernels[i].name, name) == 0) {
            result->kernels[i].num_dispatches++;
            result->kernels[i].ms += ms;
            return;
        }
    }
    if (result->num_kernels < MAX_KERNELS)
        result->kernels[result->num_kernels++] = (struct vks_bench_kernel){name, 1, ms};
}

enum vks_status timing_add_profile(struct recording *recording, struct vks_bench_result *result) {
    uint32_t num = recording_num_dispatches(recording);
    double *ns = memory_calloc(num, sizeof *ns);
    const char **shaders = memory_calloc(num, sizeof *shaders);
    if (!result->kernels)
        result->kernels = memory_calloc(MAX_KERNELS, sizeof *result->kernels);
    enum vks_status status = ns && shaders && result->kernels ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK) {
        num = recording_profile(recording, num, ns, shaders);
        for (uint32_t i = 0; i < num; i++)
            add_kernel(result, shaders[i], ns[i] * 1e-6);
        qsort(result->kernels, result->num_kernels, sizeof *result->kernels, longest_first);
    }
    free(ns);
    free(shaders);
    return status;
}

struct vks_bench_params timing_defaults(const struct vks_bench_params *params) {
    struct vks_bench_params p = *params;
    p.warmup = p.warmup ? p.warmup : 3;
    p.steps = p.steps ? p.steps : 15;
    p.mini_batch_words = p.mini_batch_words ? p.mini_batch_words : 2048;
    p.sentences = p.sentences ? p.sentences : 64;
    p.source_length = p.source_length ? p.source_length : 24;
    p.target_length = p.target_length ? p.target_length : 32;
    return p;
}
