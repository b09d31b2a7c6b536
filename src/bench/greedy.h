// A decoder for measurements.
#ifndef BENCH_GREEDY_H
#define BENCH_GREEDY_H

#include "decode/step_decoder.h"

// Greedy search that never ends a sentence before its last step. Errors: those of
// step_decoder_init.
enum vks_status greedy_decoder_init(struct vks_model *model, struct step_decoder *decoder);

#endif
