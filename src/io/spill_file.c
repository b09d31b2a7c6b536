#include "io/spill_file.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ATTEMPTS = 1000 };

struct spill_file {
    const struct vks_log *log;
    char *path; // owned
    FILE *file;
    bool has_name;
    uint64_t num_bytes;
};

static enum vks_status io_error(const struct spill_file *file, const char *action) {
    log_error(file->log, "%s: cannot %s: %s", file->path, action, strerror(errno));
    return VKS_ERR_IO;
}

static enum vks_status open_file(struct spill_file *file, const char *folder) {
    char name[64];
    int fd = -1;
    for (unsigned attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        free(file->path);
        snprintf(name, sizeof name, "vkseq-shuffle.tmp-%ld-%u", (long)getpid(), attempt);
        file->path = path_join(folder, name);
        if (!file->path)
            break;
        fd = inject_write() ? -1 : fs_open(file->path, O_RDWR | O_CREAT | O_EXCL);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    if (file->path && fd < 0)
        return io_error(file, "create");
    if (fd >= 0)
        file->file = fdopen(fd, "w+b");
    if (!file->file) {
        if (fd >= 0)
            close(fd);
        log_error(file->log, "%s: out of memory", folder);
        return VKS_ERR_OOM;
    }
    file->has_name = !fs_unlink(file->path);
    return VKS_OK;
}

enum vks_status spill_file_create(const char *folder, const struct vks_log *log,
                                  struct spill_file **file) {
    struct spill_file *created = memory_calloc(1, sizeof *created);
    if (!created) {
        log_error(log, "%s: out of memory", folder);
        return VKS_ERR_OOM;
    }
    created->log = log;
    enum vks_status status = open_file(created, folder);
    if (status != VKS_OK)
        spill_file_destroy(&created);
    else
        *file = created;
    return status;
}

void spill_file_destroy(struct spill_file **file) {
    if (!*file)
        return;
    if ((*file)->file)
        fclose((*file)->file);
    if ((*file)->has_name)
        fs_unlink((*file)->path);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

enum vks_status spill_file_append(struct spill_file *file, const void *data, size_t num_bytes,
                                  uint64_t *offset) {
    if (inject_write() || fwrite(data, 1, num_bytes, file->file) != num_bytes)
        return io_error(file, "write");
    *offset = file->num_bytes;
    file->num_bytes += num_bytes;
    return VKS_OK;
}

enum vks_status spill_file_read(struct spill_file *file, uint64_t offset, void *data,
                                size_t num_bytes) {
    errno = 0;
    if (fseeko(file->file, (off_t)offset, SEEK_SET) != 0)
        return io_error(file, "write"); // seeking writes what was still to be written
    if (fread(data, 1, num_bytes, file->file) == num_bytes)
        return VKS_OK;
    if (errno == 0)
        errno = EIO;
    return io_error(file, "read");
}
