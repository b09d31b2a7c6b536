#include "io/temporary_file.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_ATTEMPTS = 1000 };

static const char *temporary_folder(void) {
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = getenv("TEMP");
    return folder && *folder ? folder : P_tmpdir;
}

static enum vks_status io_error(const struct vks_log *log, const char *action, const char *path) {
    log_error(log, "%s: cannot %s: %s", path, action, strerror(errno));
    return VKS_ERR_IO;
}

// Only its owner may read the file: what it holds may not be for others.
static enum vks_status open_new(const char *folder, const struct vks_log *log, char **path,
                                int *fd) {
    char name[64];
    for (unsigned attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        snprintf(name, sizeof name, "vkseq.tmp-%ld-%u", (long)getpid(), attempt);
        *path = path_join(folder, name);
        if (!*path) {
            log_error(log, "%s: out of memory", folder);
            return VKS_ERR_OOM;
        }
        *fd = inject_write() ? -1 : fs_open_private(*path, O_WRONLY | O_CREAT | O_EXCL);
        if (*fd >= 0)
            return VKS_OK;
        if (errno != EEXIST)
            break;
        free(*path);
        *path = NULL;
    }
    free(*path);
    *path = NULL;
    return io_error(log, "create a temporary file", folder);
}

enum vks_status temporary_file_create(const void *data, size_t num_bytes, const struct vks_log *log,
                                      char **path) {
    char *created = NULL;
    int fd;
    size_t done = 0;
    TRY(open_new(temporary_folder(), log, &created, &fd));
    while (done < num_bytes) {
        ssize_t num = inject_write() ? -1 : write(fd, (const char *)data + done, num_bytes - done);
        if (num < 0 && errno == EINTR)
            continue;
        if (num < 0)
            break;
        done += (size_t)num;
    }
    enum vks_status status = done == num_bytes ? VKS_OK : io_error(log, "write", created);
    if (close(fd) != 0 && status == VKS_OK)
        status = io_error(log, "write", created);
    if (status != VKS_OK)
        temporary_file_remove(&created);
    else
        *path = created;
    return status;
}

void temporary_file_remove(char **path) {
    if (*path)
        fs_unlink(*path);
    free(*path);
    *path = NULL;
}
