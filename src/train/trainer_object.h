// The trainer's parts. Public interface: vkseq/trainer.h.
#ifndef TRAIN_TRAINER_OBJECT_H
#define TRAIN_TRAINER_OBJECT_H

#include "io/files.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "train/history.h"
#include "train/training_data.h"
#include "train/training_state.h"
#include "train/updater.h"
#include "vkseq/trainer.h"

enum { TRAINER_SLOTS = 2, TRAINER_MAX_SKIPPED = 20, TRAINER_MAX_LOSSES = 3 };

// An update that the device is working on.
struct pending_update {
    bool is_pending;
    uint32_t num_tokens, num_sequences;
    uint64_t epoch; // 0-based
    double rate;
};

// What the log lines say: sums since the last one.
struct display {
    double loss;
    uint64_t num_tokens, num_updates;
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
    struct pending_update pending[TRAINER_SLOTS];
    struct update_report last_report;
    struct display display;
    double last_cost;
    uint32_t last_tokens;
    uint32_t num_skipped_in_a_row;
    double begin_s, last_call_s;
    bool is_stopped; // on_update said so
    bool has_ended;  // there is no more text on standard input
    FILE *batches;   // params.dump_batches
    struct history *history;
};

// Computes the validation metrics, takes note of new bests, and says so; no update is pending.
enum vks_status validator_run(struct vks_trainer *trainer);

// After the device was lost: opens it again, builds the programs, and goes back to the newest
// training state. Errors: those of vks_trainer_create; it may be tried again.
enum vks_status trainer_recover(struct vks_trainer *trainer);

#endif
