// Counter-based random numbers: a value is a function of a key and a counter, so that the same
// number comes out on the host, in a shader, and after a resume.
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

// Philox4x32 with 10 rounds. Source: Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3", section 3.3.
void philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

// A stream of numbers: (seed, stream) name it, counter says how far it has come.
struct rng {
    uint32_t seed, stream;
    uint64_t counter;
};

uint32_t rng_next(struct rng *rng);
// Uniform in [0, bound), without bias; bound > 0.
uint32_t rng_below(struct rng *rng, uint32_t bound);
// Uniform in [0, 1).
double rng_uniform(struct rng *rng);
// Mean 0, variance 1.
double rng_normal(struct rng *rng);

#endif
