// The dumps that tests/golden/make_transformer.py makes, and the models in them.
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "io/safetensors.h"
#include "model/model_object.h"

struct golden {
    struct safetensors *file;
    struct vks_model *model;
};

// Opens a dump with its model; golden_close releases both.
void golden_open(struct vks_device *device, const char *path, struct golden *golden);
void golden_close(struct golden *golden);

// A tensor of whole numbers; its size goes to *num. Borrowed until golden_close.
const int32_t *golden_ints(const struct golden *golden, const char *name, size_t *num);

#endif
