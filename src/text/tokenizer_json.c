#include "text/tokenizer_json.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/json.h"
#include "text/vocab.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Of protobuf's wire format, and of the fields of sentencepiece_model.proto.
enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3 };
enum { TRAINER_MODEL_TYPE = 3, TRAINER_UNK = 40, TRAINER_BOS, TRAINER_EOS, TRAINER_PAD };
enum { MODEL_TYPE_UNIGRAM = 1, MODEL_TYPE_BPE = 2, NORMALIZER_CHARSMAP = 2 };

// Bytes that grow; running out of memory is remembered.
struct bytes {
    unsigned char *items;
    size_t num, capacity;
    bool is_out_of_memory;
};

static void put_bytes(struct bytes *bytes, const void *data, size_t num) {
    if (bytes->num + num > bytes->capacity) {
        size_t capacity = 2 * (bytes->num + num) + 64;
        unsigned char *grown = memory_realloc(bytes->items, capacity);
        if (!grown) {
            bytes->is_out_of_memory = true;
            return;
        }
        bytes->items = grown;
        bytes->capacity = capacity;
    }
    if (num > 0)
        memcpy(bytes->items + bytes->num, data, num);
    bytes->num += num;
}

static void put_varint(struct bytes *bytes, uint64_t value) {
    unsigned char byte;
    do {
        byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put_bytes(bytes, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_number(struct bytes *bytes, uint32_t field, int64_t value) {
    put_varint(bytes, field << 3 | WIRE_VARINT);
    put_varint(bytes, (uint64_t)value);
}

static void put_field(struct bytes *bytes, uint32_t field, const void *data, size_t num) {
    put_varint(bytes, field << 3 | WIRE_BYTES);
    put_varint(bytes, num);
    put_bytes(bytes, data, num);
}

static void put_piece(struct bytes *model, const char *text, float score, int type) {
    struct bytes piece = {0};
    unsigned char little[4];
    uint32_t word;
    memcpy(&word, &score, sizeof word);
    for (int i = 0; i < 4; i++)
        little[i] = (unsigned char)(word >> 8 * i);
    put_field(&piece, PIECE_TEXT, text, strlen(text));
    put_varint(&piece, PIECE_SCORE << 3 | WIRE_FIXED32);
    put_bytes(&piece, little, sizeof little);
    put_number(&piece, PIECE_TYPE, type);
    model->is_out_of_memory |= piece.is_out_of_memory;
    put_field(model, MODEL_PIECES, piece.items, piece.num);
    free(piece.items);
}

static void put_trainer(struct bytes *model, const struct spm_layout *layout, int model_type) {
    struct bytes trainer = {0};
    put_number(&trainer, TRAINER_MODEL_TYPE, model_type);
    put_number(&trainer, TRAINER_UNK, layout->unk);
    put_number(&trainer, TRAINER_BOS, layout->bos);
    put_number(&trainer, TRAINER_EOS, layout->eos);
    put_number(&trainer, TRAINER_PAD, layout->pad);
    model->is_out_of_memory |= trainer.is_out_of_memory;
    put_field(model, MODEL_TRAINER, trainer.items, trainer.num);
    free(trainer.items);
}

static enum vks_status format_error(const struct tokenizer_json *p, const char *what) {
    log_error(p->log, "%s: %s", p->name, what);
    return VKS_ERR_FORMAT;
}

static enum vks_status out_of_memory(const struct tokenizer_json *p) {
    log_error(p->log, "%s: out of memory", p->name);
    return VKS_ERR_OOM;
}

static const cJSON *member(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

// The value of a letter of base64 (RFC 4648), or -1.
static int base64_value(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

static bool decode_base64(const char *text, struct bytes *bytes) {
    uint32_t word = 0, num_bits = 0;
    for (; *text && *text != '='; text++) {
        int value = base64_value(*text);
        if (value < 0)
            return false;
        word = word << 6 | (uint32_t)value;
        num_bits += 6;
        if (num_bits >= 8) {
            num_bits -= 8;
            unsigned char byte = (unsigned char)(word >> num_bits);
            put_bytes(bytes, &byte, 1);
        }
    }
    return strspn(text, "=") == strlen(text);
}

// The rules of a normaliser, which may be one of several.
static const char *find_charsmap(const cJSON *normalizer) {
    const cJSON *list = member(normalizer, "normalizers");
    const cJSON *rules = member(normalizer, "precompiled_charsmap");
    for (const cJSON *item = list ? list->child : NULL; item && !rules; item = item->next)
        rules = member(item, "precompiled_charsmap");
    return cJSON_IsString(rules) ? rules->valuestring : NULL;
}

static enum vks_status put_normalizer(const struct tokenizer_json *p, const cJSON *root,
                                      struct bytes *model) {
    const char *text = find_charsmap(member(root, "normalizer"));
    struct bytes rules = {0}, normalizer = {0};
    enum vks_status status = VKS_OK;
    if (text && !decode_base64(text, &rules))
        status = format_error(p, "'precompiled_charsmap': expected base64");
    if (status == VKS_OK) {
        put_field(&normalizer, NORMALIZER_CHARSMAP, rules.items, rules.num);
        put_field(model, MODEL_NORMALIZER, normalizer.items, normalizer.num);
        model->is_out_of_memory |= rules.is_out_of_memory | normalizer.is_out_of_memory;
    }
    free(rules.items);
    free(normalizer.items);
    return status;
}

// Added tokens are no pieces of the model, even where its vocabulary has them; their ids are the
// same.
static enum vks_status read_added(const struct tokenizer_json *p, const cJSON *root,
                                  struct tokenizer_settings *settings) {
    const cJSON *list = member(root, "added_tokens");
    if (list && !cJSON_IsArray(list))
        return format_error(p, "'added_tokens': expected an array");
    bool is_needed = settings->num_added == 0;
    for (const cJSON *item = list ? list->child : NULL; item && is_needed; item = item->next) {
        const cJSON *id = member(item, "id"), *content = member(item, "content");
        if (!cJSON_IsNumber(id) || !(id->valuedouble >= 0 && id->valuedouble < VOCAB_MAX_SIZE) ||
            floor(id->valuedouble) != id->valuedouble || !cJSON_IsString(content) ||
            !*content->valuestring)
            return format_error(p, "'added_tokens': expected objects with 'id' and 'content'");
        const struct added_token token = {.text = content->valuestring,
                                          .id = (uint32_t)id->valuedouble,
                                          .is_special = cJSON_IsTrue(member(item, "special")),
                                          .strips_left = cJSON_IsTrue(member(item, "lstrip")),
                                          .strips_right = cJSON_IsTrue(member(item, "rstrip"))};
        TRY(tokenizer_settings_add_token(settings, &token, p->name, p->log));
    }
    return VKS_OK;
}

// Where the pieces of the model end: at the lowest id above `first` of an added token.
static uint32_t end_of_pieces(const struct tokenizer_settings *settings, uint32_t first) {
    uint32_t end = VOCAB_MAX_SIZE;
    for (size_t i = 0; i < settings->num_added; i++)
        if (settings->added[i].id > first)
            end = min_u32(end, settings->added[i].id);
    return end;
}

// A Unigram model's: an array of pieces and scores.
static enum vks_status put_unigram(const struct tokenizer_json *p, const cJSON *vocab, uint32_t end,
                                   struct bytes *model) {
    uint32_t id = 0;
    for (const cJSON *item = vocab->child; item && id < end; item = item->next, id++) {
        const cJSON *piece = cJSON_GetArrayItem(item, 0), *score = cJSON_GetArrayItem(item, 1);
        if (!cJSON_IsString(piece) || !*piece->valuestring || !cJSON_IsNumber(score))
            return format_error(p, "'vocab': expected pieces with scores");
        if (id >= p->layout->first_id)
            put_piece(model, piece->valuestring, (float)score->valuedouble, TYPE_NORMAL);
    }
    return VKS_OK;
}

// A byte-pair encoding's: an object of pieces and ids.
static enum vks_status put_bpe(const struct tokenizer_json *p, const cJSON *vocab, uint32_t end,
                               struct bytes *model) {
    uint32_t num = (uint32_t)cJSON_GetArraySize(vocab);
    const char **pieces = memory_calloc((size_t)num + 1, sizeof *pieces);
    if (!pieces)
        return out_of_memory(p);
    enum vks_status status = VKS_OK;
    for (const cJSON *item = vocab->child; item && status == VKS_OK; item = item->next) {
        double id = item->valuedouble;
        if (!cJSON_IsNumber(item) || !(id >= 0 && id < num) || floor(id) != id || !*item->string ||
            pieces[(uint32_t)id])
            status = format_error(p, "'vocab': expected pieces with ids from 0 on, each once");
        else
            pieces[(uint32_t)id] = item->string;
    }
    for (uint32_t id = p->layout->first_id; id < num && id < end && status == VKS_OK; id++)
        put_piece(model, pieces[id], -(float)(id - p->layout->first_id), TYPE_NORMAL);
    free(pieces);
    return status;
}

static enum vks_status put_model(const struct tokenizer_json *p, const cJSON *root,
                                 struct tokenizer_settings *settings, struct bytes *model) {
    const struct spm_layout *layout = p->layout;
    const cJSON *inner = member(root, "model"), *vocab = member(inner, "vocab");
    const cJSON *merges = member(inner, "merges");
    bool is_bpe = cJSON_IsObject(vocab) && cJSON_IsArray(merges);
    if (!is_bpe && !cJSON_IsArray(vocab))
        return format_error(p, "expected a 'model' of type Unigram or BPE with its 'vocab'");
    TRY(read_added(p, root, settings));
    uint32_t end = end_of_pieces(settings, layout->first_id);
    for (int32_t i = 0; i < (int32_t)COUNT_OF(layout->pieces); i++)
        put_piece(model, layout->pieces[i], 0.0f, i == layout->unk ? TYPE_UNKNOWN : TYPE_CONTROL);
    TRY(is_bpe ? put_bpe(p, vocab, end, model) : put_unigram(p, vocab, end, model));
    put_trainer(model, layout, is_bpe ? MODEL_TYPE_BPE : MODEL_TYPE_UNIGRAM);
    return put_normalizer(p, root, model);
}

enum vks_status tokenizer_json_to_spm(const struct tokenizer_json *params,
                                      struct tokenizer_settings *settings, unsigned char **model,
                                      size_t *model_bytes) {
    struct bytes bytes = {0};
    cJSON *root = NULL;
    TRY(json_parse(params->json, params->num_bytes, params->name, params->log, &root));
    enum vks_status status = put_model(params, root, settings, &bytes);
    cJSON_Delete(root);
    if (status == VKS_OK && bytes.is_out_of_memory)
        status = out_of_memory(params);
    if (status != VKS_OK) {
        free(bytes.items);
        return status;
    }
    *model = bytes.items;
    *model_bytes = bytes.num;
    return VKS_OK;
}
