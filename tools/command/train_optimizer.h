// Options of vkseq train about the optimiser: its numbers, delay, decay, and what is frozen.
#ifndef COMMAND_TRAIN_OPTIMIZER_H
#define COMMAND_TRAIN_OPTIMIZER_H

#include "train_options.h"

// Completes options->trainer, whose optimizer and lr_decay_strategy are set; false when an option
// makes no sense, which is said on stderr.
bool train_optimizer_set(struct train_options *options);

#endif
