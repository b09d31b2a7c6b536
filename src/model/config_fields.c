#include "model/config_fields.h"

#include "base/log.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NUMBER = 1 << 24 };

const cJSON *fields_find(const struct fields_reader *reader, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    return cJSON_IsNull(item) ? NULL : item;
}

void fields_fail(struct fields_reader *reader, const char *key, const char *expected) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    if (reader->status != VKS_OK)
        return;
    char *value = item ? cJSON_PrintUnformatted(item) : NULL;
    log_error(reader->log, "%s: \"%s\" is %.60s: expected %s", reader->path, key,
              value ? value : "missing", expected);
    cJSON_free(value);
    reader->status = VKS_ERR_FORMAT;
}

static bool is_whole(const cJSON *item, uint32_t min) {
    return cJSON_IsNumber(item) && item->valuedouble >= min && item->valuedouble <= MAX_NUMBER &&
           floor(item->valuedouble) == item->valuedouble;
}

uint32_t fields_read_u32(struct fields_reader *reader, const char *key, uint32_t min,
                         int64_t by_default) {
    const cJSON *item = fields_find(reader, key);
    if (!item && by_default >= 0)
        return (uint32_t)by_default;
    if (!is_whole(item, min)) {
        fields_fail(reader, key,
                    min ? "a whole number from 1 to 16777216"
                        : "a whole number from 0 to 16777216");
        return 0;
    }
    return (uint32_t)item->valuedouble;
}

double fields_read_number(struct fields_reader *reader, const char *key, double min, double max,
                          double by_default) {
    const cJSON *item = fields_find(reader, key);
    if (!item)
        return by_default;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= min && item->valuedouble <= max)) {
        char expected[64];
        snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
        fields_fail(reader, key, expected);
        return by_default;
    }
    return item->valuedouble;
}

bool fields_read_bool(struct fields_reader *reader, const char *key, bool by_default) {
    const cJSON *item = fields_find(reader, key);
    if (!item)
        return by_default;
    if (!cJSON_IsBool(item))
        fields_fail(reader, key, "true or false");
    return cJSON_IsTrue(item);
}

const char *fields_read_text(struct fields_reader *reader, const char *key,
                             const char *by_default) {
    const cJSON *item = fields_find(reader, key);
    if (!item && by_default)
        return by_default;
    if (!cJSON_IsString(item)) {
        fields_fail(reader, key, "a text");
        return "";
    }
    return item->valuestring;
}

size_t fields_read_name(struct fields_reader *reader, const char *key, const char *const *names,
                        size_t num, const char *by_default, const char *expected) {
    const char *name = fields_read_text(reader, key, by_default);
    for (size_t i = 0; i < num; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    fields_fail(reader, key, expected);
    return 0;
}

uint32_t fields_read_id(struct fields_reader *reader, const char *key, int64_t by_default) {
    const cJSON *item = fields_find(reader, key);
    if (!cJSON_IsArray(item))
        return fields_read_u32(reader, key, 0, by_default);
    if (cJSON_GetArraySize(item) == 1 && is_whole(item->child, 0))
        return (uint32_t)item->child->valuedouble;
    fields_fail(reader, key, "one token's id");
    return 0;
}

void fields_add_number(struct fields_writer *writer, const char *key, double value) {
    writer->is_whole &= cJSON_AddNumberToObject(writer->json, key, value) != NULL;
}

void fields_add_bool(struct fields_writer *writer, const char *key, bool value) {
    writer->is_whole &= cJSON_AddBoolToObject(writer->json, key, value) != NULL;
}

void fields_add_text(struct fields_writer *writer, const char *key, const char *value) {
    writer->is_whole &= cJSON_AddStringToObject(writer->json, key, value) != NULL;
}

char *fields_finish(struct fields_writer *writer) {
    char *text = writer->is_whole ? cJSON_Print(writer->json) : NULL;
    cJSON_Delete(writer->json);
    writer->json = NULL;
    return text;
}
