#include "ops/matmul.h"

#include "base/check.h"

// Tall tiles load less for each product, and hold 256 sums an invocation: right for software
// drivers, whose registers are memory. GPUs get tiles of 8 rows, and so do products of few rows.
// The bits do not depend on it.
enum { TALL_ROWS = 64, SHORT_ROWS = 8, FEW_ROWS = 16 };

enum vks_status matmul_record(struct recorder *recorder, const struct matmul *matmul) {
    static const char *const names[] = {"gemm_nt", "gemm_nn", "gemm_tn"};
    static const char *const short_names[] = {"gemm_nt_short", "gemm_nn_short", "gemm_tn_short"};
    const struct tensor *a = matmul->a, *b = matmul->b, *c = matmul->c;
    uint32_t layout = matmul->layout, epilogue = matmul->epilogue;
    bool is_tall = recorder_device(recorder)->tall_tiles;
    bool is_short = !is_tall || (layout != GEMM_TN && matmul->rows.capacity <= FEW_ROWS);
    uint32_t tile_rows = is_short ? SHORT_ROWS : TALL_ROWS;
    struct op_groups row_tiles = {matmul->rows, tile_rows, 0};
    if (layout == GEMM_TN)
        row_tiles = (struct op_groups){.fixed = div_up_u32(a->cols, tile_rows)};
    const struct gemm_push push = {
        .rows_dim = matmul->rows.idx,
        .cols = a->cols,
        .n = c->cols,
        .a_offset = matmul->a_row * (a->stride / 4),
        .a_stride = a->stride / 4,
        .b_offset = matmul->b_row * (b->stride / 4),
        .b_stride = b->stride / 4,
        .c_offset = matmul->c_row * (c->stride / 4),
        .c_stride = c->stride / 4,
        .aux_stride = matmul->aux ? matmul->aux->stride / 4 : 0,
    };
    struct op_dispatch dispatch = {
        .key = {.shader = (is_short ? short_names : names)[layout],
                .spec = {epilogue, matmul->accumulate,
                         matmul->bias ? 1 + matmul->accumulate_bias : 0},
                .num_spec = 3},
        .binds = {[GEMM_A] = {a, ACCESS_READ},
                  [GEMM_B] = {b, ACCESS_READ},
                  [GEMM_C] = {c, matmul->accumulate ? ACCESS_UPDATE : ACCESS_WRITE}},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {groups_for_lanes(recorder, div_up_u32(c->cols, 4)), row_tiles},
        .flops = 2.0 * matmul->rows.capacity * a->cols * c->cols,
    };
    if (matmul->bias)
        dispatch.binds[GEMM_BIAS] =
            (struct op_bind){matmul->bias, layout == GEMM_TN ? ACCESS_UPDATE : ACCESS_READ};
    if (epilogue >= GEMM_RELU_BACKWARD)
        dispatch.binds[GEMM_AUX_READ] = (struct op_bind){matmul->aux, ACCESS_READ};
    if (epilogue == GEMM_GELU || epilogue == GEMM_SILU)
        dispatch.binds[GEMM_AUX_WRITE] = (struct op_bind){matmul->aux, ACCESS_WRITE};
    CHECK((epilogue < GEMM_GELU || matmul->aux) && (layout != GEMM_TN || matmul->a_row == 0));
    return recorder_dispatch(recorder, &dispatch);
}
