#include "model/feed.h"

#include "base/check.h"
#include "base/memory.h"
#include "ops/attention.h"

#include <stdlib.h>

enum vks_status feed_scratch_init(const struct feed_capacity *capacity,
                                  struct feed_scratch *scratch) {
    uint32_t num = max_u32(capacity->num_src, capacity->num_tgt);
    scratch->order = memory_calloc(num, sizeof *scratch->order);
    return scratch->order ? VKS_OK : VKS_ERR_OOM;
}

void feed_scratch_finish(struct feed_scratch *scratch) {
    free(scratch->order);
    scratch->order = NULL;
}

static void declare_segments(struct graph *graph, struct dim rows, uint32_t num_tokens,
                             struct embedding_segments *segments) {
    uint32_t max_segments = num_tokens < rows.capacity ? num_tokens : rows.capacity;
    uint32_t max_pieces = rows.capacity / EMBEDDING_PIECE_ROWS + max_segments;
    segments->sorted_rows = graph_input(graph, rows, 1);
    segments->pieces = graph_input(graph, graph_dim(graph, max_pieces), 2);
    segments->segments = graph_input(graph, graph_dim(graph, max_segments), 4);
}

static void declare_sequence(struct graph *graph, const struct vks_model_config *config,
                             uint32_t capacity, uint32_t vocab, bool with_gradient,
                             struct sequence_inputs *inputs) {
    inputs->num_tokens = graph_dim(graph, capacity);
    inputs->tokens = graph_input(graph, inputs->num_tokens, 1);
    inputs->positions = graph_input(graph, inputs->num_tokens, 1);
    if (!with_gradient)
        return;
    declare_segments(graph, inputs->num_tokens, vocab, &inputs->by_token);
    if (config->positions == VKS_POSITIONS_LEARNED)
        declare_segments(graph, inputs->num_tokens, config->max_positions + config->position_offset,
                         &inputs->by_position);
}

// Blocks of ATTENTION_ROWS rows begin anew with each sequence.
static uint32_t max_blocks(uint32_t rows, uint32_t num_sequences) {
    return rows / ATTENTION_ROWS + min_u32(rows, num_sequences);
}

static struct attention_blocks declare_blocks(struct graph *graph,
                                              const struct feed_capacity *capacity,
                                              uint32_t num_queries, uint32_t num_keys,
                                              bool with_gradient) {
    struct attention_blocks blocks = {0};
    uint32_t num_sequences = capacity->num_sequences;
    blocks.queries =
        graph_input(graph, graph_dim(graph, max_blocks(num_queries, num_sequences)), 4);
    if (with_gradient)
        blocks.keys = graph_input(graph, graph_dim(graph, max_blocks(num_keys, num_sequences)), 4);
    return blocks;
}

void feed_declare(struct graph *graph, const struct vks_model_config *config,
                  const struct feed_capacity *capacity, bool with_gradient,
                  struct batch_inputs *inputs) {
    *inputs = (struct batch_inputs){.position_offset = config->position_offset};
    declare_sequence(graph, config, capacity->num_src, config->source_vocab, with_gradient,
                     &inputs->source);
    inputs->encoder_self =
        declare_blocks(graph, capacity, capacity->num_src, capacity->num_src, with_gradient);
    if (capacity->num_tgt == 0)
        return;
    declare_sequence(graph, config, capacity->num_tgt, config->target_vocab, with_gradient,
                     &inputs->target);
    inputs->labels = graph_input(graph, inputs->target.num_tokens, 1);
    if (config->decoder_cell == VKS_CELL_SSRU) {
        inputs->sequences = graph_input(graph, graph_dim(graph, capacity->num_sequences), 2);
    } else {
        inputs->decoder_self =
            declare_blocks(graph, capacity, capacity->num_tgt, capacity->num_tgt, with_gradient);
        inputs->decoder_self.causal = true;
    }
    inputs->cross =
        declare_blocks(graph, capacity, capacity->num_tgt, capacity->num_src, with_gradient);
}

static void write_sequence(struct program *program, uint32_t slot,
                           const struct sequence_inputs *inputs, const struct packed *packed,
                           uint32_t position_offset) {
    uint32_t *tokens = program_input(program, slot, inputs->tokens);
    uint32_t *positions = program_input(program, slot, inputs->positions);
    for (uint32_t i = 0; i < packed->num_sequences; i++) {
        uint32_t first = packed->offsets[i];
        for (uint32_t row = first; row < packed->offsets[i + 1]; row++) {
            tokens[row] = packed->tokens[row];
            positions[row] = row - first + position_offset;
        }
    }
    program_set_dim(program, slot, inputs->num_tokens, packed->offsets[packed->num_sequences]);
}

enum sight { SEE_ALL, SEE_UP_TO, SEE_FROM };

// Lists blocks of `own` rows, each with the rows of the other side that it works with. For causal
// attention queries see keys up to themselves, and keys are seen by queries from themselves on.
static void write_blocks(struct program *program, uint32_t slot, const struct tensor *table,
                         const struct packed *own, const struct packed *other, enum sight sight) {
    uint32_t(*rows)[4] = program_input(program, slot, table);
    uint32_t num = 0;
    for (uint32_t i = 0; i < own->num_sequences; i++) {
        uint32_t end = own->offsets[i + 1];
        for (uint32_t first = own->offsets[i]; first < end; first += ATTENTION_ROWS) {
            CHECK(num < table->rows.capacity);
            uint32_t num_rows = min_u32(ATTENTION_ROWS, end - first);
            rows[num][0] = first;
            rows[num][1] = num_rows;
            rows[num][2] = sight == SEE_FROM ? first : other->offsets[i];
            rows[num][3] = sight == SEE_UP_TO ? first + num_rows : other->offsets[i + 1];
            num++;
        }
    }
    program_set_dim(program, slot, table->rows, num);
}

static void write_attention(struct program *program, uint32_t slot,
                            const struct attention_blocks *blocks, const struct packed *queries,
                            const struct packed *keys) {
    write_blocks(program, slot, blocks->queries, queries, keys,
                 blocks->causal ? SEE_UP_TO : SEE_ALL);
    if (blocks->keys)
        write_blocks(program, slot, blocks->keys, keys, queries,
                     blocks->causal ? SEE_FROM : SEE_ALL);
}

// Lists where each sequence's rows begin and end.
static void write_ends(struct program *program, uint32_t slot, const struct tensor *table,
                       const struct packed *packed) {
    uint32_t(*rows)[2] = program_input(program, slot, table);
    for (uint32_t i = 0; i < packed->num_sequences; i++) {
        rows[i][0] = packed->offsets[i];
        rows[i][1] = packed->offsets[i + 1];
    }
    program_set_dim(program, slot, table->rows, packed->num_sequences);
}

void feed_write(struct program *program, uint32_t slot, const struct batch_inputs *inputs,
                const struct packed *source, const struct packed *target, const uint32_t *labels) {
    write_sequence(program, slot, &inputs->source, source, inputs->position_offset);
    write_attention(program, slot, &inputs->encoder_self, source, source);
    if (!target)
        return;
    write_sequence(program, slot, &inputs->target, target, inputs->position_offset);
    uint32_t *label_rows = program_input(program, slot, inputs->labels);
    for (uint32_t i = 0; i < target->offsets[target->num_sequences]; i++)
        label_rows[i] = labels[i];
    if (inputs->sequences)
        write_ends(program, slot, inputs->sequences, target);
    else
        write_attention(program, slot, &inputs->decoder_self, target, target);
    write_attention(program, slot, &inputs->cross, target, source);
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// Rows to be grouped by what they hold.
struct grouping {
    const uint32_t *values; // [num_rows]
    uint32_t num_rows;
    uint32_t frozen; // a value that is left out
    uint64_t *order; // [num_rows] to work in
};

// Lists rows by value, in the order of values and then of rows.
static void write_groups(struct program *program, uint32_t slot,
                         const struct embedding_segments *tables, const struct grouping *grouping) {
    uint32_t *sorted_rows = program_input(program, slot, tables->sorted_rows);
    uint32_t(*pieces)[2] = program_input(program, slot, tables->pieces);
    uint32_t(*segments)[4] = program_input(program, slot, tables->segments);
    uint64_t *order = grouping->order;
    uint32_t num = 0, num_pieces = 0, num_segments = 0;
    for (uint32_t row = 0; row < grouping->num_rows; row++)
        if (grouping->values[row] != grouping->frozen)
            order[num++] = (uint64_t)grouping->values[row] << 32 | row;
    qsort(order, num, sizeof *order, compare_u64);
    for (uint32_t i = 0; i < num; i++) {
        sorted_rows[i] = (uint32_t)order[i];
        uint32_t value = (uint32_t)(order[i] >> 32);
        bool is_new = i == 0 || value != (uint32_t)(order[i - 1] >> 32);
        if (is_new) {
            segments[num_segments][0] = value;
            segments[num_segments][1] = num_pieces;
            segments[num_segments][2] = 0;
            num_segments++;
        }
        if (is_new || pieces[num_pieces - 1][1] == EMBEDDING_PIECE_ROWS) {
            pieces[num_pieces][0] = i;
            pieces[num_pieces][1] = 0;
            num_pieces++;
            segments[num_segments - 1][2]++;
        }
        pieces[num_pieces - 1][1]++;
    }
    program_set_dim(program, slot, tables->pieces->rows, num_pieces);
    program_set_dim(program, slot, tables->segments->rows, num_segments);
}

void feed_write_segments(struct program *program, uint32_t slot,
                         const struct sequence_inputs *inputs, const struct packed *packed,
                         uint32_t frozen_id, struct feed_scratch *scratch) {
    struct grouping grouping = {packed->tokens, packed->offsets[packed->num_sequences], frozen_id,
                                scratch->order};
    write_groups(program, slot, &inputs->by_token, &grouping);
    if (!inputs->by_position.segments)
        return;
    grouping.values = program_input(program, slot, inputs->positions);
    grouping.frozen = UINT32_MAX;
    write_groups(program, slot, &inputs->by_position, &grouping);
}
