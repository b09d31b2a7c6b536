// A Vulkan device for tests, and programs built from one graph.
#ifndef TESTS_GPU_H
#define TESTS_GPU_H

#include "graph/program.h"

// cmocka group setup and teardown: *state becomes the struct vks_device. Without a usable device
// the process ends with 77, which the test runner counts as skipped.
int gpu_setup(void **state);
int gpu_teardown(void **state);

// A log that writes warnings and errors to stderr.
extern const struct vks_log gpu_log;

#endif
