// Faults on purpose, for tests: the environment's VKSEQ_INJECT says what fails, and when.
//
// It is a list with commas. N counts from 1: the one that fails; N+ is that one and all after it.
//
//   alloc:N         host memory: an allocation of vkseq's own gives NULL
//   device-alloc:N  device memory: a buffer's allocation gives VK_ERROR_OUT_OF_DEVICE_MEMORY
//   vk:CALL:N       a call of this Vulkan function, or with * of any that can fail, gives
//                   VK_ERROR_OUT_OF_HOST_MEMORY and does nothing
//   lost:N          a submission, or a wait for one, loses the device: they all give
//                   VK_ERROR_DEVICE_LOST until it is opened anew
//   skip:N          a submission does nothing, and nothing says so
//   write:N:ERROR   a call that writes to the disk (create, write, sync, rename) fails with ENOSPC,
//                   EROFS or EIO
//   kill:N          the process is killed in place of such a call, or of one that removes
//   segments:SEED   work is cut into submissions at random places
//
// Where it is not set, each of these functions reads one word and returns.
#ifndef BASE_INJECT_H
#define BASE_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Takes a list in place of the environment's, and counts anew; "" is an empty one, NULL none.
// False when it is malformed; nothing fails then.
bool inject_set(const char *list);
// Whether there is a list, and whether it could be read; without one, true.
bool inject_is_on(void);
bool inject_is_valid(void);
// Faults and cuts so far; and how often the place of the list's first fault was passed.
uint32_t inject_num_done(void);
uint64_t inject_num_passed(void);

// Each says whether to fail (to skip, to cut) at the place that asks, and counts one.
bool inject_alloc(void);
bool inject_device_alloc(void);
bool inject_vk(const char *call);
bool inject_skip(void);
bool inject_cut(void);
// Also true from the loss on until inject_reopened.
bool inject_lost(void);
void inject_reopened(void);
// Sets errno where it says true. Passes inject_kill.
bool inject_write(void);
void inject_kill(void);

#ifdef __cplusplus
}
#endif
#endif
