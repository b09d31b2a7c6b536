#include "convert/marian_options.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { OPTIONS_BYTES = 2048 };

static const char *truth(bool value) {
    return value ? "true" : "false";
}

// The list of the layers whose weights each layer of the decoder has: [], or "\n  - 1\n  - 1".
static void print_tied_layers(const struct vks_model_config *c, char *text, size_t text_bytes) {
    bool is_tied = false;
    size_t used = 0;
    for (uint32_t i = 0; i < c->decoder_layers; i++) {
        is_tied |= c->tied_layers[i] != 0;
        used += (size_t)snprintf(text + used, text_bytes - used, "\n  - %u",
                                 c->tied_layers[i] ? c->tied_layers[i] : i + 1);
        CHECK(used < text_bytes);
    }
    if (!is_tied)
        snprintf(text, text_bytes, "\n  []");
}

// Norms before blocks, after them, and at the end.
static const char *const norms[2][3] = {{"", "dan", ""}, {"n", "da", "n"}};

char *marian_model_options(const struct vks_model_config *c) {
    static const char *const activations[] = {"relu", "gelu", "swish"};
    char alignment[16] = "last", tied_layers[VKS_MAX_LAYERS * 8];
    const char *const *own_norms = norms[c->pre_norm];
    bool has_cells = c->decoder_cell == VKS_CELL_SSRU;
    print_tied_layers(c, tied_layers, sizeof tied_layers);
    if (c->alignment_layer)
        snprintf(alignment, sizeof alignment, "%u", c->alignment_layer);
    char *text = memory_malloc(OPTIONS_BYTES);
    if (!text)
        return NULL;
    int num = snprintf(text, OPTIONS_BYTES,
                       "type: transformer\n"
                       "version: v1.12.42 written by vkseq " VKS_VERSION_STRING "\n"
                       "dim-vocabs:\n  - %u\n  - %u\n"
                       "dim-emb: %u\n"
                       "enc-depth: %u\n"
                       "dec-depth: %u\n"
                       "tied-embeddings: %s\n"
                       "tied-embeddings-src: %s\n"
                       "tied-embeddings-all: %s\n"
                       "transformer-heads: %u\n"
                       "transformer-dim-ffn: %u\n"
                       "transformer-decoder-dim-ffn: %u\n"
                       "transformer-ffn-depth: 2\n"
                       "transformer-decoder-ffn-depth: 0\n"
                       "transformer-ffn-activation: %s\n"
                       "transformer-no-projection: false\n"
                       "transformer-decoder-autoreg: %s\n"
                       "dec-cell: %s\n"
                       "transformer-rnn-projection: %s\n"
                       "transformer-tied-layers:%s\n"
                       "transformer-preprocess: \"%s\"\n"
                       "transformer-postprocess-emb: %s\n"
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
                       truth(c->tying == VKS_TIED_SOURCE), truth(c->tying == VKS_TIED_ALL),
                       c->num_heads, c->ffn_width, c->decoder_ffn_width, activations[c->activation],
                       has_cells ? "rnn" : "self-attention", has_cells ? "ssru" : "gru",
                       truth(c->rnn_projection), tied_layers, own_norms[0],
                       c->embedding_norm ? "nd" : "d", own_norms[1],
                       c->no_final_norm ? "" : own_norms[2], alignment);
    CHECK(num > 0 && num < OPTIONS_BYTES);
    return text;
}

char *marian_decoder_options(const struct vks_model_config *config, const char *const vocabs[2]) {
    const struct vks_generation *generation = &config->generation;
    char *text = memory_malloc(OPTIONS_BYTES);
    if (!text)
        return NULL;
    int num = snprintf(text, OPTIONS_BYTES,
                       "relative-paths: true\n"
                       "models:\n  - model.npz\n"
                       "vocabs:\n  - %s\n  - %s\n"
                       "beam-size: %u\n"
                       "normalize: %g\n"
                       "word-penalty: 0\n"
                       "max-length-factor: 3\n"
                       "allow-unk: %s\n",
                       vocabs[0], vocabs[1], generation->beam_size ? generation->beam_size : 4,
                       (double)generation->normalize, truth(!generation->suppressed[0]));
    CHECK(num > 0 && num < OPTIONS_BYTES);
    return text;
}
