// What the verbs of the vkseq command share: exit codes, common options, the model they work with.
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "console.h"

#include "cli/options.h"
#include "vkseq/vkseq.h"

enum exit_code { EXIT_OK, EXIT_FAILED, EXIT_USAGE = CLI_EXIT_USAGE, EXIT_NO_DEVICE, EXIT_WRONG };

// argv[0] is the verb; program is what the command was called by. They return the exit code.
int verb_attention(const char *program, int argc, char **argv);
int verb_average(const char *program, int argc, char **argv);
int verb_bench(const char *program, int argc, char **argv);
int verb_convert(const char *program, int argc, char **argv);
int verb_decode(const char *program, int argc, char **argv);
int verb_devices(const char *program, int argc, char **argv);
int verb_encode(const char *program, int argc, char **argv);
int verb_evaluate(const char *program, int argc, char **argv);
int verb_export(const char *program, int argc, char **argv);
int verb_inspect(const char *program, int argc, char **argv);
int verb_profile(const char *program, int argc, char **argv);
int verb_report(const char *program, int argc, char **argv);
int verb_score(const char *program, int argc, char **argv);
int verb_selftest(const char *program, int argc, char **argv);
int verb_train(const char *program, int argc, char **argv);
int verb_translate(const char *program, int argc, char **argv);
int verb_tune(const char *program, int argc, char **argv);

// Lines of an option table for a struct with such members.
// clang-format off
#define OPTION_DEVICE(values)                                                                      \
    {"device", 'd', CLI_STRING, offsetof(struct values, device), "INDEX|NAME",                     \
     .env = "VKSEQ_DEVICE",                                                                        \
     .help = "Vulkan device, by its index in `vkseq devices` or a part of its name. Without it "   \
             "the best: discrete, then integrated, then CPU."}

#define OPTION_QUIET(values)                                                                       \
    {"quiet", 0, CLI_FLAG, offsetof(struct values, quiet), .help = "Print errors only."}

// Languages by their codes, for members of these names.
#define OPTIONS_LANGUAGES(values, source, target)                                                  \
    {"source-language", 0, CLI_STRING, offsetof(struct values, source), "CODE",                    \
     .help = "What the source is in, by its code in the vocabulary: de, deu_Latn, de_DE. "         \
             "Without it what the model directory says."},                                         \
    {"target-language", 0, CLI_STRING, offsetof(struct values, target), "CODE",                    \
     .help = "What to translate into; also for >>deu<<."}

// Those of translation, for a struct with a member `search`.
#define OPTIONS_SEARCH(values)                                                                     \
    {"beam-size", 'b', CLI_U32, offsetof(struct values, search.beam_size), .default_text = "4",    \
     .min = 1, .max = 64, .help = "Hypotheses kept at each step; 1 is greedy search.",             \
     .group = "Search"},                                                                           \
    {"normalize", 'n', CLI_FLOAT, offsetof(struct values, search.normalize), .default_text = "0",  \
     .implicit_text = "1", .min = 0, .max = 10,                                                    \
     .help = "Divide scores by the translation's length to this power."},                          \
    {"word-penalty", 0, CLI_FLOAT, offsetof(struct values, search.word_penalty),                   \
     .default_text = "0", .help = "Subtracted from the score for each token."},                    \
    {"max-length", 0, CLI_U32, offsetof(struct values, search.max_length),                         \
     .default_text = "1000", .min = 2, .max = 65535,                                               \
     .help = "Longer lines are translated in parts, cut at ends of sentences, clauses or words, "  \
             "in tokens."},                                                                        \
    {"max-length-factor", 0, CLI_FLOAT, offsetof(struct values, search.max_length_factor),         \
     .default_text = "3", .min = 0.01, .max = 1000,                                                \
     .help = "Longest translation, as a multiple of the source's tokens."},                        \
    {"max-target-length", 0, CLI_U32, offsetof(struct values, search.max_target_length),           \
     .default_text = "0", .max = 65535,                                                            \
     .help = "Longest translation, in tokens; 0: what the model says, if it does."},               \
    {"mini-batch", 0, CLI_U32, offsetof(struct values, search.mini_batch), .default_text = "0",    \
     .help = "Sentences translated at once; 0: chosen by beam size and memory."},                  \
    {"workspace", 'w', CLI_U32, offsetof(struct values, search.workspace), "MIB",                  \
     .default_text = "0", .max = 1048576,                                                          \
     .help = "Device memory for keys and values of hypotheses, in MiB; what does not fit waits. "  \
             "0: 512, and at most a quarter of the device's memory."}
// clang-format on

// Exit code of a verb whose options are not to be acted upon, for any result but CLI_OK.
int exit_code_of_options(enum cli_result result);
// Reads the options, finds the models that they name and, if all is well, runs the verb with a
// console; is_quiet is one of the values, NULL: never. Returns the exit code, which run gives.
int run_verb(const struct cli_command *command, int argc, char **argv, const bool *is_quiet,
             int (*run)(struct console *console, void *values));

// Exit code of a library call; says what happened if the library had nothing to say.
int exit_code_of(struct console *console, enum vks_status status);

// Whether there is a folder where a model is expected. Errors: VKS_ERR_IO, reported.
VKS_MUST_CHECK enum vks_status model_folder_check(struct console *console, const char *dir);

// Opens a device (vks_device_create). What fails is reported.
VKS_MUST_CHECK enum vks_status device_open(struct console *console, const char *selector,
                                           struct vks_device **device);

// A model directory on a device. Zero-initialised is none.
struct loaded_model {
    struct vks_device *device;
    struct vks_tokenizer *tokenizer;
    struct vks_model *model;
};

// Loads DIR onto the device; console is borrowed while it is loaded. What fails is reported, and
// there is something to close in any case.
VKS_MUST_CHECK enum vks_status loaded_model_open(struct console *console, const char *dir,
                                                 const char *device, struct loaded_model *loaded);
void loaded_model_close(struct loaded_model *loaded);

// What a device is and can do, on stdout: lines of text, or a JSON object.
void print_device(const struct vks_device_info *info);
void print_json_device(const struct vks_device_info *info);

// "text" in JSON, quotes included.
void print_json_string(FILE *file, const char *text);

#endif
