// Attention as a picture (SVG) and as a JSON object.
#ifndef COMMAND_ATTENTION_CHART_H
#define COMMAND_ATTENTION_CHART_H

#include "vkseq/vkseq.h"

#include <stdio.h>

// A map with the texts of its tokens.
struct attention_chart {
    const struct vks_attention_map *map; // borrowed
    const struct vks_tokenizer *tokenizer;
    enum vks_attention kind;
    uint32_t layer, head; // head may be VKS_ATTENTION_ALL_HEADS
};

// A square for each pair of tokens, the darker the more; its figure appears under the pointer.
void attention_chart_print_svg(FILE *file, const struct attention_chart *chart);
void attention_chart_print_json(FILE *file, const struct attention_chart *chart);

#endif
