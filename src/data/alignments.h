// Word alignments of parallel text: which source token belongs to which target token.
#ifndef DATA_ALIGNMENTS_H
#define DATA_ALIGNMENTS_H

#include "vkseq/tokenizer.h"

enum { NUM_SIDES = 2 };

// Tokens of a pair that belong together, counted from 0; </s> is the last of its side.
struct alignment_link {
    uint16_t source, target;
};

// Links of many pairs, one behind the other. Zero-initialised is empty; owned: free(items).
struct alignment_links {
    struct alignment_link *items;
    size_t num, capacity;
};

// Memory for so many links. False if there is none; the links are as they were then.
bool alignment_links_reserve(struct alignment_links *links, size_t num);

// A line in the format of the Pharaoh decoder: points such as 0-0 1-2, with blanks between them.
struct alignment_line {
    const char *path;
    uint64_t line;  // 1-based, for messages
    uint32_t field; // above 0: of the line's fields, for messages
    const char *text;
    size_t num_bytes;
    uint32_t lengths[NUM_SIDES]; // tokens of both sides, with </s>
    bool is_cropped;             // points beyond a side are left out; default: an error
};

// Appends a line's links; `links` is untouched on failure, but for its capacity.
// Errors: VKS_ERR_FORMAT for what is no point and for a point beyond a side, with its column;
// VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status alignment_parse(const struct alignment_line *line,
                                               const struct vks_log *log,
                                               struct alignment_links *links);

#endif
