// Models that options name.
#ifndef COMMAND_NAMED_MODELS_H
#define COMMAND_NAMED_MODELS_H

#include "console.h"

#include "cli/options.h"

// Puts paths in the place of models' names (cli/model_folders.h) in the values of options that are
// of models; texts keep what the values then borrow. What is a folder here stays as it is, and what
// is found nowhere.
void named_models_find(const struct cli_command *command, struct cli_texts *texts);

// Says that there is no model by this path, or by this name, and where it was looked for then.
void named_models_report_missing(struct console *console, const char *model);

#endif
