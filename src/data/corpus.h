// Parallel text as token ids, in memory: whole corpora, or a part of one.
#ifndef DATA_CORPUS_H
#define DATA_CORPUS_H

#include "data/encoder.h"

// Immutable: any thread may read.
struct corpus;

// Reads and tokenises the files of the sets (encoder_params): UTF-8, LF or CRLF, plain or gzip,
// line i of one file belonging to line i of the others.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for unequal numbers of lines, text that is not UTF-8, and no
// pair left; VKS_ERR_UNSUPPORTED for 2^32 lines and more; VKS_ERR_OOM; the encoder's.
VKS_MUST_CHECK enum vks_status corpus_load(const struct encoder_params *params,
                                           struct corpus **corpus);
// The same for pairs that have been read, as they are cut in an epoch; there may be none.
// Errors: the encoder's.
VKS_MUST_CHECK enum vks_status corpus_encode(const struct encoder_params *params, uint64_t epoch,
                                             const struct text_block *block,
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
// Weights of a pair's target ids, borrowed while the corpus lives; NULL: it has no weights.
const float *corpus_weights(const struct corpus *corpus, uint32_t pair_idx);
bool corpus_has_weights(const struct corpus *corpus);
// Links between a pair's tokens, borrowed while the corpus lives; *num is 0 without alignments.
const struct alignment_link *corpus_links(const struct corpus *corpus, uint32_t pair_idx,
                                          size_t *num);
// The set that a pair is of, and its 1-based line there.
uint32_t corpus_set(const struct corpus *corpus, uint32_t pair_idx);
uint32_t corpus_line(const struct corpus *corpus, uint32_t pair_idx);
// How many pairs of a set there are; they stand one behind the other, by sets.
uint32_t corpus_set_pairs(const struct corpus *corpus, uint32_t set_idx);

#endif
