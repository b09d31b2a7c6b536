// Gradient norm and parameter updates over flat windows of the parameters. Read by C and GLSL.
#ifndef SHADERS_OPTIMIZER_INTERFACE_H
#define SHADERS_OPTIMIZER_INTERFACE_H

#include "lib/shared.h"

// vec4 that one workgroup squares and sums.
#define NORM_BLOCK_QUADS 4096
// vec4 that one workgroup updates.
#define UPDATE_BLOCK_QUADS 1024

// Words of the device's optimiser state, which outlives programs and is checkpointed.
#define STATE_UPDATES 0 // updates applied: Adam's t
#define STATE_SKIPPED 1 // updates skipped because a gradient was not finite
#define STATE_SKIP 2    // whether this one is
#define STATE_FACTOR 3  // float: what gradients are multiplied with: 1 / words, and clipping
#define STATE_NORM 4    // float: global norm of the gradient, before clipping
#define STATE_SKIPPED_IN_A_ROW 5
#define STATE_GOOD 6 // updates applied since one was skipped, or since the rate was last doubled
#define STATE_HALVINGS                                                                             \
    7 // the rate is halved so often: once for each skipped update, taken back
      // one by one, each after RECOVERY_UPDATES applied ones
// STATE_COST_SCALE is 8
#define STATE_SCALE_GOOD 9 // updates applied since the cost scale was changed
#define STATE_SCALE_LOWERED 10 // whether this update is skipped, and the scale is lowered for it
#define STATE_WORDS 16

#define RECOVERY_UPDATES 100
#define MAX_HALVINGS 24
#define MAX_COST_SCALE 16777216.0

// Header words of the update program.
#define HEADER_GRADIENT_SCALE 198 // float: 1 / words of the update
#define HEADER_CLIP 199           // float: largest norm; 0: no clipping

#define UPDATE_ADAM 0
#define UPDATE_ADAMW 1 // decay apart from the gradient
#define UPDATE_SGD 2   // with momentum

#define UPDATE_SPEC_KIND 1
#define UPDATE_SPEC_SMOOTHS 2 // whether there are averages of the parameters

struct norm_window_push {
    SHARED_UINT quads_dim;
    SHARED_UINT first_part; // where this window's sums go
    SHARED_UINT parts_dim;
    // Of the cost scale: applied updates after which it rises, by the multiplier, which it falls by
    // when an update is skipped, down to the minimum. Multiplier 0: there is no scale.
    SHARED_UINT scale_frequency;
    SHARED_FLOAT scale_multiplier, scale_minimum;
};

struct update_push {
    SHARED_UINT quads_dim;
    SHARED_FLOAT beta1, beta2, eps, decay;
    SHARED_FLOAT log_beta1, log_beta2;
    SHARED_FLOAT smoothing; // least share of the parameters in a new average
};

#endif
