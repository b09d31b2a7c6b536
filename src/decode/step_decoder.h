// The device's part of decoding: encode a batch of sentences once, then step many times.
#ifndef DECODE_STEP_DECODER_H
#define DECODE_STEP_DECODER_H

#include "decode/beam.h"
#include "model/feed.h"
#include "model/model_object.h"

// What a batch needs at most. Programs grow with what they are asked for.
struct step_capacity {
    uint32_t num_src, num_sentences;
    uint32_t num_rows;       // R: hypotheses of a step
    uint32_t num_steps;      // T
    uint32_t num_cache_rows; // places for a position of a hypothesis; at most R T are in use
    uint32_t num_positions;  // of the longest sentence or translation
};

struct step_decoder {
    struct vks_model *model;       // borrowed
    uint32_t k;                    // best tokens of each row
    uint32_t max_cache_rows;       // what the device's memory allows
    bool profile;                  // make the step's program for profiling; off at first
    struct step_capacity capacity; // of the programs; zero: there are none
    uint32_t position_rows;        // of the model's table when they were built
    struct program *encoder, *step;
    struct batch_inputs batch;
    struct step_inputs inputs;
    struct dim rows;
    struct tensor *best;
    struct vk_buffer self_caches[WEIGHTS_MAX_LAYERS], memory_kvs[WEIGHTS_MAX_LAYERS];
};

// k: best tokens wanted for each row, below V. model: borrowed while the decoder lives.
void step_decoder_init(struct vks_model *model, uint32_t k, struct step_decoder *decoder);
void step_decoder_finish(struct step_decoder *decoder);

// Builds programs that hold at least `needed`, unless they are there. num_cache_rows is at most
// max_cache_rows. Errors: as program_create, and then there are none.
enum vks_status step_decoder_reserve(struct step_decoder *decoder,
                                     const struct step_capacity *needed);

// Works out the memory of a batch of sentences, </s> included, for the steps that follow.
enum vks_status step_decoder_encode(struct step_decoder *decoder, const struct packed *source);

// What the host writes before a step: see struct step_inputs.
struct step_rows {
    uint32_t *tokens, *positions, *cache_places;
    uint32_t (*self_ranges)[4], (*cross_ranges)[4];
    uint32_t *cache_rows;
    uint32_t cache_stride;
};

void step_decoder_rows(struct step_decoder *decoder, struct step_rows *rows);

// Runs a step of num_rows hypotheses. best: borrowed until the next step.
enum vks_status step_decoder_run(struct step_decoder *decoder, uint32_t num_rows,
                                 struct top_k_rows *best);

#endif
