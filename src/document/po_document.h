// PO files of gettext, through libgettextpo.
#ifndef DOCUMENT_PO_DOCUMENT_H
#define DOCUMENT_PO_DOCUMENT_H

#include "document/document_object.h"

extern const struct document_kind document_po;

#endif
