#include "text/tokenizer_settings.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/json.h"
#include "text/vocab.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 26, MAX_ID_DIGITS = 8 };

// A file that is being read.
struct reading {
    const char *name;
    const struct vks_log *log;
    struct tokenizer_settings *settings;
};

void tokenizer_settings_init(struct tokenizer_settings *settings) {
    *settings =
        (struct tokenizer_settings){.offset = SETTINGS_DEFAULT_OFFSET, .first_id = SETTINGS_NO_ID};
}

void tokenizer_settings_finish(struct tokenizer_settings *settings) {
    arena_finish(&settings->arena);
    tokenizer_settings_init(settings);
}

const char *tokenizer_settings_file_name(enum settings_file file) {
    static const char *const names[] = {"config.json", "generation_config.json",
                                        "added_tokens.json", "tokenizer_config.json"};
    return names[file];
}

static enum vks_status out_of_memory(const struct reading *r) {
    log_error(r->log, "%s: out of memory", r->name);
    return VKS_ERR_OOM;
}

static enum vks_status wrong_type(const struct reading *r, const char *key, const char *expected) {
    log_error(r->log, "%s: '%s': expected %s", r->name, key, expected);
    return VKS_ERR_FORMAT;
}

static enum vks_status copy_text(const struct reading *r, const char *text, const char **copy) {
    const char *made = arena_strdup(&r->settings->arena, text);
    if (!made)
        return out_of_memory(r);
    *copy = made;
    return VKS_OK;
}

// A member that is there and not null.
static const cJSON *member(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static enum vks_status read_text(const struct reading *r, const cJSON *object, const char *key,
                                 const char **text) {
    const cJSON *item = member(object, key);
    if (!item)
        return VKS_OK;
    if (!cJSON_IsString(item))
        return wrong_type(r, key, "a text");
    return copy_text(r, item->valuestring, text);
}

static enum vks_status read_truth(const struct reading *r, const cJSON *object, const char *key,
                                  bool *truth) {
    const cJSON *item = member(object, key);
    if (!item)
        return VKS_OK;
    if (!cJSON_IsBool(item))
        return wrong_type(r, key, "true or false");
    *truth = cJSON_IsTrue(item);
    return VKS_OK;
}

static bool is_id(const cJSON *item) {
    double id = item->valuedouble;
    return cJSON_IsNumber(item) && id >= 0 && id < VOCAB_MAX_SIZE && floor(id) == id;
}

static enum vks_status read_id(const struct reading *r, const cJSON *object, const char *key,
                               int64_t *id) {
    const cJSON *item = member(object, key);
    if (!item)
        return VKS_OK;
    if (!is_id(item))
        return wrong_type(r, key, "a token's id");
    *id = (int64_t)item->valuedouble;
    return VKS_OK;
}

enum vks_status tokenizer_settings_add_token(struct tokenizer_settings *s,
                                             const struct added_token *token, const char *name,
                                             const struct vks_log *log) {
    const struct reading r = {name, log, s};
    if (s->num_added == s->added_capacity) {
        size_t capacity = s->added_capacity ? 2 * s->added_capacity : 256;
        struct added_token *grown = ARENA_NEW(&s->arena, struct added_token, capacity);
        if (!grown)
            return out_of_memory(&r);
        if (s->num_added > 0)
            memcpy(grown, s->added, s->num_added * sizeof *grown);
        s->added = grown;
        s->added_capacity = capacity;
    }
    struct added_token *added = &s->added[s->num_added];
    *added = *token;
    TRY(copy_text(&r, token->text, &added->text));
    s->num_added++;
    return VKS_OK;
}

// added_tokens.json: an object of tokens and ids.
static enum vks_status read_added_tokens(const struct reading *r, const cJSON *root) {
    for (const cJSON *item = root->child; item; item = item->next) {
        if (!is_id(item) || !*item->string)
            return wrong_type(r, item->string, "a token's id");
        const struct added_token token = {.text = item->string, .id = (uint32_t)item->valuedouble};
        TRY(tokenizer_settings_add_token(r->settings, &token, r->name, r->log));
    }
    return VKS_OK;
}

static bool parse_id(const char *text, uint32_t *id) {
    uint32_t value = 0;
    size_t num = 0;
    for (; text[num]; num++) {
        if (num == MAX_ID_DIGITS || text[num] < '0' || text[num] > '9')
            return false;
        value = 10 * value + (uint32_t)(text[num] - '0');
    }
    *id = value;
    return num > 0 && value < VOCAB_MAX_SIZE;
}

// "added_tokens_decoder": an object of ids, and objects for the tokens that they have.
static enum vks_status read_decoder(const struct reading *r, const cJSON *root) {
    const cJSON *decoder = member(root, "added_tokens_decoder");
    if (!decoder)
        return VKS_OK;
    if (!cJSON_IsObject(decoder))
        return wrong_type(r, "added_tokens_decoder", "an object");
    r->settings->num_added = 0; // takes the place of added_tokens.json
    for (const cJSON *item = decoder->child; item; item = item->next) {
        const cJSON *content = member(item, "content");
        struct added_token token = {0};
        if (!parse_id(item->string, &token.id) || !cJSON_IsString(content) ||
            !*content->valuestring)
            return wrong_type(r, item->string, "an id, and an object with 'content', a text");
        token.text = content->valuestring;
        TRY(read_truth(r, item, "special", &token.is_special));
        TRY(read_truth(r, item, "lstrip", &token.strips_left));
        TRY(read_truth(r, item, "rstrip", &token.strips_right));
        TRY(tokenizer_settings_add_token(r->settings, &token, r->name, r->log));
    }
    return VKS_OK;
}

// Special tokens have the names that all these vocabularies give them.
static enum vks_status check_specials(const struct reading *r, const cJSON *root) {
    static const struct {
        const char *key, *usual;
    } specials[] = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
    for (size_t i = 0; i < COUNT_OF(specials); i++) {
        const cJSON *item = member(root, specials[i].key);
        const cJSON *text = cJSON_IsObject(item) ? member(item, "content") : item;
        if (!item || (cJSON_IsString(text) && strcmp(text->valuestring, specials[i].usual) == 0))
            continue;
        log_error(r->log, "%s: '%s' is '%.60s': only '%s' is supported", r->name, specials[i].key,
                  cJSON_IsString(text) ? text->valuestring : "no text", specials[i].usual);
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static enum vks_status read_tokenizer_config(const struct reading *r, const cJSON *root) {
    struct tokenizer_settings *s = r->settings;
    int64_t offset = s->offset;
    TRY(check_specials(r, root));
    TRY(read_text(r, root, "tokenizer_class", &s->tokenizer_class));
    TRY(read_text(r, root, "src_lang", &s->languages[VKS_SOURCE]));
    TRY(read_text(r, root, "tgt_lang", &s->languages[VKS_TARGET]));
    TRY(read_text(r, root, "language_codes", &s->language_codes));
    TRY(read_truth(r, root, "legacy_behaviour", &s->language_last));
    TRY(read_truth(r, root, "clean_up_tokenization_spaces", &s->cleans_up));
    TRY(read_id(r, root, "offset", &offset));
    s->offset = (uint32_t)offset;
    s->is_there = true;
    return read_decoder(r, root);
}

enum vks_status tokenizer_settings_parse(enum settings_file file, const char *json,
                                         size_t num_bytes, const char *name,
                                         const struct vks_log *log,
                                         struct tokenizer_settings *settings) {
    const struct reading r = {name, log, settings};
    cJSON *root = NULL;
    TRY(json_parse(json, num_bytes, name, log, &root));
    enum vks_status status = VKS_OK;
    if (!cJSON_IsObject(root)) {
        log_error(log, "%s: expected a JSON object", name);
        status = VKS_ERR_FORMAT;
    } else if (file == SETTINGS_TOKENIZER_CONFIG) {
        status = read_tokenizer_config(&r, root);
    } else if (file == SETTINGS_ADDED_TOKENS) {
        status = read_added_tokens(&r, root);
    } else {
        status = read_text(&r, root, "model_type", &settings->model_type);
        if (status == VKS_OK)
            status = read_id(&r, root, "forced_bos_token_id", &settings->first_id);
    }
    cJSON_Delete(root);
    return status;
}

enum vks_status tokenizer_settings_read(const char *model_dir, enum settings_file first,
                                        const struct vks_log *log,
                                        struct tokenizer_settings *settings) {
    enum vks_status status = VKS_OK;
    for (int file = first; file < SETTINGS_NUM_FILES && status == VKS_OK; file++) {
        unsigned char *data = NULL;
        size_t num_bytes = 0;
        char *path = path_join(model_dir, tokenizer_settings_file_name(file));
        if (!path)
            return VKS_ERR_OOM;
        if (file_exists(path))
            status = file_read(path, MAX_BYTES, log, &data, &num_bytes);
        if (data)
            status =
                tokenizer_settings_parse(file, (const char *)data, num_bytes, path, log, settings);
        free(data);
        free(path);
    }
    return status;
}
