// The parts of an SRT file.
#ifndef DOCUMENT_SUBTITLE_READER_H
#define DOCUMENT_SUBTITLE_READER_H

#include "document/document_object.h"

// A subtitle: a line with its number, a line with its times, and its text up to a blank line.
struct cue {
    size_t begin, end;           // of the text in the document, without the last line's end
    size_t head_end, tail_begin; // of what surrounds the words, such as {\an8} and a pair of tags
    uint64_t start_ms, end_ms;
};

// Zero-initialised is empty. items are owned: free.
struct cues {
    struct cue *items;
    size_t num, capacity;
};

// Errors: VKS_ERR_FORMAT, reported with the line and what it has; VKS_ERR_OOM. cues has something
// to free in any case.
VKS_MUST_CHECK enum vks_status cues_read(const struct vks_document *document, struct cues *cues);

#endif
