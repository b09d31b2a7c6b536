// A decoder for measurements.
#ifndef BENCH_ENDLESS_H
#define BENCH_ENDLESS_H

#include "decode/step_decoder.h"

// A beam search that never ends a sentence before its last step; 1 is greedy search. Errors: those
// of step_decoder_init.
enum vks_status endless_decoder_init(struct vks_model *model, uint32_t beam_size,
                                     struct step_decoder *decoder);

#endif
