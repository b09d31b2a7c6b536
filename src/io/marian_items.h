// What marian_file.c and the readers of its two formats share.
#ifndef IO_MARIAN_ITEMS_H
#define IO_MARIAN_ITEMS_H

#include "base/arena.h"
#include "io/marian_file.h"
#include "io/zip.h"

// A file being read.
struct marian_source {
    const char *name; // for messages
    const struct vks_log *log;
    const unsigned char *bytes;
    size_t num_bytes;
    struct arena *arena; // takes the items
    struct marian_item *items;
    size_t num_items;
};

// Says what is wrong with the file, or with an item of it unless NULL. Returns VKS_ERR_FORMAT.
VKS_MUST_CHECK enum vks_status marian_source_fail(const struct marian_source *source,
                                                  const char *item, const char *fault);
// Room for `num` items, zeroed. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_source_reserve(struct marian_source *source, size_t num);
// Works out num_elements, which must not need more than `room` bytes at element_bytes each.
VKS_MUST_CHECK enum vks_status marian_source_size(const struct marian_source *source,
                                                  struct marian_item *item, uint32_t element_bytes,
                                                  uint64_t room);

// Lists the arrays of an archive, whose bytes are the source's.
VKS_MUST_CHECK enum vks_status marian_npz_list(struct marian_source *source, const struct zip *zip);
// Lists the items of a .bin file.
VKS_MUST_CHECK enum vks_status marian_bin_list(struct marian_source *source);

#endif
