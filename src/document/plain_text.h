// Plain text: a unit's translation stands where the unit stood, all else stays byte by byte.
#ifndef DOCUMENT_PLAIN_TEXT_H
#define DOCUMENT_PLAIN_TEXT_H

#include "document/document_object.h"

extern const struct document_kind document_text;

#endif
