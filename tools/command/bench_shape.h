// What `vkseq bench` and `vkseq profile` measure: models of a shape, on sentences of given lengths.
#ifndef COMMAND_BENCH_SHAPE_H
#define COMMAND_BENCH_SHAPE_H

#include "console.h"

#include "vkseq/vkseq.h"

struct bench_shape {
    const char *task, *lengths; // lengths: a file's path, NULL for none
    uint32_t vocab_size;        // 0: by the task
    uint32_t (*pairs)[2];       // out of the file; owned
};

extern const char *const bench_tasks[];

// Lines of an option table for a struct with members `shape` and `params`, below headings for all,
// for decoding and for training.
// clang-format off
#define OPTIONS_SHAPE(values, for_all, for_decoding, for_training)                                 \
    {"task", 0, CLI_CHOICE, offsetof(struct values, shape.task), .default_text = "small",          \
     .choices = bench_tasks, .help = "Shape of the model; base and big are transformer-base and "  \
     "transformer-big.", .group = for_all},                                                        \
    {"vocab-size", 0, CLI_U32, offsetof(struct values, shape.vocab_size), .min = 20, .max = 1e6,   \
     .help = "Vocabulary; by the task: 8000, 16000 (base) or 32000 (big)."},                       \
    {"source-length", 0, CLI_U32, offsetof(struct values, params.source_length),                   \
     .default_text = "24", .min = 1, .max = 65535, .help = "Tokens of each source sentence."},     \
    {"sentences", 0, CLI_U32, offsetof(struct values, params.sentences), .min = 1, .max = 65535,   \
     .help = "Sentences at once: 64, or 32 in train."},                                            \
    {"target-length", 0, CLI_U32, offsetof(struct values, params.target_length),                   \
     .default_text = "32", .min = 1, .max = 65535, .help = "Tokens of each translation.",          \
     .group = for_decoding},                                                                       \
    {"beam-size", 'b', CLI_U32, offsetof(struct values, params.beam_size), .default_text = "1",    \
     .min = 1, .max = 64, .help = "Hypotheses of each sentence; 1 is greedy search."},             \
    {"lengths", 0, CLI_STRING, offsetof(struct values, shape.lengths), "FILE",                     \
     .help = "Lengths of real sentence pairs, a line each: source tokens, target tokens. Without " \
             "it all have --source-length.", .group = for_training},                               \
    {"mini-batch-words", 0, CLI_U32, offsetof(struct values, params.mini_batch_words),             \
     .default_text = "2048", .min = 1, .max = 1e6,                                                 \
     .help = "Most tokens of a side of a batch, with --lengths."}
// clang-format on

// The configuration of the shape's task. Errors: VKS_ERR_ARGUMENT.
VKS_MUST_CHECK enum vks_status bench_shape_config(const struct bench_shape *shape,
                                                  struct vks_model_config *config);
// Reads the shape's file of lengths, if it has one; params borrows them while the shape lives.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status bench_shape_lengths(struct bench_shape *shape,
                                                   struct console *console,
                                                   struct vks_bench_params *params);
void bench_shape_finish(struct bench_shape *shape);

#endif
