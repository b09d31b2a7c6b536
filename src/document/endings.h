// How texts of interfaces end.
#ifndef DOCUMENT_ENDINGS_H
#define DOCUMENT_ENDINGS_H

#include "document/growing.h"

// Appends a translation on one line without white space around it, and with the ellipsis or the
// colon that its source ends with.
void append_finished(struct text_buffer *buffer, const char *source, const char *translation);

#endif
