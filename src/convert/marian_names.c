#include "convert/marian_names.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *theirs, *ours;
    enum marian_kind kind;
};

static const struct row whole_names[] = {
    {"model.shared.weight", "Wemb", MARIAN_EMBEDDING},
    {"model.encoder.embed_tokens.weight", "encoder_Wemb", MARIAN_EMBEDDING},
    {"model.decoder.embed_tokens.weight", "decoder_Wemb", MARIAN_EMBEDDING},
    {"lm_head.weight", "decoder_ff_logit_out_Wt", MARIAN_EMBEDDING},
    {"model.encoder.layer_norm.weight", "encoder_top_ln_scale", MARIAN_VECTOR},
    {"model.encoder.layer_norm.bias", "encoder_top_ln_bias", MARIAN_VECTOR},
    {"model.decoder.layer_norm.weight", "decoder_top_ln_scale", MARIAN_VECTOR},
    {"model.decoder.layer_norm.bias", "decoder_top_ln_bias", MARIAN_VECTOR},
};

// Parts of a block's name, and of a parameter's name in it.
static const char *const attention_names[][2] = {{"self_attn", "self"},
                                                 {"encoder_attn", "context"}};
static const struct row attention_rows[] = {
    {".q_proj.weight", "_Wq", MARIAN_MATRIX},
    {".q_proj.bias", "_bq", MARIAN_VECTOR},
    {".k_proj.weight", "_Wk", MARIAN_MATRIX},
    {".k_proj.bias", "_bk", MARIAN_VECTOR},
    {".v_proj.weight", "_Wv", MARIAN_MATRIX},
    {".v_proj.bias", "_bv", MARIAN_VECTOR},
    {".out_proj.weight", "_Wo", MARIAN_MATRIX},
    {".out_proj.bias", "_bo", MARIAN_VECTOR},
    {"_layer_norm.weight", "_Wo_ln_scale", MARIAN_VECTOR},
    {"_layer_norm.bias", "_Wo_ln_bias", MARIAN_VECTOR},
};
static const struct row ffn_rows[] = {
    {"fc1.weight", "ffn_W1", MARIAN_MATRIX},
    {"fc1.bias", "ffn_b1", MARIAN_VECTOR},
    {"fc2.weight", "ffn_W2", MARIAN_MATRIX},
    {"fc2.bias", "ffn_b2", MARIAN_VECTOR},
    {"final_layer_norm.weight", "ffn_ffn_ln_scale", MARIAN_VECTOR},
    {"final_layer_norm.bias", "ffn_ffn_ln_bias", MARIAN_VECTOR},
};

static const struct row *find(const struct row *rows, size_t num, const char *name) {
    for (size_t i = 0; i < num; i++)
        if (strcmp(rows[i].theirs, name) == 0)
            return &rows[i];
    return NULL;
}

// The rest of a layer's name, "self_attn.q_proj.weight": its row, and the block's name before it.
static const struct row *find_in_layer(const char *rest, const char **block) {
    for (size_t i = 0; i < COUNT_OF(attention_names); i++) {
        size_t length = strlen(attention_names[i][0]);
        *block = attention_names[i][1];
        if (strncmp(rest, attention_names[i][0], length) == 0)
            return find(attention_rows, COUNT_OF(attention_rows), rest + length);
    }
    *block = "";
    return find(ffn_rows, COUNT_OF(ffn_rows), rest);
}

bool marian_name_of(const char *name, bool pre_norm, struct marian_name *result) {
    const struct row *row = find(whole_names, COUNT_OF(whole_names), name);
    char stack[8];
    const char *block = "";
    unsigned layer = 0;
    int used = 0;
    if (row) {
        snprintf(result->text, sizeof result->text, "%s", row->ours);
    } else {
        if (sscanf(name, "model.%7[a-z].layers.%u.%n", stack, &layer, &used) != 2 || used == 0)
            return false;
        row = find_in_layer(name + used, &block);
        if (!row)
            return false;
        const char *suffix = pre_norm && strstr(row->ours, "_ln_") ? "_pre" : "";
        snprintf(result->text, sizeof result->text, "%s_l%u_%s%s%s", stack, layer + 1, block,
                 row->ours, suffix);
    }
    result->kind = row->kind;
    return true;
}

enum { OPTIONS_BYTES = 2048 };

static const char *truth(bool value) {
    return value ? "true" : "false";
}

char *marian_model_options(const struct vks_model_config *c) {
    static const char *const activations[] = {"relu", "gelu", "swish"};
    char alignment[16] = "last";
    if (c->alignment_layer)
        snprintf(alignment, sizeof alignment, "%u", c->alignment_layer);
    char *text = memory_malloc(OPTIONS_BYTES);
    if (!text)
        return NULL;
    int num = snprintf(text, OPTIONS_BYTES,
                       "type: transformer\n"
                       "version: vkseq " VKS_VERSION_STRING "\n"
                       "dim-vocabs:\n  - %u\n  - %u\n"
                       "dim-emb: %u\n"
                       "enc-depth: %u\n"
                       "dec-depth: %u\n"
                       "tied-embeddings: %s\n"
                       "tied-embeddings-src: false\n"
                       "tied-embeddings-all: %s\n"
                       "transformer-heads: %u\n"
                       "transformer-dim-ffn: %u\n"
                       "transformer-decoder-dim-ffn: 0\n"
                       "transformer-ffn-depth: 2\n"
                       "transformer-decoder-ffn-depth: 0\n"
                       "transformer-ffn-activation: %s\n"
                       "transformer-no-projection: false\n"
                       "transformer-decoder-autoreg: self-attention\n"
                       "transformer-tied-layers:\n  []\n"
                       "transformer-preprocess: \"%s\"\n"
                       "transformer-postprocess-emb: d\n"
                       "transformer-postprocess: %s\n"
                       "transformer-postprocess-top: \"%s\"\n"
                       "transformer-train-position-embeddings: false\n"
                       "transformer-guided-alignment-layer: %s\n"
                       "transformer-depth-scaling: false\n"
                       "transformer-pool: false\n"
                       "input-types:\n  []\n"
                       "layer-normalization: false\n"
                       "lemma-dim-emb: 0\n"
                       "right-left: false\n"
                       "skip: false\n"
                       "ulr: false\n",
                       c->source_vocab - 1, c->target_vocab - 1, c->width, c->encoder_layers,
                       c->decoder_layers, truth(c->tying == VKS_TIED_OUTPUT),
                       truth(c->tying == VKS_TIED_ALL), c->num_heads, c->ffn_width,
                       activations[c->activation], c->pre_norm ? "n" : "",
                       c->pre_norm ? "da" : "dan", c->pre_norm ? "n" : "", alignment);
    CHECK(num > 0 && num < OPTIONS_BYTES);
    return text;
}

char *marian_decoder_options(const char *const vocabs[2]) {
    char *text = memory_malloc(OPTIONS_BYTES);
    if (!text)
        return NULL;
    int num = snprintf(text, OPTIONS_BYTES,
                       "relative-paths: true\n"
                       "models:\n  - model.npz\n"
                       "vocabs:\n  - %s\n  - %s\n"
                       "beam-size: 4\n"
                       "normalize: 0\n"
                       "word-penalty: 0\n"
                       "max-length-factor: 3\n"
                       "allow-unk: true\n",
                       vocabs[0], vocabs[1]);
    CHECK(num > 0 && num < OPTIONS_BYTES);
    return text;
}
