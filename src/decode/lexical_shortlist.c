#include "decode/lexical_shortlist.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { MULTIPLE = 8 }; // of tokens in a set

uint32_t shortlist_set_words(uint32_t target_vocab) {
    return div_up_u32(target_vocab, 32);
}

static uint32_t add(uint32_t *set, uint32_t id) {
    uint32_t bit = 1u << id % 32, is_new = !(set[id / 32] & bit);
    set[id / 32] |= bit;
    return is_new;
}

void shortlist_mark(const struct vks_shortlist *shortlist, const uint32_t *ids, uint32_t num_ids,
                    uint32_t *set) {
    uint32_t num = 0, vocab = shortlist->target_vocab;
    memset(set, 0, shortlist_set_words(vocab) * sizeof *set);
    for (uint32_t id = 0; id < shortlist->first && id < vocab; id++)
        num += add(set, id);
    for (uint32_t i = 0; i < num_ids; i++) {
        if (ids[i] >= shortlist->source_vocab)
            continue;
        if (shortlist->is_joint)
            num += add(set, ids[i]);
        for (uint64_t j = shortlist->offsets[ids[i]]; j < shortlist->offsets[ids[i] + 1]; j++)
            num += add(set, shortlist->targets[j]);
    }
    for (uint32_t id = shortlist->first; id < vocab && num % MULTIPLE != 0; id++)
        num += add(set, id);
}

void vks_shortlist_destroy(struct vks_shortlist **shortlist_ref) {
    struct vks_shortlist *shortlist = *shortlist_ref;
    if (!shortlist)
        return;
    free(shortlist->offsets);
    free(shortlist->targets);
    free(shortlist);
    *shortlist_ref = NULL;
}
