// A model's parameters: how they lie in the flat store, and what they are called in files.
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "graph/parameters.h"
#include "vkseq/model.h"

enum { WEIGHTS_MAX_LAYERS = VKS_MAX_LAYERS, WEIGHTS_NAME_BYTES = 96 };

// Query, key and value projections lie one below the other, so that they are one matrix product:
// qkv [3 D, D] for self-attention; q [D, D] and kv [2 D, D] for attention to the encoder.
struct attention_weights {
    struct parameter q, q_bias;   // qkv where is_self
    struct parameter kv, kv_bias; // unused where is_self
    struct parameter out, out_bias;
};

struct norm_weights {
    struct parameter gamma, beta;
};

// What a cell makes of its input, its gate, and with a projection of what it gives.
struct cell_weights {
    struct parameter input, forget, forget_bias;
    struct parameter out, out_bias;
};

struct layer_weights {
    struct attention_weights self, cross; // cross: decoder only
    struct cell_weights cell;             // of decoders that have them, in the place of self
    struct norm_weights self_norm, cross_norm, ffn_norm;
    struct parameter fc1, fc1_bias, fc2, fc2_bias;
};

struct stack_weights {
    struct layer_weights layers[WEIGHTS_MAX_LAYERS];
    uint32_t num_layers;
    struct norm_weights embedding_norm; // if the model has one
    struct norm_weights final_norm;     // pre-norm only, if at all
    struct parameter embedding;         // of both stacks when tied
    struct parameter positions;         // learned, or the table of sines
};

// A tensor of the file format: a stretch of rows of a parameter, or of columns of a one-row one.
struct named_weight {
    char name[WEIGHTS_NAME_BYTES];
    struct parameter parameter;
    uint32_t first, num; // rows; columns where the parameter has one row
    uint32_t num_dims;   // 1 for biases and norms
    enum { INIT_XAVIER, INIT_EMBEDDING, INIT_ZERO, INIT_ONE } init;
};

struct weights {
    struct parameter_store store;
    // Parameters that training leaves alone (weights_freeze): values only.
    struct parameter_store frozen;
    // Positions of sines: constant, hence not in the store that is trained.
    struct parameter_store constants;
    struct stack_weights encoder, decoder;
    struct parameter output;      // the target embedding when tied
    struct parameter output_bias; // [1, V], if the model has one
    struct named_weight *named;   // owned
    size_t num_named, named_capacity;
    uint32_t num_parameters;
};

// Lays out and allocates the parameters of a checked configuration, all zero. is_frozen: by the
// parameters' idx; NULL: none is. parts as in parameter_store_allocate; 0: weights_read allocates.
// device: NULL to have names and shapes alone, without anything to read or write.
// Errors: VKS_ERR_UNSUPPORTED, VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
enum vks_status weights_init(struct vks_device *device, const struct vks_model_config *config,
                             const bool *is_frozen, uint32_t parts, struct weights *weights);
void weights_finish(struct weights *weights);

// Gives the device memory back, for when the device was lost, and allocates it again: parameters
// are then zero, positions as they were.
void weights_release(struct weights *weights);
enum vks_status weights_allocate(struct weights *weights, const struct vks_model_config *config,
                                 uint32_t parts);

// Fills the parameters with their random initial values.
enum vks_status weights_randomize(struct weights *weights, const struct vks_model_config *config,
                                  uint32_t seed);

// Elements of a named weight, and its values without pads.
uint64_t named_weight_size(const struct named_weight *weight);
enum vks_status named_weight_read(struct weights *weights, enum parameter_part part,
                                  const struct named_weight *weight, float *values);
enum vks_status named_weight_write(struct weights *weights, enum parameter_part part,
                                   const struct named_weight *weight, const float *values);

// Whether the weight has a part: what is frozen has values alone.
bool named_weight_has_part(const struct named_weight *weight, enum parameter_part part);

// The table of sinusoidal positions 0 .. num_rows - 1.
//   table  [num_rows, D]  written
void weights_fill_positions(const struct vks_model_config *config, uint32_t num_rows, float *table);

// Makes room for sinusoidal positions 0 .. num_positions - 1 of the stack's table; does nothing
// when there are as many. Programs built before must not be used after.
enum vks_status weights_reserve_positions(struct weights *weights,
                                          const struct vks_model_config *config,
                                          uint32_t num_positions);

#endif
