// A tiny model that learns to reverse built-in sentences: its losses are known, and so is that it
// gives the same bits every time, for a sentence alone and among others.
#ifndef SELFTEST_TRAINING_H
#define SELFTEST_TRAINING_H

#include "model/loss.h"
#include "model/model_object.h"
#include "train/updater.h"

enum { TRAINING_UPDATES = 40, TRAINING_SENTENCES = 32 };

// Losses in nats a target token before each update, with a dropout of 0: what PyTorch computes in
// float64 (tests/golden/make_selftest.py).
extern const double training_known_losses[TRAINING_UPDATES];
// How far a loss may be from it, relatively.
extern const double training_tolerance;

struct training {
    struct vks_device *device; // borrowed
    struct vks_model *model;
    struct loss_program loss;
    struct updater updater;
};

// training_close also follows a failure.
enum vks_status training_open(struct vks_device *device, float dropout, struct training *training);
void training_close(struct training *training);

// The first num_updates updates, with the loss before each.
enum vks_status training_run(struct training *training, uint32_t num_updates, double *losses);

// Scores and translates sentences together and each alone, and counts those that differ in a bit.
enum vks_status training_score_alone(struct training *training, uint64_t *num_different);
enum vks_status training_translate_alone(struct training *training, uint64_t *num_different);

#endif
