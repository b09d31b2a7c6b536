// vkseq convert: a model of any format that can be read, as vkseq's own.
#include "model_export.h"

struct values {
    struct model_export export;
    const char *device;
    bool quiet;
};

// clang-format off
static const struct cli_option options[] = {
    {"IN", 0, CLI_STRING, offsetof(struct values, export.model), .required = true,
     .is_operand = true, .is_model = true, .group = "Paths",
     .help = "The model: what vkseq translate --model takes."},
    {"OUT", 0, CLI_STRING, offsetof(struct values, export.output), .required = true,
     .is_operand = true, .help = "Model directory that is made."},
    OPTION_PRECISION(values, "General"),
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    {0},
};
// clang-format on

static int run(struct console *console, void *user) {
    const struct values *values = user;
    return model_export_run(console, &values->export, values->device);
}

int verb_convert(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {.export.format = VKS_EXPORT_VKSEQ};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq convert",
        .summary = "Writes a model of any format that can be read as vkseq's own: config.json, "
                   "model.safetensors,\nvocabularies.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
