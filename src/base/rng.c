#include "base/rng.h"

#include <math.h>

void philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t rng_next(struct rng *rng) {
    const uint32_t key[2] = {rng->seed, rng->stream};
    uint64_t block = rng->counter / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    uint32_t out[4];
    philox4x32(key, counter, out);
    return out[rng->counter++ % 4];
}

uint32_t rng_below(struct rng *rng, uint32_t bound) {
    // Lemire 2019, "Fast random integer generation in an interval", algorithm 5.
    uint64_t product = (uint64_t)rng_next(rng) * bound;
    uint32_t low = (uint32_t)product;
    if (low < bound) {
        uint32_t threshold = (0u - bound) % bound;
        while (low < threshold) {
            product = (uint64_t)rng_next(rng) * bound;
            low = (uint32_t)product;
        }
    }
    return (uint32_t)(product >> 32);
}

double rng_uniform(struct rng *rng) {
    return rng_next(rng) * 0x1p-32;
}

double rng_normal(struct rng *rng) {
    // Box and Muller 1958; 1 - u keeps the logarithm finite.
    double u = rng_uniform(rng), v = rng_uniform(rng);
    return sqrt(-2.0 * log(1.0 - u)) * cos(2.0 * 3.14159265358979323846 * v);
}
