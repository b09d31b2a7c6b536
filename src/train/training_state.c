#include "train/training_state.h"

#include "base/check.h"
#include "base/log.h"
#include "io/files.h"
#include "io/generations.h"
#include "model/weights_file.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATE_BYTES = 1 << 16 };

static const struct {
    const char *file;
    enum parameter_part part;
} parts[] = {{"weights.safetensors", PART_VALUE},
             {"moment1.safetensors", PART_MOMENT1},
             {"moment2.safetensors", PART_MOMENT2}};

// The state's whole numbers, all below 2^53 and hence exact in JSON.
#define STATE_FIELDS(X)                                                                            \
    X(epoch)                                                                                       \
    X(batch_idx)                                                                                   \
    X(steps)                                                                                       \
    X(target_tokens)                                                                               \
    X(sentences_in_epoch)                                                                          \
    X(updates)                                                                                     \
    X(seed)                                                                                        \
    X(warmup)                                                                                      \
    X(schedule)                                                                                    \
    X(schedule_updates)                                                                            \
    X(num_stalled)                                                                                 \
    X(mini_batch_words)                                                                            \
    X(mini_batch)                                                                                  \
    X(maxi_batch_pairs)                                                                            \
    X(max_length)                                                                                  \
    X(num_pairs)

// The text is owned by the caller (cJSON_free); NULL when there is no memory.
static char *to_json(const struct training_state *state) {
    cJSON *json = cJSON_CreateObject();
    bool is_whole = cJSON_AddNumberToObject(json, "best_cost", state->best_cost);
#define ADD_FIELD(field)                                                                           \
    is_whole = is_whole && cJSON_AddNumberToObject(json, #field, (double)state->field);
    STATE_FIELDS(ADD_FIELD)
#undef ADD_FIELD
    cJSON *words = cJSON_AddArrayToObject(json, "device_words");
    for (size_t i = 0; i < STATE_WORDS && is_whole; i++)
        is_whole = cJSON_AddItemToArray(words, cJSON_CreateNumber(state->device_words[i]));
    char *text = is_whole ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    return text;
}

static bool read_number(const cJSON *item, double max, double *value) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > max ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *value = item->valuedouble;
    return true;
}

static bool from_json(const cJSON *json, struct training_state *state) {
    double value;
    memset(state, 0, sizeof *state);
#define READ_FIELD(field)                                                                          \
    if (!read_number(cJSON_GetObjectItemCaseSensitive(json, #field),                               \
                     sizeof state->field == 4 ? 0xffffffffp0 : 0x1p53, &value))                    \
        return false;                                                                              \
    memcpy(&state->field,                                                                          \
           sizeof state->field == 4 ? (const void *)&(uint32_t){(uint32_t)value}                   \
                                    : (const void *)&(uint64_t){(uint64_t)value},                  \
           sizeof state->field);
    STATE_FIELDS(READ_FIELD)
#undef READ_FIELD
    const cJSON *best = cJSON_GetObjectItemCaseSensitive(json, "best_cost");
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(json, "device_words");
    if (!cJSON_IsNumber(best) || cJSON_GetArraySize(words) != STATE_WORDS)
        return false;
    state->best_cost = best->valuedouble;
    for (int i = 0; i < STATE_WORDS; i++) {
        if (!read_number(cJSON_GetArrayItem(words, i), 0xffffffffp0, &value))
            return false;
        state->device_words[i] = (uint32_t)value;
    }
    return true;
}

static enum vks_status write_state(const struct training_state *state, const char *dir,
                                   const struct vks_log *log) {
    enum vks_status status = VKS_ERR_OOM;
    char *path = path_join(dir, "state.json");
    char *text = to_json(state);
    if (path && text)
        status = file_replace(path, text, strlen(text), log);
    cJSON_free(text);
    free(path);
    return status;
}

static enum vks_status write_parts(struct weights *weights, const char *dir,
                                   const struct vks_log *log) {
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < COUNT_OF(parts) && status == VKS_OK; i++) {
        char *path = path_join(dir, parts[i].file);
        status = path ? weights_write(weights, parts[i].part, path, log) : VKS_ERR_OOM;
        free(path);
    }
    return status;
}

enum vks_status training_state_save(const struct training_state *state, struct weights *weights,
                                    const char *root, uint32_t keep_last,
                                    const struct vks_log *log) {
    struct generation generation = {0};
    TRY(generation_begin(root, log, &generation));
    enum vks_status status = write_parts(weights, generation.path, log);
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
    if (status == VKS_OK) {
        cJSON *json = cJSON_ParseWithLength((const char *)text, num_bytes);
        if (!from_json(json, state)) {
            log_error(log, "%s: not a training state of this version of vkseq", path);
            status = VKS_ERR_FORMAT;
        }
        cJSON_Delete(json);
    }
    free(text);
    free(path);
    return status;
}

enum vks_status training_state_load(const char *root, const struct vks_log *log,
                                    struct weights *weights, struct training_state *state,
                                    bool *found) {
    char *dir;
    struct training_state read;
    TRY(generation_open_newest(root, log, &dir));
    bool exists = dir[0] != '\0';
    enum vks_status status = exists ? read_state(dir, log, &read) : VKS_OK;
    for (size_t i = 0; i < COUNT_OF(parts) && exists && status == VKS_OK; i++) {
        char *path = path_join(dir, parts[i].file);
        status = path ? weights_read(weights, parts[i].part, path, log) : VKS_ERR_OOM;
        free(path);
    }
    free(dir);
    if (status == VKS_OK) {
        *found = exists;
        if (exists)
            *state = read;
    }
    return status;
}
