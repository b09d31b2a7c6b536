// Tiles of matrix products: kernels that share the work out in another way and give the same bits.
// Which one is fastest depends on device, driver and shape.
#ifndef OPS_TILES_H
#define OPS_TILES_H

#include "ops/matmul.h"

struct tile_kernels {
    const char *shaders[3];          // by layout
    const char *bfloat16_shaders[3]; // of operands of bfloat16; NULL: the same
    uint32_t rows, cols; // of C that a workgroup makes; cols 0: 4 of each lane of a wave
    uint32_t lanes;      // of a workgroup; 0: a wave, or one for each part
    uint32_t part_rows,
        part_cols;         // what a subgroup makes with cooperative matrices; 0: it does not
    uint32_t shared_bytes; // at most
};

extern const struct tile_kernels tile_kernels[NUM_TILES];

// A product's shape, apart from its weights' windows.
struct tile_shape {
    uint32_t layout;
    uint32_t rows;    // of A, at most
    uint32_t cols;    // of A
    uint32_t n;       // columns of C
    uint32_t element; // of B, and in NT of A
};

// Whether a tile can make a product on this device. With cooperative matrices it has to be one of
// those that use them, wherever operands are halves that it has them for: they round the others and
// sum otherwise.
bool tile_fits(const struct vks_device *device, const struct tile_shape *shape, uint32_t tile);

// The shader of a layout, for a product whose B has such elements.
const char *tile_shader(const struct tile_kernels *tile, uint32_t layout, uint32_t element);

// Workgroups' invocations.
uint32_t tile_lanes(const struct vks_device *device, const struct tile_kernels *tile);

// The tile for a product: by VKSEQ_TILES; or by what was found on this device before; or, if it is
// to be tuned (struct vks_device), by timing all of them now; else a rule of thumb.
uint32_t tile_choose(struct vks_device *device, const struct tile_shape *shape);

// The shape that a key of the device's tuning stands for.
void tile_shape_of_key(const uint32_t key[TUNING_KEY_WORDS], struct tile_shape *shape);

#endif
