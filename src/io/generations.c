#include "io/generations.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "io/files.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "checksums.json"
enum { MAX_MANIFEST_BYTES = 1 << 20, CHUNK_BYTES = 1 << 16, NAME_BYTES = 32 };

static enum vks_status memory_error(const struct vks_log *log, const char *path) {
    log_error(log, "%s: out of memory", path);
    return VKS_ERR_OOM;
}

static void make_name(uint32_t number, char name[NAME_BYTES]) {
    snprintf(name, NAME_BYTES, "gen-%08" PRIu32, number);
}

// The number in the name of a generation's folder; 0 for another name.
static uint32_t number_of(const char *name) {
    char expected[NAME_BYTES];
    uint32_t number = strncmp(name, "gen-", 4) == 0 ? (uint32_t)strtoul(name + 4, NULL, 10) : 0;
    make_name(number, expected);
    return strcmp(name, expected) == 0 ? number : 0;
}

static int compare_numbers(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// Numbers of the generations in root, ascending; the caller frees *numbers.
static enum vks_status list_numbers(const char *root, const struct vks_log *log, uint32_t **numbers,
                                    size_t *num) {
    char **names;
    size_t num_names, num_found = 0;
    TRY(directory_list(root, log, &names, &num_names));
    uint32_t *found = memory_calloc(num_names + 1, sizeof *found);
    for (size_t i = 0; found && i < num_names; i++)
        if (number_of(names[i]))
            found[num_found++] = number_of(names[i]);
    directory_list_free(&names, num_names);
    if (!found)
        return memory_error(log, root);
    qsort(found, num_found, sizeof *found, compare_numbers);
    *numbers = found;
    *num = num_found;
    return VKS_OK;
}

static void finish(struct generation *generation) {
    free(generation->root);
    free(generation->path);
    *generation = (struct generation){0};
}

enum vks_status generation_begin(const char *root, const struct vks_log *log,
                                 struct generation *generation) {
    TRY(directory_create(root, log));
    uint32_t *numbers;
    size_t num;
    TRY(list_numbers(root, log, &numbers, &num));
    uint32_t number = num ? numbers[num - 1] + 1 : 1;
    free(numbers);
    char name[NAME_BYTES];
    snprintf(name, sizeof name, ".tmp-%" PRIu32, number);
    struct generation begun = {
        .root = memory_strdup(root), .path = path_join(root, name), .number = number, .log = log};
    enum vks_status status = VKS_OK;
    if (!begun.root || !begun.path)
        status = memory_error(log, root);
    if (status == VKS_OK)
        status = directory_remove(begun.path, log);
    if (status == VKS_OK)
        status = directory_create(begun.path, log);
    if (status != VKS_OK) {
        finish(&begun);
        return status;
    }
    *generation = begun;
    return VKS_OK;
}

void generation_abort(struct generation *generation) {
    if (generation->path && directory_remove(generation->path, NULL) != VKS_OK)
        log_warn(generation->log, "%s: cannot be removed: %s", generation->path, strerror(errno));
    finish(generation);
}

// Size and checksum of an open file's bytes. False, with errno set, when it cannot be read.
static bool hash_stream(FILE *file, struct hash64 *hash) {
    unsigned char *chunk = memory_malloc(CHUNK_BYTES);
    if (!chunk)
        return false;
    hash64_init(hash);
    for (size_t num_bytes; (num_bytes = fread(chunk, 1, CHUNK_BYTES, file)) > 0;)
        hash64_update(hash, chunk, num_bytes);
    free(chunk);
    return !ferror(file);
}

// Adds a file to the list of the manifest, and waits until it is on the disk.
static enum vks_status add_file(const char *path, const char *name, const struct vks_log *log,
                                cJSON *files) {
    struct fs_info info;
    if (fs_look(path, false, &info) && !info.is_file) {
        log_error(log, "%s: not a regular file, which a training state is made of", path);
        return VKS_ERR_UNSUPPORTED;
    }
    FILE *file = fs_open_stream(path, "rb");
    struct hash64 hash;
    bool is_read = file && hash_stream(file, &hash) && !inject_write() && fs_sync(fileno(file));
    if (!is_read)
        log_error(log, "%s: cannot read and sync: %s", path, strerror(errno));
    if (file)
        fclose(file);
    if (!is_read)
        return VKS_ERR_IO;
    char size_text[32], hash_text[32];
    snprintf(size_text, sizeof size_text, "%" PRIu64, hash.num_bytes);
    snprintf(hash_text, sizeof hash_text, "%016" PRIx64, hash64_value(&hash));
    cJSON *entry = cJSON_CreateObject();
    if (!entry || !cJSON_AddItemToArray(files, entry)) {
        cJSON_Delete(entry);
        return memory_error(log, path);
    }
    if (!cJSON_AddStringToObject(entry, "name", name) ||
        !cJSON_AddRawToObject(entry, "num_bytes", size_text) ||
        !cJSON_AddStringToObject(entry, "hash64", hash_text))
        return memory_error(log, path);
    return VKS_OK;
}

static enum vks_status add_files(const struct generation *generation, cJSON *files) {
    char **names;
    size_t num_names;
    TRY(directory_list(generation->path, generation->log, &names, &num_names));
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < num_names && status == VKS_OK; i++) {
        char *path = path_join(generation->path, names[i]);
        status = path ? add_file(path, names[i], generation->log, files)
                      : memory_error(generation->log, generation->path);
        free(path);
    }
    directory_list_free(&names, num_names);
    return status;
}

static enum vks_status write_manifest(const struct generation *generation) {
    cJSON *root = cJSON_CreateObject();
    cJSON *files = root ? cJSON_AddArrayToObject(root, "files") : NULL;
    char *path = path_join(generation->path, MANIFEST), *text = NULL;
    enum vks_status status = VKS_OK;
    if (files && path)
        status = add_files(generation, files);
    if (files && path && status == VKS_OK)
        text = cJSON_Print(root);
    if (text)
        status = file_replace(path, text, strlen(text), generation->log);
    else if (status == VKS_OK)
        status = memory_error(generation->log, generation->path);
    cJSON_free(text);
    free(path);
    cJSON_Delete(root);
    return status;
}

static enum vks_status rename_into_place(const struct generation *generation) {
    char name[NAME_BYTES];
    make_name(generation->number, name);
    char *path = path_join(generation->root, name);
    if (!path)
        return memory_error(generation->log, generation->root);
    enum vks_status status = VKS_OK;
    if (inject_write() || !fs_rename(generation->path, path)) {
        log_error(generation->log, "%s: cannot rename to %s: %s", generation->path, name,
                  strerror(errno));
        status = VKS_ERR_IO;
    }
    free(path);
    return status == VKS_OK ? directory_sync(generation->root, generation->log) : status;
}

// Removes generations below the number `oldest`, and folders of interrupted writing.
static void remove_stale(const struct generation *generation, uint32_t oldest) {
    char **names;
    size_t num_names;
    if (directory_list(generation->root, NULL, &names, &num_names) != VKS_OK)
        return;
    for (size_t i = 0; i < num_names; i++) {
        uint32_t number = number_of(names[i]);
        if (strncmp(names[i], ".tmp-", 5) != 0 && (number == 0 || number >= oldest))
            continue;
        char *path = path_join(generation->root, names[i]);
        if (path && directory_remove(path, NULL) != VKS_OK)
            log_warn(generation->log, "%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
    directory_list_free(&names, num_names);
}

enum vks_status generation_commit(struct generation *generation, uint32_t keep_last) {
    CHECK(keep_last > 0);
    enum vks_status status = write_manifest(generation);
    if (status == VKS_OK)
        status = rename_into_place(generation);
    if (status != VKS_OK) {
        generation_abort(generation);
        return status;
    }
    uint32_t *numbers;
    size_t num;
    if (list_numbers(generation->root, NULL, &numbers, &num) == VKS_OK) {
        remove_stale(generation, num > keep_last ? numbers[num - keep_last] : 0);
        free(numbers);
    }
    finish(generation);
    return VKS_OK;
}

static bool found_fault(char fault[GENERATION_FAULT_BYTES], const char *fmt, ...) VKS_PRINTF(2, 3);
static bool found_fault(char fault[GENERATION_FAULT_BYTES], const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault, GENERATION_FAULT_BYTES, fmt, args);
    va_end(args);
    return false;
}

// Whether the file is as its entry of the manifest says, or what is wrong with it.
static bool check_file(const char *directory, const cJSON *entry,
                       char fault[GENERATION_FAULT_BYTES]) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "name"));
    const char *hash_text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "hash64"));
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(entry, "num_bytes");
    if (!name || strchr(name, '/') || !hash_text || !cJSON_IsNumber(size))
        return found_fault(fault, "an entry of " MANIFEST " is malformed");
    char *path = path_join(directory, name);
    FILE *file = path ? fs_open_stream(path, "rb") : NULL;
    free(path);
    struct hash64 hash;
    bool is_read = file && hash_stream(file, &hash);
    if (file)
        fclose(file);
    if (!is_read)
        return found_fault(fault, "%.80s is missing or cannot be read", name);
    if ((double)hash.num_bytes != size->valuedouble)
        return found_fault(fault, "%.80s has %" PRIu64 " bytes, and had %.0f when it was written",
                           name, hash.num_bytes, size->valuedouble);
    char found[32];
    snprintf(found, sizeof found, "%016" PRIx64, hash64_value(&hash));
    if (strcmp(found, hash_text) != 0)
        return found_fault(fault, "the checksum of %.80s is %s, and was %.16s when it was written",
                           name, found, hash_text);
    return true;
}

bool generation_check(const char *directory, const char *manifest, size_t num_bytes,
                      char fault[GENERATION_FAULT_BYTES]) {
    cJSON *root = cJSON_ParseWithLength(manifest, num_bytes);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(root, "files"), *entry;
    bool is_whole = (cJSON_IsArray(files) && files->child) ||
                    found_fault(fault, MANIFEST " is malformed, or lists no file");
    cJSON_ArrayForEach(entry, files) {
        is_whole = is_whole && check_file(directory, entry, fault);
    }
    cJSON_Delete(root);
    return is_whole;
}

// Whether all files are as the manifest says, or what is wrong.
static bool check_generation(const char *directory, char fault[GENERATION_FAULT_BYTES]) {
    char *path = path_join(directory, MANIFEST);
    unsigned char *text = NULL;
    size_t num_bytes;
    bool is_read = path && file_read(path, MAX_MANIFEST_BYTES, NULL, &text, &num_bytes) == VKS_OK;
    free(path);
    if (!is_read)
        return found_fault(fault, MANIFEST " is missing or cannot be read");
    bool is_whole = generation_check(directory, (const char *)text, num_bytes, fault);
    free(text);
    return is_whole;
}

// The newest of these generations that is whole.
static enum vks_status find_whole(const char *root, const uint32_t *numbers, size_t num,
                                  const struct vks_log *log, char **path) {
    for (size_t i = num; i-- > 0;) {
        char name[NAME_BYTES];
        make_name(numbers[i], name);
        char *candidate = path_join(root, name);
        if (!candidate)
            return memory_error(log, root);
        char fault[GENERATION_FAULT_BYTES];
        if (check_generation(candidate, fault)) {
            *path = candidate;
            return VKS_OK;
        }
        log_warn(log, "%s: damaged: %s", candidate, fault);
        free(candidate);
    }
    log_error(log,
              "%s: all %zu training states in it are damaged; without this folder, training begins "
              "anew from the model beside it",
              root, num);
    return VKS_ERR_FORMAT;
}

enum vks_status generation_open_newest(const char *root, const struct vks_log *log, char **path) {
    uint32_t *numbers = NULL;
    size_t num = 0;
    if (file_exists(root))
        TRY(list_numbers(root, log, &numbers, &num));
    enum vks_status status;
    if (num == 0) {
        char *nothing = memory_strdup("");
        status = nothing ? VKS_OK : memory_error(log, root);
        if (nothing)
            *path = nothing;
    } else {
        status = find_whole(root, numbers, num, log, path);
    }
    free(numbers);
    return status;
}
