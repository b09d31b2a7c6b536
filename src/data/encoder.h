// Text into token ids, in threads: the result does not depend on how many.
#ifndef DATA_ENCODER_H
#define DATA_ENCODER_H

#include "data/piece.h"
#include "data/text_pairs.h"
#include "text/token_frame.h"

struct encoder_params {
    const struct vks_tokenizer *tokenizer; // borrowed, as are the sets
    const struct vks_text_set *sets;       // of the pairs
    uint32_t num_sets;
    // What stands around the tokens of a text. Zero-initialised: </s> behind them.
    struct token_frame frames[NUM_SIDES];
    uint32_t max_length;  // tokens a side, without </s>, but with a language; 0: no limit
    bool crop;            // cut longer sides to max_length; default: leave such pairs out
    bool weighs_words;    // a weight for each target token; default: one for each pair
    uint32_t num_threads; // 0: as many as processors
    // Above 0, a side is not cut into its best pieces, but into ones drawn with this power of their
    // probabilities: a function of seed, epoch, corpus, line and side alone.
    float sampling_alphas[NUM_SIDES];
    float mask_placeholders; // probability that a pair is masked (pair_mask), drawn likewise
    uint32_t seed;
    const struct vks_log *log;
};

// Adds the pairs of a block to a piece, in order, each sequence in its frame. Pairs with an empty
// side are left out.
// Errors: VKS_ERR_FORMAT for weights that are none, and for alignments (alignment_parse);
// VKS_ERR_OOM; the tokenizer's.
VKS_MUST_CHECK enum vks_status encoder_encode(const struct encoder_params *params, uint64_t epoch,
                                              const struct text_block *block, struct piece *piece);

// Whether pairs get weights: if one of the sets has any. Those of other sets weigh 1 then.
bool encoder_has_weights(const struct encoder_params *params);
// Whether pairs get links: if one of the sets has alignments. Those of other sets have none then.
bool encoder_has_alignments(const struct encoder_params *params);

#endif
