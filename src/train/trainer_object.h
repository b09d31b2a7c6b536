// The trainer's parts. Public interface: vkseq/trainer.h.
#ifndef TRAIN_TRAINER_OBJECT_H
#define TRAIN_TRAINER_OBJECT_H

#include "io/files.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "train/batch_run.h"
#include "train/history.h"
#include "train/training_data.h"
#include "train/training_state.h"
#include "train/updater.h"
#include "vkseq/trainer.h"

// TRAINER_MAX_WORDS: of a side of a fitted batch.
enum { TRAINER_MAX_WORDS = 1000000 };
enum { TRAINER_SLOTS = 2, TRAINER_MAX_SKIPPED = 20, TRAINER_MAX_LOSSES = 3 };

// A batch that the device is working on, and the update that it ends, if it does.
struct pending_batch {
    bool is_pending;
    uint32_t num_tokens;
    uint64_t epoch, batch_idx; // 0-based
    uint64_t round;            // 1-based, of the update; 0: the batch's gradients wait for others
    double rate;
    struct batch_sums done; // of parts that have been waited for
};

// What is known of an update whose batches come in.
struct update_sums {
    double loss, alignment;
    uint32_t num_tokens;
    uint64_t bad_batch; // 1-based: the last whose loss is not finite; 0: none
};

// What the log lines say: sums since the last one.
struct display {
    double loss, alignment_cost;
    uint64_t num_tokens;
    double begin_s;
};

struct validator {
    struct corpus *corpus;
    struct batcher *batcher;
    struct loss_program loss;
};

struct vks_trainer {
    struct vks_trainer_params params;
    const struct vks_log *log;
    struct vks_model *model; // borrowed, as is the tokenizer
    const struct vks_tokenizer *tokenizer;
    struct lock lock;
    char *state_dir;
    struct loss_alignment alignment; // not guided: none is asked for
    uint32_t part_words;             // of a side, that the programs have room for
    struct batch *part;              // NULL: batches fit
    struct training_data data;
    struct loss_program loss;
    struct updater updater;
    struct validator valid;
    struct training_state state;
    bool is_resumed;
    // The model directory holds a training state of state_steps, and a model of model_steps that
    // this trainer has written.
    bool has_state, has_model;
    uint64_t state_steps, model_steps;
    uint32_t num_losses; // of the device, since a state was saved
    uint64_t resumed_updates;
    uint64_t planned_updates;
    struct pending_batch pending[TRAINER_SLOTS];
    struct update_sums sums;
    struct update_report last_report;
    struct display display;
    double last_cost, last_rate; // of the last update; the rate as the device took it
    uint32_t last_tokens;
    bool owes_save; // it was due, but the last update was skipped
    double begin_s, last_call_s;
    bool is_stopped; // on_update said so
    bool has_ended;  // there is no more text on standard input
    FILE *batches;   // params.dump_batches
    struct history *history;
};

// Errors: VKS_ERR_ARGUMENT for what cannot be, or does not fit model and vocabulary.
VKS_MUST_CHECK enum vks_status trainer_check_params(const struct vks_trainer_params *params,
                                                    const struct vks_model_config *config,
                                                    const struct vks_tokenizer *tokenizer);

// How batches are given to the training's or the validation's program.
struct batch_runner trainer_runner(struct vks_trainer *trainer, bool is_valid);

// Computes the validation metrics, takes note of new bests, and says so; no update is pending.
enum vks_status validator_run(struct vks_trainer *trainer);

// After the device was lost: opens it again, builds the programs, and goes back to the newest
// training state. Errors: those of vks_trainer_create; it may be tried again.
enum vks_status trainer_recover(struct vks_trainer *trainer);

#endif
