#version 450
// The sum of a column of numbers, by one wave, in a fixed order.
#extension GL_GOOGLE_include_directive : require
#include "sum_interface.h"
#define PUSH sum_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_READ(1, float, 4, x);
BIND_WRITE(2, float, 4, total);

void main() {
    const uint rows = header_dim(p.rows_dim);
    // Compensated (Kahan 1965): a batch may have 100,000 rows.
    precise float sum = 0.0, lost = 0.0;
    for (uint row = lane; row < rows; row += WAVE) {
        precise float term = x.data[row] - lost;
        precise float next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    const float all = wave_sum(sum);
    if (lane == 0)
        total.data[0] = all;
}
