// What a path leads to, by its content: a directory, or one of the files that models are made of.
#include "base/log.h"
#include "base/memory.h"
#include "convert/inspect_directory.h"
#include "convert/inspect_marian.h"
#include "io/file_system.h"
#include "io/files.h"
#include "io/mapped_file.h"
#include "io/marian_folder.h"
#include "io/torch_file.h"
#include "io/zip.h"
#include "text/spm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char marian_options[] = "special:model.yml";

static bool begins_with(const struct mapped_file *file, const char *bytes, size_t num_bytes) {
    return file->num_bytes >= num_bytes && memcmp(file->bytes, bytes, num_bytes) == 0;
}

static bool is_safetensors(const struct mapped_file *file) {
    uint64_t header_bytes;
    if (file->num_bytes < 9 || file->bytes[8] != '{')
        return false;
    memcpy(&header_bytes, file->bytes, sizeof header_bytes);
    return header_bytes <= file->num_bytes - 8;
}

// Marian's own binary files begin with the number 1, and so does hardly anything else.
static bool is_marian_binary(const struct mapped_file *file) {
    uint64_t version = 0;
    memcpy(&version, file->bytes, file->num_bytes < 8 ? 0 : sizeof version);
    return version == 1;
}

static void inspect_marian(const struct mapped_file *file, const char *path, const char *format,
                           struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct marian_file *marian;
    inspection_text(inspection, "format", format);
    if (marian_file_parse(file->bytes, file->num_bytes, path, &log, &marian) != VKS_OK)
        return;
    inspect_marian_file(marian, path, inspection);
    marian_file_close(&marian);
}

static void refuse(struct vks_inspection *inspection, const char *format, const char *problem) {
    inspection_text(inspection, "format", format);
    inspection_problem(inspection, problem);
}

static void inspect_safetensors(const char *path, struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct tensor_set *set;
    inspection_text(inspection, "format", "safetensors file");
    if (tensor_set_open_file(path, &log, &set) != VKS_OK)
        return;
    inspect_tensors(set, inspection);
    tensor_set_close(&set);
    inspection_problem(inspection, "weights alone are no model: config.json and vocabularies "
                                   "stand beside them; inspect the directory");
}

static void inspect_torch(const struct mapped_file *file, const char *path,
                          struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct torch_file *torch;
    inspection_text(inspection, "format", "PyTorch file");
    if (torch_file_parse(file->bytes, file->num_bytes, path, &log, &torch) != VKS_OK)
        return;
    for (size_t i = 0; i < torch_file_num_tensors(torch); i++) {
        const struct tensor_view *view = torch_file_at(torch, i);
        inspection_tensor(inspection, view->name, safetensors_dtype_name(view->dtype),
                          view->num_dims, view->dims);
    }
    inspection_number(inspection, "tensors", (double)torch_file_num_tensors(torch));
    torch_file_close(&torch);
    inspection_problem(inspection, "weights alone are no model: config.json and vocabularies "
                                   "stand beside them; inspect the directory");
}

static void inspect_zip(const struct mapped_file *file, const char *path,
                        struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct zip *zip;
    if (zip_parse(file->bytes, file->num_bytes, path, &log, &zip) != VKS_OK) {
        inspection_text(inspection, "format", "zip archive");
        return;
    }
    char name[sizeof marian_options + 4];
    snprintf(name, sizeof name, "%s.npy", marian_options);
    bool is_marian = zip_find(zip, name) != NULL;
    zip_close(&zip);
    if (is_marian)
        inspect_marian(file, path, "Marian model (.npz)", inspection);
    else
        inspect_torch(file, path, inspection);
}

static bool inspect_spm(const struct mapped_file *file, const char *path,
                        struct vks_inspection *inspection) {
    struct spm *spm;
    if (spm_load(file->bytes, file->num_bytes, path, NULL, &spm) != VKS_OK)
        return false;
    inspection_text(inspection, "format", "SentencePiece model");
    inspection_number(inspection, "pieces", spm_num_pieces(spm));
    spm_destroy(&spm);
    return true;
}

static void inspect_file(const struct mapped_file *file, const char *path,
                         struct vks_inspection *inspection) {
    inspection_number(inspection, "bytes", (double)file->num_bytes);
    if (begins_with(file, "PK\3\4", 4)) {
        inspect_zip(file, path, inspection);
    } else if (is_safetensors(file)) {
        inspect_safetensors(path, inspection);
    } else if (begins_with(file, "{", 1)) {
        inspection_text(inspection, "format", "JSON text");
        inspect_config_file(path, inspection);
    } else if (is_marian_binary(file)) {
        inspect_marian(file, path, "Marian model (.bin)", inspection);
    } else if (!inspect_spm(file, path, inspection)) {
        refuse(inspection, "unknown",
               "no file of a model: expected safetensors, a PyTorch file, Marian's .npz or .bin, "
               "a SentencePiece model, or a JSON text");
    }
}

static enum vks_status inspect(const char *path, const struct vks_log *log,
                               struct vks_inspection *inspection) {
    struct fs_info info;
    if (!fs_look(path, true, &info)) {
        log_error(log, "%s: %s", path, strerror(errno));
        return VKS_ERR_IO;
    }
    if (info.is_folder) {
        bool is_marian;
        TRY(marian_folder_is(path, log, &is_marian));
        if (is_marian)
            inspect_marian_folder(path, inspection);
        else
            inspect_directory(path, inspection);
        return VKS_OK;
    }
    if (!info.is_file || info.num_bytes == 0) {
        refuse(inspection, info.is_file ? "empty file" : "no regular file",
               "expected a model's directory or one of its files");
        return VKS_OK;
    }
    struct mapped_file file;
    TRY(mapped_file_open(path, "model", 1, log, &file));
    inspect_file(&file, path, inspection);
    mapped_file_close(&file);
    return VKS_OK;
}

enum vks_status vks_inspect(const char *path, const struct vks_log *log,
                            struct vks_inspection **result) {
    struct vks_inspection *inspection = memory_calloc(1, sizeof *inspection);
    if (!inspection)
        return VKS_ERR_OOM;
    inspection->is_whole = true;
    enum vks_status status = inspect(path, log, inspection);
    if (status == VKS_OK && !inspection->is_whole)
        status = VKS_ERR_OOM;
    if (status != VKS_OK)
        vks_inspection_destroy(&inspection);
    else
        *result = inspection;
    return status;
}
