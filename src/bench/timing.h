// Times of repeated steps, and the profile of one.
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include "graph/program.h"
#include "vkseq/bench.h"

// Fills the result's median, least and most of num times in milliseconds; sorts them.
void timing_summarize(double *ms, uint32_t num, struct vks_bench_result *result);

// Adds a profiled program's commands to the result, summed by operator and kernel, longest first.
enum vks_status timing_add_profile(struct program *program, struct vks_bench_result *result);

// Puts defaults in the place of zeros.
struct vks_bench_params timing_defaults(const struct vks_bench_params *params);

#endif
