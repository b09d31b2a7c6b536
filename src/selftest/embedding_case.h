// Token and position embedding with random numbers, on the device and by the oracle.
#ifndef SELFTEST_EMBEDDING_CASE_H
#define SELFTEST_EMBEDDING_CASE_H

#include "selftest/checks.h"

// Rows grouped by what they hold, as op_embedding wants them.
struct row_groups {
    uint32_t *rows, *pieces, *segments;
    uint32_t num_rows, num_pieces, num_segments;
};

struct embedding_case {
    uint32_t capacity, rows, width, vocab, positions;
    float scale, dropout, word_dropout;
    bool learned; // positions
    bool twice;   // the table is embedded twice
    // The rest follows.
    uint32_t *tokens, *places;
    struct row_groups by_token, by_position;
    struct matrix *table, *position_table, *r, *x, *dtable, *dposition_table;
};

// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status embedding_case_check(struct check *check, uint32_t stream,
                                     struct embedding_case *c);

#endif
