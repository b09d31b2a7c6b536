// What a dispatch computes and moves, counted for the batch at hand.
#ifndef GRAPH_COST_H
#define GRAPH_COST_H

#include "graph/program.h"

struct cost {
    double flops; // multiplications and additions of products
    double bytes; // each operand read or written once, however often the kernel comes back to it
};

// dims: the values of the program's dimensions. pairs: the rows of the table that the dispatch
// names as its pairs, NULL if it names none.
struct cost cost_of_dispatch(const struct op_dispatch *dispatch, const uint32_t *dims,
                             const uint32_t (*pairs)[4]);

#endif
