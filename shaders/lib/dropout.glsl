// Dropout's random numbers: a function of (seed, rank, step, operator's stream, row, column), so
// that the backward pass recomputes them and tiles do not matter.

// Philox4x32, 10 rounds. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
uvec4 philox(uvec2 key, uvec4 counter) {
    for (uint round = 0; round < 10; round++) {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, counter.x, high0, low0);
        umulExtended(0xCD9E8D57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

// What four neighbouring values are multiplied with: 0 where the random number is under the
// threshold (p * 2^32), else 1 / (1 - p). A threshold of 0 means no dropout.
vec4 dropout_factors(uint threshold, float keep_scale, uint stream, uint row, uint quad) {
    if (threshold == 0)
        return vec4(1);
    const uvec4 random = philox(uvec2(header.data[HEADER_SEED], header.data[HEADER_RANK]),
                                uvec4(row, quad, stream, header.data[HEADER_STEP]));
    return mix(vec4(keep_scale), vec4(0), lessThan(random, uvec4(threshold)));
}
