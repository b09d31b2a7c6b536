#include "io/file_system.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>
#include <windows.h>

bool fs_is_separator(char c) {
    return c == '/' || c == '\\';
}

// Puts the reason of the last failure into errno.
static bool fail(void) {
    switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        errno = ENOENT;
        break;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
        errno = EACCES;
        break;
    case ERROR_LOCK_VIOLATION:
        errno = EWOULDBLOCK;
        break;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
        errno = EEXIST;
        break;
    case ERROR_DISK_FULL:
        errno = ENOSPC;
        break;
    case ERROR_NO_UNICODE_TRANSLATION:
        errno = EILSEQ;
        break;
    case ERROR_NOT_ENOUGH_MEMORY:
        errno = ENOMEM;
        break;
    default:
        errno = EIO;
    }
    return false;
}

// UTF-8 as UTF-16, allocated (free); NULL and errno if it is not UTF-8 or there is no memory.
static wchar_t *widen(const char *text) {
    int num = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (num <= 0) {
        fail();
        return NULL;
    }
    wchar_t *wide = memory_malloc((size_t)num * sizeof *wide);
    if (wide)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, num);
    return wide;
}

static void take_info(DWORD attributes, DWORD size_high, DWORD size_low, struct fs_info *info) {
    bool is_folder = attributes & FILE_ATTRIBUTE_DIRECTORY;
    bool is_device = attributes & FILE_ATTRIBUTE_DEVICE;
    *info =
        (struct fs_info){!is_folder && !is_device, is_folder, (uint64_t)size_high << 32 | size_low};
}

bool fs_look(const char *path, bool follow_link, struct fs_info *info) {
    wchar_t *wide = widen(path);
    WIN32_FILE_ATTRIBUTE_DATA found;
    if (!wide)
        return false;
    bool is_found = GetFileAttributesExW(wide, GetFileExInfoStandard, &found) || fail();
    free(wide);
    if (!is_found)
        return false;
    take_info(found.dwFileAttributes, found.nFileSizeHigh, found.nFileSizeLow, info);
    if (!(found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
        return true;
    if (!follow_link) {
        *info = (struct fs_info){0};
        return true;
    }
    int fd = fs_open(path, O_RDONLY); // fails for a folder, which needs no size
    if (fd >= 0) {
        is_found = fs_look_open(fd, info);
        close(fd);
    }
    return is_found;
}

bool fs_look_open(int fd, struct fs_info *info) {
    HANDLE handle = (HANDLE)_get_osfhandle(fd);
    BY_HANDLE_FILE_INFORMATION found;
    if (GetFileType(handle) != FILE_TYPE_DISK) {
        *info = (struct fs_info){0};
        return true;
    }
    if (!GetFileInformationByHandle(handle, &found))
        return fail();
    take_info(found.dwFileAttributes, found.nFileSizeHigh, found.nFileSizeLow, info);
    return true;
}

int fs_open(const char *path, int flags) {
    wchar_t *wide = widen(path);
    int fd = wide ? _wopen(wide, flags | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE) : -1;
    free(wide);
    return fd;
}

int fs_open_private(const char *path, int flags) {
    return fs_open(path, flags); // the folder is the user's own
}

FILE *fs_open_stream(const char *path, const char *mode) {
    wchar_t *wide = widen(path), *wide_mode = widen(mode);
    FILE *file = wide && wide_mode ? _wfopen(wide, wide_mode) : NULL;
    free(wide);
    free(wide_mode);
    return file;
}

bool fs_sync(int fd) {
    return _commit(fd) == 0;
}

bool fs_rename(const char *from, const char *to) {
    const DWORD flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    wchar_t *wide_from = widen(from), *wide_to = widen(to);
    bool is_moved = wide_from && wide_to && (MoveFileExW(wide_from, wide_to, flags) || fail());
    free(wide_from);
    free(wide_to);
    return is_moved;
}

bool fs_unlink(const char *path) {
    wchar_t *wide = widen(path);
    bool is_removed = wide && (DeleteFileW(wide) || fail());
    free(wide);
    return is_removed;
}

static bool remove_folder(const char *path) {
    wchar_t *wide = widen(path);
    bool is_removed = wide && (RemoveDirectoryW(wide) || fail());
    free(wide);
    return is_removed;
}

static bool remove_content(const char *path) {
    struct fs_folder folder;
    if (!fs_folder_open(path, &folder))
        return false;
    bool is_empty = true;
    for (const char *name; is_empty && (name = fs_folder_next(&folder));) {
        size_t inner_bytes = strlen(path) + strlen(name) + 2;
        char *inner = memory_malloc(inner_bytes);
        if (inner)
            snprintf(inner, inner_bytes, "%s/%s", path, name);
        is_empty = inner && fs_remove(inner);
        free(inner);
    }
    int error = errno;
    fs_folder_close(&folder);
    errno = error;
    return is_empty;
}

bool fs_remove(const char *path) {
    wchar_t *wide = widen(path);
    if (!wide)
        return false;
    DWORD attributes = GetFileAttributesW(wide);
    free(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return fail() || errno == ENOENT;
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY))
        return fs_unlink(path);
    bool is_link = attributes & FILE_ATTRIBUTE_REPARSE_POINT;
    return (is_link || remove_content(path)) && remove_folder(path);
}

bool fs_make_folder(const char *path) {
    wchar_t *wide = widen(path);
    bool is_made = wide && (CreateDirectoryW(wide, NULL) || fail());
    free(wide);
    return is_made;
}

// fs_rename writes through; there is nothing to wait for.
bool fs_sync_folder(const char *path) {
    struct fs_info info;
    return fs_look(path, true, &info);
}

bool fs_folder_open(const char *path, struct fs_folder *folder) {
    wchar_t *wide = widen(path);
    folder->stream = wide ? _wopendir(wide) : NULL;
    free(wide);
    return folder->stream;
}

const char *fs_folder_next(struct fs_folder *folder) {
    const struct _wdirent *entry;
    do {
        errno = 0;
        entry = _wreaddir(folder->stream);
    } while (entry && (wcscmp(entry->d_name, L".") == 0 || wcscmp(entry->d_name, L"..") == 0));
    if (!entry)
        return NULL;
    if (WideCharToMultiByte(CP_UTF8, 0, entry->d_name, -1, folder->name, sizeof folder->name, NULL,
                            NULL) > 0)
        return folder->name;
    fail();
    return NULL;
}

void fs_folder_close(struct fs_folder *folder) {
    _wclosedir(folder->stream);
}

// Locked bytes cannot be read by others, so a byte is taken where there is never one.
bool fs_lock(int fd) {
    OVERLAPPED place = {.Offset = 0x7fffffff};
    return LockFileEx((HANDLE)_get_osfhandle(fd),
                      LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place) ||
           fail();
}

void *fs_map(int fd, size_t num_bytes) {
    HANDLE mapping =
        CreateFileMappingW((HANDLE)_get_osfhandle(fd), NULL, PAGE_READONLY, 0, 0, NULL);
    void *map = mapping ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, num_bytes) : NULL;
    if (!map)
        fail();
    if (mapping)
        CloseHandle(mapping);
    return map;
}

void fs_unmap(void *map, size_t num_bytes) {
    (void)num_bytes;
    UnmapViewOfFile(map);
}
