#include "ops/matmul.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/tiles.h"

// Numbers of the slices of one product.
enum { MAX_SLICED = 1 << 22 };

// The weights or their gradient: a matrix that may be larger than what the device binds.
static const struct tensor *weights(const struct matmul *matmul) {
    return matmul->layout == GEMM_TN ? matmul->c : matmul->b;
}

// Binds little more than the given rows of a tensor; returns how many vec4 to skip.
static uint32_t narrow(const struct tensor *tensor, uint32_t row, uint32_t num_rows,
                       struct op_window *window) {
    const uint32_t multiple = tensor->element == ELEMENT_F32 ? WINDOW_ROWS : 2 * WINDOW_ROWS;
    window->first_row = row / multiple * multiple;
    window->num_rows = min_u32(row + num_rows, tensor->rows.capacity) - window->first_row;
    return (row - window->first_row) * (tensor->stride / 4);
}

static uint32_t num_slices(uint32_t num_rows, const struct tensor *c) {
    uint64_t size = (uint64_t)c->rows.capacity * c->cols;
    uint32_t most = (uint32_t)(MAX_SLICED / size);
    return max_u32(min_u32(div_up_u32(num_rows, GEMM_SLICE_ROWS), most), 1);
}

static uint32_t slices_of(const struct matmul *matmul) {
    return matmul->layout == GEMM_TN ? num_slices(matmul->rows.capacity, matmul->c) : 1;
}

// Of slices of `num_rows` of C, in vec4: theirs, and where the sums of columns follow, which a
// binding can begin at.
static uint64_t slice_quads(uint32_t num, const struct tensor *c, uint32_t num_rows) {
    return (uint64_t)num * num_rows * div_up_u32(c->cols, 4);
}

static uint32_t first_bias_quad(uint32_t num, const struct tensor *c, uint32_t num_rows) {
    return (uint32_t)round_up_u64(slice_quads(num, c, num_rows), WINDOW_ROWS);
}

static uint32_t quads_needed(uint32_t num_rows, const struct tensor *c) {
    uint32_t num = c ? num_slices(num_rows, c) : 1;
    if (num == 1)
        return 0;
    return first_bias_quad(num, c, c->rows.capacity) + num * div_up_u32(c->rows.capacity, 4);
}

struct tensor *matmul_slices(struct graph *graph, uint32_t num_rows, const struct tensor *gradient,
                             const struct tensor *other) {
    uint32_t quads = max_u32(quads_needed(num_rows, gradient), quads_needed(num_rows, other));
    return quads ? graph_activation(graph, graph_dim_fixed(graph, quads), 4) : NULL;
}

// What the dispatch binds, apart from the weights' matrix: in NT the weights' rows are columns of
// C, in NN and TN those of A.
static void bind(const struct matmul *matmul, const struct op_window *rows,
                 struct op_dispatch *dispatch, struct gemm_push *push) {
    bool is_nt = matmul->layout == GEMM_NT, is_tn = matmul->layout == GEMM_TN;
    uint32_t num_rows = matmul->rows.capacity, epilogue = dispatch->key.spec[0];
    struct op_window *windows = dispatch->windows;
    dispatch->binds[GEMM_A] = (struct op_bind){matmul->a, ACCESS_READ};
    dispatch->binds[GEMM_B] = (struct op_bind){matmul->b, ACCESS_READ};
    dispatch->binds[GEMM_C] =
        (struct op_bind){matmul->c, dispatch->key.spec[1] ? ACCESS_UPDATE : ACCESS_WRITE};
    push->a_offset = narrow(matmul->a, matmul->a_row, num_rows, &windows[GEMM_A]);
    windows[is_nt ? GEMM_C : GEMM_A].first_col = rows->first_row;
    if (is_tn) {
        push->b_offset = narrow(matmul->b, matmul->b_row, num_rows, &windows[GEMM_B]);
        windows[GEMM_C] = *rows;
    } else {
        windows[GEMM_B] = *rows;
        push->c_offset = narrow(matmul->c, matmul->c_row, num_rows, &windows[GEMM_C]);
    }
    if (matmul->bias) {
        dispatch->binds[GEMM_BIAS] =
            (struct op_bind){matmul->bias, is_tn ? ACCESS_UPDATE : ACCESS_READ};
        windows[GEMM_BIAS].first_col = rows->first_row;
    }
    uint32_t aux = epilogue >= GEMM_RELU_BACKWARD ? GEMM_AUX_READ : GEMM_AUX_WRITE;
    if (epilogue < GEMM_GELU)
        return;
    dispatch->binds[aux] =
        (struct op_bind){matmul->aux, aux == GEMM_AUX_READ ? ACCESS_READ : ACCESS_WRITE};
    if (is_nt)
        windows[aux].first_col = rows->first_row;
}

static const struct tile_kernels *choose_tile(const struct recorder *recorder,
                                              const struct matmul *matmul,
                                              const struct gemm_push *push) {
    const struct tile_shape shape = {matmul->layout, matmul->rows.capacity, push->cols, push->n,
                                     matmul->b->element};
    if (matmul->forced_tile)
        return &tile_kernels[matmul->forced_tile - 1];
    return &tile_kernels[tile_choose(recorder_graph(recorder)->device, &shape)];
}

// A product whose slices are added up: what the dispatch writes then.
static void bind_slices(const struct matmul *matmul, const struct op_window *rows, uint32_t num,
                        struct op_dispatch *dispatch, struct gemm_push *push) {
    const uint32_t bias_quads = div_up_u32(rows->num_rows, 4);
    push->c_stride = div_up_u32(matmul->c->cols, 4);
    dispatch->groups[2].fixed = num;
    dispatch->binds[GEMM_C] = (struct op_bind){matmul->slices, ACCESS_WRITE};
    dispatch->windows[GEMM_C] =
        (struct op_window){.num_rows = (uint32_t)slice_quads(num, matmul->c, rows->num_rows)};
    if (!matmul->bias)
        return;
    dispatch->binds[GEMM_BIAS] = (struct op_bind){matmul->slices, ACCESS_WRITE};
    dispatch->windows[GEMM_BIAS] = (struct op_window){
        .first_row = first_bias_quad(num, matmul->c, rows->num_rows), .num_rows = num * bias_quads};
}

// Adds them up, given how the product that has left them was dispatched.
static enum vks_status record_sum(struct recorder *recorder, const struct matmul *matmul,
                                  const struct op_window *rows, const struct op_dispatch *product) {
    const struct gemm_slices_push push = {
        .rows_dim = matmul->rows.idx,
        .num_slices = product->groups[2].fixed,
        .rows = rows->num_rows,
        .quads = div_up_u32(matmul->c->cols, 4),
        .c_stride = matmul->c->stride / 4,
        .bias_quads = matmul->bias ? div_up_u32(rows->num_rows, 4) : 0,
    };
    struct op_dispatch dispatch = {
        .key = {.shader = "gemm_slices",
                .spec = {matmul->accumulate, matmul->bias ? 1 + matmul->accumulate_bias : 0},
                .num_spec = 2},
        .binds = {[GEMM_SLICES_PARTS] = {matmul->slices, ACCESS_READ},
                  [GEMM_SLICES_C] = {matmul->c, ACCESS_UPDATE}},
        .windows = {[GEMM_SLICES_PARTS] = product->windows[GEMM_C], [GEMM_SLICES_C] = *rows},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {groups_for_lanes(recorder, push.rows * push.quads)},
    };
    dispatch.groups[0].fixed = min_u32(dispatch.groups[0].fixed, RECORDER_MAX_GROUPS);
    if (matmul->bias) {
        dispatch.binds[GEMM_SLICES_BIAS_PARTS] = (struct op_bind){matmul->slices, ACCESS_READ};
        dispatch.windows[GEMM_SLICES_BIAS_PARTS] = product->windows[GEMM_BIAS];
        dispatch.binds[GEMM_SLICES_BIAS] = (struct op_bind){matmul->bias, ACCESS_UPDATE};
        dispatch.windows[GEMM_SLICES_BIAS].first_col = rows->first_row;
    }
    return recorder_dispatch(recorder, &dispatch);
}

// The product with some rows of the weights. NN sums over them: each window adds to what the ones
// before it gave, and the last one has the epilogue.
static enum vks_status record_window(struct recorder *recorder, const struct matmul *matmul,
                                     const struct op_window *rows) {
    const struct tensor *a = matmul->a, *b = matmul->b, *c = matmul->c;
    uint32_t layout = matmul->layout, accumulate = matmul->accumulate, epilogue = matmul->epilogue;
    uint32_t num = slices_of(matmul), accumulate_bias = matmul->accumulate_bias;
    if (layout == GEMM_NN && rows->first_row > 0)
        accumulate = ACCUMULATE_YES;
    if (layout == GEMM_NN && rows->first_row + rows->num_rows < b->rows.capacity)
        epilogue = GEMM_PLAIN;
    if (num > 1)
        accumulate = accumulate_bias = ACCUMULATE_NO;
    struct gemm_push push = {
        .rows_dim = matmul->rows.idx,
        .cols = layout == GEMM_NT ? a->cols : rows->num_rows,
        .n = layout == GEMM_NT ? rows->num_rows : c->cols,
        .a_stride = a->stride / 4,
        .b_stride = b->stride / 4,
        .c_stride = c->stride / 4,
        .aux_stride = matmul->aux ? matmul->aux->stride / 4 : 0,
        .num_slices = num,
    };
    const struct tile_kernels *tile = choose_tile(recorder, matmul, &push);
    struct op_groups row_tiles = {matmul->rows, tile->rows, 0};
    if (layout == GEMM_TN)
        row_tiles = (struct op_groups){.fixed = div_up_u32(rows->num_rows, tile->rows)};
    const struct vks_device *device = recorder_graph(recorder)->device;
    const struct mma_shape *mma = &device->mma[b->element];
    struct op_dispatch dispatch = {
        .key = {.shader = tile_shader(tile, layout, b->element),
                .spec = {epilogue, accumulate, matmul->bias ? 1 + accumulate_bias : 0, tile->rows,
                         tile->cols, tile->part_rows, tile->part_cols, mma->rows, mma->cols,
                         mma->depth},
                .num_spec = tile->part_rows ? GEMM_SPEC_MMA_DEPTH
                            : tile->cols    ? GEMM_SPEC_BLOCK_COLS
                                            : GEMM_SPEC_BIAS,
                .lanes = tile_lanes(device, tile)},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {{.fixed = div_up_u32(push.n, tile->cols ? tile->cols : 4 * device->wave)},
                   row_tiles},
        .flops = 2.0 * matmul->rows.capacity * push.cols * push.n,
        .items = matmul->rows,
    };
    bind(matmul, rows, &dispatch, &push);
    if (num == 1)
        return recorder_dispatch(recorder, &dispatch);
    bind_slices(matmul, rows, num, &dispatch, &push);
    TRY(recorder_dispatch(recorder, &dispatch));
    return record_sum(recorder, matmul, rows, &dispatch);
}

// Rows of C whose slices can be bound at once.
static uint32_t slice_window_rows(const struct graph *graph, const struct matmul *matmul) {
    const uint32_t num = slices_of(matmul), num_rows = matmul->c->rows.capacity;
    const uint64_t fits = graph->device->info.max_binding_bytes / 16;
    if (num == 1 || slice_quads(num, matmul->c, num_rows) <= fits)
        return UINT32_MAX;
    return max_u32((uint32_t)(fits / slice_quads(num, matmul->c, WINDOW_COLS)), 1) * WINDOW_COLS;
}

enum vks_status matmul_record(struct recorder *recorder, const struct matmul *matmul) {
    uint32_t num_rows = weights(matmul)->rows.capacity;
    uint32_t cols = matmul->c->element == ELEMENT_F32 ? WINDOW_COLS : 2 * WINDOW_COLS;
    uint32_t step = min_u32(graph_window_rows(recorder_graph(recorder), weights(matmul), cols),
                            slice_window_rows(recorder_graph(recorder), matmul));
    CHECK(matmul->epilogue < GEMM_GELU || matmul->aux);
    CHECK(matmul->layout != GEMM_TN || (matmul->a_row == 0 && matmul->c_row == 0));
    CHECK(matmul->layout == GEMM_TN || matmul->b_row == 0);
    CHECK(matmul->slices || slices_of(matmul) == 1);
    for (uint32_t first = 0; first < num_rows; first += step)
        TRY(record_window(
            recorder, matmul,
            &(struct op_window){.first_row = first, .num_rows = min_u32(step, num_rows - first)}));
    return VKS_OK;
}
