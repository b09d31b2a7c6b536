// Masking what both sides of a pair share and a translation has to carry over, by the vocabulary's
// symbols, so that a model learns to do that.
#ifndef DATA_PAIR_MASK_H
#define DATA_PAIR_MASK_H

#include "base/rng.h"
#include "data/text_pairs.h"

// The two texts with symbols; owned, free with masked_pair_free. Both NULL: the pair stays.
struct masked_pair {
    char *texts[2];
    size_t num_bytes[2];
};

// Masks a pair with a probability: all of its placeholders, which must be the same on both sides,
// and each second one of the words that stand once on either side as they are and are names or
// numbers: of these, two in three are masked, the third gets a symbol before and behind, as a tag.
// What is drawn depends on rng and pair only. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status pair_mask(const struct text_pair *pair, float probability,
                                         struct rng *rng, struct masked_pair *masked);
void masked_pair_free(struct masked_pair *masked);

#endif
