// Letters of menus and buttons that a key is pressed for: _File of GTK, &File of Qt and Windows,
// ~File of LibreOffice.
#ifndef DOCUMENT_ACCELERATOR_H
#define DOCUMENT_ACCELERATOR_H

#include "document/growing.h"

struct accelerator {
    char marker; // '_', '&' or '~'; 0: there is none
    uint32_t letter;
};

// Whether a text has an accelerator beyond doubt: at a word's start.
bool accelerator_is_certain(const char *text, char marker);

// The accelerator of a text; a text has one or none. is_usual: such markers are usual where the
// text comes from, so that one within a word ("n_ame") is an accelerator too. Appends the text
// without marker, and doubled ones single. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status accelerator_take(const char *text, bool (*is_usual)(void *, char),
                                                void *user, struct text_buffer *buffer,
                                                struct accelerator *accelerator);

// Marks a letter of a translation: the same at the start of a word, else the same anywhere, else
// the first one; where Chinese, Japanese or Korean has other letters, it is appended: "(_F)". A
// text without letters stays without. Only what stands before the first tab or line end counts.
void accelerator_put(const struct accelerator *accelerator, struct text_buffer *buffer);

#endif
