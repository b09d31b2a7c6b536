// log(sum(exp(logit))) of every row. Read by C and GLSL.
#ifndef SHADERS_LOG_SUM_EXP_INTERFACE_H
#define SHADERS_LOG_SUM_EXP_INTERFACE_H

#include "lib/shared.h"

struct log_sum_exp_push {
    SHARED_UINT first_row;     // of the results, for the first row of logits
    SHARED_UINT vocab, stride; // stride in vec4
    SHARED_UINT pad;           // takes no part
};

#endif
