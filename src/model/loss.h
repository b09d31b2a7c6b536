// The program of one teacher-forced pass: losses of a batch, and with gradients those of every
// parameter.
#ifndef MODEL_LOSS_H
#define MODEL_LOSS_H

#include "model/feed.h"

// A look at the attention of one head to the source, and its guidance.
struct loss_alignment {
    uint32_t layer_idx, head_idx; // of the decoder
    uint32_t max_source;          // most tokens of a source sentence
    bool is_guided;               // there is a cost against links
    uint32_t cost;                // ALIGNMENT_COST_CE, ...
    float weight;                 // of its gradient
    bool with_weights;            // they come back to the host
};

struct loss_params {
    const struct vks_model_config *config; // borrowed
    const struct weights *weights;         // borrowed while the program lives
    struct feed_capacity capacity;
    float label_smoothing;
    float dropout, dropout_attention, dropout_ffn; // as in struct transformer
    float dropout_src, dropout_tgt;                // as there
    const struct loss_alignment *alignment;        // borrowed; NULL: none
    bool with_weights;                             // each label's loss is multiplied with a weight
    bool with_gradient;            // adds to the store's gradients (HEADER_MICRO 0: overwrites)
    bool with_row_losses;          // every token's loss comes back to the host
    bool with_logits;              // and its logits, for tests
    uint32_t element;              // ELEMENT_F32, ...: of activations, and of weights in products
    const struct vk_buffer *state; // the optimiser's, for its cost scale; borrowed; NULL: none
    struct program_params program;
};

struct loss_program {
    struct program *program;
    struct batch_inputs inputs;
    struct tensor *label_weights; // f32 [N_tgt], or NULL
    struct tensor *total;         // f32 [1]: sum of the losses
    struct tensor *row_losses;    // f32 [N_tgt], or NULL
    struct tensor *logits;        // f32 [N_tgt, V], or NULL
    struct tensor *weights;       // f32 [N_tgt, max_source] of the alignment's head, or NULL
    struct tensor *links;         // u32 [N_tgt, words of max_source bits], or NULL
    struct tensor *link_total;    // f32 [1]: sum of the alignment's costs, or NULL
    struct feed_scratch scratch;
    uint32_t pad_id, max_source; // max_source: UINT32_MAX without an alignment
    bool with_gradient;
};

enum vks_status loss_program_init(struct vks_device *device, const struct loss_params *params,
                                  struct loss_program *loss);
void loss_program_finish(struct loss_program *loss);
// Device memory that loss_program_init would take (program_measure). Errors: VKS_ERR_OOM.
enum vks_status loss_program_measure(struct vks_device *device, const struct loss_params *params,
                                     uint64_t *bytes);

// One batch: target holds the decoder's inputs, labels what it should predict.
struct loss_batch {
    struct packed source, target;
    const uint32_t *labels;
    const float *weights;  // of the labels, with_weights
    const uint32_t *links; // of the labels, for guidance: rows of alignment_link_words(max_source)
};

struct loss_step {
    uint32_t seed, step; // of dropout
    uint32_t micro;      // batches already in the gradients
};

// Writes a batch into a slot and submits it.
enum vks_status loss_program_submit(struct loss_program *loss, uint32_t slot,
                                    const struct loss_batch *batch, const struct loss_step *step);
// The sum of the batch's losses, after waiting for the slot.
enum vks_status loss_program_wait(struct loss_program *loss, uint32_t slot, double *total);

// The sum of the alignment's costs, without the weight, of the run that loss_program_wait has
// waited for; 0 without guidance.
double loss_program_link_total(const struct loss_program *loss, uint32_t slot);

#endif
