// A line cut into parts short enough to be translated one by one, and their translations joined
// again: at ends of sentences, then of clauses, then of words, then anywhere between characters.
#ifndef TEXT_SEGMENTS_H
#define TEXT_SEGMENTS_H

#include "vkseq/base.h"

// A part of a line, borrowed from it. The gap is the white space behind it; a line that is not cut
// has none.
struct segment {
    const char *text;
    size_t num_bytes, gap_bytes;
};

// Zero-initialised is empty; free with segments_free. The first segment of a line that is cut and
// begins with white space is empty, with that space as its gap.
struct segments {
    struct segment *items;
    size_t num;
};

struct segment_params {
    // Tokens of a text; used to find where a sentence has to be cut.
    enum vks_status (*count_tokens)(void *user, const char *text, size_t num_bytes,
                                    size_t *num_tokens);
    void *user;
    size_t max_tokens;  // of a segment, 1 or more
    bool cut_sentences; // every sentence by itself; else only lines that are too long are cut
    const struct vks_log *log;
};

// line: UTF-8. A single character that has more than max_tokens is a segment all the same.
// Errors: VKS_ERR_OOM, and those of count_tokens.
VKS_MUST_CHECK enum vks_status segments_cut(const struct segment_params *params, const char *line,
                                            size_t num_bytes, struct segments *segments);

// The translations [segments->num] of the segments as one line, allocated (free). Between two of
// them the source's gap stands; where the source has none, a blank, unless Chinese or Japanese
// characters meet there; those take no gap at all.
// Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status segments_join(const struct segments *segments,
                                             const char *const *translations, char **line);

void segments_free(struct segments *segments);

#endif
