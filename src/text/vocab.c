#include "text/vocab.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/json.h"
#include "text/spm.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char eos_piece[] = "</s>", unk_piece[] = "<unk>", pad_piece[] = "<pad>";

// FNV-1a.
static uint32_t hash_bytes(const char *bytes, size_t num_bytes) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < num_bytes; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    return hash;
}

// The slot that holds the piece's id, or the empty one where it belongs.
static uint32_t *find_slot(const struct vocab *vocab, const char *piece, size_t piece_bytes) {
    uint32_t mask = vocab->num_slots - 1;
    for (uint32_t i = hash_bytes(piece, piece_bytes) & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &vocab->slots[i];
        if (!*slot)
            return slot;
        const char *other = vocab->pieces[*slot - 1];
        if (strlen(other) == piece_bytes && memcmp(other, piece, piece_bytes) == 0)
            return slot;
    }
}

static enum vks_status out_of_memory(const char *name, const struct vks_log *log) {
    log_error(log, "%s: out of memory for the vocabulary", name);
    return VKS_ERR_OOM;
}

// A vocabulary for ids below size, num_pieces of which will be added.
static enum vks_status create(uint32_t size, uint32_t num_pieces, const char *name,
                              const struct vks_log *log, struct vocab **out) {
    struct vocab *vocab = memory_calloc(1, sizeof *vocab);
    if (!vocab)
        return out_of_memory(name, log);
    vocab->size = size;
    vocab->num_slots = 1;
    while (vocab->num_slots < 2 * num_pieces)
        vocab->num_slots *= 2;
    vocab->pieces = ARENA_NEW(&vocab->arena, const char *, size);
    vocab->slots = ARENA_NEW(&vocab->arena, uint32_t, vocab->num_slots);
    if (!vocab->pieces || !vocab->slots) {
        vocab_destroy(&vocab);
        return out_of_memory(name, log);
    }
    *out = vocab;
    return VKS_OK;
}

static enum vks_status add_piece(struct vocab *vocab, const char *piece, uint32_t id,
                                 const char *name, const struct vks_log *log) {
    if (vocab->pieces[id]) {
        log_error(log, "%s: '%s' and '%s' have the same id %u", name, vocab->pieces[id], piece, id);
        return VKS_ERR_FORMAT;
    }
    uint32_t *slot = find_slot(vocab, piece, strlen(piece));
    if (*slot) {
        log_error(log, "%s: '%s' has two ids, %u and %u", name, piece, *slot - 1, id);
        return VKS_ERR_FORMAT;
    }
    const char *copy = arena_strdup(&vocab->arena, piece);
    if (!copy)
        return out_of_memory(name, log);
    vocab->pieces[id] = copy;
    *slot = id + 1;
    return VKS_OK;
}

static enum vks_status find_special(const struct vocab *vocab, const char *piece, const char *name,
                                    const struct vks_log *log, uint32_t *id) {
    uint32_t slot = *find_slot(vocab, piece, strlen(piece));
    if (!slot) {
        log_error(log, "%s: lacks the piece '%s'", name, piece);
        return VKS_ERR_FORMAT;
    }
    *id = slot - 1;
    return VKS_OK;
}

static enum vks_status find_specials(struct vocab *vocab, const char *name,
                                     const struct vks_log *log) {
    TRY(find_special(vocab, eos_piece, name, log, &vocab->eos_id));
    TRY(find_special(vocab, unk_piece, name, log, &vocab->unk_id));
    return find_special(vocab, pad_piece, name, log, &vocab->pad_id);
}

// Checks that every item is an id, and finds how many there are and the highest.
static enum vks_status measure(const cJSON *items, const char *name, const struct vks_log *log,
                               uint32_t *size, uint32_t *num_pieces) {
    uint32_t highest = 0, num = 0;
    for (const cJSON *item = items->child; item; item = item->next) {
        double id = item->valuedouble;
        if (!cJSON_IsNumber(item) || !(id >= 0 && id < VOCAB_MAX_SIZE) || floor(id) != id) {
            char *value = cJSON_PrintUnformatted(item);
            log_error(log, "%s: the id of '%s' is %.60s: expected a whole number from 0 to %d",
                      name, item->string, value ? value : "unreadable", VOCAB_MAX_SIZE - 1);
            cJSON_free(value);
            return VKS_ERR_FORMAT;
        }
        highest = max_u32(highest, (uint32_t)id);
        if (num++ == VOCAB_MAX_SIZE) {
            log_error(log, "%s: more than %d pieces", name, VOCAB_MAX_SIZE);
            return VKS_ERR_FORMAT;
        }
    }
    *size = highest + 1;
    *num_pieces = num;
    return VKS_OK;
}

static enum vks_status from_json(const cJSON *items, const char *name, const struct vks_log *log,
                                 struct vocab **out) {
    if (!cJSON_IsObject(items)) {
        log_error(log, "%s: expected a JSON object of pieces and their ids", name);
        return VKS_ERR_FORMAT;
    }
    uint32_t size, num_pieces;
    TRY(measure(items, name, log, &size, &num_pieces));
    struct vocab *vocab = NULL;
    TRY(create(size, num_pieces, name, log, &vocab));
    enum vks_status status = VKS_OK;
    for (const cJSON *item = items->child; item && status == VKS_OK; item = item->next)
        status = add_piece(vocab, item->string, (uint32_t)item->valuedouble, name, log);
    if (status == VKS_OK)
        status = find_specials(vocab, name, log);
    if (status != VKS_OK) {
        vocab_destroy(&vocab);
        return status;
    }
    *out = vocab;
    return VKS_OK;
}

enum vks_status vocab_parse(const char *json, size_t num_bytes, const char *name,
                            const struct vks_log *log, struct vocab **vocab) {
    cJSON *items;
    TRY(json_parse(json, num_bytes, name, log, &items));
    enum vks_status status = from_json(items, name, log, vocab);
    cJSON_Delete(items);
    return status;
}

enum vks_status vocab_from_spm(const struct spm *spm, const char *name, const struct vks_log *log,
                               struct vocab **out) {
    uint32_t num_pieces = spm_num_pieces(spm);
    struct vocab *vocab = NULL;
    TRY(create(num_pieces + 1, num_pieces + 1, name, log, &vocab));
    enum vks_status status = VKS_OK;
    for (uint32_t id = 0; id < num_pieces && status == VKS_OK; id++)
        status = add_piece(vocab, spm_piece(spm, id), id, name, log);
    if (status == VKS_OK)
        status = add_piece(vocab, pad_piece, num_pieces, name, log);
    if (status == VKS_OK)
        status = find_specials(vocab, name, log);
    if (status != VKS_OK) {
        vocab_destroy(&vocab);
        return status == VKS_ERR_FORMAT ? VKS_ERR_ARGUMENT : status;
    }
    *out = vocab;
    return VKS_OK;
}

enum vks_status vocab_from_entries(const struct vocab_entries *entries, const char *name,
                                   const struct vks_log *log, struct vocab **out) {
    struct vocab *vocab = NULL;
    TRY(create(entries->size, (uint32_t)entries->num, name, log, &vocab));
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < entries->num && status == VKS_OK; i++)
        status = add_piece(vocab, entries->items[i].piece, entries->items[i].id, name, log);
    if (status == VKS_OK)
        status = find_specials(vocab, name, log);
    if (status != VKS_OK) {
        vocab_destroy(&vocab);
        return status;
    }
    *out = vocab;
    return VKS_OK;
}

enum vks_status vocab_from_pieces(const char *const *pieces, uint32_t num, const char *name,
                                  const struct vks_log *log, struct vocab **out) {
    struct vocab *vocab;
    TRY(create(num, num, name, log, &vocab));
    enum vks_status status = VKS_OK;
    for (uint32_t id = 0; id < num && status == VKS_OK; id++)
        if (pieces[id])
            status = add_piece(vocab, pieces[id], id, name, log);
    if (status == VKS_OK)
        status = find_specials(vocab, name, log);
    if (status != VKS_OK)
        vocab_destroy(&vocab);
    else
        *out = vocab;
    return status;
}

enum vks_status vocab_print(const struct vocab *vocab, const struct vks_log *log, char **json) {
    cJSON *items = cJSON_CreateObject();
    bool is_whole = items != NULL;
    for (uint32_t id = 0; id < vocab->size && is_whole; id++)
        if (vocab->pieces[id])
            is_whole = cJSON_AddNumberToObject(items, vocab->pieces[id], id) != NULL;
    char *text = is_whole ? cJSON_Print(items) : NULL;
    cJSON_Delete(items);
    if (!text)
        return out_of_memory("vocab.json", log);
    *json = text;
    return VKS_OK;
}

uint32_t vocab_find(const struct vocab *vocab, const char *piece, size_t piece_bytes) {
    uint32_t slot = *find_slot(vocab, piece, piece_bytes);
    return slot ? slot - 1 : vocab->unk_id;
}

void vocab_destroy(struct vocab **vocab) {
    if (!vocab || !*vocab)
        return;
    arena_finish(&(*vocab)->arena);
    free(*vocab);
    *vocab = NULL;
}
