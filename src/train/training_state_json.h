// The training state as JSON: a checkpoint's state.json.
#ifndef TRAIN_TRAINING_STATE_JSON_H
#define TRAIN_TRAINING_STATE_JSON_H

#include "train/training_state.h"

// Reads what training_state_print wrote. name: what messages call the text.
// Errors: VKS_ERR_FORMAT.
VKS_MUST_CHECK enum vks_status training_state_parse(const char *json, size_t num_bytes,
                                                    const char *name, const struct vks_log *log,
                                                    struct training_state *state);

// The state with every bit of its numbers, of which whole ones are below 2^53 and others
// finite; owned by the caller (free). NULL when there is no memory.
char *training_state_print(const struct training_state *state);

#endif
