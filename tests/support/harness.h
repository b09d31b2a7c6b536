// Runs an operator on the device: its inputs come from matrices, its outputs and all gradients go
// to matrices.
//
// The loss is the sum of y * r over an output y and a given r, so that r is y's gradient. A test
// writes a function that builds the graph; harness_run builds and runs it in several ways that
// must give the same bits.
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "graph/program.h"
#include "support/oracle.h"
#include "support/tolerance.h"

enum { HARNESS_MAX_ITEMS = 64 };

struct harness_item {
    enum { ITEM_DIM, ITEM_INPUT, ITEM_UINTS, ITEM_RESULT, ITEM_WORDS, ITEM_PARAMETER } kind;
    struct tensor *tensor;
    struct dim dim;
    uint32_t num; // the dimension's value; rows of what is here
    struct parameter parameter;
    const struct matrix *value; // of an input or a parameter
    const uint32_t *uints;
    struct matrix *result; // of an output; of a parameter: its gradient; may be NULL
    uint32_t *words;
};

struct harness {
    struct vks_device *device; // borrowed
    uint32_t dropout_seed, dropout_rank, dropout_step;
    float loss_scale; // 0: 1
    // What kernels see of a buffer, so that larger matrices take windows; 0: what the device binds.
    uint64_t binding_bytes;
    // The run under way.
    struct arena arena;
    struct parameter_store store;
    struct graph *graph;
    struct program *program;
    struct harness_item items[HARNESS_MAX_ITEMS];
    size_t num_items;
};

// The seed of a test program's random numbers: VKSEQ_TEST_SEED, or one of its own. Printed by
// failures.
uint32_t harness_seed(void);

typedef void harness_build(struct harness *harness, void *user);

// Builds and runs: plainly, with poisoned memory, and with a barrier everywhere, on two slots each;
// results must have the same bits. Adding a second micro-batch must double parameters' gradients.
void harness_run(struct harness *harness, harness_build *build, void *user);

// For build functions. A dimension that has a value.
struct dim harness_dim(struct harness *harness, uint32_t capacity, uint32_t value);
// An activation with `value` in its first rows; its gradient goes to `gradient` unless NULL.
struct tensor *harness_leaf(struct harness *harness, struct dim dim, const struct matrix *value,
                            struct matrix *gradient);
// The result y, and r; either may be NULL.
void harness_result(struct harness *harness, struct tensor *y, struct matrix *result,
                    const struct matrix *r);
struct tensor *harness_parameter(struct harness *harness, const struct matrix *value,
                                 struct matrix *gradient);
// An input of 32-bit words: `num` rows of `cols`.
struct tensor *harness_uints(struct harness *harness, struct dim dim, uint32_t cols,
                             const uint32_t *values, uint32_t num);
// An output tensor's words, `num` rows as wide as with their pads, which are left alone.
void harness_words(struct harness *harness, struct tensor *output, uint32_t *words, uint32_t num);

// Fails the test when the two are further apart than the table says.
void assert_forward(const char *name, const struct matrix *out, const struct matrix *reference);
void assert_gradient(const char *name, const struct matrix *out, const struct matrix *reference);
// Fails the test unless the two have the same bits.
void assert_same_bits(const char *name, const struct matrix *a, const struct matrix *b);
// Fails the test unless rows first .. of `batch` have the same bits as all of `alone`.
void assert_same_rows(const char *name, const struct matrix *batch, uint32_t first,
                      const struct matrix *alone);

#endif
