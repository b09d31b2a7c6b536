#include "io/tensor_view.h"

#include "base/half.h"
#include "base/log.h"

#include <string.h>

void tensor_view_of_safetensors(const struct safetensors_info *info, const char *path,
                                const struct vks_log *log, struct tensor_view *view) {
    *view = (struct tensor_view){.name = info->name,
                                 .path = path,
                                 .log = log,
                                 .dtype = info->dtype,
                                 .num_dims = info->num_dims,
                                 .num_elements = info->num_elements,
                                 .data = info->data};
    memcpy(view->dims, info->dims, sizeof view->dims);
    uint64_t stride = 1;
    for (uint32_t i = view->num_dims; i-- > 0;) {
        view->strides[i] = stride;
        stride *= view->dims[i];
    }
}

// The elements of a tensor, row by row.
struct walk {
    const struct tensor_view *view;
    uint64_t idx[SAFETENSORS_MAX_DIMS];
    const unsigned char *at;
};

static void step(struct walk *walk) {
    const struct tensor_view *view = walk->view;
    size_t bytes = safetensors_dtype_bytes(view->dtype);
    for (uint32_t i = view->num_dims; i-- > 0;) {
        if (++walk->idx[i] < view->dims[i]) {
            walk->at += view->strides[i] * bytes;
            return;
        }
        walk->at -= (view->dims[i] - 1) * view->strides[i] * bytes;
        walk->idx[i] = 0;
    }
}

// Whether the elements lie one after the other, row by row.
static bool is_dense(const struct tensor_view *view) {
    uint64_t stride = 1;
    for (uint32_t i = view->num_dims; i-- > 0;) {
        if (view->dims[i] != 1 && view->strides[i] != stride)
            return false;
        stride *= view->dims[i];
    }
    return true;
}

static float element(enum safetensors_dtype dtype, const unsigned char *at) {
    uint16_t bits;
    float value;
    if (dtype == SAFETENSORS_F32) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    memcpy(&bits, at, sizeof bits);
    return dtype == SAFETENSORS_F16 ? half_to_float(bits) : bf16_to_float(bits);
}

enum vks_status tensor_view_read_f32(const struct tensor_view *view, float *out, size_t num) {
    if (num != view->num_elements) {
        log_error(view->log, "%s: tensor '%.200s': %zu elements, expected %zu", view->path,
                  view->name, view->num_elements, num);
        return VKS_ERR_SHAPE;
    }
    if (view->dtype != SAFETENSORS_F32 && view->dtype != SAFETENSORS_F16 &&
        view->dtype != SAFETENSORS_BF16) {
        log_error(view->log, "%s: tensor '%.200s': dtype %s, expected F32, F16 or BF16", view->path,
                  view->name, safetensors_dtype_name(view->dtype));
        return VKS_ERR_UNSUPPORTED;
    }
    struct walk walk = {.view = view, .at = view->data};
    if (view->dtype == SAFETENSORS_F32 && num > 0 && is_dense(view)) {
        memcpy(out, view->data, num * sizeof *out);
        return VKS_OK;
    }
    for (size_t i = 0; i < num; i++) {
        out[i] = element(view->dtype, walk.at);
        if (i + 1 < num)
            step(&walk);
    }
    return VKS_OK;
}

bool tensor_view_equals(const struct tensor_view *a, const struct tensor_view *b) {
    if (a->dtype != b->dtype || a->num_dims != b->num_dims ||
        memcmp(a->dims, b->dims, a->num_dims * sizeof *a->dims) != 0)
        return false;
    size_t bytes = safetensors_dtype_bytes(a->dtype);
    if (a->num_elements == 0)
        return true;
    if (is_dense(a) && is_dense(b))
        return a->data == b->data || memcmp(a->data, b->data, a->num_elements * bytes) == 0;
    struct walk x = {.view = a, .at = a->data}, y = {.view = b, .at = b->data};
    for (size_t i = 0; i < a->num_elements; i++) {
        if (memcmp(x.at, y.at, bytes) != 0)
            return false;
        if (i + 1 < a->num_elements) {
            step(&x);
            step(&y);
        }
    }
    return true;
}

bool tensor_view_is_zero(const struct tensor_view *view) {
    struct walk walk = {.view = view, .at = view->data};
    for (size_t i = 0; i < view->num_elements; i++) {
        for (size_t j = 0; j < safetensors_dtype_bytes(view->dtype); j++)
            if (walk.at[j] != 0)
                return false;
        if (i + 1 < view->num_elements)
            step(&walk);
    }
    return true;
}
