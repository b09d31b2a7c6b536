// What the options of vkseq train say of text: its files, fields, ratios, weights and alignments,
// and how it is shuffled.
#ifndef COMMAND_TRAIN_DATA_OPTIONS_H
#define COMMAND_TRAIN_DATA_OPTIONS_H

#include "cli/options.h"
#include "vkseq/trainer.h"

struct train_data_options {
    struct cli_strings train_sets, valid_sets, ratios, weighting, alignments, alphas;
    const char *weighting_type, *shuffle, *sort;
    bool tsv, no_shuffle;
    uint32_t num_fields, shuffle_mebibytes;
    // The rest follows.
    struct vks_text_set *sets; // owned: train_data_options_free
    struct vks_text_set valid;
};

// Names of choices, in the order of vks_shuffle and vks_maxi_batch_sort.
extern const char *const train_shuffles[], *const train_sorts[], *const train_weightings[];

// Puts into the trainer's parameters what the options say; they borrow from them. False, and a
// message, if the options do not fit together.
bool train_data_options_set(struct train_data_options *options, struct vks_trainer_params *trainer);

void train_data_options_free(struct train_data_options *options);

#endif
