#include "selftest/oracle.h"

#include "base/check.h"
#include "base/half.h"
#include "lib/shared.h"

#include <math.h>
#include <string.h>

struct matrix *matrix_new(struct arena *arena, uint32_t rows, uint32_t cols) {
    struct matrix *m = ARENA_NEW(arena, struct matrix, 1);
    CHECK(m);
    *m = (struct matrix){rows, cols, ARENA_NEW(arena, double, (size_t)rows *cols + 1)};
    CHECK(m->v);
    return m;
}

struct matrix *matrix_random(struct arena *arena, struct rng *rng, uint32_t rows, uint32_t cols,
                             double deviation) {
    struct matrix *m = matrix_new(arena, rows, cols);
    for (size_t i = 0; i < (size_t)rows * cols; i++)
        m->v[i] = (double)(float)(deviation * rng_normal(rng));
    return m;
}

void matrix_round(struct matrix *m, uint32_t element) {
    for (size_t i = 0; i < (size_t)m->rows * m->cols; i++) {
        float value = (float)m->v[i];
        if (element == ELEMENT_F16)
            m->v[i] = (double)half_to_float(half_from_float(value));
        if (element == ELEMENT_BF16)
            m->v[i] = (double)bf16_to_float(bf16_from_float(value));
    }
}

struct matrix *matrix_like(struct arena *arena, const struct matrix *m) {
    return matrix_new(arena, m->rows, m->cols);
}

struct matrix *matrix_copy(struct arena *arena, const struct matrix *m) {
    struct matrix *copy = matrix_like(arena, m);
    memcpy(copy->v, m->v, (size_t)m->rows * m->cols * sizeof(double));
    return copy;
}

void oracle_linear(const struct matrix *x, const struct matrix *weight, const struct matrix *bias,
                   struct matrix *y) {
    for (uint32_t n = 0; n < x->rows; n++) {
        for (uint32_t o = 0; o < weight->rows; o++) {
            double sum = bias ? AT(bias, 0, o) : 0;
            for (uint32_t i = 0; i < x->cols; i++)
                sum += AT(x, n, i) * AT(weight, o, i);
            AT(y, n, o) = sum;
        }
    }
}

void oracle_linear_gradient(const struct matrix *x, const struct matrix *weight,
                            const struct matrix *dy,
                            const struct oracle_linear_gradient *gradient) {
    for (uint32_t n = 0; n < x->rows; n++) {
        for (uint32_t o = 0; o < weight->rows; o++) {
            double d = AT(dy, n, o);
            if (gradient->bias)
                AT(gradient->bias, 0, o) += d;
            for (uint32_t i = 0; i < x->cols; i++) {
                if (gradient->x)
                    AT(gradient->x, n, i) += d * AT(weight, o, i);
                if (gradient->weight)
                    AT(gradient->weight, o, i) += d * AT(x, n, i);
            }
        }
    }
}

double oracle_activation(enum oracle_activation kind, double x) {
    switch (kind) {
    case ORACLE_RELU:
        return x > 0 ? x : 0;
    case ORACLE_GELU:
        return x * 0.5 * erfc(-x / sqrt(2));
    case ORACLE_SILU:
        break;
    }
    return x / (1 + exp(-x));
}

double oracle_activation_derivative(enum oracle_activation kind, double x) {
    switch (kind) {
    case ORACLE_RELU:
        return x > 0 ? 1 : 0;
    case ORACLE_GELU:
        return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * acos(-1));
    case ORACLE_SILU:
        break;
    }
    double sigmoid = 1 / (1 + exp(-x));
    return sigmoid + x * sigmoid * (1 - sigmoid);
}

static double factor_at(const struct matrix *factors, uint32_t row, uint32_t col) {
    return factors ? AT(factors, row, col) : 1;
}

static struct matrix *activate(struct arena *arena, const struct matrix *x,
                               enum oracle_activation kind, const struct matrix *factors) {
    struct matrix *y = matrix_like(arena, x);
    for (uint32_t row = 0; row < x->rows; row++)
        for (uint32_t c = 0; c < x->cols; c++)
            AT(y, row, c) = factor_at(factors, row, c) * oracle_activation(kind, AT(x, row, c));
    return y;
}

void oracle_feed_forward(struct arena *arena, const struct oracle_feed_forward *in,
                         enum oracle_activation kind, struct matrix *y) {
    struct matrix *before = matrix_new(arena, in->x->rows, in->weight1->rows);
    oracle_linear(in->x, in->weight1, in->bias1, before);
    oracle_linear(activate(arena, before, kind, in->factors), in->weight2, in->bias2, y);
}

void oracle_feed_forward_gradient(struct arena *arena, const struct oracle_feed_forward *in,
                                  enum oracle_activation kind, const struct matrix *dy,
                                  const struct oracle_feed_forward *gradient) {
    struct matrix *before = matrix_new(arena, in->x->rows, in->weight1->rows);
    struct matrix *dhidden = matrix_like(arena, before);
    oracle_linear(in->x, in->weight1, in->bias1, before);
    oracle_linear_gradient(
        activate(arena, before, kind, in->factors), in->weight2, dy,
        &(struct oracle_linear_gradient){dhidden, gradient->weight2, gradient->bias2});
    for (uint32_t row = 0; row < before->rows; row++)
        for (uint32_t c = 0; c < before->cols; c++)
            AT(dhidden, row, c) *= factor_at(in->factors, row, c) *
                                   oracle_activation_derivative(kind, AT(before, row, c));
    oracle_linear_gradient(
        in->x, in->weight1, dhidden,
        &(struct oracle_linear_gradient){gradient->x, gradient->weight1, gradient->bias1});
}

// One query of one head, and its keys.
struct view {
    uint32_t row, first, end;          // keys: rows first .. end
    uint32_t q_col, k_col, v_col, col; // of this head; col: of the output
    uint32_t width;
    const struct oracle_dropout *dropout; // of this head; NULL: none
};

// Dropout's factor of a key.
static double key_factor(const struct view *view, uint32_t key) {
    return view->dropout ? oracle_dropout_factor(view->dropout, key, view->row) : 1;
}

static double dot(const double *a, const double *b, uint32_t num) {
    double sum = 0;
    for (uint32_t i = 0; i < num; i++)
        sum += a[i] * b[i];
    return sum;
}

// The weights of a query's keys.
static void softmax(const struct oracle_attention *a, const struct view *view, double *weights) {
    double highest = -HUGE_VAL, total = 0;
    for (uint32_t j = view->first; j < view->end; j++) {
        double score =
            dot(&AT(a->q, view->row, view->q_col), &AT(a->kv, j, view->k_col), view->width) /
            sqrt(view->width);
        weights[j - view->first] = score;
        highest = fmax(highest, score);
    }
    for (uint32_t j = 0; j < view->end - view->first; j++)
        total += weights[j] = exp(weights[j] - highest);
    for (uint32_t j = 0; j < view->end - view->first; j++)
        weights[j] /= total;
}

static void attend(const struct oracle_attention *a, const struct view *view, const double *weights,
                   struct matrix *out) {
    for (uint32_t c = 0; c < view->width; c++) {
        double sum = 0;
        for (uint32_t j = view->first; j < view->end; j++)
            sum += key_factor(view, j) * weights[j - view->first] * AT(a->kv, j, view->v_col + c);
        AT(out, view->row, view->col + c) = sum;
    }
}

// With o = sum f_j p_j v_j: dv_j = f_j p_j do; dp_j = f_j do v_j; ds_j = p_j (dp_j - sum p_i dp_i).
static void attend_gradient(const struct oracle_attention *a, const struct view *view,
                            const double *weights, const struct matrix *dout,
                            struct matrix *const gradients[2]) {
    const double *d = &AT(dout, view->row, view->col);
    double mean = 0;
    for (uint32_t j = view->first; j < view->end; j++)
        mean += key_factor(view, j) * weights[j - view->first] *
                dot(d, &AT(a->kv, j, view->v_col), view->width);
    for (uint32_t j = view->first; j < view->end; j++) {
        double p = weights[j - view->first], f = key_factor(view, j);
        double ds =
            p * (f * dot(d, &AT(a->kv, j, view->v_col), view->width) - mean) / sqrt(view->width);
        for (uint32_t c = 0; c < view->width; c++) {
            AT(gradients[1], j, view->v_col + c) += f * p * d[c];
            AT(gradients[1], j, view->k_col + c) += ds * AT(a->q, view->row, view->q_col + c);
            AT(gradients[0], view->row, view->q_col + c) += ds * AT(a->kv, j, view->k_col + c);
        }
    }
}

// Either the output, or, with dout, the gradients.
static void each_query(struct arena *arena, const struct oracle_attention *a, struct matrix *out,
                       const struct matrix *dout, struct matrix *const gradients[2]) {
    double *weights = matrix_new(arena, 1, a->kv->rows)->v;
    uint32_t width = a->width / a->num_heads;
    for (uint32_t b = 0; b < a->num_sequences; b++) {
        for (uint32_t i = a->query_offsets[b]; i < a->query_offsets[b + 1]; i++) {
            for (uint32_t head = 0; head < a->num_heads; head++) {
                uint32_t col = head * width;
                struct oracle_dropout dropout =
                    a->dropout ? *a->dropout : (struct oracle_dropout){0};
                dropout.stream += head;
                struct view view = {i,
                                    a->key_offsets[b],
                                    a->key_offsets[b + 1],
                                    a->q_col + col,
                                    a->k_col + col,
                                    a->v_col + col,
                                    col,
                                    width,
                                    a->dropout ? &dropout : NULL};
                if (a->causal)
                    view.end = i + 1;
                softmax(a, &view, weights);
                if (dout)
                    attend_gradient(a, &view, weights, dout, gradients);
                else
                    attend(a, &view, weights, out);
            }
        }
    }
}

void oracle_attention(struct arena *arena, const struct oracle_attention *a, struct matrix *out) {
    each_query(arena, a, out, NULL, NULL);
}

void oracle_attention_gradient(struct arena *arena, const struct oracle_attention *a,
                               const struct matrix *dout, struct matrix *dq, struct matrix *dkv) {
    each_query(arena, a, NULL, dout, (struct matrix *[]){dq, dkv});
}

// The factor that the random number `lane` of a quad gives.
static double dropout_factor(const struct oracle_dropout *dropout, uint32_t row, uint32_t quad,
                             uint32_t lane) {
    const uint32_t key[2] = {dropout->seed, dropout->rank};
    const uint32_t counter[4] = {row, quad, dropout->stream, dropout->step};
    double probability = (double)dropout->probability;
    uint32_t random[4];
    philox4x32(key, counter, random);
    return random[lane] < floor(probability * 4294967296.0) ? 0 : 1 / (1 - probability);
}

double oracle_dropout_factor(const struct oracle_dropout *dropout, uint32_t row, uint32_t col) {
    return dropout_factor(dropout, row, col / 4, col % 4);
}

struct matrix *oracle_dropout_factors(struct arena *arena, const struct oracle_dropout *dropout,
                                      uint32_t rows, uint32_t cols) {
    struct matrix *factors = matrix_new(arena, rows, cols);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t col = 0; col < cols; col++)
            AT(factors, row, col) = oracle_dropout_factor(dropout, row, col);
    return factors;
}

struct matrix *oracle_row_factors(struct arena *arena, const struct oracle_dropout *dropout,
                                  uint32_t rows) {
    struct matrix *factors = matrix_new(arena, rows, 1);
    for (uint32_t row = 0; row < rows; row++)
        AT(factors, row, 0) = dropout_factor(dropout, row, UINT32_MAX, 0);
    return factors;
}

// Mean and 1 / standard deviation of a row.
static void row_statistics(const double *s, uint32_t width, double eps, double *mean,
                           double *inverse) {
    double sum = 0, squares = 0;
    for (uint32_t c = 0; c < width; c++)
        sum += s[c];
    *mean = sum / width;
    for (uint32_t c = 0; c < width; c++)
        squares += (s[c] - *mean) * (s[c] - *mean);
    *inverse = 1 / sqrt(squares / width + eps);
}

void oracle_norm(const struct oracle_norm *n, struct matrix *s, struct matrix *y) {
    for (uint32_t row = 0; row < n->x->rows; row++) {
        double mean, inverse;
        for (uint32_t c = 0; c < n->x->cols; c++)
            AT(s, row, c) =
                AT(n->x, row, c) + (n->f ? factor_at(n->factors, row, c) * AT(n->f, row, c) : 0);
        row_statistics(&AT(s, row, 0), n->x->cols, n->eps, &mean, &inverse);
        for (uint32_t c = 0; c < n->x->cols; c++)
            AT(y, row, c) =
                AT(n->gamma, 0, c) * (AT(s, row, c) - mean) * inverse + AT(n->beta, 0, c);
    }
}

void oracle_norm_gradient(struct arena *arena, const struct oracle_norm *n, const struct matrix *dy,
                          const struct matrix *ds, const struct oracle_norm_gradient *gradient) {
    uint32_t width = n->x->cols;
    struct matrix *s = matrix_like(arena, n->x), *y = matrix_like(arena, n->x);
    oracle_norm(n, s, y);
    for (uint32_t row = 0; row < n->x->rows; row++) {
        double mean, inverse, sum = 0, sum_normed = 0;
        row_statistics(&AT(s, row, 0), width, n->eps, &mean, &inverse);
        for (uint32_t c = 0; c < width; c++) {
            double normed = (AT(s, row, c) - mean) * inverse;
            double d = AT(dy, row, c) * AT(n->gamma, 0, c);
            sum += d / width;
            sum_normed += d * normed / width;
            AT(gradient->gamma, 0, c) += AT(dy, row, c) * normed;
            AT(gradient->beta, 0, c) += AT(dy, row, c);
        }
        for (uint32_t c = 0; c < width; c++) {
            double normed = (AT(s, row, c) - mean) * inverse;
            double d = (AT(dy, row, c) * AT(n->gamma, 0, c) - sum - normed * sum_normed) * inverse;
            d += ds ? AT(ds, row, c) : 0;
            AT(gradient->x, row, c) += d;
            if (gradient->f)
                AT(gradient->f, row, c) += d * factor_at(n->factors, row, c);
        }
    }
}

void oracle_embedding(const struct oracle_embedding *e, struct matrix *x) {
    for (uint32_t row = 0; row < x->rows; row++)
        for (uint32_t c = 0; c < x->cols; c++)
            AT(x, row, c) =
                factor_at(e->factors, row, c) *
                (factor_at(e->word_factors, row, 0) * e->scale * AT(e->table, e->tokens[row], c) +
                 AT(e->position_table, e->positions[row], c));
}

void oracle_embedding_gradient(const struct oracle_embedding *e, const struct matrix *dx,
                               struct matrix *dtable, struct matrix *dposition_table) {
    for (uint32_t row = 0; row < dx->rows; row++) {
        for (uint32_t c = 0; c < dx->cols; c++) {
            double d = factor_at(e->factors, row, c) * AT(dx, row, c);
            AT(dtable, e->tokens[row], c) += factor_at(e->word_factors, row, 0) * e->scale * d;
            if (dposition_table)
                AT(dposition_table, e->positions[row], c) += d;
        }
    }
}

// Log-sum-exp of a row, the pad left out.
static double log_sum_exp(const struct oracle_cross_entropy *l, uint32_t row) {
    double highest = -HUGE_VAL, total = 0;
    for (uint32_t c = 0; c < l->logits->cols; c++)
        if (c != l->pad)
            highest = fmax(highest, AT(l->logits, row, c));
    for (uint32_t c = 0; c < l->logits->cols; c++)
        if (c != l->pad)
            total += exp(AT(l->logits, row, c) - highest);
    return highest + log(total);
}

// What the target distribution gives to a symbol.
static double target(const struct oracle_cross_entropy *l, uint32_t row, uint32_t col) {
    uint32_t symbols = l->logits->cols - (l->pad < l->logits->cols);
    if (col == l->pad)
        return 0;
    return l->smoothing / symbols + (col == l->labels[row] ? 1 - l->smoothing : 0);
}

static double weight_at(const struct oracle_cross_entropy *l, uint32_t row) {
    return l->weights ? (double)l->weights[row] : 1;
}

void oracle_cross_entropy(const struct oracle_cross_entropy *l, struct matrix *losses) {
    for (uint32_t row = 0; row < l->logits->rows; row++) {
        double lse = log_sum_exp(l, row), loss = 0;
        for (uint32_t c = 0; c < l->logits->cols; c++)
            loss -= target(l, row, c) * (AT(l->logits, row, c) - lse);
        AT(losses, row, 0) = weight_at(l, row) * loss;
    }
}

void oracle_cross_entropy_gradient(const struct oracle_cross_entropy *l, struct matrix *dlogits) {
    for (uint32_t row = 0; row < l->logits->rows; row++) {
        double lse = log_sum_exp(l, row);
        for (uint32_t c = 0; c < l->logits->cols; c++)
            if (c != l->pad)
                AT(dlogits, row, c) +=
                    weight_at(l, row) * (exp(AT(l->logits, row, c) - lse) - target(l, row, c));
    }
}

void oracle_top_k(const struct oracle_top_k *t, uint32_t *ids) {
    for (uint32_t i = 0; i < t->k; i++) {
        ids[i] = UINT32_MAX;
        for (uint32_t c = t->first; c < t->end; c++) {
            bool taken = c == t->pad;
            for (uint32_t j = 0; j < i; j++)
                taken |= ids[j] == c;
            if (!taken &&
                (ids[i] == UINT32_MAX || AT(t->logits, t->row, c) > AT(t->logits, t->row, ids[i])))
                ids[i] = c;
        }
    }
}

void oracle_update(const struct oracle_update *u, const struct matrix *gradient,
                   struct matrix *value, struct matrix *moment1, struct matrix *moment2) {
    for (size_t i = 0; i < (size_t)value->rows * value->cols; i++) {
        double x = value->v[i], g = gradient->v[i];
        double *m = &moment1->v[i], *v = &moment2->v[i];
        if (u->kind == ORACLE_ADAMW)
            x *= 1 - u->rate * u->decay;
        else
            g += u->decay * x;
        if (u->kind == ORACLE_SGD) {
            *m = u->beta1 * *m + g;
            value->v[i] = x - u->rate * *m;
            continue;
        }
        *m = u->beta1 * *m + (1 - u->beta1) * g;
        *v = u->beta2 * *v + (1 - u->beta2) * g * g;
        double m_hat = *m / (1 - pow(u->beta1, u->t)), v_hat = *v / (1 - pow(u->beta2, u->t));
        value->v[i] = x - u->rate * m_hat / (sqrt(v_hat) + u->eps);
    }
}

void oracle_average(const struct oracle_update *u, const struct matrix *value,
                    struct matrix *average) {
    double share = fmax(u->smoothing, 9 / (u->t + 9.0));
    for (size_t i = 0; i < (size_t)value->rows * value->cols; i++)
        average->v[i] = (1 - share) * average->v[i] + share * value->v[i];
}

double oracle_norm2(const struct matrix *m) {
    double sum = 0;
    for (size_t i = 0; i < (size_t)m->rows * m->cols; i++)
        sum += m->v[i] * m->v[i];
    return sqrt(sum);
}

double oracle_error(const struct matrix *out, const struct matrix *reference, double floor) {
    if (out->rows != reference->rows || out->cols != reference->cols)
        return HUGE_VAL;
    double sum = 0;
    for (size_t i = 0; i < (size_t)out->rows * out->cols; i++)
        sum += (out->v[i] - reference->v[i]) * (out->v[i] - reference->v[i]);
    double error = sqrt(sum) / (oracle_norm2(reference) + floor);
    return isnan(error) ? HUGE_VAL : error;
}
