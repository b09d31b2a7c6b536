#include "io/hash64.h"

#include <string.h>

#define P1 UINT64_C(0x9E3779B97F4A7C15)
#define P2 UINT64_C(0xD6E8FEB86659FD93)

static uint64_t load_word(const unsigned char *bytes) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

static uint64_t mix(uint64_t state, uint64_t word) {
    state ^= word * P2;
    return (state << 29 | state >> 35) * P1;
}

void hash64_init(struct hash64 *hash) {
    *hash = (struct hash64){.state = P1};
}

void hash64_update(struct hash64 *hash, const void *data, size_t num_bytes) {
    const unsigned char *bytes = data;
    size_t num_waiting = hash->num_bytes % 8;
    hash->num_bytes += num_bytes;
    if (num_waiting) {
        size_t num_taken = num_bytes < 8 - num_waiting ? num_bytes : 8 - num_waiting;
        if (num_taken)
            memcpy(hash->tail + num_waiting, bytes, num_taken);
        if (num_waiting + num_taken < 8)
            return;
        bytes += num_taken;
        num_bytes -= num_taken;
        hash->state = mix(hash->state, load_word(hash->tail));
    }
    for (; num_bytes >= 8; bytes += 8, num_bytes -= 8)
        hash->state = mix(hash->state, load_word(bytes));
    if (num_bytes)
        memcpy(hash->tail, bytes, num_bytes);
}

uint64_t hash64_value(const struct hash64 *hash) {
    uint64_t h = hash->state;
    size_t num_waiting = hash->num_bytes % 8;
    if (num_waiting) {
        unsigned char word[8] = {0};
        memcpy(word, hash->tail, num_waiting);
        h = mix(h, load_word(word));
    }
    h ^= hash->num_bytes;
    h ^= h >> 32;
    h *= P2;
    return h ^ h >> 29;
}

uint64_t hash64_of(const void *data, size_t num_bytes) {
    struct hash64 hash;
    hash64_init(&hash);
    hash64_update(&hash, data, num_bytes);
    return hash64_value(&hash);
}
