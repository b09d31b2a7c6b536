#include "ops/tiles.h"

#include "base/check.h"
#include "base/log.h"
#include "base/platform.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK_SHADERS                                                                              \
    { "gemm_block_nt", "gemm_block_nn", "gemm_block_tn" }
#define MMA_SHADERS                                                                                \
    {"gemm_mma_nt", "gemm_mma_nn", "gemm_mma_tn"}, {                                               \
        "gemm_mma_bf16_nt", "gemm_mma_bf16_nn", "gemm_mma_bf16_tn"                                 \
    }

const struct tile_kernels tile_kernels[NUM_TILES] = {
    [TILE_SHORT] = {{"gemm_nt_short", "gemm_nn_short", "gemm_tn_short"}, .rows = 8},
    [TILE_MEDIUM] = {{"gemm_nt_medium", "gemm_nn_medium", "gemm_tn_medium"}, .rows = 16},
    [TILE_TALL] = {{"gemm_nt", "gemm_nn", "gemm_tn"}, .rows = 64},
    [TILE_BLOCK] = {BLOCK_SHADERS, .rows = 64, .cols = 64, .lanes = 64, .shared_bytes = 8704},
    [TILE_LARGE_BLOCK] = {BLOCK_SHADERS, .rows = 128, .cols = 128, .lanes = 256,
                          .shared_bytes = 16896},
    [TILE_SMALL_MMA] = {MMA_SHADERS, .rows = 32, .cols = 64, .part_rows = 32, .part_cols = 16,
                        .shared_bytes = 11776},
    [TILE_MMA] = {MMA_SHADERS, .rows = 64, .cols = 64, .part_rows = 32, .part_cols = 32,
                  .shared_bytes = 14336},
    [TILE_LARGE_MMA] = {MMA_SHADERS, .rows = 128, .cols = 128, .part_rows = 64, .part_cols = 32,
                        .shared_bytes = 28672},
};

const char *tile_shader(const struct tile_kernels *tile, uint32_t layout, uint32_t element) {
    return element == ELEMENT_BF16 && tile->bfloat16_shaders[layout]
               ? tile->bfloat16_shaders[layout]
               : tile->shaders[layout];
}

uint32_t tile_lanes(const struct vks_device *device, const struct tile_kernels *tile) {
    if (tile->part_rows)
        return tile->rows / tile->part_rows * (tile->cols / tile->part_cols) * device->wave;
    return tile->lanes ? tile->lanes : device->wave;
}

bool tile_fits(const struct vks_device *device, const struct tile_shape *shape, uint32_t tile) {
    const struct tile_kernels *kernels = &tile_kernels[tile];
    const bool is_cooperative = device->mma[shape->element].rows > 0;
    // Software drivers take long to compile blocks, and are slow with them.
    const bool is_block = kernels->cols && tile != TILE_SMALL_MMA;
    if (is_block && device->info.type == VKS_DEVICE_CPU && device->tile != tile)
        return false;
    return is_cooperative == (kernels->part_rows > 0) &&
           kernels->shared_bytes <= device->info.shared_memory_bytes &&
           tile_lanes(device, kernels) <= device->info.max_invocations;
}

// A trial is a submission of about this much work, by rows between the two bounds and by repeats; a
// dispatch of much more could hold up a screen, with tiles that a device is bad at. The quickest of
// NUM_TRIALS counts.
static const double TRIAL_FLOPS = 2e9;
enum { MIN_TRIAL_ROWS = 64, MAX_TRIAL_ROWS = 2048, MAX_REPEATS = 64, NUM_TRIALS = 4 };

// Products of few rows want short tiles: a tile computes all of its rows, however many there are.
static enum tile rule_of_thumb(const struct vks_device *device, const struct tile_shape *shape) {
    bool has_few = shape->layout != GEMM_TN && shape->rows <= 2 * tile_kernels[TILE_MEDIUM].rows;
    if (device->has_fixed_tiles && tile_fits(device, shape, device->tile))
        return device->tile;
    if (device->mma[shape->element].rows)
        return has_few || device->info.type == VKS_DEVICE_CPU              ? TILE_SMALL_MMA
               : shape->n > 64 && tile_fits(device, shape, TILE_LARGE_MMA) ? TILE_LARGE_MMA
                                                                           : TILE_MMA;
    if (!has_few)
        return tile_fits(device, shape, device->tile) ? device->tile : TILE_SHORT;
    return shape->rows <= tile_kernels[TILE_SHORT].rows ? TILE_SHORT : TILE_MEDIUM;
}

// A trial's operands, and the tile it is made with.
struct trial {
    struct parameter a, b, c;
    struct tile_shape shape;
    uint32_t tile;
};

enum { A, B, C, SLICES };

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    const struct trial *trial = node->params;
    struct tensor *const *t = node->tensors;
    return matmul_record(recorder, &(struct matmul){.layout = trial->shape.layout,
                                                    .a = t[A],
                                                    .b = t[B],
                                                    .c = t[C],
                                                    .slices = t[SLICES],
                                                    .rows = t[A]->rows,
                                                    .forced_tile = 1 + trial->tile});
}

static const struct op_class trial_class = {"tile trial", record, NULL};

static enum vks_status make_operands(struct parameter_store *store, struct trial *trial) {
    const struct tile_shape *s = &trial->shape;
    bool is_nt = s->layout == GEMM_NT, is_tn = s->layout == GEMM_TN;
    TRY(parameter_store_reserve(store, s->rows, s->cols, &trial->a));
    TRY(parameter_store_reserve(store,
                                is_nt   ? s->n
                                : is_tn ? s->rows
                                        : s->cols,
                                is_nt ? s->cols : s->n, &trial->b));
    TRY(parameter_store_reserve(store, is_tn ? s->cols : s->rows, s->n, &trial->c));
    TRY(parameter_store_allocate(store, 1));
    TRY(parameter_fill_random(store, &trial->a, 1));
    return parameter_fill_random(store, &trial->b, 2);
}

// What halves are does not matter: they are any bits.
static struct tensor *operand(struct graph *graph, const struct parameter_store *store,
                              const struct parameter *parameter, uint32_t element) {
    return graph_stored_as(graph, element, parameter_range(store, PART_VALUE, parameter),
                           graph_dim_fixed(graph, parameter->rows), parameter->cols);
}

static enum vks_status time_tile(struct parameter_store *store, const struct trial *trial,
                                 double *seconds) {
    struct graph *graph;
    struct program *program;
    const struct tile_shape *s = &trial->shape;
    double flops = 2.0 * s->rows * s->cols * s->n, best = 0;
    uint32_t repeats =
        flops * MAX_REPEATS < TRIAL_FLOPS ? MAX_REPEATS : (uint32_t)(TRIAL_FLOPS / flops) + 1;
    TRY(graph_create(store->device, &graph));
    struct tensor *t[NODE_MAX_TENSORS] = {
        [A] = operand(graph, store, &trial->a, s->layout == GEMM_NT ? s->element : ELEMENT_F32),
        [B] = operand(graph, store, &trial->b, s->element),
        [C] = graph_parameter(graph, store, &trial->c)};
    t[SLICES] = s->layout == GEMM_TN ? matmul_slices(graph, s->rows, t[C], NULL) : NULL;
    for (uint32_t i = 0; i < repeats; i++)
        graph_add_node(graph, &trial_class, t, trial, sizeof *trial);
    TRY(program_create(&graph, &(struct program_params){.num_slots = 1}, &program));
    enum vks_status status = VKS_OK;
    for (int i = 0; i <= NUM_TRIALS && status == VKS_OK; i++) { // the first one warms up
        double begin = platform_now_s();
        status = program_submit(program, 0);
        if (status == VKS_OK)
            status = program_wait(program, 0);
        double took = platform_now_s() - begin;
        if (i == 1 || took < best)
            best = took;
    }
    program_destroy(&program);
    if (status == VKS_OK)
        *seconds = best / repeats;
    return status;
}

static uint32_t trial_rows(const struct tile_shape *shape) {
    double rows = TRIAL_FLOPS / (2.0 * shape->cols * shape->n);
    uint32_t most = rows < MIN_TRIAL_ROWS   ? MIN_TRIAL_ROWS
                    : rows > MAX_TRIAL_ROWS ? MAX_TRIAL_ROWS
                                            : (uint32_t)rows;
    return min_u32(shape->rows, most);
}

// The quickest tile. Errors: those of programs.
static enum vks_status time_tiles(struct vks_device *device, const struct tile_shape *shape,
                                  uint32_t *tile) {
    struct parameter_store store;
    struct trial trial = {.shape = *shape};
    double best = HUGE_VAL;
    uint32_t best_tile = 0;
    trial.shape.rows = trial_rows(shape);
    parameter_store_init(device, &store);
    enum vks_status status = make_operands(&store, &trial);
    for (trial.tile = 0; trial.tile < NUM_TILES && status == VKS_OK; trial.tile++) {
        double seconds = 0;
        if (!tile_fits(device, shape, trial.tile))
            continue;
        status = time_tile(&store, &trial, &seconds);
        if (seconds < best) {
            best = seconds;
            best_tile = trial.tile;
        }
    }
    parameter_store_finish(&store);
    if (status == VKS_OK) {
        *tile = best_tile;
        log_debug(device->log, "product %u x %u x %u, layout %u: %s tiles, %.1f GFLOP/s",
                  trial.shape.rows, shape->n, shape->cols, shape->layout, tile_name(best_tile),
                  2e-9 * trial.shape.rows * shape->n * shape->cols / best);
    }
    return status;
}

// Capacities that differ little share a choice.
static uint32_t rounded_up(uint32_t rows) {
    uint32_t power = 1;
    while (power < rows && power < MAX_TRIAL_ROWS)
        power *= 2;
    return power;
}

// A layout's word has the elements as well, times a unit.
enum { KEY_FAMILY, KEY_WAVE, KEY_LAYOUT, KEY_ROWS, KEY_COLS, KEY_N };
enum { ELEMENT_UNIT = 16 };

void tile_shape_of_key(const uint32_t key[TUNING_KEY_WORDS], struct tile_shape *shape) {
    *shape = (struct tile_shape){key[KEY_LAYOUT] % ELEMENT_UNIT, key[KEY_ROWS], key[KEY_COLS],
                                 key[KEY_N], key[KEY_LAYOUT] / ELEMENT_UNIT};
}

uint32_t tile_choose(struct vks_device *device, const struct tile_shape *shape) {
    uint32_t tile = rule_of_thumb(device, shape);
    struct tile_shape rounded = *shape;
    rounded.rows = rounded_up(shape->rows);
    const uint32_t key[TUNING_KEY_WORDS] = {[KEY_FAMILY] = device->family,
                                            [KEY_WAVE] = device->wave,
                                            [KEY_LAYOUT] =
                                                shape->layout + ELEMENT_UNIT * shape->element,
                                            [KEY_ROWS] = rounded.rows,
                                            [KEY_COLS] = shape->cols,
                                            [KEY_N] = shape->n};
    if (device->has_fixed_tiles)
        return tile;
    uint32_t found;
    if (tuning_find(device, key, &found) && found < NUM_TILES && tile_fits(device, shape, found))
        return found;
    if (device->is_tuned && time_tiles(device, &rounded, &tile) == VKS_OK)
        tuning_set(device, key, tile);
    return tile;
}
