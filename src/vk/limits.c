#include "vk/limits.h"

#include "base/check.h"
#include "base/log.h"
#include "base/platform.h"
#include "io/files.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROFILE_BYTES = 1 << 16 };

// Numbers that a double holds exactly.
static const double MAX_NUMBER = 0x1p53;

enum kind { U64, U32, SWITCH, VERSION };

static const char *const expected[] = {
    [U64] = "a whole number above 0",
    [U32] = "a whole number from 1 to 4294967295",
    [SWITCH] = "true or false",
    [VERSION] = "a version such as \"1.1\"",
};

#define FIELD(kind, name)                                                                          \
    { #name, kind, offsetof(struct vks_device_info, name) }

static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;
} keys[] = {
    [LIMIT_MEMORY] = FIELD(U64, memory_bytes),
    [LIMIT_API] = {"api", VERSION, 0},
    FIELD(U64, max_binding_bytes),
    FIELD(U64, max_allocation_bytes),
    FIELD(U32, max_invocations),
    FIELD(U32, shared_memory_bytes),
    FIELD(U32, max_storage_buffers),
    FIELD(U32, push_constant_bytes),
    FIELD(SWITCH, float16),
    FIELD(SWITCH, storage16),
    FIELD(SWITCH, bfloat16),
    FIELD(SWITCH, int64),
    FIELD(SWITCH, integer_dot),
    FIELD(SWITCH, cooperative_matrix),
    FIELD(SWITCH, buffer_address),
    FIELD(SWITCH, texel_reads),
    FIELD(SWITCH, subgroup_operations),
    FIELD(SWITCH, subgroup_size_fixed),
    FIELD(SWITCH, subgroup_size_control),
    FIELD(SWITCH, timestamps),
};

_Static_assert(COUNT_OF(keys) <= MAX_LIMITS, "struct limits has room for every key");

static uint64_t version(uint64_t major, uint64_t minor) {
    return major << 32 | minor;
}

// Whether the item is what the key takes; its value goes to *value.
static bool read_value(const struct key *key, const cJSON *item, uint64_t *value) {
    unsigned major, minor;
    int end = 0;
    switch (key->kind) {
    case SWITCH:
        *value = cJSON_IsTrue(item) != 0;
        return cJSON_IsBool(item);
    case VERSION:
        if (!cJSON_IsString(item) ||
            sscanf(item->valuestring, "%3u.%3u%n", &major, &minor, &end) != 2 ||
            item->valuestring[end] != '\0')
            return false;
        *value = version(major, minor);
        return true;
    case U32:
    case U64:
        break;
    }
    double most = key->kind == U32 ? (double)UINT32_MAX : MAX_NUMBER;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1 && item->valuedouble <= most) ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static enum vks_status read_item(const char *path, const cJSON *item, const struct vks_log *log,
                                 struct limits *limits) {
    if (item->string[0] == '_')
        return VKS_OK;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(item->string, keys[i].name) != 0)
            continue;
        if (limits->most[i] != UINT64_MAX) {
            log_error(log, "%s: \"%s\" stands there twice", path, item->string);
            return VKS_ERR_FORMAT;
        }
        if (read_value(&keys[i], item, &limits->most[i]))
            return VKS_OK;
        char *text = cJSON_PrintUnformatted(item);
        log_error(log, "%s: \"%s\" is %.64s; %s was expected", path, item->string,
                  text ? text : "?", expected[keys[i].kind]);
        cJSON_free(text);
        return VKS_ERR_FORMAT;
    }
    char names[600] = "";
    size_t used = 0;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 keys[i].name);
    log_error(log, "%s: \"%s\" is no limit; there are: %s", path, item->string, names);
    return VKS_ERR_FORMAT;
}

static enum vks_status read_file(const char *path, const struct vks_log *log,
                                 struct limits *limits) {
    unsigned char *text;
    size_t num_bytes;
    TRY(file_read(path, MAX_PROFILE_BYTES, log, &text, &num_bytes));
    cJSON *json = cJSON_ParseWithLength((const char *)text, num_bytes);
    free(text);
    enum vks_status status = VKS_OK;
    if (!cJSON_IsObject(json)) {
        log_error(log, "%s: a JSON object of limits was expected", path);
        status = VKS_ERR_FORMAT;
    }
    for (const cJSON *item = json ? json->child : NULL; item && status == VKS_OK; item = item->next)
        status = read_item(path, item, log, limits);
    cJSON_Delete(json);
    return status;
}

enum vks_status limits_read(const struct vks_log *log, struct limits *result) {
    struct limits limits;
    for (size_t i = 0; i < MAX_LIMITS; i++)
        limits.most[i] = UINT64_MAX;
    const char *path = platform_env("VKSEQ_LIMITS");
    if (path && *path)
        TRY(read_file(path, log, &limits));
    *result = limits;
    return VKS_OK;
}

static void lower(struct vks_device_info *info, const struct key *key, uint64_t most) {
    char *field = (char *)info + key->offset;
    switch (key->kind) {
    case U64:
        if (*(uint64_t *)field > most)
            *(uint64_t *)field = most;
        return;
    case U32:
        if (*(uint32_t *)field > most)
            *(uint32_t *)field = (uint32_t)most;
        return;
    case SWITCH:
        *(bool *)field &= most != 0;
        return;
    case VERSION:
        if (version(info->api_major, info->api_minor) > most) {
            info->api_major = (uint32_t)(most >> 32);
            info->api_minor = (uint32_t)most;
            info->api_patch = 0;
        }
    }
}

void limits_apply(const struct limits *limits, struct vks_device_info *info) {
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        lower(info, &keys[i], limits->most[i]);
    uint64_t api = version(info->api_major, info->api_minor);
    if (api < version(1, 2))
        info->float16 = info->buffer_address = false;
    if (api < version(1, 3))
        info->subgroup_size_fixed = info->subgroup_size_control = false;
    // What is bound is a part of one allocation.
    if (info->max_binding_bytes > info->max_allocation_bytes)
        info->max_binding_bytes = info->max_allocation_bytes;
}
