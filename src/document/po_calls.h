// The calls of libgettextpo that can fail.
#ifndef DOCUMENT_PO_CALLS_H
#define DOCUMENT_PO_CALLS_H

#include "document/growing.h"

#include <gettext-po.h>

// Reads a PO file from memory; name is what messages call it. Of several errors the first one is
// reported. *file is the caller's: po_file_free. Errors: VKS_ERR_FORMAT, VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status po_read(const char *bytes, size_t num_bytes, const char *name,
                                       const struct vks_log *log, po_file_t *file);

// Appends a PO file as libgettextpo writes it. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status po_write(po_file_t file, const char *name, const struct vks_log *log,
                                        struct text_buffer *buffer);

// Whether msgfmt would take a message's translation: its placeholders fit those of the msgid by the
// rules of its language, in plural forms as well.
bool po_is_sound(po_message_t message, po_message_iterator_t iterator);

#endif
