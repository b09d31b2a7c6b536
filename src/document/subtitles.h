// SRT subtitles.
#ifndef DOCUMENT_SUBTITLES_H
#define DOCUMENT_SUBTITLES_H

#include "document/document_object.h"

extern const struct document_kind document_srt;

#endif
