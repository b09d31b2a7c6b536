// The program of one optimiser step, and the device state it keeps.
#ifndef TRAIN_UPDATER_H
#define TRAIN_UPDATER_H

#include "graph/program.h"
#include "ops/optimizer.h"

struct updater {
    struct vks_device *device; // borrowed
    struct program *program;
    struct tensor *report;
    struct vk_buffer state; // STATE_WORDS words
};

// store: borrowed while the updater lives; it has gradients and moments.
enum vks_status updater_init(struct parameter_store *store, const struct optimizer_params *params,
                             struct updater *updater);
// The same with other programs than two that only run.
enum vks_status updater_init_as(struct parameter_store *store,
                                const struct optimizer_params *params,
                                const struct program_params *program, struct updater *updater);
void updater_finish(struct updater *updater);

struct update_step {
    float rate;
    float gradient_scale; // 1 / target tokens of the update
    float clip;           // 0: no clipping
};

enum vks_status updater_submit(struct updater *updater, uint32_t slot,
                               const struct update_step *step);

struct update_report {
    uint32_t updates, skipped; // so far
    bool is_skipped;           // this one: a gradient was not finite
    uint32_t skipped_in_a_row;
    uint32_t halvings;     // of the rate, for updates that were skipped
    float norm;            // of the gradient, before clipping
    float cost_scale;      // of gradients to come; 0: there is none
    bool is_scale_lowered; // it was too large for this one
};

enum vks_status updater_wait(struct updater *updater, uint32_t slot, struct update_report *report);

// The device state, as it goes into a checkpoint; the updater must not be under way.
enum vks_status updater_read_state(struct updater *updater, uint32_t words[STATE_WORDS]);
enum vks_status updater_write_state(struct updater *updater, const uint32_t words[STATE_WORDS]);

#endif
