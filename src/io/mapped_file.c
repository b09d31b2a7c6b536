#include "io/mapped_file.h"

#include "base/log.h"
#include "io/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum vks_status mapped_file_open(const char *path, const char *kind, size_t min_bytes,
                                 const struct vks_log *log, struct mapped_file *file) {
    int fd = fs_open(path, O_RDONLY);
    struct fs_info info;
    if (fd < 0 || !fs_look_open(fd, &info)) {
        log_error(log, "%s: cannot open: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return VKS_ERR_IO;
    }
    if (!info.is_file || info.num_bytes < min_bytes) {
        close(fd);
        if (info.is_file)
            log_error(log, "%s: not a %s file: shorter than %zu bytes", path, kind, min_bytes);
        else
            log_error(log, "%s: not a %s file: not a regular file", path, kind);
        return VKS_ERR_FORMAT;
    }
    void *mapping = fs_map(fd, (size_t)info.num_bytes);
    int error = errno;
    close(fd);
    if (!mapping) {
        log_error(log, "%s: cannot map: %s", path, strerror(error));
        return VKS_ERR_IO;
    }
    *file = (struct mapped_file){mapping, (size_t)info.num_bytes};
    return VKS_OK;
}

void mapped_file_close(struct mapped_file *file) {
    if (file->bytes)
        fs_unmap((void *)file->bytes, file->num_bytes);
    *file = (struct mapped_file){0};
}
