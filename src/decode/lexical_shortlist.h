// Inside of a shortlist.
#ifndef DECODE_LEXICAL_SHORTLIST_H
#define DECODE_LEXICAL_SHORTLIST_H

#include "vkseq/shortlist.h"

// Target tokens of each source token.
struct vks_shortlist {
    uint32_t source_vocab, target_vocab; // ids that there are
    uint32_t first;                      // ids below it are always allowed
    bool is_joint;                       // a source token is a target token too, and allowed
    uint64_t *offsets;                   // [source_vocab + 1], owned: of a token's in `targets`
    uint32_t *targets;                   // owned, all below target_vocab
};

// 32-bit words of a set of target tokens.
uint32_t shortlist_set_words(uint32_t target_vocab);

// The set of what may be in the translation of these tokens: bit i % 32 of word i / 32 is token i.
// As in Marian it has a multiple of 8 tokens, if need be by some more of the next ids.
void shortlist_mark(const struct vks_shortlist *shortlist, const uint32_t *ids, uint32_t num_ids,
                    uint32_t *set);

#endif
