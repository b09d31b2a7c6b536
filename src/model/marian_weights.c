#include "model/marian_weights.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A weight within a layer, and what Marian calls it.
static const struct {
    const char *name, *marian;
    bool is_transposed, may_lack;
} in_layers[] = {
    {"self_attn.q_proj.weight", "self_Wq", true, false},
    {"self_attn.q_proj.bias", "self_bq", false, true},
    {"self_attn.k_proj.weight", "self_Wk", true, false},
    {"self_attn.k_proj.bias", "self_bk", false, true},
    {"self_attn.v_proj.weight", "self_Wv", true, false},
    {"self_attn.v_proj.bias", "self_bv", false, true},
    {"self_attn.out_proj.weight", "self_Wo", true, false},
    {"self_attn.out_proj.bias", "self_bo", false, true},
    {"encoder_attn.q_proj.weight", "context_Wq", true, false},
    {"encoder_attn.q_proj.bias", "context_bq", false, true},
    {"encoder_attn.k_proj.weight", "context_Wk", true, false},
    {"encoder_attn.k_proj.bias", "context_bk", false, true},
    {"encoder_attn.v_proj.weight", "context_Wv", true, false},
    {"encoder_attn.v_proj.bias", "context_bv", false, true},
    {"encoder_attn.out_proj.weight", "context_Wo", true, false},
    {"encoder_attn.out_proj.bias", "context_bo", false, true},
    {"ssru.input_proj.weight", "rnn_W", true, false},
    {"ssru.forget_proj.weight", "rnn_Wf", true, false},
    {"ssru.forget_proj.bias", "rnn_bf", false, true},
    {"ssru.out_proj.weight", "rnn_Wo", true, false},
    {"ssru.out_proj.bias", "rnn_bo", false, true},
    {"fc1.weight", "ffn_W1", true, false},
    {"fc1.bias", "ffn_b1", false, true},
    {"fc2.weight", "ffn_W2", true, false},
    {"fc2.bias", "ffn_b2", false, true},
    {"encoder_attn_layer_norm", "context_Wo_ln", false, false},
    {"final_layer_norm", "ffn_ffn_ln", false, false},
};

static const char *end_of(const char *name, const char *start) {
    size_t length = strlen(start);
    return strncmp(name, start, length) == 0 ? name + length : NULL;
}

// "…_scale" or "…_bias", with _pre where the norm stands before its block.
static bool place_norm(const char *marian, const char *rest, bool is_pre,
                       struct marian_place *place) {
    const char *kind = strcmp(rest, ".weight") == 0 ? "scale"
                       : strcmp(rest, ".bias") == 0 ? "bias"
                                                    : NULL;
    if (kind)
        snprintf(place->name, sizeof place->name, "%s_%s%s", marian, kind, is_pre ? "_pre" : "");
    return kind != NULL;
}

static bool place_in_layer(const struct vks_model_config *config, const char *stack,
                           uint32_t number, const char *rest, struct marian_place *place) {
    char marian[64];
    bool has_cell = config->decoder_cell == VKS_CELL_SSRU && strcmp(stack, "decoder") == 0;
    const char *norm = end_of(rest, "self_attn_layer_norm");
    if (norm) {
        snprintf(marian, sizeof marian, "%s_l%u_%s", stack, number,
                 !has_cell          ? "self_Wo_ln"
                 : config->pre_norm ? "rnn_ln" // without the block's ending
                                    : "rnn_ffn_ln");
        return place_norm(marian, norm, config->pre_norm, place);
    }
    for (size_t i = 0; i < COUNT_OF(in_layers); i++) {
        const char *end = end_of(rest, in_layers[i].name);
        snprintf(marian, sizeof marian, "%s_l%u_%s", stack, number, in_layers[i].marian);
        if (!end)
            continue;
        if (strstr(in_layers[i].name, "norm"))
            return place_norm(marian, end, config->pre_norm, place);
        if (*end)
            continue;
        snprintf(place->name, sizeof place->name, "%s", marian);
        place->is_transposed = in_layers[i].is_transposed;
        place->may_lack = in_layers[i].may_lack;
        return true;
    }
    return false;
}

static bool place_in_stack(const struct vks_model_config *config, const char *stack,
                           const char *rest, struct marian_place *place) {
    char marian[64];
    const char *at;
    unsigned layer;
    int used = 0;
    if (sscanf(rest, ".layers.%u.%n", &layer, &used) == 1 && used > 0)
        return place_in_layer(config, stack, layer + 1, rest + used, place);
    if ((at = end_of(rest, ".layer_norm"))) {
        snprintf(marian, sizeof marian, "%s_top_ln", stack);
        return place_norm(marian, at, false, place);
    }
    if ((at = end_of(rest, ".layernorm_embedding"))) {
        snprintf(marian, sizeof marian, "%s_emb_ln", stack);
        return place_norm(marian, at, true, place);
    }
    if (strcmp(rest, ".embed_tokens.weight") == 0) {
        snprintf(place->name, sizeof place->name, "%s_Wemb", stack);
        return true;
    }
    return false;
}

bool marian_place_of(const struct vks_model_config *config, const char *name,
                     struct marian_place *place) {
    static const struct {
        const char *name, *marian;
    } others[] = {
        {"model.shared.weight", "Wemb"},
        {"lm_head.weight", "decoder_ff_logit_out_Wt"},
        {"final_logits_bias", "decoder_ff_logit_out_b"},
        {"model.encoder.embed_positions.weight", "Wpos"},
    };
    const char *rest;
    *place = (struct marian_place){.name = ""};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcmp(name, others[i].name) == 0) {
            snprintf(place->name, sizeof place->name, "%s", others[i].marian);
            return true;
        }
    if ((rest = end_of(name, "model.encoder")))
        return place_in_stack(config, "encoder", rest, place);
    if ((rest = end_of(name, "model.decoder")))
        return place_in_stack(config, "decoder", rest, place);
    return false;
}

// A file being read.
struct reader {
    struct weights *weights;
    const struct vks_model_config *config;
    const struct marian_file *file;
    const char *path;
    const struct vks_log *log;
    bool *is_used; // [marian_file_num]
    float gate;
};

// A weight, and what the file has of it.
struct source {
    const struct named_weight *weight;
    struct marian_place place;
    const struct marian_item *item; // NULL: zeros
    uint32_t rows, cols;            // of the weight that come from the file
};

// The rows and columns that are <pad>'s are not the file's.
static void set_shape(const struct reader *reader, struct source *source) {
    const struct named_weight *weight = source->weight;
    const struct vks_model_config *config = reader->config;
    bool is_vector = weight->num_dims == 1;
    const char *marian = source->place.name;
    source->rows = is_vector ? 1 : weight->num;
    source->cols = is_vector ? weight->num : weight->parameter.cols;
    if (strstr(marian, "Wemb") || strcmp(marian, "decoder_ff_logit_out_Wt") == 0)
        source->rows--;
    if (strcmp(marian, "decoder_ff_logit_out_b") == 0)
        source->cols = config->target_vocab - 1;
}

static enum vks_status find_source(struct reader *reader, const struct named_weight *weight,
                                   struct source *source) {
    static const char output[] = "decoder_ff_logit_out_Wt", old_output[] = "decoder_ff_logit_out_W";
    *source = (struct source){.weight = weight};
    CHECK(marian_place_of(reader->config, weight->name, &source->place));
    struct marian_place *place = &source->place;
    source->item = marian_file_find(reader->file, place->name);
    set_shape(reader, source);
    if (!source->item && strcmp(place->name, output) == 0) { // of older files
        snprintf(place->name, sizeof place->name, "%s", old_output);
        place->is_transposed = true;
        source->item = marian_file_find(reader->file, place->name);
    }
    if (!source->item && place->may_lack)
        return VKS_OK;
    if (!source->item) {
        log_error(reader->log,
                  "%s: there is no array '%s', which the model's configuration asks "
                  "for",
                  reader->path, place->name);
        return VKS_ERR_SHAPE;
    }
    reader->is_used[source->item - marian_file_at(reader->file, 0)] = true;
    uint32_t rows = marian_item_rows(source->item), cols = marian_item_cols(source->item);
    uint32_t wanted_rows = place->is_transposed ? source->cols : source->rows;
    uint32_t wanted_cols = place->is_transposed ? source->rows : source->cols;
    if (rows == wanted_rows && cols == wanted_cols)
        return VKS_OK;
    log_error(reader->log,
              "%s: array '%s' is [%u, %u], the model's configuration asks for [%u, %u]",
              reader->path, place->name, rows, cols, wanted_rows, wanted_cols);
    return VKS_ERR_SHAPE;
}

// Arrays that say nothing of what the model computes in float32: how activations were quantised.
static bool is_ignored(const char *name) {
    size_t length = strlen(name);
    static const char ending[] = "_QuantMultA";
    return strncmp(name, "special:", 8) == 0 ||
           (length >= sizeof ending && strcmp(name + length - (sizeof ending - 1), ending) == 0) ||
           strcmp(name, "none") == 0;
}

static enum vks_status check_fits(struct reader *reader) {
    const struct weights *weights = reader->weights;
    struct source source;
    for (size_t i = 0; i < weights->num_named; i++)
        TRY(find_source(reader, &weights->named[i], &source));
    for (size_t i = 0; i < marian_file_num(reader->file); i++) {
        const struct marian_item *item = marian_file_at(reader->file, i);
        if (reader->is_used[i] || is_ignored(item->name))
            continue;
        log_error(reader->log, "%s: array '%s' has no place in a model of this configuration",
                  reader->path, item->name);
        return VKS_ERR_SHAPE;
    }
    return VKS_OK;
}

static enum vks_status check_finite(const struct reader *reader, const struct source *source,
                                    const float *values) {
    for (uint64_t i = 0; i < source->item->num_elements; i++) {
        if (isfinite(values[i]))
            continue;
        log_error(reader->log, "%s: array '%s': element %" PRIu64 " is %s: expected finite numbers",
                  reader->path, source->place.name, i,
                  isnan(values[i]) ? "not a number" : "infinite");
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static void scale(const struct reader *reader, const struct source *source, float *values) {
    bool is_in = strstr(source->place.name, "_ffn_W1") || strstr(source->place.name, "_ffn_b1");
    bool is_out = strstr(source->place.name, "_ffn_W2") != NULL;
    float factor = is_in ? reader->gate : is_out ? 1.0f / reader->gate : 1.0f;
    for (uint64_t i = 0; i < source->item->num_elements && factor != 1.0f; i++)
        values[i] *= factor;
}

// What is <pad>'s comes last, and stays zero.
static enum vks_status read_weight(struct reader *reader, const struct named_weight *weight) {
    struct source source;
    TRY(find_source(reader, weight, &source));
    float *values = memory_calloc(named_weight_size(weight), sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status = VKS_OK;
    if (source.item)
        status = marian_item_read(reader->file, source.item, source.place.is_transposed, values);
    if (source.item && status == VKS_OK)
        status = check_finite(reader, &source, values);
    if (source.item && status == VKS_OK)
        scale(reader, &source, values);
    if (status == VKS_OK)
        status = named_weight_write(reader->weights, PART_VALUE, weight, values);
    free(values);
    return status;
}

enum vks_status marian_weights_read(struct weights *weights, const struct vks_model_config *config,
                                    float gate, const struct marian_file *file, const char *path) {
    struct reader reader = {.weights = weights,
                            .config = config,
                            .file = file,
                            .path = path,
                            .log = weights->store.device->log,
                            .gate = gate};
    reader.is_used = memory_calloc(marian_file_num(file) + 1, sizeof *reader.is_used);
    if (!reader.is_used)
        return VKS_ERR_OOM;
    enum vks_status status = check_fits(&reader);
    if (status == VKS_OK)
        status = parameter_store_allocate(&weights->store, PARTS_RUN);
    for (size_t i = 0; i < weights->num_named && status == VKS_OK; i++)
        status = read_weight(&reader, &weights->named[i]);
    free(reader.is_used);
    return status;
}
