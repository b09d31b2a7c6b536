// Work recorded once and submitted as often as wanted. Barriers are placed where the ranges of a
// dispatch overlap what was touched since the last barrier.
#ifndef VK_RECORDING_H
#define VK_RECORDING_H

#include "vk/buffer.h"
#include "vk/pipeline.h"

struct recording;

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_UPDATE = 3 };

struct bind {
    struct vk_range range; // buffer NULL: the kernel does not touch this binding
    enum access access;
    uint32_t element; // of a matrix
};

struct dispatch {
    struct pipeline_key key;
    struct bind binds[MAX_BINDINGS];
    const void *push; // the operator's push-constant struct
    uint32_t push_bytes;
    struct vk_range groups; // three uint32 workgroup counts, read by the device
    double flops;           // at full capacity; bounds what is submitted at once
};

struct recording_params {
    bool barrier_everywhere; // between any two dispatches, for tests of the barriers
    bool profile;            // a timestamp after every dispatch and copy, if the device has them;
                             // implies barrier_everywhere
    bool timed;              // timestamps where each submission begins and ends, if it has them
};

enum vks_status recording_create(struct vks_device *device, const struct recording_params *params,
                                 struct recording **recording);
enum vks_status recording_dispatch(struct recording *recording, const struct dispatch *dispatch);
// Fills a range with a 32-bit word, or copies from one to another of the same size.
enum vks_status recording_fill(struct recording *recording, struct vk_range range, uint32_t word);
enum vks_status recording_copy(struct recording *recording, struct vk_range from,
                               struct vk_range to);
// Closes the recording; after it only submit and wait.
enum vks_status recording_end(struct recording *recording);

// Submits without waiting; the recording must not be under way.
enum vks_status recording_submit(struct recording *recording);
// Waits for the last submission, if one is under way. Errors: VKS_ERR_DEVICE_LOST, also when the
// device has silently left a part of the work undone.
enum vks_status recording_wait(struct recording *recording);
void recording_destroy(struct recording **recording);

uint32_t recording_num_dispatches(const struct recording *recording);
uint32_t recording_num_barriers(const struct recording *recording);

// Of a recording made for profiling, after it was waited for: nanoseconds of each dispatch and
// copy, in their order. Returns how many; at most `capacity`.
uint32_t recording_profile(struct recording *recording, uint32_t capacity, double *ns);

// Of a recording made to be timed, after it was waited for: nanoseconds in which the device worked
// on it, those before *end_tick of the device's clock left out; *end_tick moves on to its end. So
// recordings that are asked in their order add up to the time in which the device was busy. 0
// without timestamps.
double recording_busy_ns(struct recording *recording, uint64_t *end_tick);

#endif
