// A graph made ready to run: memory planned, work recorded for two slots, replayed at will.
//
// Each slot has its own header, inputs and outputs, so that the host can fill one while the device
// works on the other. The arenas are shared: submissions run in order.
#ifndef GRAPH_PROGRAM_H
#define GRAPH_PROGRAM_H

#include "graph/graph.h"
#include "graph/plan.h"

enum { PROGRAM_MAX_SLOTS = 2 };

struct program;

struct program_params {
    uint32_t num_slots;      // 0: PROGRAM_MAX_SLOTS
    bool poison;             // fill activations with NaN before their first use, for tests
    bool barrier_everywhere; // for tests
    bool profile, timed;     // as a recording's (vk/recording.h)
};

// Takes the graph, also on failure (which it reports if building the graph failed).
enum vks_status program_create(struct graph **graph, const struct program_params *params,
                               struct program **program);
void program_destroy(struct program **program);

// The program_bytes that the graph's program would have, or UINT64_MAX where it cannot be built on
// this device. The graph is taken, and best a trial. Errors: VKS_ERR_OOM.
enum vks_status program_measure(struct graph **graph, const struct program_params *params,
                                uint64_t *bytes);

// What the host writes before a run; the slot must not be under way.
void program_set_dim(struct program *program, uint32_t slot, struct dim dim, uint32_t value);
void program_set_uint(struct program *program, uint32_t slot, uint32_t header_word, uint32_t value);
void program_set_float(struct program *program, uint32_t slot, uint32_t header_word, float value);
void *program_input(struct program *program, uint32_t slot, const struct tensor *tensor);

enum vks_status program_submit(struct program *program, uint32_t slot);
// Waits for the slot's last run, if it is under way.
enum vks_status program_wait(struct program *program, uint32_t slot);
// What the device wrote, after program_wait.
const void *program_output(const struct program *program, uint32_t slot,
                           const struct tensor *tensor);

// What one command of a program's run took.
struct program_cost {
    const char *op, *kernel; // of the operator's class, and the shader's name or "copy"
    double ns;               // negative without timestamps
    double flops, bytes;     // graph/cost.h
};

// Of a program made for profiling, after waiting for a run of slot 0; *costs is allocated (free).
// Errors: VKS_ERR_OOM.
enum vks_status program_costs(struct program *program, struct program_cost **costs, size_t *num);

// Device bytes of arenas and slots.
uint64_t program_bytes(const struct program *program);
struct recording *program_recording(struct program *program, uint32_t slot);
const struct graph *program_graph(const struct program *program);
const struct plan *program_plan(const struct program *program);

// For operators: a dispatch in terms of tensors.
struct op_bind {
    const struct tensor *tensor; // NULL: not touched
    enum access access;
};

// What a kernel sees of a tensor: rows first_row .. first_row + num_rows (0: all rows), beginning
// at column first_col of the first of them. Must begin at a multiple of BUFFER_ALIGNMENT.
struct op_window {
    uint32_t first_row, num_rows, first_col;
};

struct op_groups {
    struct dim dim; // workgroups: the dimension's value divided by `per`, rounded up
    uint32_t per;   // 0: `fixed` workgroups
    uint32_t fixed; // 0: one
};

struct op_dispatch {
    struct pipeline_key key;
    struct op_bind binds[MAX_BINDINGS]; // [0] is the batch header, set by the recorder
    struct op_window windows[MAX_BINDINGS];
    const void *push;
    uint32_t push_bytes;
    struct op_groups groups[3];
    // What is computed: multiplications and additions at full capacity, in proportion to `items`.
    // Or those of one pair of rows out of a table of blocks, u32 [blocks, 4], an input or stored:
    // first row, rows (0 is 1), first and end of the other side's.
    double flops;
    struct dim items;
    const struct tensor *pairs;
    uint32_t gathered; // bit i: the kernel touches only one row of binding i for each item
};

// The graph that is being recorded; borrowed.
const struct graph *recorder_graph(const struct recorder *recorder);

// Workgroups whose lanes take one of `items` each.
struct op_groups groups_for_lanes(const struct recorder *recorder, uint32_t items);

// Workgroups of a dimension, at most; kernels over rows stride by that number.
enum { RECORDER_MAX_GROUPS = 65535 };

// Errors: VKS_ERR_UNSUPPORTED when the device cannot bind a tensor's window.
enum vks_status recorder_dispatch(struct recorder *recorder, const struct op_dispatch *dispatch);
// Copies a tensor, at full capacity, to one of the same shape.
enum vks_status recorder_copy(struct recorder *recorder, const struct tensor *from,
                              const struct tensor *to);

#endif
