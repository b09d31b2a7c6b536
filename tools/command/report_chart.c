#include "report_chart.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 480, HEIGHT = 220, LEFT = 56, RIGHT = 12, TOP = 12, BOTTOM = 28 };
enum { NUM_TICKS = 5, MAX_DRAWN = 1000 };

bool chart_series_add(struct chart_series *series, double x, double y) {
    if (series->num == series->capacity) {
        size_t capacity = series->capacity ? 2 * series->capacity : 64;
        double *points = realloc(series->points, capacity * 2 * sizeof *points);
        if (!points)
            return false;
        series->points = points;
        series->capacity = capacity;
    }
    series->points[2 * series->num] = x;
    series->points[2 * series->num + 1] = y;
    series->num++;
    return true;
}

void chart_series_free(struct chart_series *series) {
    free(series->points);
    *series = (struct chart_series){0};
}

double chart_series_best(const struct chart_series *series, bool rises) {
    double best = series->points[1];
    for (size_t i = 1; i < series->num; i++) {
        double y = series->points[2 * i + 1];
        if (rises ? y > best : y < best)
            best = y;
    }
    return best;
}

struct axis {
    double min, max, step;
};

// The round numbers around a range: steps of 1, 2 or 5 times a power of ten.
static struct axis make_axis(double min, double max) {
    double span = max > min ? max - min : fabs(max) > 0 ? fabs(max) : 1;
    double power = pow(10, floor(log10(span / NUM_TICKS))), step = power;
    if (span / step > 2 * NUM_TICKS)
        step = 5 * power;
    else if (span / step > NUM_TICKS)
        step = 2 * power;
    return (struct axis){floor(min / step) * step, ceil(max / step) * step, step};
}

static double place(double value, const struct axis *axis, double from, double to) {
    double span = axis->max > axis->min ? axis->max - axis->min : 1;
    return from + (value - axis->min) / span * (to - from);
}

static void print_axes(FILE *file, const struct axis *x_axis, const struct axis *y_axis) {
    for (double y = y_axis->min; y <= y_axis->max + y_axis->step / 2; y += y_axis->step) {
        double at = place(y, y_axis, HEIGHT - BOTTOM, TOP);
        fprintf(file,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" "
                "y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
                LEFT, WIDTH - RIGHT, at, at, LEFT - 6, at + 4, fabs(y) < y_axis->step / 2 ? 0 : y);
    }
    for (double x = x_axis->min; x <= x_axis->max + x_axis->step / 2; x += x_axis->step)
        fprintf(file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.6g</text>\n",
                place(x, x_axis, LEFT, WIDTH - RIGHT), HEIGHT - BOTTOM + 18,
                x + x_axis->step / 2 > x_axis->max ? "end" : "middle", x);
}

void chart_print(FILE *file, const struct chart_series *series, double max_x, const char *title) {
    const double *points = series->points;
    size_t last = series->num - 1, stride = series->num / MAX_DRAWN + 1;
    struct axis x_axis = make_axis(0, max_x);
    struct axis y_axis =
        make_axis(chart_series_best(series, false), chart_series_best(series, true));
    fprintf(file, "<figure><figcaption>");
    print_html(file, title);
    fprintf(file, "; last %.5g</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
            points[2 * last + 1], WIDTH, HEIGHT);
    print_html(file, title);
    fprintf(file, " over updates\">\n");
    print_axes(file, &x_axis, &y_axis);
    fprintf(file, "<polyline class=\"curve\" points=\"");
    for (size_t i = 0; i < last; i += stride)
        fprintf(file, "%.1f,%.1f ", place(points[2 * i], &x_axis, LEFT, WIDTH - RIGHT),
                place(points[2 * i + 1], &y_axis, HEIGHT - BOTTOM, TOP));
    double end_x = place(points[2 * last], &x_axis, LEFT, WIDTH - RIGHT);
    double end_y = place(points[2 * last + 1], &y_axis, HEIGHT - BOTTOM, TOP);
    fprintf(file, "%.1f,%.1f\"/>\n", end_x, end_y);
    fprintf(file, "<circle class=\"dot\" r=\"3.5\" cx=\"%.1f\" cy=\"%.1f\"/>\n</svg></figure>\n",
            end_x, end_y);
}

void print_html(FILE *file, const char *text) {
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '>')
            fputs("&gt;", file);
        else if (*text == '&')
            fputs("&amp;", file);
        else if (*text == '"')
            fputs("&quot;", file);
        else
            fputc(*text, file);
    }
}
