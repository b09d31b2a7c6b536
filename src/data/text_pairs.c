#include "data/text_pairs.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { MIN_BLOCK_BYTES = 1 << 12, MIN_BLOCK_PAIRS = 64 };

// What stands before a pair's texts.
struct head {
    uint32_t set_idx, line, num_bytes[NUM_TEXT_PARTS];
};

size_t text_pair_bytes(const struct text_pair *pair) {
    size_t num_bytes = sizeof(struct head);
    for (int part = 0; part < NUM_TEXT_PARTS; part++)
        num_bytes += pair->num_bytes[part];
    return num_bytes;
}

void text_pair_write(const struct text_pair *pair, char *bytes) {
    struct head head = {.set_idx = pair->set_idx, .line = pair->line};
    memcpy(head.num_bytes, pair->num_bytes, sizeof head.num_bytes);
    memcpy(bytes, &head, sizeof head);
    bytes += sizeof head;
    for (int part = 0; part < NUM_TEXT_PARTS; part++) {
        if (pair->num_bytes[part])
            memcpy(bytes, pair->texts[part], pair->num_bytes[part]);
        bytes += pair->num_bytes[part];
    }
}

struct text_pair text_pair_read(const char *bytes) {
    struct head head;
    memcpy(&head, bytes, sizeof head);
    struct text_pair pair = {.set_idx = head.set_idx, .line = head.line};
    memcpy(pair.num_bytes, head.num_bytes, sizeof pair.num_bytes);
    bytes += sizeof head;
    for (int part = 0; part < NUM_TEXT_PARTS; part++) {
        pair.texts[part] = bytes;
        bytes += pair.num_bytes[part];
    }
    return pair;
}

static bool reserve_pair(struct text_block *block) {
    if (block->num_pairs < block->max_pairs)
        return true;
    size_t max_pairs = block->max_pairs ? 2 * block->max_pairs : MIN_BLOCK_PAIRS, num_bytes;
    size_t *begins = size_mul(max_pairs, sizeof *begins, &num_bytes)
                         ? memory_realloc(block->begins, num_bytes)
                         : NULL;
    if (!begins)
        return false;
    block->begins = begins;
    block->max_pairs = max_pairs;
    return true;
}

static bool reserve_bytes(struct text_block *block, size_t pair_bytes) {
    size_t needed, capacity = block->capacity ? block->capacity : MIN_BLOCK_BYTES;
    if (!size_add(block->num_bytes, pair_bytes, &needed))
        return false;
    if (needed <= block->capacity)
        return true;
    while (capacity < needed)
        if (!size_mul(capacity, 2, &capacity))
            return false;
    char *bytes = memory_realloc(block->bytes, capacity);
    if (!bytes)
        return false;
    block->bytes = bytes;
    block->capacity = capacity;
    return true;
}

bool text_block_add(struct text_block *block, const struct text_pair *pair) {
    size_t pair_bytes = text_pair_bytes(pair);
    if (!reserve_pair(block) || !reserve_bytes(block, pair_bytes))
        return false;
    text_pair_write(pair, block->bytes + block->num_bytes);
    block->begins[block->num_pairs++] = block->num_bytes;
    block->num_bytes += pair_bytes;
    return true;
}

struct text_pair text_block_get(const struct text_block *block, size_t pair_idx) {
    CHECK(pair_idx < block->num_pairs);
    return text_pair_read(block->bytes + block->begins[pair_idx]);
}

void text_block_clear(struct text_block *block) {
    block->num_bytes = block->num_pairs = 0;
}

void text_block_finish(struct text_block *block) {
    free(block->bytes);
    free(block->begins);
    *block = (struct text_block){0};
}

void text_sets_name(const struct vks_text_set *sets, uint32_t num_sets, char *text,
                    size_t num_bytes) {
    snprintf(text, num_bytes, "%s%s%s%s", sets->source, sets->target ? ", " : "",
             sets->target ? sets->target : "", num_sets > 1 ? ", ..." : "");
}

// A set's files, or the one with fields of all parts.
struct pair_reader {
    const struct vks_text_set *set;
    uint32_t set_idx;
    const struct vks_log *log;
    const char *paths[NUM_TEXT_PARTS];               // NULL: there is no such file
    struct vks_line_reader *readers[NUM_TEXT_PARTS]; // owned
    // With fields: where each part stands; 0 for weights and alignments: nowhere.
    uint32_t fields[NUM_TEXT_PARTS];
};

enum vks_status pair_reader_open(const struct vks_text_set *set, uint32_t set_idx,
                                 const struct vks_log *log, struct pair_reader **result) {
    struct pair_reader *reader = memory_calloc(1, sizeof *reader);
    if (!reader) {
        log_error(log, "%s: out of memory", set->source);
        return VKS_ERR_OOM;
    }
    *reader =
        (struct pair_reader){.set = set,
                             .set_idx = set_idx,
                             .log = log,
                             .paths = {set->source, set->target, set->weights, set->alignments},
                             .fields = {0, 1, set->weights_field, set->alignments_field}};
    enum vks_status status = VKS_OK;
    for (int part = 0; part < NUM_TEXT_PARTS && status == VKS_OK; part++)
        if (reader->paths[part])
            status = vks_line_reader_open(reader->paths[part], log, &reader->readers[part]);
    if (status != VKS_OK)
        pair_reader_close(&reader);
    else
        *result = reader;
    return status;
}

void pair_reader_close(struct pair_reader **reader) {
    if (!*reader)
        return;
    for (int part = 0; part < NUM_TEXT_PARTS; part++)
        vks_line_reader_close(&(*reader)->readers[part]);
    free(*reader);
    *reader = NULL;
}

// Cuts the line that is the pair's source into its fields.
static enum vks_status cut_fields(const struct pair_reader *reader, struct text_pair *pair) {
    const char *field = pair->texts[TEXT_SOURCE], *end = field + pair->num_bytes[TEXT_SOURCE];
    uint32_t num_fields = 0;
    for (bool is_last = false; !is_last; num_fields++) {
        const char *tab = field < end ? memchr(field, '\t', (size_t)(end - field)) : NULL;
        is_last = !tab;
        for (int part = 0; part < NUM_TEXT_PARTS; part++) {
            if (reader->fields[part] != num_fields || (part > TEXT_TARGET && num_fields == 0))
                continue;
            pair->texts[part] = field;
            pair->num_bytes[part] = (uint32_t)((tab ? tab : end) - field);
        }
        field = tab ? tab + 1 : end;
    }
    if (num_fields == reader->set->num_fields)
        return VKS_OK;
    log_error(reader->log, "%s:%u: %u fields with tabs between them; expected %u",
              reader->set->source, pair->line, num_fields, reader->set->num_fields);
    return VKS_ERR_FORMAT;
}

// One file has ended and another one has not: tells how many lines each has.
static enum vks_status report_unequal(struct pair_reader *reader, int other) {
    uint64_t num_lines[2];
    const int parts[2] = {TEXT_SOURCE, other};
    for (int i = 0; i < 2; i++) {
        struct vks_line_reader *lines = reader->readers[parts[i]];
        const char *line;
        size_t num_bytes;
        do
            TRY(vks_line_reader_next(lines, &line, &num_bytes));
        while (line);
        num_lines[i] = vks_line_reader_line(lines);
    }
    log_error(reader->log, "%s has %llu lines, %s has %llu: expected as many",
              reader->paths[TEXT_SOURCE], (unsigned long long)num_lines[0], reader->paths[other],
              (unsigned long long)num_lines[1]);
    return VKS_ERR_FORMAT;
}

enum vks_status pair_reader_next(struct pair_reader *reader, struct text_pair *pair,
                                 bool *is_found) {
    struct text_pair next = {.set_idx = reader->set_idx};
    for (int part = 0; part < NUM_TEXT_PARTS; part++) {
        size_t num_bytes;
        if (!reader->readers[part])
            continue;
        TRY(vks_line_reader_next(reader->readers[part], &next.texts[part], &num_bytes));
        if (part != TEXT_SOURCE && !next.texts[part] != !next.texts[TEXT_SOURCE])
            return report_unequal(reader, part);
        if (num_bytes > UINT32_MAX || vks_line_reader_line(reader->readers[part]) > UINT32_MAX) {
            log_error(reader->log, "%s: more than 2^32 - 1 lines, or bytes in one",
                      reader->paths[part]);
            return VKS_ERR_UNSUPPORTED;
        }
        next.num_bytes[part] = (uint32_t)num_bytes;
    }
    if (next.texts[TEXT_SOURCE]) {
        next.line = (uint32_t)vks_line_reader_line(reader->readers[TEXT_SOURCE]);
        if (reader->set->num_fields)
            TRY(cut_fields(reader, &next));
    }
    *is_found = next.texts[TEXT_SOURCE] != NULL;
    *pair = next;
    return VKS_OK;
}

enum vks_status text_set_count(const struct vks_text_set *set, const struct vks_log *log,
                               struct text_count *count) {
    struct pair_reader *reader;
    struct text_pair pair;
    struct text_count counted = {0};
    bool is_found = true;
    TRY(pair_reader_open(set, 0, log, &reader));
    enum vks_status status = VKS_OK;
    while (status == VKS_OK && is_found) {
        status = pair_reader_next(reader, &pair, &is_found);
        if (status == VKS_OK && is_found) {
            counted.num_pairs++;
            counted.num_bytes += text_pair_bytes(&pair);
        }
    }
    pair_reader_close(&reader);
    if (status == VKS_OK)
        *count = counted;
    return status;
}
