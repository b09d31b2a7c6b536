// What `vkseq convert` and `vkseq export` share.
#ifndef COMMAND_MODEL_EXPORT_H
#define COMMAND_MODEL_EXPORT_H

#include "command.h"

extern const char *const export_precisions[]; // names for --precision; ends with NULL

struct model_export {
    const char *model, *output, *precision;
    enum vks_export_format format;
};

// clang-format off
#define OPTION_PRECISION(values, heading)                                                          \
    {"precision", 0, CLI_CHOICE, offsetof(struct values, export.precision),                        \
     .default_text = "float32", .choices = export_precisions, .group = heading,                    \
     .help = "Type of the numbers in the output."}
// clang-format on

// Loads a model onto a device (NULL: the best) and writes it elsewhere. Returns the exit code.
int model_export_run(struct console *console, const struct model_export *export,
                     const char *device);

#endif
