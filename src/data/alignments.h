// Word alignments of parallel text: which source token belongs to which target token.
#ifndef DATA_ALIGNMENTS_H
#define DATA_ALIGNMENTS_H

#include "data/corpus.h"

// Tokens of a pair that belong together, counted from 0; </s> is the last of its side.
struct alignment_link {
    uint16_t source, target;
};

// Links of many pairs, one behind the other. Zero-initialised is empty; owned: free(items).
struct alignment_links {
    struct alignment_link *items;
    size_t num, capacity;
};

// A line in the format of the Pharaoh decoder: points such as 0-0 1-2, with blanks between them.
struct alignment_line {
    const char *path;
    uint64_t line; // 1-based, for messages
    const char *text;
    size_t num_bytes;
    uint32_t lengths[2]; // tokens of both sides, with </s>
    bool is_cropped;     // points beyond a side are left out; default: an error
};

// Appends a line's links; `links` is untouched on failure, but for its capacity.
// Errors: VKS_ERR_FORMAT for what is no point and for a point beyond a side, with its column;
// VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status alignment_parse(const struct alignment_line *line,
                                               const struct vks_log *log,
                                               struct alignment_links *links);

// The links of a corpus. Immutable: any thread may read.
struct alignments;

// Reads a file that has a line for each line of the corpus. is_cropped: the corpus's longer sides
// were cut. corpus: borrowed during the call.
// Errors: those of lines_read and alignment_parse; VKS_ERR_FORMAT for another number of lines.
VKS_MUST_CHECK enum vks_status alignments_load(const char *path, const struct corpus *corpus,
                                               bool is_cropped, const struct vks_log *log,
                                               struct alignments **alignments);
void alignments_destroy(struct alignments **alignments);

// Of a pair of the corpus; borrowed while the alignments live.
const struct alignment_link *alignments_get(const struct alignments *alignments, uint32_t pair_idx,
                                            size_t *num);

#endif
