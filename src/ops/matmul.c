#include "ops/matmul.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/tiles.h"

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

// The product with some rows of the weights. NN sums over them: each window adds to what the ones
// before it gave, and the last one has the epilogue.
static enum vks_status record_window(struct recorder *recorder, const struct matmul *matmul,
                                     const struct op_window *rows) {
    const struct tensor *a = matmul->a, *b = matmul->b, *c = matmul->c;
    uint32_t layout = matmul->layout, accumulate = matmul->accumulate, epilogue = matmul->epilogue;
    if (layout == GEMM_NN && rows->first_row > 0)
        accumulate = ACCUMULATE_YES;
    if (layout == GEMM_NN && rows->first_row + rows->num_rows < b->rows.capacity)
        epilogue = GEMM_PLAIN;
    struct gemm_push push = {
        .rows_dim = matmul->rows.idx,
        .cols = layout == GEMM_NT ? a->cols : rows->num_rows,
        .n = layout == GEMM_NT ? rows->num_rows : c->cols,
        .a_stride = a->stride / 4,
        .b_stride = b->stride / 4,
        .c_stride = c->stride / 4,
        .aux_stride = matmul->aux ? matmul->aux->stride / 4 : 0,
    };
    const struct tile_kernels *tile = choose_tile(recorder, matmul, &push);
    struct op_groups row_tiles = {matmul->rows, tile->rows, 0};
    if (layout == GEMM_TN)
        row_tiles = (struct op_groups){.fixed = div_up_u32(rows->num_rows, tile->rows)};
    const struct vks_device *device = recorder_graph(recorder)->device;
    struct op_dispatch dispatch = {
        .key = {.shader = tile->shaders[layout],
                .spec = {epilogue, accumulate, matmul->bias ? 1 + matmul->accumulate_bias : 0,
                         tile->rows, tile->cols, tile->part_rows, tile->part_cols, device->mma.rows,
                         device->mma.cols, device->mma.depth},
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
    return recorder_dispatch(recorder, &dispatch);
}

enum vks_status matmul_record(struct recorder *recorder, const struct matmul *matmul) {
    uint32_t num_rows = weights(matmul)->rows.capacity;
    uint32_t cols = matmul->c->element == ELEMENT_F32 ? WINDOW_COLS : 2 * WINDOW_COLS;
    uint32_t step = graph_window_rows(recorder_graph(recorder), weights(matmul), cols);
    CHECK(matmul->epilogue < GEMM_GELU || matmul->aux);
    CHECK(matmul->layout != GEMM_TN || (matmul->a_row == 0 && matmul->c_row == 0));
    CHECK(matmul->layout == GEMM_TN || matmul->b_row == 0);
    for (uint32_t first = 0; first < num_rows; first += step)
        TRY(record_window(
            recorder, matmul,
            &(struct op_window){.first_row = first, .num_rows = min_u32(step, num_rows - first)}));
    return VKS_OK;
}
