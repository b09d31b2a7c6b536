// A wave: the WAVE invocations of a workgroup, working as one. With WAVE_SUBGROUP it is exactly a
// subgroup and talks through registers; without, through shared memory. Reductions are sums over
// lanes in a fixed order.
layout(constant_id = 0) const uint WAVE = 32;
layout(local_size_x_id = 0) in;

#ifdef WAVE_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require

#define lane gl_SubgroupInvocationID

float wave_sum(float value) {
    return subgroupAdd(value);
}

float wave_max(float value) {
    return subgroupMax(value);
}

uint wave_min(uint value) {
    return subgroupMin(value);
}

// Staged vec4 registers: every lane puts its own, every lane gets any lane's.
#define STAGE_SHARED(name, num)
#define STAGE_LOCAL(name, num) vec4 name[num]
#define STAGE_PUT(name, i, value) name[i] = value
#define STAGE_GET(name, i, from) subgroupBroadcast(name[i], from)
#define STAGE_SYNC()

#else

#define lane gl_LocalInvocationID.x
shared float wave_scratch[WAVE];
shared uint wave_scratch_uint[WAVE];

#define WAVE_REDUCE(scratch, value, combine)                                                       \
    barrier();                                                                                     \
    scratch[lane] = value;                                                                         \
    barrier();                                                                                     \
    for (uint half_width = WAVE / 2; half_width > 0; half_width /= 2) {                            \
        if (lane < half_width)                                                                     \
            scratch[lane] = combine(scratch[lane], scratch[lane + half_width]);                    \
        barrier();                                                                                 \
    }                                                                                              \
    return scratch[0];

#define WAVE_ADD(a, b) ((a) + (b))

float wave_sum(float value) {
    WAVE_REDUCE(wave_scratch, value, WAVE_ADD)
}

float wave_max(float value) {
    WAVE_REDUCE(wave_scratch, value, max)
}

uint wave_min(uint value) {
    WAVE_REDUCE(wave_scratch_uint, value, min)
}

#define STAGE_SHARED(name, num) shared vec4 name[(num) * WAVE];
#define STAGE_LOCAL(name, num)
#define STAGE_PUT(name, i, value) name[(i) * WAVE + lane] = value
#define STAGE_GET(name, i, from) name[(i) * WAVE + (from)]
#define STAGE_SYNC() barrier()
#endif

// WAVE is a power of two from 4 to 64.
