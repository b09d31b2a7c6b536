// Pairs of lines as text: read side by side from the files of a corpus, and kept in blocks.
#ifndef DATA_TEXT_PAIRS_H
#define DATA_TEXT_PAIRS_H

#include "vkseq/text.h"

// What belongs to a pair; the first two are vks_side's.
enum text_part { TEXT_SOURCE, TEXT_TARGET, TEXT_WEIGHTS, TEXT_ALIGNMENTS, NUM_TEXT_PARTS };

struct text_pair {
    const char *texts[NUM_TEXT_PARTS]; // not ended by a NUL
    uint32_t num_bytes[NUM_TEXT_PARTS];
    uint32_t set_idx, line; // the corpus that it is of, and its line there, from 1 on
};

// Pairs in memory, one behind the other. Zero-initialised is empty.
struct text_block {
    char *bytes; // owned
    size_t num_bytes, capacity;
    size_t *begins; // owned; [num_pairs], where each pair begins in bytes
    size_t num_pairs, max_pairs;
};

// Copies a pair to the end. False if there is no memory; the block is as it was then.
bool text_block_add(struct text_block *block, const struct text_pair *pair);
// A pair; its texts are borrowed until the block changes.
struct text_pair text_block_get(const struct text_block *block, size_t pair_idx);
// Removes all pairs; the memory stays.
void text_block_clear(struct text_block *block);
void text_block_finish(struct text_block *block);

// A pair as bytes.
size_t text_pair_bytes(const struct text_pair *pair);
void text_pair_write(const struct text_pair *pair, char *bytes);
// Its texts are borrowed from the bytes.
struct text_pair text_pair_read(const char *bytes);

// What messages call a set: its paths, with ", ..." if there are more sets. text: of num_bytes.
void text_sets_name(const struct vks_text_set *sets, uint32_t num_sets, char *text,
                    size_t num_bytes);

struct pair_reader;

// Opens the files of a set, which is borrowed while the reader lives, as is log.
// Errors: those of vks_line_reader_open.
VKS_MUST_CHECK enum vks_status pair_reader_open(const struct vks_text_set *set, uint32_t set_idx,
                                                const struct vks_log *log,
                                                struct pair_reader **reader);
// The next pair, borrowed until the next call; *is_found is false behind the last one.
// Errors: those of vks_line_reader_next; VKS_ERR_FORMAT for unequal numbers of lines and another
// number of fields than the set's; VKS_ERR_UNSUPPORTED for 2^32 lines and lines of 4 GiB.
VKS_MUST_CHECK enum vks_status pair_reader_next(struct pair_reader *reader, struct text_pair *pair,
                                                bool *is_found);
void pair_reader_close(struct pair_reader **reader);

// What a set holds.
struct text_count {
    uint64_t num_pairs, num_bytes; // as text_pair_bytes counts
};

// Reads a set to its end. Errors: those of the reader.
VKS_MUST_CHECK enum vks_status text_set_count(const struct vks_text_set *set,
                                              const struct vks_log *log, struct text_count *count);

#endif
