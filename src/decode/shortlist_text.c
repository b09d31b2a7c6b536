#include "decode/shortlist_text.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// SentencePiece's mark of a blank, which all pieces of a vocabulary of words begin with.
static const char word_mark[] = "\xe2\x96\x81";
enum { MARK_BYTES = sizeof word_mark - 1 };

// A side's pieces, to find their ids.
struct piece {
    const char *text;
    uint32_t id;
};

struct index {
    struct piece *pieces; // [num], in strcmp order
    uint32_t num, unk_id;
};

static int compare_pieces(const void *a, const void *b) {
    return strcmp(((const struct piece *)a)->text, ((const struct piece *)b)->text);
}

// Words are found without their mark.
static enum vks_status make_index(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                  struct index *index) {
    uint32_t size = vks_tokenizer_vocab_size(tokenizer, side);
    uint32_t pad_id = vks_tokenizer_pad_id(tokenizer, side), num_marked = 0, num_plain = 0;
    *index = (struct index){.pieces = memory_calloc((size_t)size + 1, sizeof *index->pieces),
                            .unk_id = vks_tokenizer_unk_id(tokenizer, side)};
    if (!index->pieces)
        return VKS_ERR_OOM;
    for (uint32_t id = 0; id < size; id++) {
        const char *text = vks_tokenizer_piece(tokenizer, side, id);
        if (!text || id == pad_id)
            continue;
        bool is_special = id == index->unk_id || id == vks_tokenizer_eos_id(tokenizer, side);
        bool is_marked = strncmp(text, word_mark, MARK_BYTES) == 0;
        num_marked += is_marked;
        num_plain += !is_marked && !is_special;
        index->pieces[index->num++] = (struct piece){text, id};
    }
    for (uint32_t i = 0; i < index->num && num_marked > 0 && num_plain == 0; i++)
        if (strncmp(index->pieces[i].text, word_mark, MARK_BYTES) == 0)
            index->pieces[i].text += MARK_BYTES;
    qsort(index->pieces, index->num, sizeof *index->pieces, compare_pieces);
    return VKS_OK;
}

static uint32_t find(const struct index *index, const char *text) {
    const struct piece key = {.text = text};
    const struct piece *piece =
        bsearch(&key, index->pieces, index->num, sizeof key, compare_pieces);
    return piece ? piece->id : index->unk_id;
}

static enum vks_status add(struct shortlist_links *links, struct shortlist_link link) {
    if (links->num == links->capacity) {
        size_t capacity = links->capacity ? 2 * links->capacity : 1024;
        struct shortlist_link *grown = memory_realloc(links->items, capacity * sizeof *grown);
        if (!grown)
            return VKS_ERR_OOM;
        links->items = grown;
        links->capacity = capacity;
    }
    links->items[links->num++] = link;
    return VKS_OK;
}

// By tokens, a later line first.
static int compare_tokens(const void *a_ref, const void *b_ref) {
    const struct shortlist_link *a = a_ref, *b = b_ref;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return a->line_idx > b->line_idx ? -1 : a->line_idx < b->line_idx;
}

// By source, the most probable first, and of equal ones the highest id, as Marian does.
static int compare_probabilities(const void *a_ref, const void *b_ref) {
    const struct shortlist_link *a = a_ref, *b = b_ref;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->probability < b->probability || a->probability > b->probability)
        return a->probability > b->probability ? -1 : 1;
    return a->target > b->target ? -1 : a->target < b->target;
}

// The last line of each pair holds; of a source token the best stay.
static void prune(const struct vks_shortlist_params *params, struct shortlist_links *links) {
    size_t num = 0;
    if (links->num == 0)
        return;
    qsort(links->items, links->num, sizeof *links->items, compare_tokens);
    for (size_t i = 0; i < links->num; i++) {
        const struct shortlist_link *link = &links->items[i];
        if (num == 0 || link->source != links->items[num - 1].source ||
            link->target != links->items[num - 1].target)
            links->items[num++] = *link;
    }
    qsort(links->items, num, sizeof *links->items, compare_probabilities);
    links->num = 0;
    uint32_t num_of_source = 0;
    for (size_t i = 0; i < num; i++) {
        struct shortlist_link link = links->items[i];
        if (i == 0 || link.source != links->items[i - 1].source)
            num_of_source = 0;
        if (num_of_source++ < params->best && link.probability > params->threshold)
            links->items[links->num++] = link;
    }
}

// The three words of a line; false if it has others. Its blanks become NULs.
static bool cut(char *line, char *words[3]) {
    uint32_t num = 0;
    for (char *saved, *word = strtok_r(line, " \t\r", &saved); word;
         word = strtok_r(NULL, " \t\r", &saved)) {
        if (num == 3)
            return false;
        words[num++] = word;
    }
    return num == 3;
}

static enum vks_status read_line(char *line, size_t line_idx,
                                 const struct vks_shortlist_params *params,
                                 const struct index index[2], struct shortlist_links *links) {
    char *words[3], *end = NULL;
    if (line[strspn(line, " \t\r")] == 0)
        return VKS_OK;
    bool is_whole = cut(line, words);
    float probability = is_whole ? strtof(words[2], &end) : 0.0f;
    if (!is_whole || end == words[2] || *end || !isfinite(probability)) {
        log_error(params->log,
                  "%s, line %zu: expected a target token, a source token and a probability",
                  params->path, line_idx + 1);
        return VKS_ERR_FORMAT;
    }
    if (strcmp(words[0], "NULL") == 0 || strcmp(words[1], "NULL") == 0)
        return VKS_OK;
    return add(links,
               (struct shortlist_link){find(&index[VKS_SOURCE], words[1]),
                                       find(&index[VKS_TARGET], words[0]), probability, line_idx});
}

enum vks_status shortlist_text_read(const char *text, size_t num_bytes,
                                    const struct vks_shortlist_params *params,
                                    const struct vks_tokenizer *tokenizer,
                                    struct shortlist_links *links) {
    struct index index[2] = {{0}};
    char *copy = memory_malloc(num_bytes + 1);
    enum vks_status status = copy ? VKS_OK : VKS_ERR_OOM;
    for (int side = VKS_SOURCE; side <= VKS_TARGET && status == VKS_OK; side++)
        status = make_index(tokenizer, side, &index[side]);
    if (status == VKS_OK && num_bytes)
        memcpy(copy, text, num_bytes);
    if (status == VKS_OK)
        copy[num_bytes] = 0;
    if (status == VKS_OK && strlen(copy) != num_bytes) {
        log_error(params->log, "%s: neither a text nor a binary shortlist: it has a NUL byte",
                  params->path);
        status = VKS_ERR_FORMAT;
    }
    size_t line_idx = 0;
    for (char *line = copy; status == VKS_OK && line && *line; line_idx++) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        status = read_line(line, line_idx, params, index, links);
        line = end;
    }
    if (status == VKS_OK)
        prune(params, links);
    free(index[VKS_SOURCE].pieces);
    free(index[VKS_TARGET].pieces);
    free(copy);
    return status;
}
