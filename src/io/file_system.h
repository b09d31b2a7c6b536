// The calls below io/files.h in which operating systems differ: file_system_posix.c and
// file_system_windows.c. What else files need (read, write, close) is the same everywhere.
//
// Paths are UTF-8. Failures are told as POSIX does, by -1, NULL or false and errno.
#ifndef IO_FILE_SYSTEM_H
#define IO_FILE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct fs_info {
    bool is_file, is_folder; // neither: a device, a pipe and the like
    uint64_t num_bytes;
};

// Whether a character parts the names in a path.
bool fs_is_separator(char c);

// What a path leads to. follow_link: the thing that a link points to, else the link itself, which
// is neither file nor folder.
bool fs_look(const char *path, bool follow_link, struct fs_info *info);
bool fs_look_open(int fd, struct fs_info *info);

// flags: those of fcntl.h. Bytes are not translated, and no other program inherits the file.
int fs_open(const char *path, int flags);
// The same for a new file that none but its owner may read.
int fs_open_private(const char *path, int flags);
// mode: as fopen's; give it a "b".
FILE *fs_open_stream(const char *path, const char *mode);
// Waits until the file's content is on the disk.
bool fs_sync(int fd);

// Gives a file or a folder another name in one step, in place of the file that has it.
bool fs_rename(const char *from, const char *to);
bool fs_unlink(const char *path);
// Removes a file, a link, or a folder with all it holds; one that does not exist is fine.
bool fs_remove(const char *path);

bool fs_make_folder(const char *path);
// Waits until the folder's names are on the disk.
bool fs_sync_folder(const char *path);

// Names in a folder, in no order, without "." and "..".
struct fs_folder {
    void *stream;
    char name[1024]; // of the last one; on Windows names are turned into UTF-8 here
};
bool fs_folder_open(const char *path, struct fs_folder *folder);
// Valid until the next call; NULL with errno 0 at the end.
const char *fs_folder_next(struct fs_folder *folder);
void fs_folder_close(struct fs_folder *folder);

// Locks an open file against other processes until it is closed. errno is EWOULDBLOCK if another
// one has locked it.
bool fs_lock(int fd);

// The first num_bytes > 0 of an open file as memory that may be read.
void *fs_map(int fd, size_t num_bytes);
void fs_unmap(void *map, size_t num_bytes);

#endif
