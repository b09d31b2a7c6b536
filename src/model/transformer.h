// The encoder-decoder Transformer as a graph. Source: Vaswani et al. 2017, arXiv:1706.03762.
#ifndef MODEL_TRANSFORMER_H
#define MODEL_TRANSFORMER_H

#include "graph/graph.h"
#include "model/half_weights.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/output.h"

// One side of a batch: N tokens of B packed sequences.
struct sequence_inputs {
    struct dim num_tokens;
    struct tensor *tokens, *positions;               // u32 [N, 1]
    struct embedding_segments by_token, by_position; // with gradients only
};

// Everything the host says about a batch. model/feed.h fills it.
struct batch_inputs {
    struct sequence_inputs source, target;
    struct tensor *labels;    // u32 [N_tgt, 1]
    uint32_t position_offset; // of a sequence's first token
    struct attention_blocks encoder_self, decoder_self, cross;
    struct tensor *sequences; // u32 [B, 2]: rows of the target's, for decoders with cells
};

// The weights of one head of a decoder layer's attention to the source, asked for.
struct transformer_probe {
    uint32_t layer_idx, head_idx;
    uint32_t max_source;    // most tokens of a source sentence
    struct tensor *weights; // f32 [N_tgt, max_source], once transformer_decode has built it
};

struct transformer {
    struct graph *graph;                   // borrowed
    const struct vks_model_config *config; // borrowed
    const struct weights *weights;         // borrowed
    const struct half_weights *halves;    // borrowed; NULL: each run converts what it needs of them
    float dropout;                        // of embeddings and of what blocks add
    float dropout_attention, dropout_ffn; // of attention weights; of what the activation gives
    float dropout_src, dropout_tgt;       // of words' embeddings
    struct transformer_probe *probe;      // borrowed; NULL: none
};

// The parameter as a tensor of the graph; the same one each time.
struct tensor *transformer_weight(const struct transformer *transformer,
                                  const struct parameter *parameter);

// A weight of a product, in the graph's precision.
struct tensor *transformer_operand(const struct transformer *transformer,
                                   const struct parameter *parameter);

// Encoder output ("memory"), [N_src, D] of the graph's precision.
struct tensor *transformer_encode(const struct transformer *transformer,
                                  const struct batch_inputs *inputs);

// Decoder output before the projection to the vocabulary, [N_tgt, D] likewise, for all positions
// at once (teacher forcing).
struct tensor *transformer_decode(const struct transformer *transformer, struct tensor *memory,
                                  const struct batch_inputs *inputs);

// Keys and values of the memory for one decoder layer, [N_src, 2 D] likewise.
struct tensor *transformer_memory_kv(const struct transformer *transformer, struct tensor *memory,
                                     uint32_t layer_idx);

// What logits come from, given the decoder's output.
struct output_params transformer_output(const struct transformer *transformer, struct tensor *h);

// What a step of decoding reads and fills, for R hypotheses.
struct step_inputs {
    struct tensor *tokens, *positions; // u32 [R, 1]
    struct tensor *cache_places;       // u32 [R, 1]: cache row that this step's keys go to
    struct tensor *self_ranges;        // u32 [R, 4]: -, -, 0, keys so far with this step's
    struct tensor *cache_rows;         // u32 [R, T]: cache rows by position
    struct tensor *cross_ranges;       // u32 [R, 4]: -, -, first row of the memory, end
    // Stored, of the graph's precision, but cells f32.
    struct tensor *const *self_caches; // [T R, 2 D] a layer; of cells [T R, D]
    struct tensor *const *memory_kvs;  // [N_src, 2 D] a layer
};

// One position of R hypotheses through the decoder, [R, D] likewise.
struct tensor *transformer_step(const struct transformer *transformer,
                                const struct step_inputs *inputs);

#endif
