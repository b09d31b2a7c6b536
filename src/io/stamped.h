// Data in a file that are good for nobody but who has the same stamp: a cache's.
//
// A 52-byte head, then the data. The head: "VKSEQDEV", the stamp, the number of data bytes and
// their checksum (io/hash64.h), both 64-bit little-endian.
#ifndef IO_STAMPED_H
#define IO_STAMPED_H

#include <stddef.h>

enum { STAMP_BYTES = 28, STAMPED_HEAD_BYTES = 52 };

// Writes the head for such data.
void stamped_head(const unsigned char stamp[STAMP_BYTES], const void *data, size_t num_bytes,
                  unsigned char head[STAMPED_HEAD_BYTES]);

// What is wrong with a file's bytes, a text for people; or NULL, and the data follow the head.
const char *stamped_fault(const unsigned char stamp[STAMP_BYTES], const unsigned char *bytes,
                          size_t num_bytes);

#endif
