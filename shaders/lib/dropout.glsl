// Dropout's random numbers: a function of (seed, rank, step, operator's stream, row, column), so
// that the backward pass recomputes them and tiles do not matter.
#include "lib/philox.glsl"

// What four neighbouring values are multiplied with: 0 where the random number is under the
// threshold (p * 2^32), else 1 / (1 - p). A threshold of 0 means no dropout.
vec4 dropout_factors(uint threshold, float keep_scale, uint stream, uint row, uint quad) {
    if (threshold == 0)
        return vec4(1);
    const uvec4 random = philox(uvec2(header.data[HEADER_SEED], header.data[HEADER_RANK]),
                                uvec4(row, quad, stream, header.data[HEADER_STEP]));
    return mix(vec4(keep_scale), vec4(0), lessThan(random, uvec4(threshold)));
}
