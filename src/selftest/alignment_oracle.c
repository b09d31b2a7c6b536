#include "selftest/alignment_oracle.h"

#include <math.h>

static const double EPS = 1e-6;

static double score(const struct oracle_attention *a, uint32_t head, uint32_t query, uint32_t key) {
    uint32_t width = a->width / a->num_heads;
    double sum = 0;
    for (uint32_t c = head * width; c < (head + 1) * width; c++)
        sum += AT(a->q, query, a->q_col + c) * AT(a->kv, key, a->k_col + c);
    return sum / sqrt(width);
}

void oracle_attention_weights(const struct oracle_attention *a, uint32_t head,
                              struct matrix *weights) {
    for (uint32_t b = 0; b < a->num_sequences; b++) {
        uint32_t first = a->key_offsets[b], num_keys = a->key_offsets[b + 1] - first;
        for (uint32_t i = a->query_offsets[b]; i < a->query_offsets[b + 1]; i++) {
            double highest = -HUGE_VAL, total = 0;
            for (uint32_t j = 0; j < num_keys; j++)
                highest = fmax(highest, score(a, head, i, first + j));
            for (uint32_t j = 0; j < num_keys; j++)
                total += exp(score(a, head, i, first + j) - highest);
            for (uint32_t j = 0; j < num_keys; j++)
                AT(weights, i, j) = exp(score(a, head, i, first + j) - highest) / total;
        }
    }
}

// ds_j = p_j (dp_j - sum p_k dp_k).
void oracle_attention_weights_gradient(const struct oracle_attention *a, uint32_t head,
                                       const struct oracle_weights_gradient *g) {
    uint32_t width = a->width / a->num_heads;
    for (uint32_t b = 0; b < a->num_sequences; b++) {
        uint32_t first = a->key_offsets[b], num_keys = a->key_offsets[b + 1] - first;
        for (uint32_t i = a->query_offsets[b]; i < a->query_offsets[b + 1]; i++) {
            double mean = 0;
            for (uint32_t j = 0; j < num_keys; j++)
                mean += AT(g->weights, i, j) * AT(g->dweights, i, j);
            for (uint32_t j = 0; j < num_keys; j++) {
                double ds = AT(g->weights, i, j) * (AT(g->dweights, i, j) - mean) / sqrt(width);
                for (uint32_t c = head * width; c < (head + 1) * width; c++) {
                    AT(g->q, i, a->q_col + c) += ds * AT(a->kv, first + j, a->k_col + c);
                    AT(g->kv, first + j, a->k_col + c) += ds * AT(a->q, i, a->q_col + c);
                }
            }
        }
    }
}

// A row's number of links, and the sum of its weights over them, each a 1 / num share.
static void row_sums(const struct oracle_alignment *a, uint32_t row, double *num, double *product) {
    *num = *product = 0;
    for (uint32_t c = 0; c < a->weights->cols; c++)
        *num += AT(a->links, row, c);
    for (uint32_t c = 0; c<a->weights->cols && * num> 0; c++)
        *product += AT(a->links, row, c) / *num * AT(a->weights, row, c);
}

void oracle_alignment(const struct oracle_alignment *a, struct matrix *losses) {
    for (uint32_t row = 0; row < a->weights->rows; row++) {
        double num, product, loss = 0;
        row_sums(a, row, &num, &product);
        for (uint32_t c = 0; c < a->weights->cols && num > 0; c++) {
            double weight = AT(a->weights, row, c), share = AT(a->links, row, c) / num;
            if (a->cost == ORACLE_ALIGNMENT_CE)
                loss -= share * log(weight + EPS);
            if (a->cost == ORACLE_ALIGNMENT_MSE)
                loss += (weight - share) * (weight - share) / 2;
        }
        if (a->cost == ORACLE_ALIGNMENT_MULT && num > 0)
            loss = -log(product + EPS);
        AT(losses, row, 0) = loss;
    }
}

void oracle_alignment_gradient(const struct oracle_alignment *a, struct matrix *dweights) {
    for (uint32_t row = 0; row < a->weights->rows; row++) {
        double num, product;
        row_sums(a, row, &num, &product);
        for (uint32_t c = 0; c < a->weights->cols && num > 0; c++) {
            double weight = AT(a->weights, row, c), share = AT(a->links, row, c) / num;
            double slope = a->cost == ORACLE_ALIGNMENT_CE    ? -share / (weight + EPS)
                           : a->cost == ORACLE_ALIGNMENT_MSE ? weight - share
                                                             : -share / (product + EPS);
            AT(dweights, row, c) += a->weight * slope;
        }
    }
}
