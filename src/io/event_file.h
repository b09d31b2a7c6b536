// TensorBoard's event files: records of protocol buffers, each with masked CRC-32C sums of its
// length and its data.
#ifndef IO_EVENT_FILE_H
#define IO_EVENT_FILE_H

#include "vkseq/base.h"

struct event_file;

struct event_value {
    const char *tag; // "train/cost"
    double value;    // written in single precision
};

// Begins a new file in a folder, which is made if need be. What older files of the folder hold from
// first_step on is not shown any more. time_s: seconds since 1970, also part of the file's name.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status event_file_create(const char *dir, double time_s,
                                                 uint64_t first_step, const struct vks_log *log,
                                                 struct event_file **file);

// Adds values of a step, and flushes. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status event_file_add(struct event_file *file, double time_s, uint64_t step,
                                              const struct event_value *values, size_t num_values);

void event_file_close(struct event_file **file);

#endif
