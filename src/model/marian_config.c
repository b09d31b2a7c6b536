#include "model/marian_config.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "io/yaml.h"
#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config_item[] = "special:model.yml";
enum { MAX_NUMBER = 1 << 24 };
static const float EPS = 1e-6f; // of all its norms

// The configuration being read; the first failure stays.
struct reader {
    const struct marian_file *file;
    const char *name;
    const struct vks_log *log;
    const struct yaml_node *root;
    enum vks_status status;
};

static void fail(struct reader *reader, enum vks_status status, const char *key, const char *value,
                 const char *expected) {
    if (reader->status != VKS_OK)
        return;
    log_error(reader->log, "%s: '%s' is '%.60s': expected %s", reader->name, key, value, expected);
    reader->status = status;
}

// The text of an option; what is not said, or is a list, is by_default.
static const char *text_of(const struct reader *reader, const char *key, const char *by_default) {
    const struct yaml_node *node = yaml_find(reader->root, key);
    return node && node->kind == YAML_TEXT ? node->text : by_default;
}

static uint32_t number_of(struct reader *reader, const char *key, uint32_t by_default) {
    const char *text = text_of(reader, key, NULL);
    char *end = NULL;
    if (!text)
        return by_default;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || value > MAX_NUMBER)
        fail(reader, VKS_ERR_FORMAT, key, text, "a whole number");
    return (uint32_t)value;
}

static bool is_true(const struct reader *reader, const char *key) {
    const char *text = text_of(reader, key, "false");
    return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

// Options that would make another model of it.
static void refuse_others(struct reader *reader) {
    static const char *const flags[] = {"transformer-no-projection",
                                        "transformer-pool",
                                        "transformer-disable-position-embeddings",
                                        "transformer-alibi-shift",
                                        "transformer-no-affine",
                                        "right-left",
                                        "ulr"};
    static const struct {
        const char *key, *only;
    } texts[] = {{"type", "transformer"},
                 {"transformer-attention-mask", "default"},
                 {"lemma-dim-emb", "0"},
                 {"lemma-dependency", ""},
                 {"factors-combine", "sum"}};
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (is_true(reader, flags[i]))
            fail(reader, VKS_ERR_UNSUPPORTED, flags[i], "true", "false");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = text_of(reader, texts[i].key, texts[i].only);
        if (strcmp(text, texts[i].only) != 0)
            fail(reader, VKS_ERR_UNSUPPORTED, texts[i].key, text,
                 *texts[i].only ? texts[i].only : "nothing");
    }
    if (number_of(reader, "transformer-ffn-depth", 2) != 2)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-ffn-depth",
             text_of(reader, "transformer-ffn-depth", ""), "2");
    uint32_t depth = number_of(reader, "transformer-decoder-ffn-depth", 0);
    if (depth != 0 && depth != 2)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-decoder-ffn-depth",
             text_of(reader, "transformer-decoder-ffn-depth", ""), "0 or 2");
}

// Operators without dropout, which only training does.
static const char *operators_of(struct reader *reader, const char *key, const char *by_default,
                                const char *allowed, char kept[8]) {
    const char *text = text_of(reader, key, by_default);
    uint32_t num = 0;
    for (const char *at = text; *at; at++) {
        if (*at == 'd')
            continue;
        if (!strchr(allowed, *at) || num == 2) {
            fail(reader, VKS_ERR_UNSUPPORTED, key, text,
                 "operators 'd', 'a' and 'n' as vkseq has layers of them");
            break;
        }
        kept[num++] = *at;
    }
    kept[num] = 0;
    return text;
}

// Where layers normalise: before blocks, or after the sum.
static void read_norms(struct reader *reader, struct vks_model_config *c) {
    char before[8], after[8], top[8], embedding[8];
    const char *pre = operators_of(reader, "transformer-preprocess", "", "n", before);
    const char *post = operators_of(reader, "transformer-postprocess", "dan", "an", after);
    const char *last = operators_of(reader, "transformer-postprocess-top", "", "n", top);
    const char *emb = operators_of(reader, "transformer-postprocess-emb", "d", "n", embedding);
    c->pre_norm = strcmp(before, "n") == 0;
    c->no_final_norm = c->pre_norm && !*top;
    c->embedding_norm = *embedding != 0;
    if (strcmp(before, "n") != 0 && *before)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-preprocess", pre, "one norm, or none");
    if (strcmp(after, c->pre_norm ? "a" : "an") != 0)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-postprocess", post,
             c->pre_norm ? "'da' or 'a', since 'transformer-preprocess' has a norm"
                         : "'dan' or 'an', since 'transformer-preprocess' has no norm");
    if (strlen(top) > 1 || (*top && !c->pre_norm))
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-postprocess-top", last,
             "no norm where layers end with one");
    if (strlen(embedding) > 1)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-postprocess-emb", emb, "one norm, or none");
}

static void read_decoder(struct reader *reader, struct vks_model_config *c) {
    const char *autoreg = text_of(reader, "transformer-decoder-autoreg", "self-attention");
    const char *cell = text_of(reader, "dec-cell", "gru");
    if (strcmp(autoreg, "rnn") == 0) {
        c->decoder_cell = VKS_CELL_SSRU;
        c->rnn_projection = is_true(reader, "transformer-rnn-projection");
        if (strcmp(cell, "ssru") != 0)
            fail(reader, VKS_ERR_UNSUPPORTED, "dec-cell", cell, "ssru");
        if (is_true(reader, "layer-normalization"))
            fail(reader, VKS_ERR_UNSUPPORTED, "layer-normalization", "true", "false");
    } else if (strcmp(autoreg, "self-attention") != 0) {
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-decoder-autoreg", autoreg,
             "self-attention or rnn");
    }
    const char *layer = text_of(reader, "transformer-guided-alignment-layer", "last");
    c->alignment_layer = strcmp(layer, "last") == 0
                             ? c->decoder_layers
                             : number_of(reader, "transformer-guided-alignment-layer", 0);
}

// A layer that comes again has the weights of the first of its number.
static void read_tied_layers(struct reader *reader, struct vks_model_config *c) {
    static const char key[] = "transformer-tied-layers";
    const struct yaml_node *list = yaml_find(reader->root, key);
    uint32_t num = 0, numbers[VKS_MAX_LAYERS];
    if (!list || list->kind != YAML_LIST || !list->first)
        return;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        unsigned long number = item->kind == YAML_TEXT ? strtoul(item->text, NULL, 10) : 0;
        if (number < 1 || number > c->decoder_layers || num == c->decoder_layers) {
            fail(reader, VKS_ERR_FORMAT, key, item->text ? item->text : "a list",
                 "a number of a layer for each of the decoder's");
            return;
        }
        for (uint32_t i = 0; i < num && !c->tied_layers[num]; i++)
            c->tied_layers[num] = numbers[i] == number ? (uint8_t)(i + 1) : 0;
        // Weights have the number under which they are, so that a layer's own is its own.
        if (!c->tied_layers[num] && number != num + 1)
            fail(reader, VKS_ERR_UNSUPPORTED, key, item->text,
                 "layers' own numbers, or those of earlier layers");
        numbers[num++] = (uint32_t)number;
    }
    if (num != c->decoder_layers)
        fail(reader, VKS_ERR_FORMAT, key, "a shorter list", "as many as the decoder has layers");
}

// The rows or columns of an array, 0 if it is not there.
static uint32_t rows_of(const struct reader *reader, const char *name) {
    const struct marian_item *item = marian_file_find(reader->file, name);
    return item ? marian_item_rows(item) : 0;
}

static uint32_t cols_of(const struct reader *reader, const char *name) {
    const struct marian_item *item = marian_file_find(reader->file, name);
    return item ? marian_item_cols(item) : 0;
}

static void read_embeddings(struct reader *reader, struct vks_model_config *c) {
    bool all = is_true(reader, "tied-embeddings-all"), src = is_true(reader, "tied-embeddings-src");
    bool output = is_true(reader, "tied-embeddings");
    c->tying = all || (src && output) ? VKS_TIED_ALL
               : src                  ? VKS_TIED_SOURCE
               : output               ? VKS_TIED_OUTPUT
                                      : VKS_TIED_NONE;
    bool is_joint = c->tying == VKS_TIED_ALL || c->tying == VKS_TIED_SOURCE;
    const char *source = is_joint ? "Wemb" : "encoder_Wemb";
    const char *target = is_joint ? "Wemb" : "decoder_Wemb";
    c->source_vocab = rows_of(reader, source);
    c->target_vocab = rows_of(reader, target);
    c->width = cols_of(reader, source);
    if (c->source_vocab == 0 || c->target_vocab == 0)
        fail(reader, VKS_ERR_FORMAT, "embeddings", "missing", source);
    c->source_vocab++; // <pad>
    c->target_vocab++;
    c->pad_id = c->target_vocab - 1;
    c->output_bias = marian_file_find(reader->file, "decoder_ff_logit_out_b") != NULL;
}

static void read_sizes(struct reader *reader, struct vks_model_config *c) {
    c->num_heads = number_of(reader, "transformer-heads", 8);
    c->encoder_layers = number_of(reader, "enc-depth", 6);
    c->decoder_layers = number_of(reader, "dec-depth", 6);
    c->ffn_width = cols_of(reader, "encoder_l1_ffn_W1");
    c->decoder_ffn_width = cols_of(reader, "decoder_l1_ffn_W1");
    c->positions = VKS_POSITIONS_FAIRSEQ;
    c->max_positions = rows_of(reader, "Wpos");
    if (c->max_positions) {
        c->positions = VKS_POSITIONS_LEARNED;
        c->shared_positions = true;
        c->no_embedding_scale = true; // which only comes with sines
    }
    if (c->encoder_layers == 0 || c->decoder_layers == 0 || c->ffn_width == 0 ||
        c->decoder_ffn_width == 0)
        fail(reader, VKS_ERR_UNSUPPORTED, "enc-depth, dec-depth", "0",
             "an encoder and a decoder with layers");
}

// Before 1.12.3 Marian's gelu was x sigmoid(1.702 x) = silu(1.702 x) / 1.702.
static bool has_old_gelu(const struct reader *reader) {
    unsigned major = 0, minor = 0, patch = 0;
    sscanf(text_of(reader, "version", ""), "v%u.%u.%u", &major, &minor, &patch);
    return major < 1 || (major == 1 && (minor < 12 || (minor == 12 && patch < 3)));
}

static void read_activation(struct reader *reader, struct vks_model_config *c, float *gate) {
    const char *name = text_of(reader, "transformer-ffn-activation", "swish");
    bool is_gelu = strcmp(name, "gelu") == 0, is_old = is_gelu && has_old_gelu(reader);
    *gate = is_old ? 1.702f : 1.0f;
    c->activation = strcmp(name, "relu") == 0 ? VKS_RELU : is_gelu && !is_old ? VKS_GELU : VKS_SILU;
    if (strcmp(name, "relu") != 0 && strcmp(name, "swish") != 0 && !is_gelu)
        fail(reader, VKS_ERR_UNSUPPORTED, "transformer-ffn-activation", name,
             "relu, swish or gelu");
}

static void read_all(struct reader *reader, struct vks_model_config *c, float *gate) {
    refuse_others(reader);
    read_embeddings(reader, c);
    read_sizes(reader, c);
    read_norms(reader, c);
    read_decoder(reader, c);
    if (reader->status == VKS_OK && c->decoder_layers <= VKS_MAX_LAYERS)
        read_tied_layers(reader, c);
    read_activation(reader, c, gate);
    c->norm_eps = EPS;
    c->search = VKS_SEARCH_MARIAN;
}

enum vks_status marian_config_read(const struct marian_file *file, const char *name,
                                   const struct vks_log *log, struct vks_model_config *config,
                                   float *gate) {
    size_t num_bytes = 0;
    const char *text = marian_file_text(file, config_item, &num_bytes);
    struct arena arena = {0};
    struct yaml_node *root;
    if (!text) {
        log_error(log, "%s: there is no '%s', the model's configuration", name, config_item);
        return VKS_ERR_FORMAT;
    }
    enum vks_status status = yaml_parse(text, num_bytes, name, log, &arena, &root);
    if (status == VKS_OK) {
        struct reader reader = {.file = file, .name = name, .log = log, .root = root};
        struct vks_model_config read = {0};
        read_all(&reader, &read, gate);
        status = reader.status;
        if (status == VKS_OK)
            status = config_complete(&read, name, log);
        if (status == VKS_OK)
            *config = read;
    }
    arena_finish(&arena);
    return status == VKS_ERR_ARGUMENT ? VKS_ERR_FORMAT : status;
}
