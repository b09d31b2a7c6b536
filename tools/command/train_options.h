// Options of vkseq train, named as Marian's, and what they ask of model, vocabulary and trainer.
#ifndef COMMAND_TRAIN_OPTIONS_H
#define COMMAND_TRAIN_OPTIONS_H

#include "command.h"
#include "train_data_options.h"

// Options whose value another option or the vocabulary decides when they are not given.
struct train_given {
    bool vocab_size, separate_vocabs, tied_all, tied_output;
    bool shape; // any option of the model's shape
};

struct train_options {
    const char *model, *device, *log;
    bool quiet, init_only;
    struct cli_strings config;
    const char *dump_config;
    struct cli_texts texts; // out of the config files
    // Vocabulary
    struct cli_strings vocabs;
    const char *sentencepiece_options;
    uint32_t vocab_size;
    bool separate_vocabs;
    // Model
    const char *pretrained;
    const char *task, *activation, *positions, *preprocess, *postprocess, *autoreg, *cell;
    uint32_t width, ffn_width, num_heads, encoder_layers, decoder_layers; // 0: the task's
    bool tied_all, tied_output;
    // Training
    struct train_data_options data;
    struct cli_strings optimizer_params, lr_decay_start, freeze, cost_scaling;
    const char *precision, *optimizer, *schedule, *lr_decay_strategy, *optimizer_delay;
    const char *workspace;
    const char *guided_alignment_cost, *guided_alignment_layer;
    struct cli_limit schedule_updates, after, disp_freq, valid_freq, save_freq;
    // Validation
    struct cli_strings valid_metrics;
    float early_stopping_epsilon;
    const char *early_stopping_on, *valid_tokenize, *valid_translation_output;
    struct vks_translator_params search; // of its translations
    struct vks_trainer_params trainer;

    struct train_given given;
};

// Names of vks_activation and vks_positions, end with NULL.
extern const char *const train_activations[], *const train_positions[];
extern const char *const train_autoregs[]; // by enum vks_decoder_cell

// Reads argv and option files, and checks all that can be checked without the text and the model.
// Help, errors and a dump of the options that was asked for are printed; CLI_HELP: nothing else is
// to be done. trainer is then complete but for its log and on_update. argv is borrowed.
enum cli_result train_options_read(struct train_options *options, int argc, char **argv);

void train_options_free(struct train_options *options);

// The shape that is asked for, for this vocabulary. Errors: VKS_ERR_ARGUMENT, reported.
VKS_MUST_CHECK enum vks_status train_options_config(const struct train_options *options,
                                                    const struct vks_tokenizer *tokenizer,
                                                    struct console *console,
                                                    struct vks_model_config *config);

#endif
