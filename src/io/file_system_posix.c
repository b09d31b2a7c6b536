#include "io/file_system.h"

#include "base/inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool fs_is_separator(char c) {
    return c == '/';
}

static bool take_info(int result, const struct stat *found, struct fs_info *info) {
    if (result != 0)
        return false;
    *info = (struct fs_info){S_ISREG(found->st_mode), S_ISDIR(found->st_mode),
                             (uint64_t)found->st_size};
    return true;
}

bool fs_look(const char *path, bool follow_link, struct fs_info *info) {
    struct stat found;
    return take_info(follow_link ? stat(path, &found) : lstat(path, &found), &found, info);
}

bool fs_look_open(int fd, struct fs_info *info) {
    struct stat found;
    return take_info(fstat(fd, &found), &found, info);
}

int fs_open(const char *path, int flags) {
    return open(path, flags | O_CLOEXEC, 0666);
}

int fs_open_private(const char *path, int flags) {
    return open(path, flags | O_CLOEXEC, 0600);
}

FILE *fs_open_stream(const char *path, const char *mode) {
    return fopen(path, mode);
}

bool fs_sync(int fd) {
    return fsync(fd) == 0;
}

bool fs_rename(const char *from, const char *to) {
    return rename(from, to) == 0;
}

bool fs_unlink(const char *path) {
    return unlink(path) == 0;
}

// Removes what stands under `name` in an open folder.
static bool remove_entry(int parent_fd, const char *name) {
    inject_kill();
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool is_empty = true;
    for (const struct dirent *entry; is_empty && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_empty = remove_entry(fd, entry->d_name);
    int error = errno;
    closedir(stream);
    errno = error;
    return is_empty && unlinkat(parent_fd, name, AT_REMOVEDIR) == 0;
}

bool fs_remove(const char *path) {
    return remove_entry(AT_FDCWD, path);
}

bool fs_make_folder(const char *path) {
    return mkdir(path, 0777) == 0;
}

bool fs_sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    // Some file systems cannot sync a folder and say EINVAL.
    bool is_synced = fsync(fd) == 0 || errno == EINVAL;
    int error = errno;
    close(fd);
    errno = error;
    return is_synced;
}

bool fs_folder_open(const char *path, struct fs_folder *folder) {
    folder->stream = opendir(path);
    return folder->stream;
}

const char *fs_folder_next(struct fs_folder *folder) {
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(folder->stream);
    } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry ? entry->d_name : NULL;
}

void fs_folder_close(struct fs_folder *folder) {
    closedir(folder->stream);
}

bool fs_lock(int fd) {
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void *fs_map(int fd, size_t num_bytes) {
    void *map = mmap(NULL, num_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

void fs_unmap(void *map, size_t num_bytes) {
    munmap(map, num_bytes);
}
