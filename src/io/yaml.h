// YAML documents as trees of texts. Anchors, aliases and more than one document are refused: a few
// bytes of them stand for any amount of memory.
#ifndef IO_YAML_H
#define IO_YAML_H

#include "base/arena.h"
#include "vkseq/base.h"

#include <stdbool.h>

enum { YAML_MAX_DEPTH = 16, YAML_MAX_NODES = 1 << 25 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    const char *key;         // of what is in a map; NULL elsewhere
    const char *text;        // of YAML_TEXT, as it would be without quotes
    struct yaml_node *first; // of a list or a map, in order; NULL: it is empty
    struct yaml_node *next;
    uint32_t line; // where it begins, from 1 on
};

// Reads a document; an empty one is an empty map.
//   text  [num_bytes]
// arena: takes the nodes and their texts. name: what messages call the document.
// Errors: VKS_ERR_FORMAT, VKS_ERR_OOM; the log names the line.
VKS_MUST_CHECK enum vks_status yaml_parse(const char *text, size_t num_bytes, const char *name,
                                          const struct vks_log *log, struct arena *arena,
                                          struct yaml_node **root);
// The same for a file.
VKS_MUST_CHECK enum vks_status yaml_read(const char *path, const struct vks_log *log,
                                         struct arena *arena, struct yaml_node **root);

// What a map has under a key, the first if there are several; NULL: nothing, or it is no map.
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);

#endif
