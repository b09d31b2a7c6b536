// Runs an operator on the device: its inputs come from matrices, its outputs and all gradients go
// to matrices.
//
// The loss is the sum of y * r over an output y and a given r, so that r is y's gradient. A case
// writes a function that builds the graph; harness_run builds and runs it.
#ifndef SELFTEST_HARNESS_H
#define SELFTEST_HARNESS_H

#include "graph/program.h"
#include "selftest/oracle.h"

enum { HARNESS_MAX_ITEMS = 64 };

struct harness_item {
    enum {
        ITEM_DIM,
        ITEM_INPUT,
        ITEM_IDENTITY, // 0, 1, 2 ..., at full capacity
        ITEM_UINTS,
        ITEM_RESULT,
        ITEM_WORDS,
        ITEM_PARAMETER
    } kind;
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
    uint32_t element; // of what operators hand on
    // What runs found out.
    uint64_t num_different;  // values that had other bits than in the first run
    uint64_t num_dirty_pads; // pads of results that were not zero
    // The program under way.
    struct parameter_store store;
    struct graph *graph;
    struct program *program;
    struct harness_item items[HARNESS_MAX_ITEMS];
    size_t num_items;
};

typedef void harness_build(struct harness *harness, void *user);

// Builds a graph with its gradients, runs it on one slot for its results, and on the other one to
// compare the bits.
enum vks_status harness_run(struct harness *harness, harness_build *build, void *user);

// The steps of harness_run, for tests that take other ones. harness_close also follows a failure of
// harness_open.
enum vks_status harness_open(struct harness *harness, harness_build *build, void *user,
                             const struct program_params *params);
void harness_close(struct harness *harness);

struct harness_feed {
    uint32_t micro;
    bool negate; // other numbers than the case's, to tell slots apart
};

// Writes a slot's inputs and submits it.
enum vks_status harness_submit(struct harness *harness, uint32_t slot,
                               const struct harness_feed *feed);
// Waits for the slot, and takes the results of its run, or counts how they differ from those taken
// before, without parameters' gradients unless asked for.
enum vks_status harness_collect(struct harness *harness, uint32_t slot);
enum vks_status harness_compare(struct harness *harness, uint32_t slot, bool with_parameters);
// The gradient that lies in a parameter's item now.
enum vks_status harness_read_parameter(struct harness *harness, const struct harness_item *item,
                                       struct matrix *to);

// For build functions; what they return is NULL once the graph has failed.

// A dimension that has a value.
struct dim harness_dim(struct harness *harness, uint32_t capacity, uint32_t value);
// An activation with `value` in its first rows; its gradient goes to `gradient` unless NULL.
struct tensor *harness_leaf(struct harness *harness, struct dim dim, const struct matrix *value,
                            struct matrix *gradient);
// The result y, and r; either may be NULL.
void harness_result(struct harness *harness, struct tensor *y, struct matrix *result,
                    const struct matrix *r);
struct tensor *harness_parameter(struct harness *harness, const struct matrix *value,
                                 struct matrix *gradient);
// The two with the harness's elements, for operands of products.
struct tensor *harness_hidden(struct harness *harness, struct dim dim, const struct matrix *value,
                              struct matrix *gradient);
struct tensor *harness_weight(struct harness *harness, const struct matrix *value,
                              struct matrix *gradient);
// An input of 32-bit words: `num` rows of `cols`.
struct tensor *harness_uints(struct harness *harness, struct dim dim, uint32_t cols,
                             const uint32_t *values, uint32_t num);
// An output tensor's words, `num` rows of its columns.
void harness_words(struct harness *harness, struct tensor *output, uint32_t *words, uint32_t num);

#endif
