#include "train/training_state_json.h"

#include "base/check.h"
#include "base/log.h"
#include "io/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// The state's whole numbers, all below 2^53 and hence exact in JSON.
#define STATE_FIELDS(X)                                                                            \
    X(epoch)                                                                                       \
    X(pool_idx)                                                                                    \
    X(batch_idx)                                                                                   \
    X(steps)                                                                                       \
    X(target_tokens)                                                                               \
    X(sentences_in_epoch)                                                                          \
    X(rounds)                                                                                      \
    X(updates)                                                                                     \
    X(num_delayed)                                                                                 \
    X(delayed_words)                                                                               \
    X(seed)                                                                                        \
    X(warmup)                                                                                      \
    X(schedule)                                                                                    \
    X(schedule_updates)                                                                            \
    X(mini_batch_fit)                                                                              \
    X(decay.begin)                                                                                 \
    X(decay.most_stalled)                                                                          \
    X(mini_batch_words)                                                                            \
    X(mini_batch)                                                                                  \
    X(maxi_batch_pairs)                                                                            \
    X(max_length)                                                                                  \
    X(is_streamed)                                                                                 \
    X(shuffle)                                                                                     \
    X(maxi_batch_sort)                                                                             \
    X(num_pairs)                                                                                   \
    X(data_hash)                                                                                   \
    X(optimizer)                                                                                   \
    X(precision)                                                                                   \
    X(num_frozen)

// cJSON prints 15 digits where more are needed: numbers come as text.
static bool add_u64(cJSON *json, const char *name, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return cJSON_AddRawToObject(json, name, text) != NULL;
}

static bool add_double(cJSON *json, const char *name, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    return cJSON_AddRawToObject(json, name, text) != NULL;
}

static bool add_words(cJSON *json, const char *name, const uint32_t *values, size_t num) {
    cJSON *words = cJSON_AddArrayToObject(json, name);
    bool is_made = words != NULL;
    for (size_t i = 0; i < num && is_made; i++)
        is_made = cJSON_AddItemToArray(words, cJSON_CreateNumber(values[i]));
    return is_made;
}

static bool add_metrics(cJSON *json, const struct valid_metrics *metrics) {
    cJSON *list = cJSON_AddArrayToObject(json, "valid_metrics");
    bool is_made = list != NULL;
    for (uint32_t i = 0; i < metrics->num && is_made; i++) {
        const struct valid_metric *metric = &metrics->items[i];
        cJSON *item = cJSON_CreateObject();
        is_made = cJSON_AddItemToArray(list, item) &&
                  cJSON_AddStringToObject(item, "name", metric->name) &&
                  (!metric->has_best || add_double(item, "best", metric->best)) &&
                  add_u64(item, "stalled", metric->num_stalled);
    }
    return is_made;
}

char *training_state_print(const struct training_state *state) {
    cJSON *json = cJSON_CreateObject();
    bool is_made = json != NULL;
#define ADD_FIELD(field) is_made = is_made && add_u64(json, #field, state->field);
    STATE_FIELDS(ADD_FIELD)
#undef ADD_FIELD
    is_made = is_made && add_double(json, "decay.factor", state->decay.factor) &&
              add_metrics(json, &state->metrics) &&
              add_words(json, "device_words", state->device_words, STATE_WORDS);
    char *text = is_made ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    return text;
}

static bool read_whole(const cJSON *item, double max, uint64_t *value) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > max ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static bool read_metrics(const cJSON *json, struct valid_metrics *metrics) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "valid_metrics"), *item;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MAX_VALID_METRICS)
        return false;
    cJSON_ArrayForEach(item, list) {
        struct valid_metric *metric = &metrics->items[metrics->num++];
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        const cJSON *best = cJSON_GetObjectItemCaseSensitive(item, "best");
        if (!name || strlen(name) >= sizeof metric->name ||
            !read_whole(cJSON_GetObjectItemCaseSensitive(item, "stalled"), 0x1p53,
                        &metric->num_stalled))
            return false;
        memcpy(metric->name, name, strlen(name) + 1);
        metric->has_best = cJSON_IsNumber(best);
        metric->best = metric->has_best ? best->valuedouble : 0;
        if (!isfinite(metric->best))
            return false;
    }
    return true;
}

static bool from_json(const cJSON *json, struct training_state *state) {
    uint64_t value;
    memset(state, 0, sizeof *state);
#define READ_FIELD(field)                                                                          \
    if (!read_whole(cJSON_GetObjectItemCaseSensitive(json, #field),                                \
                    sizeof state->field == 4 ? 0xffffffffp0 : 0x1p53, &value))                     \
        return false;                                                                              \
    state->field = (__typeof__(state->field))value;
    STATE_FIELDS(READ_FIELD)
#undef READ_FIELD
    const cJSON *factor = cJSON_GetObjectItemCaseSensitive(json, "decay.factor");
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(json, "device_words");
    state->decay.factor = cJSON_IsNumber(factor) ? factor->valuedouble : -1;
    if (!(state->decay.factor >= 0) || !isfinite(state->decay.factor) || !cJSON_IsArray(words) ||
        cJSON_GetArraySize(words) != STATE_WORDS || !read_metrics(json, &state->metrics))
        return false;
    if (state->is_streamed > 1 || state->shuffle > VKS_SHUFFLE_NONE ||
        state->maxi_batch_sort > VKS_SORT_NONE || state->optimizer > VKS_SGD ||
        state->precision > VKS_BFLOAT16)
        return false;
    for (int i = 0; i < STATE_WORDS; i++) {
        if (!read_whole(cJSON_GetArrayItem(words, i), 0xffffffffp0, &value))
            return false;
        state->device_words[i] = (uint32_t)value;
    }
    return true;
}

enum vks_status training_state_parse(const char *json, size_t num_bytes, const char *name,
                                     const struct vks_log *log, struct training_state *state) {
    cJSON *items;
    struct training_state read;
    TRY(json_parse(json, num_bytes, name, log, &items));
    bool is_state = from_json(items, &read);
    cJSON_Delete(items);
    if (!is_state) {
        log_error(log, "%s: not a training state of this version of vkseq", name);
        return VKS_ERR_FORMAT;
    }
    *state = read;
    return VKS_OK;
}
