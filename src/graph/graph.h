// A computation as it is built: tensors, and the nodes that read and write them, in order.
//
// Building never fails half-way: the first failure is kept in graph->status, everything after it
// returns NULL or does nothing, and program_create reports it.
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/arena.h"
#include "graph/parameters.h"
#include "lib/shared.h"
#include "vk/recording.h"

enum { NODE_MAX_TENSORS = 16, GRAPH_MAX_GROUPS = 512 };

// A number of rows. `idx` is its place in the batch header; `capacity` is what memory is planned
// for, the header says how many there are in a batch.
struct dim {
    uint32_t idx, capacity;
};

enum tensor_kind {
    TENSOR_ACTIVATION, // lives from the first node that names it to the last, in a shared arena
    TENSOR_INPUT,      // written by the host before each run, one copy a slot
    TENSOR_OUTPUT,     // read by the host after each run, one copy a slot
    TENSOR_STORED,     // lives outside the program: parameters, gradients, state, caches
};

// A matrix of 32-bit elements or of halves, row-major. Rows are padded to multiples of 4 elements
// (those of one or two columns are not), and the pads are zero. Row r begins at element r * stride;
// what lies between rows beyond the pads is nobody's (row_stride). Halves are what kernels bind by
// BIND_MATRIX alone; their gradients are float32.
struct tensor {
    enum tensor_kind kind;
    uint32_t element; // ELEMENT_F32, which stands for words too, ELEMENT_F16 or ELEMENT_BF16
    struct dim rows;
    uint32_t cols, stride; // in elements
    uint64_t bytes;        // capacity * stride * tensor_element_bytes
    struct vk_range stored;
    uint64_t offset; // inputs and outputs: in the slot's buffer; activations: in the arena
    uint32_t arena_idx;
    uint32_t first_node, last_node; // of an activation; first > last: never used
    bool needs_grad;
    bool is_parameter;
    uint32_t num_grad_writers;
    struct tensor *grad;
    struct tensor *master; // what this one has been converted from, and gives its gradient to
};

struct node;
struct graph;
struct recorder;

// What an operator is to the graph. One table entry an operator.
struct op_class {
    const char *name;
    // Records the node's dispatches.
    enum vks_status (*record)(struct recorder *recorder, const struct node *node);
    // Adds the nodes that compute the gradients of the node's inputs; NULL: no gradient flows.
    void (*backward)(struct graph *graph, const struct node *node);
};

struct node {
    const struct op_class *op;
    struct tensor *tensors[NODE_MAX_TENSORS]; // by the operator's own roles; may be NULL
    const void *params;                       // the operator's own
};

// How a dimension's value follows from others when the header is written.
struct dim_rule {
    enum { DIM_SET, DIM_FIXED, DIM_REST, DIM_PER } kind;
    uint32_t value; // DIM_FIXED: the value; DIM_REST: rows before it; DIM_PER: the divisor
    uint32_t base;  // DIM_REST, DIM_PER: the dimension it follows from
    uint32_t capacity;
};

struct graph {
    struct vks_device *device; // borrowed
    enum vks_status status;
    bool is_trial; // whether it can be built is the question: what fails is not logged
    struct arena arena;
    struct tensor **tensors;
    size_t num_tensors, tensors_capacity;
    struct node **nodes;
    size_t num_nodes, nodes_capacity;
    struct dim_rule dims[HEADER_MAX_DIMS];
    uint32_t num_dims;
    uint32_t num_dropouts; // dropout operators so far; numbers their random streams
    uint32_t num_inner_dropouts;
    uint32_t element; // of what operators hand on to others (graph_hidden)
};

enum vks_status graph_create(struct vks_device *device, struct graph **graph);
void graph_destroy(struct graph **graph);

// Makes the graph fail; the text is logged. The first failure stays.
void graph_fail(struct graph *graph, enum vks_status status, const char *fmt, ...) VKS_PRINTF(3, 4);
// Whether two operands of an operator have one shape, and rows of whole quads. If not, the graph
// fails with VKS_ERR_SHAPE. name: the operator's.
bool graph_check_alike(struct graph *graph, const char *name, const struct tensor *x,
                       const struct tensor *f);

// A dimension the host sets before each run; a constant; rows first .. first + capacity of another
// dimension, as many of them as there are; and another dimension divided, rounded up.
struct dim graph_dim(struct graph *graph, uint32_t capacity);
struct dim graph_dim_fixed(struct graph *graph, uint32_t value);
struct dim graph_dim_rest(struct graph *graph, struct dim base, uint32_t first, uint32_t capacity);

struct dim graph_dim_per(struct graph *graph, struct dim base, uint32_t divisor);

struct tensor *graph_activation(struct graph *graph, struct dim rows, uint32_t cols);
// The same with elements of the graph's precision, or of a given one.
struct tensor *graph_hidden(struct graph *graph, struct dim rows, uint32_t cols);
struct tensor *graph_activation_as(struct graph *graph, uint32_t element, struct dim rows,
                                   uint32_t cols);
struct tensor *graph_input(struct graph *graph, struct dim rows, uint32_t cols);
struct tensor *graph_output(struct graph *graph, struct dim rows, uint32_t cols);
struct tensor *graph_stored(struct graph *graph, struct vk_range range, struct dim rows,
                            uint32_t cols);
struct tensor *graph_stored_as(struct graph *graph, uint32_t element, struct vk_range range,
                               struct dim rows, uint32_t cols);
// 4 or 2.
uint64_t tensor_element_bytes(const struct tensor *tensor);
// A parameter; its gradient lies in the store's gradients, if the store has any.
struct tensor *graph_parameter(struct graph *graph, const struct parameter_store *store,
                               const struct parameter *parameter);

// Adds a node. params is copied. The node's tensors count as used by it.
struct node *graph_add_node(struct graph *graph, const struct op_class *op,
                            struct tensor *const tensors[NODE_MAX_TENSORS], const void *params,
                            size_t params_bytes);

// A matrix may be larger than what a kernel can see of a buffer; operators whose matrices may be go
// through windows of rows. Windows of a multiple of WINDOW_ROWS rows begin where a binding can;
// where columns of another matrix go along with the rows, it must be one of WINDOW_COLS. Halves
// need twice as many of each.
enum { WINDOW_ROWS = 16, WINDOW_COLS = 64 };

// Rows of a window on the matrix: all, or a multiple of `multiple`. At least one row or multiple:
// what is still too large is refused when it is bound (recorder_dispatch).
uint32_t graph_window_rows(const struct graph *graph, const struct tensor *tensor,
                           uint32_t multiple);

// The next free stream of dropout's random numbers.
uint32_t graph_next_dropout(struct graph *graph);
// The first of `num` free ones for dropout within a block. They are numbered apart, so that the
// streams of what blocks add are the same whatever there is within blocks.
uint32_t graph_next_inner_dropouts(struct graph *graph, uint32_t num);

// Adds the gradient nodes of all nodes so far, last to first.
void graph_backward(struct graph *graph);

// The gradient a backward function finds for an output, or NULL when nothing flowed back to it.
struct tensor *graph_gradient(const struct tensor *tensor);
// The gradient a backward function has to write, and whether it adds (an ACCUMULATE_ mode); NULL
// when the tensor needs none. Each call counts as one writer, in program order.
struct tensor *graph_write_gradient(struct graph *graph, struct tensor *tensor,
                                    uint32_t *accumulate);
// Lets a tensor's gradient be another tensor, which must hold it already. Only for a tensor with
// one consumer, and only when nothing adds to `gradient` before its last use under this name.
void graph_share_gradient(struct tensor *tensor, struct tensor *gradient);

#endif
