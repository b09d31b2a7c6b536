// The figures of a training as they come: a line of JSON each in the model directory's
// history.jsonl and, if asked for, TensorBoard's event files.
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H

#include "io/event_file.h"

struct history;

// Goes on with the history in model_dir from update `updates`: what stands there past it is
// dropped, as it will come again. tensorboard_dir: NULL for no event files.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status history_open(const char *model_dir, const char *tensorboard_dir,
                                            uint64_t updates, const struct vks_log *log,
                                            struct history **history);

// Adds figures of an update. A history that cannot be written is said once, and training goes on.
void history_add(struct history *history, uint64_t update, const struct event_value *values,
                 size_t num_values);

void history_close(struct history **history);

#endif
