// A token drawn for every row. Read by C and GLSL.
#ifndef SHADERS_SAMPLE_INTERFACE_H
#define SHADERS_SAMPLE_INTERFACE_H

#include "beam_interface.h"

#define SAMPLE_SPEC_FROM 1
#define SAMPLE_FROM_ALL 0
#define SAMPLE_FROM_TOP_K 1   // the k most probable tokens
#define SAMPLE_FROM_NUCLEUS 2 // the fewest most probable ones that have the mass together

struct sample_push {
    SHARED_UINT first_row;     // of the search, for the first row of logits
    SHARED_UINT vocab, stride; // stride in vec4
    SHARED_UINT pad;           // never drawn
    SHARED_UINT out_stride;    // words a row
    SHARED_UINT section;       // of the table of rows
    SHARED_UINT seed;
    SHARED_UINT k;
    SHARED_FLOAT mass;
    SHARED_FLOAT temperature; // > 0
};

#endif
