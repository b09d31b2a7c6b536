#include "io/torch_file.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/mapped_file.h"
#include "io/pickle.h"
#include "io/zip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PICKLE_BYTES = 1 << 24, MIN_BYTES = 22 };

static const char pickle_name[] = "data.pkl";

struct torch_file {
    struct arena arena; // names, and the arrays below
    const struct vks_log *log;
    char *path;
    struct mapped_file mapped; // none where the bytes are somebody else's
    struct zip *zip;
    char *folder; // in the archive, with its "/"
    struct tensor_view *tensors;
    size_t num_tensors;
};

static enum vks_status memory_error(const struct torch_file *file) {
    log_error(file->log, "%s: out of memory", file->path);
    return VKS_ERR_OOM;
}

// The archive has one folder, whose name is any.
static enum vks_status find_pickle(struct torch_file *file, const struct zip_entry **pickle) {
    size_t own_bytes = strlen(pickle_name);
    for (size_t i = 0; i < zip_num_entries(file->zip); i++) {
        const struct zip_entry *entry = zip_at(file->zip, i);
        size_t num_bytes = strlen(entry->name);
        if (num_bytes <= own_bytes || entry->name[num_bytes - own_bytes - 1] != '/' ||
            strcmp(entry->name + num_bytes - own_bytes, pickle_name) != 0)
            continue;
        file->folder = arena_strdup(&file->arena, entry->name);
        if (!file->folder)
            return memory_error(file);
        file->folder[num_bytes - own_bytes] = '\0';
        *pickle = entry;
        return VKS_OK;
    }
    log_error(file->log, "%s: no file of PyTorch's: there is no %s in it", file->path, pickle_name);
    return VKS_ERR_FORMAT;
}

// A file of the archive's folder; NULL when there is none. Errors: VKS_ERR_OOM.
static enum vks_status find_in_folder(const struct torch_file *file, const char *subfolder,
                                      const char *name, const struct zip_entry **entry) {
    size_t num_bytes = strlen(file->folder) + strlen(subfolder) + strlen(name) + 1;
    char *path = memory_malloc(num_bytes);
    if (!path)
        return memory_error(file);
    snprintf(path, num_bytes, "%s%s%s", file->folder, subfolder, name);
    *entry = zip_find(file->zip, path);
    free(path);
    return VKS_OK;
}

static enum vks_status check_byte_order(const struct torch_file *file) {
    static const char little[] = "little";
    const struct zip_entry *order;
    TRY(find_in_folder(file, "", "byteorder", &order));
    if (!order ||
        (order->num_bytes >= strlen(little) && memcmp(order->data, little, strlen(little)) == 0))
        return VKS_OK;
    log_error(file->log, "%s: its numbers are big-endian: expected little-endian", file->path);
    return VKS_ERR_UNSUPPORTED;
}

static enum vks_status place(const struct torch_file *file, const struct pickle_tensor *tensor,
                             struct tensor_view *view) {
    const struct zip_entry *storage;
    size_t element_bytes = safetensors_dtype_bytes(tensor->dtype), num_bytes;
    TRY(find_in_folder(file, "data/", tensor->storage, &storage));
    if (!storage || !size_mul(tensor->storage_elements, element_bytes, &num_bytes) ||
        num_bytes != storage->num_bytes) {
        log_error(file->log,
                  "%s: tensor '%.200s': its storage '%.80s' is %s: expected %" PRIu64
                  " elements of %zu bytes",
                  file->path, tensor->name, tensor->storage,
                  storage ? "of another size" : "missing", tensor->storage_elements, element_bytes);
        return VKS_ERR_FORMAT;
    }
    *view = (struct tensor_view){.name = tensor->name,
                                 .path = file->path,
                                 .log = file->log,
                                 .dtype = tensor->dtype,
                                 .num_dims = tensor->num_dims,
                                 .num_elements = 1,
                                 .data = storage->data + tensor->offset * element_bytes};
    memcpy(view->dims, tensor->dims, sizeof view->dims);
    memcpy(view->strides, tensor->strides, sizeof view->strides);
    for (uint32_t i = 0; i < view->num_dims; i++)
        view->num_elements *= view->dims[i];
    return VKS_OK;
}

// Each storage once, also where several tensors lie in it.
static enum vks_status check_storages(const struct torch_file *file) {
    for (size_t i = 0; i < zip_num_entries(file->zip); i++) {
        const struct zip_entry *entry = zip_at(file->zip, i);
        size_t folder_bytes = strlen(file->folder);
        if (strncmp(entry->name, file->folder, folder_bytes) == 0 &&
            strncmp(entry->name + folder_bytes, "data/", 5) == 0)
            TRY(zip_check(file->zip, entry));
    }
    return VKS_OK;
}

static enum vks_status read_tensors(struct torch_file *file) {
    const struct zip_entry *pickle;
    struct pickle_tensors tensors;
    TRY(find_pickle(file, &pickle));
    TRY(zip_check(file->zip, pickle));
    TRY(check_byte_order(file));
    if (pickle->num_bytes > MAX_PICKLE_BYTES) {
        log_error(file->log, "%s: a pickle of %zu bytes: expected at most %d", file->path,
                  pickle->num_bytes, MAX_PICKLE_BYTES);
        return VKS_ERR_FORMAT;
    }
    TRY(pickle_read_tensors(pickle->data, pickle->num_bytes, file->path, file->log, &file->arena,
                            &tensors));
    file->tensors = ARENA_NEW(&file->arena, struct tensor_view, tensors.num + 1);
    if (!file->tensors)
        return memory_error(file);
    for (; file->num_tensors < tensors.num; file->num_tensors++)
        TRY(place(file, &tensors.items[file->num_tensors], &file->tensors[file->num_tensors]));
    return check_storages(file);
}

// What torch.save wrote before PyTorch 1.6 begins with this number as a pickle.
static bool is_old(const unsigned char *bytes, size_t num_bytes) {
    static const unsigned char begin[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9};
    return num_bytes >= sizeof begin && memcmp(bytes, begin, sizeof begin) == 0;
}

static enum vks_status read(struct torch_file *file, const unsigned char *bytes, size_t num_bytes) {
    if (is_old(bytes, num_bytes)) {
        log_error(file->log,
                  "%s: a file as PyTorch wrote them before 1.6: expected one that was loaded and "
                  "saved again since, or model.safetensors",
                  file->path);
        return VKS_ERR_UNSUPPORTED;
    }
    TRY(zip_parse(bytes, num_bytes, file->path, file->log, &file->zip));
    return read_tensors(file);
}

static enum vks_status create(const char *path, const struct vks_log *log,
                              struct torch_file **file) {
    struct torch_file *created = memory_calloc(1, sizeof *created);
    if (created) {
        created->log = log;
        created->path = arena_strdup(&created->arena, path);
    }
    if (!created || !created->path) {
        log_error(log, "%s: out of memory", path);
        torch_file_close(&created);
        return VKS_ERR_OOM;
    }
    *file = created;
    return VKS_OK;
}

enum vks_status torch_file_open(const char *path, const struct vks_log *log,
                                struct torch_file **file) {
    struct torch_file *opened;
    TRY(create(path, log, &opened));
    enum vks_status status = mapped_file_open(path, "PyTorch", MIN_BYTES, log, &opened->mapped);
    if (status == VKS_OK)
        status = read(opened, opened->mapped.bytes, opened->mapped.num_bytes);
    if (status != VKS_OK)
        torch_file_close(&opened);
    else
        *file = opened;
    return status;
}

enum vks_status torch_file_parse(const void *bytes, size_t num_bytes, const char *name,
                                 const struct vks_log *log, struct torch_file **file) {
    struct torch_file *parsed;
    TRY(create(name, log, &parsed));
    enum vks_status status = read(parsed, bytes, num_bytes);
    if (status != VKS_OK)
        torch_file_close(&parsed);
    else
        *file = parsed;
    return status;
}

void torch_file_close(struct torch_file **file) {
    if (!*file)
        return;
    zip_close(&(*file)->zip);
    mapped_file_close(&(*file)->mapped);
    arena_finish(&(*file)->arena);
    free(*file);
    *file = NULL;
}

size_t torch_file_num_tensors(const struct torch_file *file) {
    return file->num_tensors;
}

const struct tensor_view *torch_file_at(const struct torch_file *file, size_t tensor_idx) {
    CHECK(tensor_idx < file->num_tensors);
    return &file->tensors[tensor_idx];
}
