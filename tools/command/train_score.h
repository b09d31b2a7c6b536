// Validation metrics of vkseq train that need translations: BLEU, chrF, and samples to look at.
#ifndef COMMAND_TRAIN_SCORE_H
#define COMMAND_TRAIN_SCORE_H

#include "line_files.h"
#include "train_options.h"

// Zero-initialised is closed. The validation text is translated once an update.
struct train_score {
    struct console *console;
    const struct train_options *options;
    const struct loaded_model *loaded;
    struct line_block sources, references;
    bool has_scores;
    uint64_t update; // that scores are of
    struct vks_metric_scores scores;
};

// Whether translations are asked for by any of the metrics.
bool train_score_is_needed(const struct train_options *options);

// Reads the validation text. All three are borrowed until close. What fails is reported.
VKS_MUST_CHECK enum vks_status train_score_open(struct train_score *score, struct console *console,
                                                const struct train_options *options,
                                                const struct loaded_model *loaded);

// The metric of the model as it is after `update`. The first time in an update the text is
// translated, written where --valid-translation-output says, and samples are logged and kept in
// the model directory's samples.json. The value of "translation" is NaN.
VKS_MUST_CHECK enum vks_status train_score_get(struct train_score *score, uint64_t update,
                                               const char *metric, double *value);

void train_score_close(struct train_score *score);

#endif
