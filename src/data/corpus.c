#include "data/corpus.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

enum { BLOCK_PAIRS = 1 << 15, MAX_NAME_BYTES = 512 };

struct corpus {
    struct piece piece;
};

static enum vks_status memory_error(const struct encoder_params *params) {
    log_error(params->log, "%s: out of memory", params->sets->source);
    return VKS_ERR_OOM;
}

// Reads up to BLOCK_PAIRS pairs; *is_found is false if there was an end before them.
static enum vks_status read_block(const struct encoder_params *params, struct pair_reader *reader,
                                  struct text_block *block, bool *is_found) {
    struct text_pair pair;
    text_block_clear(block);
    do {
        TRY(pair_reader_next(reader, &pair, is_found));
        if (*is_found && !text_block_add(block, &pair))
            return memory_error(params);
    } while (*is_found && block->num_pairs < BLOCK_PAIRS);
    return VKS_OK;
}

static enum vks_status load_set(const struct encoder_params *params, uint32_t set_idx,
                                struct text_block *block, struct piece *piece) {
    struct pair_reader *reader;
    bool is_found = true;
    TRY(pair_reader_open(&params->sets[set_idx], set_idx, params->log, &reader));
    enum vks_status status = VKS_OK;
    while (status == VKS_OK && is_found) {
        status = read_block(params, reader, block, &is_found);
        if (status == VKS_OK)
            status = encoder_encode(params, 0, block, piece);
    }
    pair_reader_close(&reader);
    return status;
}

static enum vks_status report(const struct encoder_params *params, const struct piece *piece) {
    char name[MAX_NAME_BYTES];
    const char *fate = params->crop ? "cut" : "left out";
    text_sets_name(params->sets, params->num_sets, name, sizeof name);
    if (piece->num_pairs == 0) {
        log_error(params->log,
                  "%s: no pair to use (%llu with an empty side, %llu %s for being longer than %u "
                  "tokens)",
                  name, (unsigned long long)piece->num_empty, (unsigned long long)piece->num_long,
                  fate, params->max_length);
        return VKS_ERR_FORMAT;
    }
    if (piece->num_pairs > UINT32_MAX) {
        log_error(params->log, "%s: %zu pairs are more than 2^32 - 1; keep them on disk", name,
                  piece->num_pairs);
        return VKS_ERR_UNSUPPORTED;
    }
    if (piece->num_empty)
        log_info(params->log, "%s: %llu pairs left out for an empty side", name,
                 (unsigned long long)piece->num_empty);
    if (piece->num_long)
        log_info(params->log, "%s: %llu pairs %s for being longer than %u tokens", name,
                 (unsigned long long)piece->num_long, fate, params->max_length);
    return VKS_OK;
}

enum vks_status corpus_load(const struct encoder_params *params, struct corpus **corpus) {
    struct corpus *loaded = memory_calloc(1, sizeof *loaded);
    struct text_block block = {0};
    if (!loaded)
        return memory_error(params);
    enum vks_status status = VKS_OK;
    for (uint32_t i = 0; i < params->num_sets && status == VKS_OK; i++)
        status = load_set(params, i, &block, &loaded->piece);
    if (status == VKS_OK)
        status = report(params, &loaded->piece);
    text_block_finish(&block);
    if (status != VKS_OK)
        corpus_destroy(&loaded);
    else
        *corpus = loaded;
    return status;
}

enum vks_status corpus_encode(const struct encoder_params *params, uint64_t epoch,
                              const struct text_block *block, struct corpus **corpus) {
    struct corpus *encoded = memory_calloc(1, sizeof *encoded);
    if (!encoded)
        return memory_error(params);
    enum vks_status status = encoder_encode(params, epoch, block, &encoded->piece);
    if (status != VKS_OK)
        corpus_destroy(&encoded);
    else
        *corpus = encoded;
    return status;
}

void corpus_destroy(struct corpus **corpus) {
    if (!*corpus)
        return;
    piece_finish(&(*corpus)->piece);
    free(*corpus);
    *corpus = NULL;
}

uint32_t corpus_num_pairs(const struct corpus *corpus) {
    return (uint32_t)corpus->piece.num_pairs;
}

const uint32_t *corpus_ids(const struct corpus *corpus, enum vks_side side, uint32_t pair_idx,
                           uint32_t *num_ids) {
    *num_ids = corpus_length(corpus, side, pair_idx);
    return corpus->piece.ids[side] + corpus->piece.offsets[side][pair_idx];
}

uint32_t corpus_length(const struct corpus *corpus, enum vks_side side, uint32_t pair_idx) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    const uint64_t *offsets = corpus->piece.offsets[side] + pair_idx;
    return (uint32_t)(offsets[1] - offsets[0]);
}

uint64_t corpus_num_tokens(const struct corpus *corpus, enum vks_side side) {
    return piece_num_ids(&corpus->piece, side);
}

const float *corpus_weights(const struct corpus *corpus, uint32_t pair_idx) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    const struct piece *piece = &corpus->piece;
    return piece->weights ? piece->weights + piece->offsets[VKS_TARGET][pair_idx] : NULL;
}

bool corpus_has_weights(const struct corpus *corpus) {
    return corpus->piece.weights != NULL;
}

const struct alignment_link *corpus_links(const struct corpus *corpus, uint32_t pair_idx,
                                          size_t *num) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    const struct piece *piece = &corpus->piece;
    size_t begin = piece->link_offsets ? piece->link_offsets[pair_idx] : 0;
    *num = piece->link_offsets ? piece->link_offsets[pair_idx + 1] - begin : 0;
    return *num ? piece->links.items + begin : NULL;
}

uint32_t corpus_set(const struct corpus *corpus, uint32_t pair_idx) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    return corpus->piece.sets[pair_idx];
}

uint32_t corpus_line(const struct corpus *corpus, uint32_t pair_idx) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    return corpus->piece.lines[pair_idx];
}

uint32_t corpus_set_pairs(const struct corpus *corpus, uint32_t set_idx) {
    uint32_t num = 0;
    for (size_t i = 0; i < corpus->piece.num_pairs; i++)
        num += corpus->piece.sets[i] == set_idx;
    return num;
}
