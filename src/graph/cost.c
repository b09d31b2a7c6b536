#include "graph/cost.h"

#include "base/check.h"

// What flops and gathered rows are counted by.
static double num_items(const struct op_dispatch *dispatch, const uint32_t *dims,
                        const uint32_t (*pairs)[4]) {
    double num = 0;
    if (!dispatch->pairs)
        return dims[dispatch->items.idx];
    for (uint32_t i = 0; i < dims[dispatch->pairs->rows.idx]; i++)
        num += (double)max_u32(pairs[i][1], 1) * (pairs[i][3] - pairs[i][2]);
    return num;
}

static double bind_rows(const struct op_dispatch *dispatch, int binding, const uint32_t *dims,
                        double items) {
    const struct tensor *tensor = dispatch->binds[binding].tensor;
    const struct op_window *window = &dispatch->windows[binding];
    uint32_t rows = dims[tensor->rows.idx];
    if (dispatch->gathered & 1u << binding)
        return items;
    if (window->num_rows == 0)
        return rows;
    return rows > window->first_row ? min_u32(rows - window->first_row, window->num_rows) : 0;
}

// With pads, without what else may lie between rows.
static double row_bytes(const struct tensor *tensor) {
    uint64_t padded = round_up_u64(tensor->cols, 4);
    return (double)((padded < tensor->stride ? padded : tensor->stride) *
                    tensor_element_bytes(tensor));
}

// An operand that two bindings show is moved once.
static bool is_bound_before(const struct op_dispatch *dispatch, int binding) {
    for (int i = 1; i < binding; i++)
        if (dispatch->binds[i].tensor == dispatch->binds[binding].tensor)
            return true;
    return false;
}

struct cost cost_of_dispatch(const struct op_dispatch *dispatch, const uint32_t *dims,
                             const uint32_t (*pairs)[4]) {
    struct cost cost = {0};
    double items = num_items(dispatch, dims, pairs);
    bool is_fixed = !dispatch->pairs && dispatch->items.capacity == 0;
    cost.flops = dispatch->flops;
    if (dispatch->pairs)
        cost.flops *= items;
    else if (!is_fixed)
        cost.flops *= items / dispatch->items.capacity;
    for (int i = 1; i < MAX_BINDINGS; i++) {
        const struct op_bind *bind = &dispatch->binds[i];
        if (!bind->tensor || is_bound_before(dispatch, i))
            continue;
        double times = bind->access == ACCESS_UPDATE ? 2 : 1;
        cost.bytes += times * bind_rows(dispatch, i, dims, items) * row_bytes(bind->tensor);
    }
    return cost;
}
