// What is found out about a model's files, as it is put together.
#ifndef CONVERT_INSPECTION_H
#define CONVERT_INSPECTION_H

#include "base/arena.h"
#include "vkseq/convert.h"

struct vks_inspection {
    struct arena arena; // all that the lists refer to
    struct vks_fact *facts;
    struct vks_inspected_tensor *tensors;
    const char **problems;
    size_t num_facts, num_tensors, num_problems; // capacities are the next powers of two
    bool is_whole;                               // memory sufficed so far
};

// Each takes copies; numbers are finite; what memory does not suffice for makes the inspection not
// whole.
void inspection_text(struct vks_inspection *inspection, const char *key, const char *value);
void inspection_number(struct vks_inspection *inspection, const char *key, double value);
void inspection_tensor(struct vks_inspection *inspection, const char *name, const char *type,
                       uint32_t num_dims, const uint64_t *dims);
void inspection_problem(struct vks_inspection *inspection, const char *text);

// A log whose errors become problems of the inspection, which is borrowed.
struct vks_log inspection_log(struct vks_inspection *inspection);

#endif
