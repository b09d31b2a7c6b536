// Zip archives whose files are stored as they are, such as PyTorch writes. Source: PKWARE's
// APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (large files).
#ifndef IO_ZIP_H
#define IO_ZIP_H

#include "vkseq/base.h"

// An archive in memory, immutable.
struct zip;

// Borrowed until zip_close.
struct zip_entry {
    const char *name;
    const unsigned char *data; // [num_bytes], not aligned
    size_t num_bytes;
    uint32_t crc; // CRC-32 of the data
};

// Reads the directory of an archive.
//   bytes  [num_bytes]  borrowed until zip_close
// name: what messages call it. log is borrowed until zip_close.
// Errors: VKS_ERR_FORMAT for an archive whose parts do not lie within it, or that has a name twice;
// VKS_ERR_UNSUPPORTED for one of several volumes, encrypted or compressed; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status zip_parse(const void *bytes, size_t num_bytes, const char *name,
                                         const struct vks_log *log, struct zip **zip);
void zip_close(struct zip **zip);

size_t zip_num_entries(const struct zip *zip);
// Entries in strcmp order of their names; entry_idx < zip_num_entries.
const struct zip_entry *zip_at(const struct zip *zip, size_t entry_idx);
// NULL if there is none of that name.
const struct zip_entry *zip_find(const struct zip *zip, const char *name);

// Whether an entry's data are those that were stored. Errors: VKS_ERR_FORMAT.
VKS_MUST_CHECK enum vks_status zip_check(const struct zip *zip, const struct zip_entry *entry);

#endif
