// What may not follow, or shall: a change of logits before the best are looked for. Read by C and
// GLSL.
#ifndef SHADERS_CONSTRAIN_INTERFACE_H
#define SHADERS_CONSTRAIN_INTERFACE_H

#include "beam_interface.h"

// The penalty as transformers takes it: also of the token that starts every translation; and there
// of logits.
#define PENALTY_OF_START 1
#define PENALTY_OF_LOGITS 2

struct constrain_push {
    SHARED_UINT first_row;     // of the search, for the first row of logits
    SHARED_UINT vocab, stride; // in elements
    SHARED_UINT section;       // of the table of rows
    SHARED_UINT cache_stride;
    SHARED_UINT eos;
    SHARED_UINT min_length;          // tokens before </s>
    SHARED_UINT no_repeat_ngram;     // 0: any may repeat
    SHARED_FLOAT repetition_penalty; // 1: none
    SHARED_UINT num_suppressed;      // pairs that the table of words begins with
    SHARED_UINT num_given;           // forced tokens whose log probability is 0
    SHARED_UINT forces_eos;          // the last token is </s>, whose log probability is then 0
    SHARED_UINT penalty_kind;        // PENALTY_...
};

#endif
