#include "data/corpus.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/thread.h"
#include "data/lines.h"

#include <stdlib.h>
#include <string.h>

enum { NUM_SIDES = 2, MAX_THREADS = 64, MIN_LINES_PER_THREAD = 256 };

// Token ids of consecutive pairs. The whole corpus is one such piece, and so is each thread's part.
struct piece {
    uint32_t *ids[NUM_SIDES];   // end to end, </s> included
    size_t *offsets[NUM_SIDES]; // [num_pairs + 1]
    uint32_t *lines;            // [num_pairs], 1-based
    size_t num_pairs;
};

struct corpus {
    char *paths[NUM_SIDES];
    size_t num_lines;
    struct piece piece;
};

// A thread's part of the work: lines [begin, end).
struct part {
    const struct corpus_params *params;
    const struct lines *lines; // [NUM_SIDES]
    size_t begin, end;
    struct piece piece;
    size_t capacities[NUM_SIDES]; // of piece.ids
    size_t num_empty, num_long;
    enum vks_status status;
    struct thread thread;
    bool is_started;
};

static void piece_finish(struct piece *piece) {
    for (int side = 0; side < NUM_SIDES; side++) {
        free(piece->ids[side]);
        free(piece->offsets[side]);
    }
    free(piece->lines);
    *piece = (struct piece){0};
}

// Room for the offsets and lines of so many pairs.
static bool piece_init(struct piece *piece, size_t max_pairs) {
    for (int side = 0; side < NUM_SIDES; side++)
        piece->offsets[side] = memory_calloc(max_pairs + 1, sizeof(size_t));
    piece->lines = memory_calloc(max_pairs + 1, sizeof *piece->lines);
    return piece->offsets[VKS_SOURCE] && piece->offsets[VKS_TARGET] && piece->lines;
}

static bool reserve_ids(struct part *part, int side, size_t num_ids) {
    if (num_ids <= part->capacities[side])
        return true;
    size_t capacity = num_ids + num_ids / 2, num_bytes;
    uint32_t *grown = size_mul(capacity, sizeof *grown, &num_bytes)
                          ? memory_realloc(part->piece.ids[side], num_bytes)
                          : NULL;
    if (!grown)
        return false;
    part->piece.ids[side] = grown;
    part->capacities[side] = capacity;
    return true;
}

// Appends one side of the pair that comes next in the piece, with </s>.
static enum vks_status append_side(struct part *part, enum vks_side side, const uint32_t *ids,
                                   size_t num_ids) {
    struct piece *piece = &part->piece;
    size_t begin = piece->offsets[side][piece->num_pairs], end = begin + num_ids + 1;
    if (!reserve_ids(part, side, end)) {
        log_error(part->params->log, "%s: out of memory for %zu tokens", part->params->source_path,
                  end);
        return VKS_ERR_OOM;
    }
    memcpy(piece->ids[side] + begin, ids, num_ids * sizeof *ids);
    piece->ids[side][end - 1] = vks_tokenizer_eos_id(part->params->tokenizer, side);
    piece->offsets[side][piece->num_pairs + 1] = end;
    return VKS_OK;
}

static enum vks_status append_pair(struct part *part, size_t line_idx,
                                   uint32_t *const ids[NUM_SIDES], size_t num_ids[NUM_SIDES]) {
    const struct corpus_params *params = part->params;
    // A length with </s> fits in 32 bits even when nothing limits it.
    size_t limit =
        params->max_length ? min_u32(params->max_length, UINT32_MAX - 1) : UINT32_MAX - 1;
    if (num_ids[VKS_SOURCE] == 0 || num_ids[VKS_TARGET] == 0) {
        part->num_empty++;
        return VKS_OK;
    }
    if (num_ids[VKS_SOURCE] > limit || num_ids[VKS_TARGET] > limit) {
        part->num_long++;
        if (!params->crop)
            return VKS_OK;
    }
    for (int side = 0; side < NUM_SIDES; side++)
        TRY(append_side(part, (enum vks_side)side, ids[side],
                        num_ids[side] < limit ? num_ids[side] : limit));
    part->piece.lines[part->piece.num_pairs++] = (uint32_t)line_idx + 1;
    return VKS_OK;
}

static enum vks_status encode_pair(struct part *part, size_t line_idx) {
    uint32_t *ids[NUM_SIDES] = {NULL, NULL};
    size_t num_ids[NUM_SIDES] = {0, 0};
    enum vks_status status = VKS_OK;
    for (int side = 0; side < NUM_SIDES && status == VKS_OK; side++) {
        size_t num_bytes;
        const char *text = lines_get(&part->lines[side], line_idx, &num_bytes);
        status = vks_tokenizer_encode(part->params->tokenizer, (enum vks_side)side, text, num_bytes,
                                      &ids[side], &num_ids[side]);
    }
    if (status == VKS_OK)
        status = append_pair(part, line_idx, ids, num_ids);
    for (int side = 0; side < NUM_SIDES; side++)
        vks_free(ids[side]);
    return status;
}

static void *encode_part(void *user) {
    struct part *part = user;
    if (!piece_init(&part->piece, part->end - part->begin)) {
        log_error(part->params->log, "%s: out of memory", part->params->source_path);
        part->status = VKS_ERR_OOM;
    }
    for (size_t i = part->begin; i < part->end && part->status == VKS_OK; i++)
        part->status = encode_pair(part, i);
    return NULL;
}

static size_t count_threads(const struct corpus_params *params, size_t num_lines) {
    size_t num = params->num_threads ? params->num_threads : platform_num_processors();
    size_t useful = num_lines / MIN_LINES_PER_THREAD + 1;
    num = num < useful ? num : useful;
    return num < MAX_THREADS ? num : MAX_THREADS;
}

// Tokenises all lines; what a thread cannot be had for is done here.
static enum vks_status encode_parts(struct part *parts, size_t num_parts) {
    for (size_t i = 1; i < num_parts; i++)
        parts[i].is_started = thread_start(&parts[i].thread, encode_part, &parts[i]);
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < num_parts; i++) {
        if (parts[i].is_started)
            thread_join(&parts[i].thread);
        else
            encode_part(&parts[i]);
        if (status == VKS_OK)
            status = parts[i].status;
    }
    return status;
}

// Puts the parts end to end.
static enum vks_status join_parts(const struct part *parts, size_t num_parts,
                                  const struct vks_log *log, struct piece *whole) {
    size_t num_pairs = 0, num_ids[NUM_SIDES] = {0, 0};
    for (size_t i = 0; i < num_parts; i++) {
        num_pairs += parts[i].piece.num_pairs;
        for (int side = 0; side < NUM_SIDES; side++)
            num_ids[side] += parts[i].piece.offsets[side][parts[i].piece.num_pairs];
    }
    bool is_allocated = piece_init(whole, num_pairs);
    for (int side = 0; side < NUM_SIDES; side++) {
        whole->ids[side] = memory_calloc(num_ids[side] + 1, sizeof(uint32_t));
        is_allocated = is_allocated && whole->ids[side];
    }
    if (!is_allocated) {
        log_error(log, "%s: out of memory for %zu pairs", parts->params->source_path, num_pairs);
        return VKS_ERR_OOM;
    }
    for (size_t i = 0; i < num_parts; i++) {
        const struct piece *piece = &parts[i].piece;
        for (int side = 0; side < NUM_SIDES && piece->num_pairs; side++) {
            size_t begin = whole->offsets[side][whole->num_pairs];
            memcpy(whole->ids[side] + begin, piece->ids[side],
                   piece->offsets[side][piece->num_pairs] * sizeof(uint32_t));
            for (size_t p = 1; p <= piece->num_pairs; p++)
                whole->offsets[side][whole->num_pairs + p] = begin + piece->offsets[side][p];
        }
        memcpy(whole->lines + whole->num_pairs, piece->lines,
               piece->num_pairs * sizeof *piece->lines);
        whole->num_pairs += piece->num_pairs;
    }
    return VKS_OK;
}

static enum vks_status report(const struct corpus_params *params, const struct part *parts,
                              size_t num_parts, const struct piece *whole) {
    size_t num_empty = 0, num_long = 0;
    for (size_t i = 0; i < num_parts; i++) {
        num_empty += parts[i].num_empty;
        num_long += parts[i].num_long;
    }
    const char *fate = params->crop ? "cut" : "left out";
    if (whole->num_pairs == 0) {
        log_error(params->log,
                  "%s, %s: no pair to use (%zu with an empty side, %zu %s for being longer than %u "
                  "tokens)",
                  params->source_path, params->target_path, num_empty, num_long, fate,
                  params->max_length);
        return VKS_ERR_FORMAT;
    }
    if (num_empty)
        log_info(params->log, "%s, %s: %zu pairs left out for an empty side", params->source_path,
                 params->target_path, num_empty);
    if (num_long)
        log_info(params->log, "%s, %s: %zu pairs %s for being longer than %u tokens",
                 params->source_path, params->target_path, num_long, fate, params->max_length);
    return VKS_OK;
}

static enum vks_status encode_lines(const struct corpus_params *params,
                                    const struct lines lines[NUM_SIDES], struct piece *whole) {
    size_t num_lines = lines[0].num, num_parts = count_threads(params, num_lines);
    struct part *parts = memory_calloc(num_parts, sizeof *parts);
    if (!parts) {
        log_error(params->log, "%s: out of memory", params->source_path);
        return VKS_ERR_OOM;
    }
    for (size_t i = 0; i < num_parts; i++) {
        parts[i].params = params;
        parts[i].lines = lines;
        parts[i].begin = num_lines / num_parts * i;
        parts[i].end = i + 1 < num_parts ? num_lines / num_parts * (i + 1) : num_lines;
    }
    enum vks_status status = encode_parts(parts, num_parts);
    if (status == VKS_OK)
        status = join_parts(parts, num_parts, params->log, whole);
    if (status == VKS_OK)
        status = report(params, parts, num_parts, whole);
    for (size_t i = 0; i < num_parts; i++)
        piece_finish(&parts[i].piece);
    free(parts);
    return status;
}

static enum vks_status check_counts(const struct corpus_params *params,
                                    const struct lines lines[NUM_SIDES]) {
    if (lines[VKS_SOURCE].num != lines[VKS_TARGET].num) {
        log_error(params->log, "%s has %zu lines, %s has %zu: expected as many",
                  params->source_path, lines[VKS_SOURCE].num, params->target_path,
                  lines[VKS_TARGET].num);
        return VKS_ERR_FORMAT;
    }
    if (lines[VKS_SOURCE].num > UINT32_MAX) {
        log_error(params->log, "%s has %zu lines: more than 2^32 - 1", params->source_path,
                  lines[VKS_SOURCE].num);
        return VKS_ERR_UNSUPPORTED;
    }
    return VKS_OK;
}

enum vks_status corpus_load(const struct corpus_params *params, struct corpus **corpus) {
    struct lines lines[NUM_SIDES] = {{0}};
    enum vks_status status = VKS_ERR_OOM;
    struct corpus *loaded = memory_calloc(1, sizeof *loaded);
    if (loaded) {
        loaded->paths[VKS_SOURCE] = memory_strdup(params->source_path);
        loaded->paths[VKS_TARGET] = memory_strdup(params->target_path);
    }
    if (!loaded || !loaded->paths[VKS_SOURCE] || !loaded->paths[VKS_TARGET]) {
        log_error(params->log, "%s: out of memory", params->source_path);
        goto done;
    }
    for (int side = 0; side < NUM_SIDES; side++)
        TRY_GOTO(status, lines_read(loaded->paths[side], params->log, &lines[side]), done);
    TRY_GOTO(status, check_counts(params, lines), done);
    loaded->num_lines = lines[VKS_SOURCE].num;
    TRY_GOTO(status, encode_lines(params, lines, &loaded->piece), done);
    *corpus = loaded;
    loaded = NULL;
done:
    for (int side = 0; side < NUM_SIDES; side++)
        lines_finish(&lines[side]);
    corpus_destroy(&loaded);
    return status;
}

void corpus_destroy(struct corpus **corpus) {
    if (!*corpus)
        return;
    for (int side = 0; side < NUM_SIDES; side++)
        free((*corpus)->paths[side]);
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
    const size_t *offsets = corpus->piece.offsets[side] + pair_idx;
    return (uint32_t)(offsets[1] - offsets[0]);
}

uint64_t corpus_num_tokens(const struct corpus *corpus, enum vks_side side) {
    return corpus->piece.offsets[side][corpus->piece.num_pairs];
}

size_t corpus_num_lines(const struct corpus *corpus) {
    return corpus->num_lines;
}

uint32_t corpus_line(const struct corpus *corpus, uint32_t pair_idx) {
    CHECK(pair_idx < corpus->piece.num_pairs);
    return corpus->piece.lines[pair_idx];
}

const char *corpus_path(const struct corpus *corpus, enum vks_side side) {
    return corpus->paths[side];
}
