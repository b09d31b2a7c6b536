#include "train/training_state.h"

#include "base/check.h"
#include "base/log.h"
#include "io/files.h"
#include "io/generations.h"
#include "model/weights_file.h"
#include "model/weights_write.h"
#include "train/training_state_json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STATE_BYTES = 1 << 16 };

static const struct {
    const char *file;
    enum parameter_part part;
} parts[] = {{"weights.safetensors", PART_VALUE},
             {"moment1.safetensors", PART_MOMENT1},
             {"moment2.safetensors", PART_MOMENT2},
             {"average.safetensors", PART_AVERAGE},
             {"gradient.safetensors", PART_GRADIENT}};

// Gradients count only within a delayed update.
static bool is_kept(const struct training_state *state, const struct weights *weights,
                    enum parameter_part part) {
    return parameter_store_has(&weights->store, part) &&
           (part != PART_GRADIENT || state->num_delayed > 0);
}

static enum vks_status write_state(const struct training_state *state, const char *dir,
                                   const struct vks_log *log) {
    enum vks_status status = VKS_ERR_OOM;
    char *path = path_join(dir, "state.json"), *text = training_state_print(state);
    if (path && text)
        status = file_replace(path, text, strlen(text), log);
    free(text);
    free(path);
    return status;
}

static enum vks_status write_parts(const struct training_state *state, struct weights *weights,
                                   const char *dir, const struct vks_log *log) {
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < COUNT_OF(parts) && status == VKS_OK; i++) {
        if (!is_kept(state, weights, parts[i].part))
            continue;
        char *path = path_join(dir, parts[i].file);
        const struct weights_write_params params = {.part = parts[i].part, .log = log};
        status = path ? weights_write(weights, &params, path) : VKS_ERR_OOM;
        free(path);
    }
    return status;
}

enum vks_status training_state_save(const struct training_state *state, struct weights *weights,
                                    const char *root, uint32_t keep_last,
                                    const struct vks_log *log) {
    struct generation generation = {0};
    TRY(generation_begin(root, log, &generation));
    enum vks_status status = write_parts(state, weights, generation.path, log);
    if (status == VKS_OK)
        status = write_state(state, generation.path, log);
    if (status == VKS_OK)
        return generation_commit(&generation, keep_last);
    generation_abort(&generation);
    return status;
}

static enum vks_status read_state(const char *dir, const struct vks_log *log,
                                  struct training_state *state) {
    unsigned char *text = NULL;
    size_t num_bytes;
    char *path = path_join(dir, "state.json");
    enum vks_status status =
        path ? file_read(path, MAX_STATE_BYTES, log, &text, &num_bytes) : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = training_state_parse((const char *)text, num_bytes, path, log, state);
    free(text);
    free(path);
    return status;
}

enum vks_status training_state_find(const char *root, const struct vks_log *log,
                                    struct training_state *state, char **dir) {
    char *newest;
    TRY(generation_open_newest(root, log, &newest));
    enum vks_status status = newest[0] ? read_state(newest, log, state) : VKS_OK;
    if (status == VKS_OK)
        *dir = newest;
    else
        free(newest);
    return status;
}

static enum vks_status read_part(struct weights *weights, size_t part_idx, const char *dir,
                                 const struct vks_log *log) {
    char *path = path_join(dir, parts[part_idx].file);
    enum vks_status status;
    if (!path)
        status = VKS_ERR_OOM;
    else if (parts[part_idx].part == PART_AVERAGE && !file_exists(path))
        status = parameter_store_copy(&weights->store, PART_VALUE, PART_AVERAGE);
    else
        status = weights_read_file(weights, parts[part_idx].part, path, log);
    free(path);
    return status;
}

enum vks_status training_state_read_weights(const struct training_state *state, const char *dir,
                                            const struct vks_log *log, struct weights *weights) {
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (is_kept(state, weights, parts[i].part))
            TRY(read_part(weights, i, dir, log));
    return VKS_OK;
}
