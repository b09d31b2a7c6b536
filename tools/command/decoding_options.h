// Options of how a translation is searched for or drawn, beyond those of every search, and the
// models that translate together.
#ifndef COMMAND_DECODING_OPTIONS_H
#define COMMAND_DECODING_OPTIONS_H

#include "command.h"
#include "precision_option.h"

struct decoding_options {
    const char *search, *precision;
    struct cli_strings sampling, suppressed, models, weights, shortlist;
};

extern const char *const decoding_searches[];

// Lines of an option table for a struct with members `search` and `decoding`.
// clang-format off
#define OPTIONS_DECODING(values)                                                                   \
    {"precision", 0, CLI_CHOICE, offsetof(struct values, decoding.precision),                      \
     .default_text = "float32", .choices = precision_names,                                        \
     .help = "Activations, keys and values, and weights in products. Sums and log probabilities "  \
             "are float32."},                                                                      \
    {"models", 0, CLI_STRINGS, offsetof(struct values, decoding.models), "DIR...",                 \
     .is_model = true,                                                                             \
     .help = "Instead of --model: models of one vocabulary that translate together, at most 8.",   \
     .group = "What may follow, and how it is chosen"},                                            \
    {"weights", 0, CLI_STRINGS, offsetof(struct values, decoding.weights), "NUMBER...",            \
     .help = "Of --models, in their order; each 1 if not given."},                                 \
    {"search", 0, CLI_CHOICE, offsetof(struct values, decoding.search),                            \
     .choices = decoding_searches,                                                                 \
     .help = "When to stop. Without it as the toolkit that the model comes from."},                \
    {"min-length", 0, CLI_U32, offsetof(struct values, search.min_length), .default_text = "0",    \
     .min = 0, .max = 65535, .help = "Shortest translation, in tokens."},                          \
    {"no-repeat-ngram", 0, CLI_U32, offsetof(struct values, search.no_repeat_ngram),               \
     .default_text = "0", .min = 0, .max = 1000,                                                   \
     .help = "No sequence of that many tokens occurs twice; 0: it may."},                          \
    {"repetition-penalty", 0, CLI_FLOAT, offsetof(struct values, search.repetition_penalty),       \
     .default_text = "1", .min = 0.01, .max = 100,                                                 \
     .help = "Log probabilities of tokens that were there are multiplied with it."},               \
    {"suppress", 0, CLI_STRINGS, offsetof(struct values, decoding.suppressed), "WORD...",          \
     .help = "Words that no translation has."},                                                    \
    {"shortlist", 0, CLI_STRINGS, offsetof(struct values, decoding.shortlist), "FILE...",          \
     .help = "Lexical shortlist, as a text or in Marian's binary format. After a text: how many "  \
             "tokens are always there (100), how many of each source token (100), and their least "\
             "probability (0)."},                                                                  \
    {"output-sampling", 0, CLI_STRINGS, offsetof(struct values, decoding.sampling), "METHOD...",   \
     .help = "Draw translations instead of searching: full, topk K (10), or nucleus P (0.9), "     \
             "each with a temperature after it (1). --beam-size is how many are drawn (1)."},      \
    {"seed", 0, CLI_U32, offsetof(struct values, search.seed), .default_text = "0",                \
     .help = "Of --output-sampling. A line and a seed always give the same translation."}
// clang-format on

// What can be said without the models. command: the parsed one, with --beam-size. Texts are
// borrowed from argv. Errors: VKS_ERR_ARGUMENT, reported.
VKS_MUST_CHECK enum vks_status decoding_options_apply(const struct cli_command *command,
                                                      struct console *console,
                                                      const struct decoding_options *options,
                                                      struct vks_translator_params *params);

// --model's or --models' on one device. Zero-initialised is none.
struct decoding_models {
    struct loaded_model first;
    struct vks_model *more[VKS_MAX_MODELS - 1];
    struct vks_shortlist *shortlist;
    size_t num_more;
    float weights[VKS_MAX_MODELS];
};

// Loads them, and gives them to params, which borrow them. What fails is reported, and there is
// something to close in any case.
VKS_MUST_CHECK enum vks_status decoding_models_open(struct console *console, const char *model,
                                                    const char *device,
                                                    const struct decoding_options *options,
                                                    struct decoding_models *models,
                                                    struct vks_translator_params *params);
void decoding_models_close(struct decoding_models *models);

#endif
