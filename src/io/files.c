#include "io/files.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum vks_status io_error(const struct vks_log *log, const char *action, const char *path) {
    log_error(log, "%s: cannot %s: %s", path, action, strerror(errno));
    return VKS_ERR_IO;
}

static enum vks_status memory_error(const struct vks_log *log, const char *path) {
    log_error(log, "%s: out of memory", path);
    return VKS_ERR_OOM;
}

char *path_join(const char *directory, const char *name) {
    size_t num_bytes = strlen(directory) + strlen(name) + 2;
    char *path = memory_malloc(num_bytes);
    if (path)
        snprintf(path, num_bytes, "%s/%s", directory, name);
    return path;
}

enum vks_status file_remove(const char *path, const struct vks_log *log) {
    return !inject_write() && (fs_unlink(path) || errno == ENOENT) ? VKS_OK
                                                                   : io_error(log, "remove", path);
}

bool file_exists(const char *path) {
    struct fs_info info;
    return fs_look(path, true, &info);
}

bool directory_has(const char *directory, const char *name) {
    char path[4096]; // no system looks at longer ones
    int num_bytes = snprintf(path, sizeof path, "%s/%s", directory, name);
    return num_bytes > 0 && (size_t)num_bytes < sizeof path && file_exists(path);
}

// Reads into *data, which the caller frees also after a failure, until the end or until more than
// max_bytes were seen.
static enum vks_status read_to_end(int fd, const char *path, size_t max_bytes,
                                   const struct vks_log *log, unsigned char **data,
                                   size_t *num_bytes) {
    struct fs_info info;
    if (!fs_look_open(fd, &info))
        return io_error(log, "read", path);
    size_t capacity = 4096, used = 0;
    if (info.is_file && info.num_bytes <= max_bytes)
        capacity += (size_t)info.num_bytes;
    for (;;) {
        if (!*data || capacity - used < 2) {
            if (*data && !size_mul(capacity, 2, &capacity))
                return memory_error(log, path);
            unsigned char *grown = memory_realloc(*data, capacity);
            if (!grown)
                return memory_error(log, path);
            *data = grown;
        }
        ssize_t result = read(fd, *data + used, capacity - used - 1);
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0)
            return io_error(log, "read", path);
        if (result == 0)
            break;
        used += (size_t)result;
        if (used > max_bytes) {
            log_error(log, "%s: larger than the %zu bytes allowed", path, max_bytes);
            return VKS_ERR_FORMAT;
        }
    }
    (*data)[used] = 0;
    *num_bytes = used;
    return VKS_OK;
}

static enum vks_status read_all(int fd, const char *path, size_t max_bytes,
                                const struct vks_log *log, unsigned char **data,
                                size_t *num_bytes) {
    unsigned char *content = NULL;
    enum vks_status status = read_to_end(fd, path, max_bytes, log, &content, num_bytes);
    if (status != VKS_OK) {
        free(content);
        return status;
    }
    *data = content;
    return VKS_OK;
}

enum vks_status file_read(const char *path, size_t max_bytes, const struct vks_log *log,
                          unsigned char **data, size_t *num_bytes) {
    int fd = fs_open(path, O_RDONLY);
    if (fd < 0)
        return io_error(log, "open", path);
    enum vks_status status = read_all(fd, path, max_bytes, log, data, num_bytes);
    close(fd);
    return status;
}

enum vks_status file_read_stdin(size_t max_bytes, const struct vks_log *log, unsigned char **data,
                                size_t *num_bytes) {
    return read_all(STDIN_FILENO, "standard input", max_bytes, log, data, num_bytes);
}

enum vks_status file_replace(const char *path, const void *data, size_t num_bytes,
                             const struct vks_log *log) {
    struct file_writer writer;
    TRY(file_writer_open(&writer, path, log));
    enum vks_status status = file_writer_write(&writer, data, num_bytes);
    if (status != VKS_OK) {
        file_writer_abort(&writer);
        return status;
    }
    return file_writer_commit(&writer);
}

static void close_writer(struct file_writer *writer) {
    if (writer->file)
        fclose(writer->file);
    free(writer->path);
    free(writer->temporary_path);
    writer->file = NULL;
    writer->path = writer->temporary_path = NULL;
}

enum vks_status file_writer_open(struct file_writer *writer, const char *path,
                                 const struct vks_log *log) {
    *writer = (struct file_writer){.log = log};
    hash64_init(&writer->hash);
    size_t temporary_bytes = strlen(path) + 64;
    writer->path = memory_strdup(path);
    writer->temporary_path = memory_malloc(temporary_bytes);
    if (!writer->path || !writer->temporary_path) {
        close_writer(writer);
        return memory_error(log, path);
    }
    int fd;
    unsigned attempt = 0;
    do {
        snprintf(writer->temporary_path, temporary_bytes, "%s.tmp-%ld-%u", path, (long)getpid(),
                 attempt++);
        fd = inject_write() ? -1 : fs_open(writer->temporary_path, O_WRONLY | O_CREAT | O_EXCL);
    } while (fd < 0 && errno == EEXIST && attempt < 1000);
    if (fd < 0) {
        io_error(log, "create", writer->temporary_path);
        close_writer(writer);
        return VKS_ERR_IO;
    }
    writer->file = fdopen(fd, "wb");
    if (!writer->file) {
        close(fd);
        fs_unlink(writer->temporary_path);
        close_writer(writer);
        return memory_error(log, path);
    }
    return VKS_OK;
}

enum vks_status file_writer_write(struct file_writer *writer, const void *data, size_t num_bytes) {
    if (num_bytes == 0)
        return VKS_OK;
    if (inject_write() || fwrite(data, 1, num_bytes, writer->file) != num_bytes)
        return io_error(writer->log, "write", writer->temporary_path);
    hash64_update(&writer->hash, data, num_bytes);
    writer->num_bytes += num_bytes;
    return VKS_OK;
}

// The folder that a path's last name stands in.
static enum vks_status sync_parent(const char *path, const struct vks_log *log) {
    char *parent = memory_strdup(path);
    if (!parent)
        return memory_error(log, path);
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = 0;
    enum vks_status status = directory_sync(slash ? parent : ".", log);
    free(parent);
    return status;
}

enum vks_status file_writer_commit(struct file_writer *writer) {
    const struct vks_log *log = writer->log;
    bool is_written = !inject_write() && fflush(writer->file) == 0 && fs_sync(fileno(writer->file));
    if (!is_written || inject_write() || !fs_rename(writer->temporary_path, writer->path)) {
        io_error(log, is_written ? "replace" : "write", writer->path);
        file_writer_abort(writer);
        return VKS_ERR_IO;
    }
    enum vks_status status = sync_parent(writer->path, log);
    close_writer(writer);
    return status;
}

void file_writer_abort(struct file_writer *writer) {
    if (writer->temporary_path)
        fs_unlink(writer->temporary_path);
    close_writer(writer);
}

enum vks_status directory_create(const char *path, const struct vks_log *log) {
    char *prefix = memory_strdup(path);
    if (!prefix)
        return memory_error(log, path);
    size_t num_bytes = strlen(path);
    for (size_t i = 1; i <= num_bytes; i++) {
        if (!fs_is_separator(path[i]) && path[i] != 0)
            continue;
        prefix[i] = 0;
        struct fs_info info;
        if (inject_write() || !fs_make_folder(prefix)) {
            int error = errno;
            if (!fs_look(prefix, true, &info) || !info.is_folder) {
                errno = error == EEXIST ? ENOTDIR : error;
                enum vks_status status = io_error(log, "create this folder", prefix);
                free(prefix);
                return status;
            }
        }
        prefix[i] = path[i];
    }
    free(prefix);
    return VKS_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Appends the names in an open folder to *names, which the caller frees also after a failure.
static enum vks_status collect_names(struct fs_folder *folder, const char *path,
                                     const struct vks_log *log, char ***names, size_t *num_names) {
    size_t capacity = 0;
    for (;;) {
        const char *found = fs_folder_next(folder);
        if (!found)
            return errno ? io_error(log, "list", path) : VKS_OK;
        if (*num_names == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            char **grown = memory_realloc(*names, capacity * sizeof *grown);
            if (!grown)
                return memory_error(log, path);
            *names = grown;
        }
        char *name = memory_strdup(found);
        if (!name)
            return memory_error(log, path);
        (*names)[(*num_names)++] = name;
    }
}

enum vks_status directory_list(const char *path, const struct vks_log *log, char ***names,
                               size_t *num_names) {
    struct fs_folder folder;
    if (!fs_folder_open(path, &folder))
        return io_error(log, "list", path);
    char **collected = NULL;
    size_t num_collected = 0;
    enum vks_status status = collect_names(&folder, path, log, &collected, &num_collected);
    fs_folder_close(&folder);
    if (status != VKS_OK) {
        directory_list_free(&collected, num_collected);
        return status;
    }
    if (num_collected)
        qsort(collected, num_collected, sizeof *collected, compare_names);
    *names = collected;
    *num_names = num_collected;
    return VKS_OK;
}

void directory_list_free(char ***names, size_t num_names) {
    for (size_t i = 0; i < num_names; i++)
        free((*names)[i]);
    free(*names);
    *names = NULL;
}

enum vks_status directory_remove(const char *path, const struct vks_log *log) {
    return fs_remove(path) ? VKS_OK : io_error(log, "remove", path);
}

// Whether a name ends like those of file_writer_open: ".tmp-PID-ATTEMPT".
static bool is_temporary(const char *name) {
    static const char digits[] = "0123456789";
    const char *end = strstr(name, ".tmp-");
    if (!end)
        return false;
    end += strlen(".tmp-");
    size_t num_pid = strspn(end, digits);
    end += num_pid;
    return num_pid > 0 && *end == '-' && end[1] && end[1 + strspn(end + 1, digits)] == '\0';
}

void directory_remove_temporaries(const char *path, const struct vks_log *log) {
    char **names;
    size_t num_names;
    if (directory_list(path, log, &names, &num_names) != VKS_OK)
        return;
    for (size_t i = 0; i < num_names; i++) {
        char *left = is_temporary(names[i]) ? path_join(path, names[i]) : NULL;
        inject_kill();
        if (left && !fs_unlink(left))
            log_warn(log, "%s: cannot be removed: %s", left, strerror(errno));
        free(left);
    }
    directory_list_free(&names, num_names);
}

enum vks_status directory_sync(const char *path, const struct vks_log *log) {
    return !inject_write() && fs_sync_folder(path) ? VKS_OK : io_error(log, "sync", path);
}

enum vks_status lock_acquire(const char *directory, const struct vks_log *log, struct lock *lock) {
    char *path = path_join(directory, ".lock");
    if (!path)
        return memory_error(log, directory);
    enum vks_status status = VKS_OK;
    char pid_text[32] = "";
    int fd = inject_write() ? -1 : fs_open(path, O_RDWR | O_CREAT);
    if (fd < 0) {
        status = io_error(log, "open", path);
    } else if (!fs_lock(fd)) {
        if (errno == EWOULDBLOCK && read(fd, pid_text, sizeof pid_text - 1) >= 0)
            log_error(log, "%s: in use by another process (PID %ld)", directory,
                      strtol(pid_text, NULL, 10));
        else
            io_error(log, "lock", path);
        status = VKS_ERR_IO;
    } else {
        int num_chars = snprintf(pid_text, sizeof pid_text, "%ld\n", (long)getpid());
        if (inject_write() || ftruncate(fd, 0) != 0 ||
            write(fd, pid_text, (size_t)num_chars) != num_chars)
            status = io_error(log, "write", path);
    }
    free(path);
    if (status != VKS_OK) {
        if (fd >= 0)
            close(fd);
        return status;
    }
    *lock = (struct lock){.is_held = true, .fd = fd};
    return VKS_OK;
}

void lock_release(struct lock *lock) {
    if (lock->is_held)
        close(lock->fd);
    lock->is_held = false;
}
