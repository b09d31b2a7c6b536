// Takes the place of op_linear in a build of the command whose self-test must fail: a linear layer
// that forgets its bias.
#include "ops/linear.h"

// The linker's names for a function and what stands in for it (--wrap).
struct tensor *__real_op_linear(struct graph *graph, struct tensor *x, struct tensor *weight,
                                struct tensor *bias);
struct tensor *__wrap_op_linear(struct graph *graph, struct tensor *x, struct tensor *weight,
                                struct tensor *bias);

struct tensor *__wrap_op_linear(struct graph *graph, struct tensor *x, struct tensor *weight,
                                struct tensor *bias) {
    (void)bias;
    return __real_op_linear(graph, x, weight, NULL);
}
