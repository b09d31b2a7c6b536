// A 64-bit checksum of bytes, against damage and not against malice.
//
// Definition: h = P1; for each little-endian 64-bit word w of the bytes, the last one padded with
// zero bytes: h = rotate_left(h ^ w * P2, 29) * P1; then h ^= number of bytes, h ^= h >> 32,
// h *= P2, h ^= h >> 29, all modulo 2^64, with P1 = 0x9E3779B97F4A7C15, P2 = 0xD6E8FEB86659FD93.
#ifndef IO_HASH64_H
#define IO_HASH64_H

#include <stddef.h>
#include <stdint.h>

// A running checksum of bytes that come in pieces.
struct hash64 {
    uint64_t state, num_bytes;
    unsigned char tail[8]; // the last num_bytes % 8 bytes, which wait for the rest of their word
};

void hash64_init(struct hash64 *hash);
void hash64_update(struct hash64 *hash, const void *data, size_t num_bytes);
// The checksum of all bytes so far; more may follow.
uint64_t hash64_value(const struct hash64 *hash);
// The checksum of one piece.
uint64_t hash64_of(const void *data, size_t num_bytes);

#endif
