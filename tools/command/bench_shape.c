#include "bench_shape.h"

#include "line_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_tasks[] = {
    "tiny", "demo", "small", "base", "big", "transformer-base", "transformer-big", NULL};

enum vks_status bench_shape_config(const struct bench_shape *shape,
                                   struct vks_model_config *config) {
    const char *task = shape->task;
    bool is_base = strstr(task, "base"), is_big = strstr(task, "big");
    uint32_t vocab = shape->vocab_size;
    if (is_base || is_big)
        task = is_base ? "transformer-base" : "transformer-big";
    if (!vocab)
        vocab = is_big ? 32000 : is_base ? 16000 : 8000;
    enum vks_status status = vks_model_config_preset(task, config);
    config->source_vocab = config->target_vocab = vocab;
    return status;
}

enum vks_status bench_shape_lengths(struct bench_shape *shape, struct console *console,
                                    struct vks_bench_params *params) {
    struct line_block block;
    if (!shape->lengths)
        return VKS_OK;
    enum vks_status status = read_all_lines(shape->lengths, console, &block);
    if (status != VKS_OK)
        return status;
    uint32_t(*pairs)[2] = calloc(block.num + 1, sizeof *pairs);
    if (!pairs)
        status = VKS_ERR_OOM;
    for (size_t i = 0; i < block.num && status == VKS_OK; i++)
        if (sscanf(block.lines[i], "%" SCNu32 " %" SCNu32, &pairs[i][0], &pairs[i][1]) != 2) {
            console_error(console, "%s:%zu: '%s': expected two numbers of tokens", shape->lengths,
                          i + 1, block.lines[i]);
            status = VKS_ERR_FORMAT;
        }
    shape->pairs = pairs;
    if (status == VKS_OK) {
        params->lengths = (const uint32_t(*)[2])pairs;
        params->num_lengths = block.num;
    }
    line_block_free(&block);
    return status;
}

void bench_shape_finish(struct bench_shape *shape) {
    free(shape->pairs);
    shape->pairs = NULL;
}
