// The mean of several models' weights, computed on the host.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/safetensors_write.h"
#include "vkseq/model.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_FLOATS = 1 << 12 };

// What a model directory holds besides its weights.
static const char *const other_files[] = {"config.json",
                                          "generation_config.json",
                                          "vocab.json",
                                          "target_vocab.json",
                                          "source.spm",
                                          "target.spm",
                                          "spiece.model",
                                          "sentencepiece.bpe.model",
                                          "tokenizer.json",
                                          "tokenizer_config.json",
                                          "special_tokens_map.json",
                                          "added_tokens.json"};

enum { MAX_OTHER_BYTES = 1 << 28 };

struct average {
    const struct vks_log *log;
    struct safetensors **files; // [num], owned
    size_t num;
    const char *const *paths;
};

static bool same_shape(const struct safetensors_info *a, const struct safetensors_info *b) {
    return a->num_dims == b->num_dims && !memcmp(a->dims, b->dims, a->num_dims * sizeof *a->dims);
}

// Every file must have the tensors of the first, in their shapes.
static enum vks_status check_same(const struct average *average, size_t file_idx) {
    const struct safetensors *first = average->files[0], *file = average->files[file_idx];
    size_t num = safetensors_num_tensors(first);
    if (safetensors_num_tensors(file) != num) {
        log_error(average->log, "%s has %zu tensors, %s has %zu: expected the same model",
                  average->paths[0], num, average->paths[file_idx], safetensors_num_tensors(file));
        return VKS_ERR_SHAPE;
    }
    for (size_t i = 0; i < num; i++) {
        const struct safetensors_info *info = safetensors_at(first, i);
        struct safetensors_info other;
        if (safetensors_find(file, info->name, &other) && same_shape(info, &other))
            continue;
        log_error(average->log, "%s: tensor %s is not there as in %s: expected the same model",
                  average->paths[file_idx], info->name, average->paths[0]);
        return VKS_ERR_SHAPE;
    }
    return VKS_OK;
}

// A part of the mean of one tensor, float32.
static enum vks_status fill(void *user, size_t tensor_idx, uint64_t offset_bytes, void *chunk,
                            size_t num_bytes) {
    const struct average *average = user;
    const char *name = safetensors_at(average->files[0], tensor_idx)->name;
    size_t begin = (size_t)(offset_bytes / sizeof(float)), num = num_bytes / sizeof(float);
    float *out = chunk, part[CHUNK_FLOATS];
    double sums[CHUNK_FLOATS];
    for (size_t done = 0; done < num; done += CHUNK_FLOATS) {
        size_t count = num - done < CHUNK_FLOATS ? num - done : CHUNK_FLOATS;
        memset(sums, 0, count * sizeof *sums);
        for (size_t i = 0; i < average->num; i++) {
            struct safetensors_info info;
            CHECK(safetensors_find(average->files[i], name, &info));
            info.data += (begin + done) * safetensors_dtype_bytes(info.dtype);
            info.num_elements = count;
            info.num_bytes = count * safetensors_dtype_bytes(info.dtype);
            TRY(safetensors_read_f32(&info, part, count));
            for (size_t j = 0; j < count; j++)
                sums[j] += (double)part[j];
        }
        for (size_t j = 0; j < count; j++)
            out[done + j] = (float)(sums[j] / (double)average->num);
    }
    return VKS_OK;
}

static enum vks_status write_mean(const struct average *average, const char *path) {
    static const char *const metadata[][2] = {{"format", "pt"}};
    size_t num = safetensors_num_tensors(average->files[0]);
    struct safetensors_tensor *tensors = memory_calloc(num ? num : 1, sizeof *tensors);
    if (!tensors)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num; i++) {
        const struct safetensors_info *info = safetensors_at(average->files[0], i);
        tensors[i] = (struct safetensors_tensor){
            .name = info->name, .dtype = SAFETENSORS_F32, .num_dims = info->num_dims};
        memcpy(tensors[i].dims, info->dims, sizeof tensors[i].dims);
    }
    const struct safetensors_write_params params = {
        .tensors = tensors,
        .num_tensors = num,
        .metadata = metadata,
        .num_metadata = COUNT_OF(metadata),
        .fill = fill,
        .user = (void *)average,
        .log = average->log,
    };
    enum vks_status status = safetensors_write(path, &params);
    free(tensors);
    return status;
}

static enum vks_status copy_file(const char *from_dir, const char *to_dir, const char *name,
                                 const struct vks_log *log) {
    unsigned char *data = NULL;
    size_t num_bytes;
    char *from = path_join(from_dir, name), *to = path_join(to_dir, name);
    enum vks_status status = from && to ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK && file_exists(from)) {
        status = file_read(from, MAX_OTHER_BYTES, log, &data, &num_bytes);
        if (status == VKS_OK)
            status = file_replace(to, data, num_bytes, log);
    }
    free(data);
    free(from);
    free(to);
    return status;
}

enum vks_status vks_model_average(const char *const *weight_paths, size_t num,
                                  const char *model_dir, const char *output_dir,
                                  const struct vks_log *log) {
    struct average average = {.log = log, .num = num, .paths = weight_paths};
    char *path = NULL;
    enum vks_status status = VKS_OK;
    if (num == 0) {
        log_error(log, "no weights to average: expected one file or more");
        return VKS_ERR_ARGUMENT;
    }
    average.files = memory_calloc(num, sizeof *average.files);
    if (!average.files)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num && status == VKS_OK; i++) {
        status = safetensors_open(weight_paths[i], log, &average.files[i]);
        if (status == VKS_OK)
            status = check_same(&average, i);
    }
    if (status == VKS_OK)
        status = directory_create(output_dir, log);
    for (size_t i = 0; i < COUNT_OF(other_files) && status == VKS_OK; i++)
        status = copy_file(model_dir, output_dir, other_files[i], log);
    if (status == VKS_OK) {
        path = path_join(output_dir, "model.safetensors");
        status = path ? write_mean(&average, path) : VKS_ERR_OOM;
    }
    free(path);
    for (size_t i = 0; i < num; i++)
        safetensors_close(&average.files[i]);
    free(average.files);
    return status;
}
