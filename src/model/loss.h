// The program of one teacher-forced pass: losses of a batch, and with gradients those of every
// parameter.
#ifndef MODEL_LOSS_H
#define MODEL_LOSS_H

#include "model/feed.h"

struct loss_params {
    const struct vks_model_config *config; // borrowed
    const struct weights *weights;         // borrowed while the program lives
    struct feed_capacity capacity;
    float label_smoothing, dropout;
    float dropout_src, dropout_tgt; // of words' embeddings
    bool with_weights;              // each label's loss is multiplied with a weight
    bool with_gradient;             // adds to the store's gradients (HEADER_MICRO 0: overwrites)
    bool with_row_losses;           // every token's loss comes back to the host
    bool with_logits;               // and its logits, for tests
    struct program_params program;
};

struct loss_program {
    struct program *program;
    struct batch_inputs inputs;
    struct tensor *weights;    // f32 [N_tgt] of the labels, or NULL
    struct tensor *total;      // f32 [1]: sum of the losses
    struct tensor *row_losses; // f32 [N_tgt], or NULL
    struct tensor *logits;     // f32 [N_tgt, V], or NULL
    struct feed_scratch scratch;
    uint32_t pad_id;
    bool with_gradient;
};

enum vks_status loss_program_init(struct vks_device *device, const struct loss_params *params,
                                  struct loss_program *loss);
void loss_program_finish(struct loss_program *loss);

// One batch: target holds the decoder's inputs, labels what it should predict.
struct loss_batch {
    struct packed source, target;
    const uint32_t *labels;
    const float *weights; // of the labels, with_weights
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

#endif
