// Which file has which tensor: Hugging Face's model.safetensors.index.json.
#ifndef IO_SHARD_INDEX_H
#define IO_SHARD_INDEX_H

#include "base/arena.h"
#include "vkseq/base.h"

enum { SHARD_INDEX_MAX_FILES = 4096 };

// All texts lie in the arena that the index was read into.
struct shard_index {
    const char **files; // [num_files], each once, in strcmp order
    size_t num_files;
    struct shard_entry {
        const char *tensor, *file; // file: one of files
    } * entries;                   // [num_entries], each tensor once, in strcmp order
    size_t num_entries;
};

// Reads the text of an index. File names are names in the index's own folder: no paths. name: what
// messages call the text.
// Errors: VKS_ERR_FORMAT; VKS_ERR_UNSUPPORTED for more than SHARD_INDEX_MAX_FILES; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status shard_index_parse(const char *text, size_t num_bytes,
                                                 const char *name, const struct vks_log *log,
                                                 struct arena *arena, struct shard_index *index);

#endif
