// Parallel text as token ids, in memory.
#ifndef DATA_CORPUS_H
#define DATA_CORPUS_H

#include "vkseq/tokenizer.h"

// Immutable: any thread may read.
struct corpus;

struct corpus_params {
    const struct vks_tokenizer *tokenizer; // borrowed during the call
    const char *source_path, *target_path; // UTF-8, LF or CRLF, line i translates line i
    uint32_t max_length;                   // tokens a side, without </s>; 0: no limit
    bool crop;                 // cut longer sides to max_length; default: leave such pairs out
    uint32_t num_threads;      // 0: as many as processors; the result does not depend on it
    const struct vks_log *log; // borrowed during the call
};

// Reads and tokenises both files; </s> ends every sequence. Pairs with an empty side are left out.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for unequal numbers of lines, text that is not UTF-8, and no
// pair left; VKS_ERR_UNSUPPORTED for 2^32 lines and more; VKS_ERR_OOM; the tokenizer's.
VKS_MUST_CHECK enum vks_status corpus_load(const struct corpus_params *params,
                                           struct corpus **corpus);
void corpus_destroy(struct corpus **corpus);

uint32_t corpus_num_pairs(const struct corpus *corpus);
// Ids of a side of a pair, </s> included; borrowed while the corpus lives.
const uint32_t *corpus_ids(const struct corpus *corpus, enum vks_side side, uint32_t pair_idx,
                           uint32_t *num_ids);
// Number of ids of a side of a pair, </s> included.
uint32_t corpus_length(const struct corpus *corpus, enum vks_side side, uint32_t pair_idx);
// Number of ids of a side of all pairs, </s> included.
uint64_t corpus_num_tokens(const struct corpus *corpus, enum vks_side side);
// Lines of each file.
size_t corpus_num_lines(const struct corpus *corpus);
// The 1-based line that a pair stands on, and the file; borrowed while the corpus lives.
uint32_t corpus_line(const struct corpus *corpus, uint32_t pair_idx);
const char *corpus_path(const struct corpus *corpus, enum vks_side side);

#endif
