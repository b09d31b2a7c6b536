// Options written as a YAML file and read back, as Marian's --config and --dump-config do: a name
// and a value a line, lists for options of several words.
#ifndef CLI_OPTION_FILE_H
#define CLI_OPTION_FILE_H

#include "options.h"

// Reads a file's options into the command's values, as if they stood in argv. Names without a
// value are passed over. CLI_ERROR: a message with file and line was printed.
enum cli_result cli_option_file_read(const struct cli_command *command, const char *path);

// Writes the command's values: those that were given or, with all, every one that has a value.
// The option that names option files is left out. False when there is no memory or the file cannot
// be written.
bool cli_option_file_write(const struct cli_command *command, bool all, FILE *file);

#endif
