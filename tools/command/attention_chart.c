#include "attention_chart.h"

#include "command.h"
#include "report_chart.h"

#include <string.h>

enum { CELL = 22, CHAR_WIDTH = 8, TITLE = 30, MARGIN = 8 };

static const char *const kind_names[] = {
    [VKS_ATTENTION_CROSS] = "cross",
    [VKS_ATTENTION_ENCODER] = "encoder",
    [VKS_ATTENTION_DECODER] = "decoder",
};

static const char *row_text(const struct attention_chart *chart, size_t row) {
    enum vks_side side = chart->kind == VKS_ATTENTION_ENCODER ? VKS_SOURCE : VKS_TARGET;
    const char *piece = vks_tokenizer_piece(chart->tokenizer, side, chart->map->row_ids[row]);
    return piece ? piece : "";
}

static const char *col_text(const struct attention_chart *chart, size_t col) {
    enum vks_side side = chart->kind == VKS_ATTENTION_DECODER ? VKS_TARGET : VKS_SOURCE;
    const char *piece = vks_tokenizer_piece(chart->tokenizer, side, chart->map->col_ids[col]);
    return piece ? piece : "";
}

static int num_characters(const char *text) {
    int num = 0;
    for (; *text; text++)
        num += (*text & 0xc0) != 0x80;
    return num;
}

// Room for the longest of some texts.
static int text_width(const struct attention_chart *chart, size_t num,
                      const char *(*text_of)(const struct attention_chart *, size_t)) {
    int longest = 0;
    for (size_t i = 0; i < num; i++) {
        int length = num_characters(text_of(chart, i));
        longest = length > longest ? length : longest;
    }
    return longest * CHAR_WIDTH + MARGIN;
}

static void print_title(FILE *file, const struct attention_chart *chart) {
    fprintf(file, "%s attention, layer %u, ", kind_names[chart->kind], chart->layer);
    if (chart->head == VKS_ATTENTION_ALL_HEADS)
        fputs("mean of all heads", file);
    else
        fprintf(file, "head %u", chart->head);
}

static void print_row(FILE *file, const struct attention_chart *chart, size_t row, int left,
                      int y) {
    const struct vks_attention_map *map = chart->map;
    fprintf(file, "<text x=\"%d\" y=\"%d\" fill=\"#000\" text-anchor=\"end\">", left - MARGIN / 2,
            y + CELL * 2 / 3);
    print_html(file, row_text(chart, row));
    fputs("</text>\n", file);
    for (size_t col = 0; col < map->num_cols; col++) {
        double weight = (double)map->weights[row * map->num_cols + col];
        fprintf(file,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill-opacity=\"%.3f\"><title>",
                left + (int)col * CELL, y, CELL - 1, CELL - 1, weight);
        print_html(file, row_text(chart, row));
        fputs(" - ", file);
        print_html(file, col_text(chart, col));
        fprintf(file, ": %.3f</title></rect>\n", weight);
    }
}

void attention_chart_print_svg(FILE *file, const struct attention_chart *chart) {
    const struct vks_attention_map *map = chart->map;
    int left = text_width(chart, map->num_rows, row_text);
    int top = TITLE + text_width(chart, map->num_cols, col_text);
    int width = left + (int)map->num_cols * CELL + MARGIN;
    int height = top + (int)map->num_rows * CELL + MARGIN;
    width = width < 400 ? 400 : width; // of the title
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"%d\">",
            width, height, width, height, MARGIN, TITLE * 2 / 3);
    print_title(file, chart);
    fputs("</text>\n", file);
    for (size_t col = 0; col < map->num_cols; col++) {
        fprintf(file, "<text transform=\"translate(%d %d) rotate(-90)\">",
                left + (int)col * CELL + CELL * 2 / 3, top - MARGIN / 2);
        print_html(file, col_text(chart, col));
        fputs("</text>\n", file);
    }
    fputs("<g fill=\"#0b4f8a\">\n", file);
    for (size_t row = 0; row < map->num_rows; row++)
        print_row(file, chart, row, left, top + (int)row * CELL);
    fputs("</g>\n</svg>\n", file);
}

static void print_texts(FILE *file, const struct attention_chart *chart, size_t num,
                        const char *(*text_of)(const struct attention_chart *, size_t)) {
    for (size_t i = 0; i < num; i++) {
        fputs(i ? ", " : "[", file);
        print_json_string(file, text_of(chart, i));
    }
    fputs("]", file);
}

void attention_chart_print_json(FILE *file, const struct attention_chart *chart) {
    const struct vks_attention_map *map = chart->map;
    fprintf(file, "{\"part\": \"%s\", \"layer\": %u, \"head\": ", kind_names[chart->kind],
            chart->layer);
    if (chart->head == VKS_ATTENTION_ALL_HEADS)
        fputs("null", file);
    else
        fprintf(file, "%u", chart->head);
    fputs(",\n \"rows\": ", file);
    print_texts(file, chart, map->num_rows, row_text);
    fputs(",\n \"columns\": ", file);
    print_texts(file, chart, map->num_cols, col_text);
    fputs(",\n \"weights\": [", file);
    for (size_t row = 0; row < map->num_rows; row++) {
        fputs(row ? ",\n  [" : "\n  [", file);
        for (size_t col = 0; col < map->num_cols; col++)
            fprintf(file, "%s%.6g", col ? ", " : "",
                    (double)map->weights[row * map->num_cols + col]);
        fputs("]", file);
    }
    fputs("]}\n", file);
}
