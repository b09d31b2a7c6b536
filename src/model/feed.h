// What the host tells a program about a batch: tokens, positions, attention blocks, and for
// gradients which rows hold the same token.
#ifndef MODEL_FEED_H
#define MODEL_FEED_H

#include "graph/program.h"
#include "model/transformer.h"

// What a batch may hold at most.
struct feed_capacity {
    uint32_t num_src, num_tgt, num_sequences; // num_tgt 0: source side only
};

// Packed sequences: sequence i is tokens[offsets[i]] .. tokens[offsets[i + 1] - 1].
struct packed {
    const uint32_t *tokens;
    const uint32_t *offsets;
    uint32_t num_sequences;
};

// Room the host needs to group rows by token. One for each thread that feeds.
struct feed_scratch {
    uint64_t *order; // owned
};

enum vks_status feed_scratch_init(const struct feed_capacity *capacity,
                                  struct feed_scratch *scratch);
void feed_scratch_finish(struct feed_scratch *scratch);

// Declares the inputs in a graph; with_gradient adds the tables that gradients need.
void feed_declare(struct graph *graph, const struct vks_model_config *config,
                  const struct feed_capacity *capacity, bool with_gradient,
                  struct batch_inputs *inputs);

// Writes one batch into a slot. Ids must be below the vocabulary, lengths within the capacity, and
// there are at least as many positions as the longest sequence has tokens. target (with labels) is
// NULL for a source side alone.
void feed_write(struct program *program, uint32_t slot, const struct batch_inputs *inputs,
                const struct packed *source, const struct packed *target, const uint32_t *labels);

// The same with the tables for gradients; rows of frozen_id take no part.
void feed_write_segments(struct program *program, uint32_t slot,
                         const struct sequence_inputs *inputs, const struct packed *packed,
                         uint32_t frozen_id, struct feed_scratch *scratch);

#endif
