// Curves over updates as SVG, inside an HTML page.
#ifndef COMMAND_REPORT_CHART_H
#define COMMAND_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Points in order of x. Zero-initialised is empty; free with chart_series_free.
struct chart_series {
    double *points; // x, y alternating
    size_t num, capacity;
};

// False when there is no memory.
bool chart_series_add(struct chart_series *series, double x, double y);
void chart_series_free(struct chart_series *series);

// The largest y if it rises, else the smallest; there is a point.
double chart_series_best(const struct chart_series *series, bool rises);

// A figure with axes, the curve and its last value; x runs from 0 to max_x. A curve of one point is
// a dot.
void chart_print(FILE *file, const struct chart_series *series, double max_x, const char *title);

// Text with HTML's special characters escaped.
void print_html(FILE *file, const char *text);

#endif
