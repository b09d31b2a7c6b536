// Whole files translated at once, and the result written.
#ifndef COMMAND_TRANSLATE_LINES_H
#define COMMAND_TRANSLATE_LINES_H

#include "command.h"
#include "line_files.h"

// The best translation of each source line, block by block, counted on the console's progress line
// if one is shown. lines is freed by the caller in any case. Errors: the library's; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status translate_lines(struct console *console,
                                               struct vks_translator *translator,
                                               const struct line_block *sources,
                                               struct line_block *lines);

void print_lines(FILE *file, const struct line_block *block);

// Errors: VKS_ERR_IO, reported; no file is left then.
VKS_MUST_CHECK enum vks_status write_lines(struct console *console, const char *path,
                                           const struct line_block *block);

#endif
