#include "data/batch.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum vks_status batch_create(const struct batch_capacity *capacity, bool with_weights,
                             uint32_t link_words, const struct vks_log *log, struct batch **batch) {
    struct batch *created = memory_calloc(1, sizeof *created);
    if (created) {
        created->capacity = *capacity;
        created->src = memory_calloc(capacity->num_src_tokens, sizeof(uint32_t));
        created->tgt_in = memory_calloc(capacity->num_tgt_tokens, sizeof(uint32_t));
        created->tgt_out = memory_calloc(capacity->num_tgt_tokens, sizeof(uint32_t));
        if (with_weights)
            created->weights = memory_calloc(capacity->num_tgt_tokens, sizeof(float));
        created->link_words = link_words;
        if (link_words)
            created->links =
                memory_calloc((size_t)capacity->num_tgt_tokens * link_words, sizeof(uint32_t));
        created->places =
            memory_calloc((size_t)capacity->num_sequences + 1, sizeof *created->places);
        created->src_offsets = memory_calloc((size_t)capacity->num_sequences + 1, sizeof(uint32_t));
        created->tgt_offsets = memory_calloc((size_t)capacity->num_sequences + 1, sizeof(uint32_t));
    }
    if (!created || !created->src || !created->tgt_in || !created->tgt_out || !created->places ||
        !created->src_offsets || !created->tgt_offsets || (with_weights && !created->weights) ||
        (link_words && !created->links)) {
        batch_destroy(&created);
        log_error(log, "out of memory for a batch of %u source and %u target tokens",
                  capacity->num_src_tokens, capacity->num_tgt_tokens);
        return VKS_ERR_OOM;
    }
    *batch = created;
    return VKS_OK;
}

void batch_destroy(struct batch **batch) {
    if (!*batch)
        return;
    free((*batch)->src);
    free((*batch)->tgt_in);
    free((*batch)->tgt_out);
    free((*batch)->weights);
    free((*batch)->links);
    free((*batch)->places);
    free((*batch)->src_offsets);
    free((*batch)->tgt_offsets);
    free(*batch);
    *batch = NULL;
}

void batch_clear(struct batch *batch) {
    batch->num_sequences = batch->num_src = batch->num_tgt = 0;
}

bool batch_add_pair(struct batch *batch, const uint32_t *src, uint32_t num_src, const uint32_t *tgt,
                    uint32_t num_tgt, uint32_t start_id) {
    const struct batch_capacity *capacity = &batch->capacity;
    if (batch->num_sequences == capacity->num_sequences ||
        num_src > capacity->num_src_tokens - batch->num_src ||
        num_tgt > capacity->num_tgt_tokens - batch->num_tgt)
        return false;
    if (num_src)
        memcpy(batch->src + batch->num_src, src, num_src * sizeof *src);
    if (num_tgt) {
        memcpy(batch->tgt_out + batch->num_tgt, tgt, num_tgt * sizeof *tgt);
        batch->tgt_in[batch->num_tgt] = start_id;
        memcpy(batch->tgt_in + batch->num_tgt + 1, tgt, (num_tgt - 1) * sizeof *tgt);
    }
    batch->num_src += num_src;
    batch->num_tgt += num_tgt;
    batch->num_sequences++;
    batch->src_offsets[batch->num_sequences] = batch->num_src;
    batch->tgt_offsets[batch->num_sequences] = batch->num_tgt;
    return true;
}

// Copies what belongs to the labels of a pair of `batch` to those of the last pair of `part`.
static void copy_label_values(const struct batch *batch, uint32_t pair_idx, struct batch *part) {
    uint32_t from = batch->tgt_offsets[pair_idx], to = part->tgt_offsets[part->num_sequences - 1];
    size_t num = batch->tgt_offsets[pair_idx + 1] - from, words = batch->link_words;
    if (batch->weights)
        memcpy(part->weights + to, batch->weights + from, num * sizeof *part->weights);
    if (batch->links)
        memcpy(part->links + to * words, batch->links + from * words,
               num * words * sizeof *part->links);
}

uint32_t batch_take_part(const struct batch *batch, uint32_t first, struct batch *part) {
    uint32_t next = first;
    batch_clear(part);
    for (; next < batch->num_sequences; next++) {
        uint32_t src = batch->src_offsets[next], tgt = batch->tgt_offsets[next];
        if (!batch_add_pair(part, batch->src + src, batch->src_offsets[next + 1] - src,
                            batch->tgt_out + tgt, batch->tgt_offsets[next + 1] - tgt,
                            batch->tgt_in[tgt]))
            break;
        copy_label_values(batch, next, part);
        part->places[part->num_sequences - 1] = batch->places[next];
    }
    return next;
}
