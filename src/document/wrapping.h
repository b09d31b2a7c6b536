// Long lines broken into short ones.
#ifndef DOCUMENT_WRAPPING_H
#define DOCUMENT_WRAPPING_H

#include "document/growing.h"

// Columns of a text without its tags, <i> and {\an8}.
size_t shown_columns(const char *text, size_t num_bytes);

// Appends a text in lines of at most `limit` columns, where blanks, and wide characters, allow it;
// line_break (num_break_bytes) takes the place of the blank. What is within a tag is not broken.
// Returns the number of lines; buffer NULL only counts them.
size_t wrap_text(const char *text, size_t limit, const char *line_break, size_t num_break_bytes,
                 struct text_buffer *buffer);

// The least limit, up to `highest`, that gives at most num_lines lines; highest if none does.
size_t least_limit(const char *text, size_t num_lines, size_t highest);

#endif
