// Tokens outside a sentence's set are banned. Read by C and GLSL.
#ifndef SHADERS_ALLOW_INTERFACE_H
#define SHADERS_ALLOW_INTERFACE_H

#include "beam_interface.h"

struct allow_push {
    SHARED_UINT first_row;     // of the search, for the first row of logits
    SHARED_UINT vocab, stride; // in elements
    SHARED_UINT section;       // of the table of rows
};

#endif
