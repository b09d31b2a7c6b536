// What the operators compute, in double precision, as plain loops over packed sequences: written
// from the equations, not from the kernels.
//
// Gradients are added to what is there; NULL results are left out. Matrices and scratch memory come
// from arenas that must have the room (arena_reserve) or may grow: running out is a broken
// invariant.
#ifndef SELFTEST_ORACLE_H
#define SELFTEST_ORACLE_H

#include "base/arena.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct matrix {
    uint32_t rows, cols;
    double *v; // row-major, without pads
};

#define AT(m, row, col) ((m)->v[(size_t)(row) * (m)->cols + (col)])

// Zeros.
struct matrix *matrix_new(struct arena *arena, uint32_t rows, uint32_t cols);
// Normally distributed numbers of a standard deviation, each exactly a float.
struct matrix *matrix_random(struct arena *arena, struct rng *rng, uint32_t rows, uint32_t cols,
                             double deviation);
// Rounds to what an ELEMENT_ type holds.
void matrix_round(struct matrix *m, uint32_t element);
// Zeros of the same shape; a copy.
struct matrix *matrix_like(struct arena *arena, const struct matrix *m);
struct matrix *matrix_copy(struct arena *arena, const struct matrix *m);

// y = x W^T + b; bias may be NULL.
void oracle_linear(const struct matrix *x, const struct matrix *weight, const struct matrix *bias,
                   struct matrix *y);
struct oracle_linear_gradient {
    struct matrix *x, *weight, *bias;
};
void oracle_linear_gradient(const struct matrix *x, const struct matrix *weight,
                            const struct matrix *dy, const struct oracle_linear_gradient *gradient);

enum oracle_activation { ORACLE_RELU, ORACLE_GELU, ORACLE_SILU };
double oracle_activation(enum oracle_activation kind, double x);
double oracle_activation_derivative(enum oracle_activation kind, double x);

// y = (factors act(x W1^T + b1)) W2^T + b2, and in `gradient` the same five's gradients.
struct oracle_feed_forward {
    struct matrix *x, *weight1, *bias1, *weight2, *bias2;
    const struct matrix *factors; // of what the activation gives; NULL: 1. Not of a gradient
};
void oracle_feed_forward(struct arena *arena, const struct oracle_feed_forward *inputs,
                         enum oracle_activation kind, struct matrix *y);
void oracle_feed_forward_gradient(struct arena *arena, const struct oracle_feed_forward *inputs,
                                  enum oracle_activation kind, const struct matrix *dy,
                                  const struct oracle_feed_forward *gradient);

// Dropout's factors: 0, or 1 / (1 - probability).
struct oracle_dropout {
    float probability;
    uint32_t seed, rank, step, stream;
};
double oracle_dropout_factor(const struct oracle_dropout *dropout, uint32_t row, uint32_t col);
struct matrix *oracle_dropout_factors(struct arena *arena, const struct oracle_dropout *dropout,
                                      uint32_t rows, uint32_t cols);
// The same for rows as a whole, [rows, 1].
struct matrix *oracle_row_factors(struct arena *arena, const struct oracle_dropout *dropout,
                                  uint32_t rows);

// softmax(Q K^T / sqrt(head width)) V, sequence by sequence and head by head. The factors of the
// softmax are one matrix [keys, queries] a head, each of the next stream.
struct oracle_attention {
    const struct matrix *q, *kv;
    uint32_t q_col, k_col, v_col, width, num_heads;
    uint32_t num_sequences;
    const uint32_t *query_offsets, *key_offsets; // num_sequences + 1
    bool causal;
    const struct oracle_dropout *dropout; // NULL: none
};
void oracle_attention(struct arena *arena, const struct oracle_attention *attention,
                      struct matrix *out);
// dq and dkv may be one matrix, as q and kv may.
void oracle_attention_gradient(struct arena *arena, const struct oracle_attention *attention,
                               const struct matrix *dout, struct matrix *dq, struct matrix *dkv);

// s = x + factors f; y = gamma (s - mean) / sqrt(variance + eps) + beta. f may be NULL.
struct oracle_norm {
    const struct matrix *x, *f, *factors, *gamma, *beta;
    double eps;
};
struct oracle_norm_gradient {
    struct matrix *x, *f, *gamma, *beta;
};
void oracle_norm(const struct oracle_norm *norm, struct matrix *s, struct matrix *y);
// ds: the gradient that flows into s besides; may be NULL.
void oracle_norm_gradient(struct arena *arena, const struct oracle_norm *norm,
                          const struct matrix *dy, const struct matrix *ds,
                          const struct oracle_norm_gradient *gradient);

// x = factors (word_factors scale table[token] + positions[position]).
struct oracle_embedding {
    const uint32_t *tokens, *positions;
    const struct matrix *table, *position_table, *factors;
    double scale;
    const struct matrix *word_factors; // [rows, 1]; NULL: 1
};
void oracle_embedding(const struct oracle_embedding *embedding, struct matrix *x);
void oracle_embedding_gradient(const struct oracle_embedding *embedding, const struct matrix *dx,
                               struct matrix *dtable, struct matrix *dposition_table);

// Label-smoothed cross-entropy of each row of logits, and the gradient of the sum.
struct oracle_cross_entropy {
    const struct matrix *logits;
    const uint32_t *labels;
    uint32_t pad; // UINT32_MAX: none
    double smoothing;
    const float *weights; // of each row; NULL: 1
};
void oracle_cross_entropy(const struct oracle_cross_entropy *loss, struct matrix *losses);
void oracle_cross_entropy_gradient(const struct oracle_cross_entropy *loss, struct matrix *dlogits);

// The k best columns among first .. end of a row, lower columns first among equals; UINT32_MAX
// where there are no more.
struct oracle_top_k {
    const struct matrix *logits;
    uint32_t row, first, end, pad, k;
};
void oracle_top_k(const struct oracle_top_k *top_k, uint32_t *ids);

// One optimiser step; t counts from 1. decay is added to the gradient, or, if it is decoupled,
// taken from the value.
struct oracle_update {
    enum { ORACLE_ADAM, ORACLE_ADAMW, ORACLE_SGD } kind;
    double rate, beta1, beta2, eps, decay, smoothing;
    uint32_t t;
};
void oracle_update(const struct oracle_update *update, const struct matrix *gradient,
                   struct matrix *value, struct matrix *moment1, struct matrix *moment2);
// The averages after it: a share of the new values, `smoothing` or 9 / (t + 9) if that is more.
void oracle_average(const struct oracle_update *update, const struct matrix *value,
                    struct matrix *average);

// Square root of the sum of all squares.
double oracle_norm2(const struct matrix *m);
// Norm of the difference over (norm of the reference + floor); HUGE_VAL where something is not a
// number, or shapes differ.
double oracle_error(const struct matrix *out, const struct matrix *reference, double floor);

#endif
