// Tiles of matrix products: kernels that share the work out in another way and give the same bits.
// Which one is fastest depends on device, driver and shape.
#ifndef OPS_TILES_H
#define OPS_TILES_H

#include "ops/matmul.h"

struct tile_kernels {
    const char *shaders[3]; // by layout
    uint32_t rows;          // of C that a workgroup makes
};

extern const struct tile_kernels tile_kernels[NUM_TILES];

// A product's shape, apart from its weights' windows.
struct tile_shape {
    uint32_t layout;
    uint32_t rows; // of A, at most
    uint32_t cols; // of A
    uint32_t n;    // columns of C
};

// The tile for a product: by VKSEQ_TILES; or by what was found on this device before; or, if it is
// to be tuned (struct vks_device), by timing all of them now; else a rule of thumb.
uint32_t tile_choose(struct vks_device *device, const struct tile_shape *shape);

// The shape that a key of the device's tuning stands for.
void tile_shape_of_key(const uint32_t key[TUNING_KEY_WORDS], struct tile_shape *shape);

#endif
