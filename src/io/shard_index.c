#include "io/shard_index.h"

#include "base/log.h"
#include "io/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static enum vks_status fail(const char *name, const struct vks_log *log, const char *tensor,
                            const char *fault) {
    log_error(log, "%s: tensor '%.200s': %s", name, tensor, fault);
    return VKS_ERR_FORMAT;
}

// A file beside the index: no path leads out of the folder.
static bool is_plain_name(const char *text) {
    return *text && *text != '.' && !strpbrk(text, "/\\:");
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const struct shard_entry *)a)->tensor, ((const struct shard_entry *)b)->tensor);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum vks_status read_entries(const cJSON *map, const char *name, const struct vks_log *log,
                                    struct arena *arena, struct shard_index *index) {
    const cJSON *item;
    cJSON_ArrayForEach(item, map) {
        struct shard_entry *entry = &index->entries[index->num_entries];
        const char *file = cJSON_GetStringValue(item);
        if (!file || !is_plain_name(file))
            return fail(name, log, item->string, "expected the name of a file beside the index");
        entry->tensor = arena_strdup(arena, item->string);
        entry->file = arena_strdup(arena, file);
        if (!entry->tensor || !entry->file)
            return VKS_ERR_OOM;
        index->files[index->num_entries++] = entry->file;
    }
    qsort(index->entries, index->num_entries, sizeof *index->entries, compare_entries);
    for (size_t i = 1; i < index->num_entries; i++)
        if (compare_entries(&index->entries[i - 1], &index->entries[i]) == 0)
            return fail(name, log, index->entries[i].tensor, "there are two of that name");
    return VKS_OK;
}

// Each file once, and entries point to it.
static enum vks_status collect_files(const char *name, const struct vks_log *log,
                                     struct shard_index *index) {
    qsort(index->files, index->num_entries, sizeof *index->files, compare_texts);
    for (size_t i = 0; i < index->num_entries; i++)
        if (i == 0 || strcmp(index->files[i], index->files[index->num_files - 1]) != 0)
            index->files[index->num_files++] = index->files[i];
    for (size_t i = 0; i < index->num_entries; i++)
        index->entries[i].file =
            *(const char **)bsearch(&index->entries[i].file, index->files, index->num_files,
                                    sizeof *index->files, compare_texts);
    if (index->num_files <= SHARD_INDEX_MAX_FILES)
        return VKS_OK;
    log_error(log, "%s: %zu files, at most %d can be read", name, index->num_files,
              SHARD_INDEX_MAX_FILES);
    return VKS_ERR_UNSUPPORTED;
}

enum vks_status shard_index_parse(const char *text, size_t num_bytes, const char *name,
                                  const struct vks_log *log, struct arena *arena,
                                  struct shard_index *index) {
    struct shard_index read = {0};
    cJSON *json;
    TRY(json_parse(text, num_bytes, name, log, &json));
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(json, "weight_map");
    enum vks_status status = VKS_ERR_OOM;
    if (!cJSON_IsObject(map)) {
        log_error(log, "%s: \"weight_map\" is missing: expected an object from tensors to files",
                  name);
        status = VKS_ERR_FORMAT;
        goto done;
    }
    size_t num = (size_t)cJSON_GetArraySize(map);
    read.entries = ARENA_NEW(arena, struct shard_entry, num + 1);
    read.files = ARENA_NEW(arena, const char *, num + 1);
    if (!read.entries || !read.files)
        goto done;
    TRY_GOTO(status, read_entries(map, name, log, arena, &read), done);
    status = collect_files(name, log, &read);
done:
    cJSON_Delete(json);
    if (status == VKS_ERR_OOM)
        log_error(log, "%s: out of memory", name);
    if (status == VKS_OK)
        *index = read;
    return status;
}
