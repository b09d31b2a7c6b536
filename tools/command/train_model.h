// The vocabulary and the model that vkseq train works on: found in the model directory, or made.
#ifndef COMMAND_TRAIN_MODEL_H
#define COMMAND_TRAIN_MODEL_H

#include "train_options.h"

// Makes the model directory if need be, and locks it. Errors: VKS_ERR_IO if it cannot be written or
// is in use; reported.
VKS_MUST_CHECK enum vks_status train_model_prepare(const struct train_options *options,
                                                   struct console *console,
                                                   struct vks_model_lock **lock);

// Fills in tokenizer and model, on the device that loaded has. What is made is saved: a learned or
// taken vocabulary at once, a new model only for --init-only. What is found has to be what the
// options ask for, as far as they do. console is borrowed by what is loaded.
// Errors: as those of the library; VKS_ERR_ARGUMENT for a directory that holds something else;
// reported.
VKS_MUST_CHECK enum vks_status train_model_open(const struct train_options *options,
                                                struct console *console,
                                                struct loaded_model *loaded);

#endif
