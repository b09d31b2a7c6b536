// vkseq export: a model for other toolkits.
#include "model_export.h"

#include <string.h>

struct values {
    struct model_export export;
    const char *to;
    const char *device;
    bool quiet;
};

// From VKS_EXPORT_HF on.
static const char *const formats[] = {"hf", "marian", "ct2", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"MODEL", 0, CLI_STRING, offsetof(struct values, export.model), .required = true,
     .is_operand = true, .is_model = true, .group = "Paths",
     .help = "The model: what vkseq translate --model takes."},
    {"OUT", 0, CLI_STRING, offsetof(struct values, export.output), .required = true,
     .is_operand = true, .help = "Directory that is made."},
    {"to", 't', CLI_CHOICE, offsetof(struct values, to), .required = true, .choices = formats,
     .group = "General",
     .help = "hf: for transformers, and for ct2-transformers-converter. marian: for Marian. ct2: "
             "for ct2-marian-converter, which needs no PyTorch."},
    OPTION_PRECISION(values, NULL),
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    {0},
};
// clang-format on

static int run(struct console *console, void *user) {
    struct values *values = user;
    for (int i = 0; formats[i]; i++)
        if (strcmp(values->to, formats[i]) == 0)
            values->export.format = (enum vks_export_format)(VKS_EXPORT_HF + i);
    int exit_code = model_export_run(console, &values->export, values->device);
    if (exit_code == EXIT_OK && values->export.format == VKS_EXPORT_CT2 && !values->quiet)
        fprintf(stderr,
                "export: now ct2-marian-converter --model_path %s/model.npz --vocab_paths "
                "%s/source.yml %s/target.yml --output_dir DIR\n",
                values->export.output, values->export.output, values->export.output);
    return exit_code;
}

int verb_export(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq export",
        .summary = "Writes a model with its vocabularies for another toolkit.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
