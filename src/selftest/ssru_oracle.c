#include "selftest/ssru_oracle.h"

#include <math.h>

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

void oracle_ssru(const struct oracle_ssru *ssru, struct matrix *c, struct matrix *y) {
    for (uint32_t i = 0; i < ssru->num_sequences; i++)
        for (uint32_t row = ssru->offsets[i]; row < ssru->offsets[i + 1]; row++)
            for (uint32_t col = 0; col < c->cols; col++) {
                double gate = sigmoid(AT(ssru->f, row, col));
                double before = row > ssru->offsets[i] ? AT(c, row - 1, col) : 0;
                AT(c, row, col) = gate * before + (1 - gate) * AT(ssru->x, row, col);
                AT(y, row, col) = fmax(AT(c, row, col), 0);
            }
}

void oracle_ssru_gradient(const struct oracle_ssru *ssru, const struct matrix *c,
                          const struct matrix *dy, struct matrix *dx, struct matrix *df) {
    for (uint32_t i = 0; i < ssru->num_sequences; i++)
        for (uint32_t col = 0; col < c->cols; col++) {
            double later = 0;
            for (uint32_t row = ssru->offsets[i + 1]; row-- > ssru->offsets[i];) {
                double gate = sigmoid(AT(ssru->f, row, col));
                double before = row > ssru->offsets[i] ? AT(c, row - 1, col) : 0;
                double dc = later + (AT(c, row, col) > 0 ? AT(dy, row, col) : 0);
                AT(dx, row, col) += dc * (1 - gate);
                AT(df, row, col) += dc * (before - AT(ssru->x, row, col)) * gate * (1 - gate);
                later = dc * gate;
            }
        }
}
