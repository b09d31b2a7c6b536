#include "io/tensor_set.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/shard_index.h"
#include "io/torch_file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INDEX_BYTES = 1 << 26 };

// What a model's tensors may lie in, the better first.
static const struct {
    const char *name;
    bool is_index, is_torch;
} layouts[] = {
    {"model.safetensors", false, false},
    {"model.safetensors.index.json", true, false},
    {"pytorch_model.bin", false, true},
    {"pytorch_model.bin.index.json", true, true},
};

// One of the two.
struct shard {
    struct safetensors *safetensors;
    struct torch_file *torch;
    char *path; // in the arena
};

struct tensor_set {
    struct arena arena;
    const struct vks_log *log;
    char *path;
    struct shard *shards;
    size_t num_shards;
    struct tensor_view *tensors; // in strcmp order
    size_t num_tensors;
};

static enum vks_status memory_error(const struct tensor_set *set) {
    log_error(set->log, "%s: out of memory", set->path);
    return VKS_ERR_OOM;
}

static enum vks_status create(const char *path, const struct vks_log *log,
                              struct tensor_set **set) {
    struct tensor_set *created = memory_calloc(1, sizeof *created);
    if (created) {
        created->log = log;
        created->path = arena_strdup(&created->arena, path);
    }
    if (!created || !created->path) {
        log_error(log, "%s: out of memory", path);
        tensor_set_close(&created);
        return VKS_ERR_OOM;
    }
    *set = created;
    return VKS_OK;
}

static enum vks_status open_shard(struct tensor_set *set, const char *path, bool is_torch) {
    struct shard *shard = &set->shards[set->num_shards++];
    shard->path = arena_strdup(&set->arena, path);
    if (!shard->path)
        return memory_error(set);
    return is_torch ? torch_file_open(path, set->log, &shard->torch)
                    : safetensors_open(path, set->log, &shard->safetensors);
}

static size_t num_tensors(const struct shard *shard) {
    return shard->torch ? torch_file_num_tensors(shard->torch)
                        : safetensors_num_tensors(shard->safetensors);
}

static int compare_views(const void *a, const void *b) {
    return strcmp(((const struct tensor_view *)a)->name, ((const struct tensor_view *)b)->name);
}

// Lists the tensors of all open shards.
static enum vks_status list_tensors(struct tensor_set *set) {
    size_t total = 0;
    for (size_t i = 0; i < set->num_shards; i++)
        total += num_tensors(&set->shards[i]);
    set->tensors = ARENA_NEW(&set->arena, struct tensor_view, total + 1);
    if (!set->tensors)
        return memory_error(set);
    for (size_t i = 0; i < set->num_shards; i++) {
        const struct shard *shard = &set->shards[i];
        for (size_t j = 0; j < num_tensors(shard); j++) {
            struct tensor_view *view = &set->tensors[set->num_tensors++];
            if (shard->torch)
                *view = *torch_file_at(shard->torch, j);
            else
                tensor_view_of_safetensors(safetensors_at(shard->safetensors, j), shard->path,
                                           set->log, view);
        }
    }
    qsort(set->tensors, total, sizeof *set->tensors, compare_views);
    for (size_t i = 1; i < total; i++) {
        if (compare_views(&set->tensors[i - 1], &set->tensors[i]) != 0)
            continue;
        log_error(set->log, "%s: tensor '%.200s': %s has it too", set->tensors[i].path,
                  set->tensors[i].name, set->tensors[i - 1].path);
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

// The index must say where tensors are, and must not miss any.
static enum vks_status check_index(const struct tensor_set *set, const struct shard_index *index) {
    for (size_t i = 0; i < index->num_entries; i++) {
        const struct shard_entry *entry = &index->entries[i];
        const struct tensor_view *view = tensor_set_find(set, entry->tensor);
        size_t path_bytes = view ? strlen(view->path) : 0, file_bytes = strlen(entry->file);
        if (view && path_bytes >= file_bytes &&
            strcmp(view->path + path_bytes - file_bytes, entry->file) == 0)
            continue;
        log_error(set->log, "%s: tensor '%.200s' is not in %s", set->path, entry->tensor,
                  entry->file);
        return VKS_ERR_FORMAT;
    }
    if (set->num_tensors == index->num_entries)
        return VKS_OK;
    log_error(set->log, "%s: it names %zu tensors, its files have %zu", set->path,
              index->num_entries, set->num_tensors);
    return VKS_ERR_FORMAT;
}

static enum vks_status open_shards(struct tensor_set *set, const char *dir, bool is_torch) {
    struct shard_index index;
    unsigned char *text;
    size_t num_bytes;
    TRY(file_read(set->path, MAX_INDEX_BYTES, set->log, &text, &num_bytes));
    enum vks_status status =
        shard_index_parse((const char *)text, num_bytes, set->path, set->log, &set->arena, &index);
    free(text);
    TRY(status);
    set->shards = ARENA_NEW(&set->arena, struct shard, index.num_files + 1);
    if (!set->shards)
        return memory_error(set);
    for (size_t i = 0; i < index.num_files; i++) {
        char *path = path_join(dir, index.files[i]);
        status = path ? open_shard(set, path, is_torch) : memory_error(set);
        free(path);
        TRY(status);
    }
    TRY(list_tensors(set));
    return check_index(set, &index);
}

static enum vks_status open_one(struct tensor_set *set, bool is_torch) {
    set->shards = ARENA_NEW(&set->arena, struct shard, 1);
    if (!set->shards)
        return memory_error(set);
    TRY(open_shard(set, set->path, is_torch));
    return list_tensors(set);
}

static enum vks_status open_layout(const char *path, const char *dir, size_t layout,
                                   const struct vks_log *log, struct tensor_set **set) {
    struct tensor_set *opened;
    TRY(create(path, log, &opened));
    enum vks_status status = layouts[layout].is_index
                                 ? open_shards(opened, dir, layouts[layout].is_torch)
                                 : open_one(opened, layouts[layout].is_torch);
    if (status != VKS_OK)
        tensor_set_close(&opened);
    else
        *set = opened;
    return status;
}

enum vks_status tensor_set_open(const char *dir, const struct vks_log *log,
                                struct tensor_set **set) {
    size_t layout = 0;
    bool is_there = false;
    while (layout < COUNT_OF(layouts) && !is_there) {
        char *path = path_join(dir, layouts[layout].name);
        if (!path)
            return VKS_ERR_OOM;
        is_there = file_exists(path);
        free(path);
        layout += !is_there;
    }
    if (!is_there) // messages name the first
        layout = 0;
    char *path = path_join(dir, layouts[layout].name);
    enum vks_status status = path ? open_layout(path, dir, layout, log, set) : VKS_ERR_OOM;
    free(path);
    return status;
}

enum vks_status tensor_set_open_file(const char *path, const struct vks_log *log,
                                     struct tensor_set **set) {
    return open_layout(path, NULL, 0, log, set);
}

void tensor_set_close(struct tensor_set **set) {
    if (!*set)
        return;
    for (size_t i = 0; i < (*set)->num_shards; i++) {
        safetensors_close(&(*set)->shards[i].safetensors);
        torch_file_close(&(*set)->shards[i].torch);
    }
    arena_finish(&(*set)->arena);
    free(*set);
    *set = NULL;
}

const struct vks_log *tensor_set_log(const struct tensor_set *set) {
    return set->log;
}

const char *tensor_set_path(const struct tensor_set *set) {
    return set->path;
}

size_t tensor_set_num(const struct tensor_set *set) {
    return set->num_tensors;
}

const struct tensor_view *tensor_set_at(const struct tensor_set *set, size_t tensor_idx) {
    CHECK(tensor_idx < set->num_tensors);
    return &set->tensors[tensor_idx];
}

const struct tensor_view *tensor_set_find(const struct tensor_set *set, const char *name) {
    const struct tensor_view key = {.name = name};
    return bsearch(&key, set->tensors, set->num_tensors, sizeof *set->tensors, compare_views);
}
