// The attention of given sentence pairs, by teacher forcing: for alignments, and to be looked at.
#ifndef DECODE_ATTENTION_MAPS_H
#define DECODE_ATTENTION_MAPS_H

#include "decode/step_decoder.h"
#include "vkseq/attention_map.h"

struct attention_maps_params {
    enum vks_attention kind;
    uint32_t layer;                      // from 0
    uint32_t first_head, num_mean_heads; // the mean over these; 0 of them: all
    uint32_t element;                    // ELEMENT_F32, ...: of activations
};

// A source sentence, </s> included, and a translation, with or without.
struct attention_pair {
    struct token_list source, target;
};

struct attention_maps {
    struct vks_model *model; // borrowed
    struct attention_maps_params params;
    struct feed_capacity capacity; // of the program; zero: there is none
    uint32_t max_keys, position_rows;
    struct batch_inputs inputs;
    struct tensor *maps;
    struct program *program;
};

// model: borrowed while the maps live. Builds nothing yet.
void attention_maps_init(struct vks_model *model, const struct attention_maps_params *params,
                         struct attention_maps *maps);
void attention_maps_finish(struct attention_maps *maps);

// Rows and columns that the map of a pair has: tokens of the side that looks, where row i of the
// decoder is where target token i is predicted, and tokens of the side that is looked at. A
// translation without tokens has a row.
void attention_maps_shape(const struct attention_maps *maps, const struct attention_pair *pair,
                          uint32_t *num_rows, uint32_t *num_cols);

// results[i]: [rows, cols] of pair i, allocated by the caller; NULL: left out.
// Errors: VKS_ERR_OOM, those of programs.
enum vks_status attention_maps_run(struct attention_maps *maps, const struct attention_pair *pairs,
                                   size_t num_pairs, float *const *results);

#endif
