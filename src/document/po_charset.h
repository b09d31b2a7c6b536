// The charset that the header of a PO file says.
#ifndef DOCUMENT_PO_CHARSET_H
#define DOCUMENT_PO_CHARSET_H

#include "vkseq/base.h"

#include <gettext-po.h>

// Where the header says it, as libgettextpo looks for it; not ended by a NUL, and borrowed from the
// file. NULL if it says none.
const char *po_charset(po_file_t file, const char *domain, size_t *num_bytes);

// Whether texts in it are UTF-8: it is UTF-8, or ASCII, or CHARSET as in templates.
bool po_charset_is_utf8(const char *charset, size_t num_bytes);

// Makes the header say UTF-8, without which libgettextpo writes nothing but ASCII. There is a
// header afterwards. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status po_charset_set(po_file_t file, const char *domain);

#endif
