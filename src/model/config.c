#include "model/config.h"

#include "ops/attention.h"
#include "base/check.h"
#include "base/log.h"
#include "io/files.h"
#include "io/json.h"
#include "model/weights.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CONFIG_BYTES = 1 << 20,
    MAX_DIMENSION = 1 << 24,
    MAX_WIDTH = 16384,
    MAX_POSITION_OFFSET = 1024
};

static const char *const activation_names[] = {"relu", "gelu", "swish"};
static const char *const position_names[] = {"hf", "fairseq", "learned"};
static const char *const search_names[] = {"marian", "hf", "exact"}; // from VKS_SEARCH_MARIAN on

enum vks_status vks_model_config_preset(const char *task, struct vks_model_config *config) {
    static const struct {
        const char *name;
        uint32_t width, ffn_width, num_heads, layers;
    } presets[] = {
        {"tiny", 64, 256, 4, 2},
        {"demo", 128, 512, 4, 2},
        {"small", 256, 1024, 4, 3},
        {"transformer-base", 512, 2048, 8, 6},
        {"transformer-big", 1024, 4096, 16, 6},
    };
    for (size_t i = 0; i < COUNT_OF(presets); i++) {
        if (strcmp(presets[i].name, task) != 0)
            continue;
        *config = (struct vks_model_config){.width = presets[i].width,
                                            .ffn_width = presets[i].ffn_width,
                                            .num_heads = presets[i].num_heads,
                                            .encoder_layers = presets[i].layers,
                                            .decoder_layers = presets[i].layers};
        return VKS_OK;
    }
    return VKS_ERR_ARGUMENT;
}

static void set_default(uint32_t *value, uint32_t by_default) {
    if (*value == 0)
        *value = by_default;
}

enum vks_status config_complete(struct vks_model_config *c, const char *name,
                                const struct vks_log *log) {
    set_default(&c->width, 512);
    set_default(&c->ffn_width, 4 * c->width);
    set_default(&c->num_heads, 8);
    set_default(&c->encoder_layers, 6);
    set_default(&c->decoder_layers, 6);
    set_default(&c->max_positions, 512);
    set_default(&c->pad_id, c->target_vocab - 1);
    if (c->norm_eps == 0.0f)
        c->norm_eps = 1e-5f;
    uint32_t head_width = c->width / c->num_heads;
    char heads[80];
    snprintf(heads, sizeof heads, "number of heads, which must divide the model width of %u",
             c->width);
    const struct {
        bool fails;
        const char *what;
        uint32_t value;
    } checks[] = {
        {c->source_vocab < 4 || c->source_vocab > MAX_DIMENSION, "source vocabulary, 4 to 16777216",
         c->source_vocab},
        {c->target_vocab < 4 || c->target_vocab > MAX_DIMENSION, "target vocabulary, 4 to 16777216",
         c->target_vocab},
        {c->width > MAX_WIDTH, "model width, at most 16384", c->width},
        {c->ffn_width > 8 * MAX_WIDTH, "feed-forward width, at most 131072", c->ffn_width},
        {c->num_heads > c->width || c->width % c->num_heads != 0, heads, c->num_heads},
        {head_width % 4 != 0 || head_width > ATTENTION_MAX_WIDTH,
         "width of a head, a multiple of 4 up to 128", head_width},
        {c->encoder_layers > WEIGHTS_MAX_LAYERS, "number of encoder layers, at most 64",
         c->encoder_layers},
        {c->decoder_layers > WEIGHTS_MAX_LAYERS, "number of decoder layers, at most 64",
         c->decoder_layers},
        {c->alignment_layer > c->decoder_layers,
         "layer with alignments, one of the decoder's from 1 on, or 0", c->alignment_layer},
        {c->pad_id >= c->target_vocab, "id of <pad>, which must be in the target vocabulary",
         c->pad_id},
        {c->eos_id >= c->target_vocab || c->eos_id == c->pad_id,
         "id of </s>, which must be in the target vocabulary and not <pad>", c->eos_id},
        {c->tying == VKS_TIED_ALL && c->source_vocab != c->target_vocab,
         "target vocabulary, which must be the source's where all embeddings are tied",
         c->target_vocab},
        {c->position_offset > MAX_POSITION_OFFSET, "offset of positions, at most 1024",
         c->position_offset},
        {c->positions == VKS_POSITIONS_FAIRSEQ && c->width < 4,
         "model width, at least 4 for these positions", c->width},
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        if (!checks[i].fails)
            continue;
        log_error(log, "%s: %u is no good as %s", name, checks[i].value, checks[i].what);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

// A config.json being read; the first failure stays.
struct reader {
    const char *path;
    const struct vks_log *log;
    const cJSON *json;
    enum vks_status status;
};

static void reader_fail(struct reader *reader, const char *key, const char *expected) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    if (reader->status != VKS_OK)
        return;
    char *value = item ? cJSON_PrintUnformatted(item) : NULL;
    log_error(reader->log, "%s: \"%s\" is %.60s: expected %s", reader->path, key,
              value ? value : "missing", expected);
    cJSON_free(value);
    reader->status = VKS_ERR_FORMAT;
}

// A whole number from `min` on; `by_default` when the key is missing, and a missing key fails
// without one (< 0).
static uint32_t read_u32(struct reader *reader, const char *key, uint32_t min, int64_t by_default) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    if (!item && by_default >= 0)
        return (uint32_t)by_default;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= min) || item->valuedouble > MAX_DIMENSION ||
        floor(item->valuedouble) != item->valuedouble) {
        reader_fail(reader, key,
                    min ? "a whole number from 1 to 16777216"
                        : "a whole number from 0 to 16777216");
        return 0;
    }
    return (uint32_t)item->valuedouble;
}

// A key that may only repeat what another one says.
static void check_same(struct reader *reader, const char *key, const char *other, uint32_t value) {
    char expected[96];
    snprintf(expected, sizeof expected, "%u, as %s", value, other);
    if (read_u32(reader, key, 0, value) != value)
        reader_fail(reader, key, expected);
}

static bool read_bool(struct reader *reader, const char *key, bool by_default) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    if (!item)
        return by_default;
    if (!cJSON_IsBool(item))
        reader_fail(reader, key, "true or false");
    return cJSON_IsTrue(item);
}

static const char *read_text(struct reader *reader, const char *key, const char *by_default) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->json, key);
    if (!item && by_default)
        return by_default;
    if (!cJSON_IsString(item)) {
        reader_fail(reader, key, "a text");
        return "";
    }
    return item->valuestring;
}

static void read_activation(struct reader *reader, struct vks_model_config *config) {
    const char *name = read_text(reader, "activation_function", NULL);
    if (strcmp(name, "silu") == 0)
        name = "swish";
    for (size_t i = 0; i < COUNT_OF(activation_names); i++) {
        if (strcmp(name, activation_names[i]) == 0) {
            config->activation = (enum vks_activation)i;
            return;
        }
    }
    reader_fail(reader, "activation_function", "\"relu\", \"gelu\", \"swish\" or \"silu\"");
}

static void read_positions(struct reader *reader, struct vks_model_config *config) {
    const char *name = read_text(reader, "position_formula", "hf");
    for (size_t i = 0; i < COUNT_OF(position_names); i++) {
        if (strcmp(name, position_names[i]) == 0) {
            config->positions = (enum vks_positions)i;
            return;
        }
    }
    reader_fail(reader, "position_formula", "\"hf\", \"fairseq\" or \"learned\"");
}

// The rule that the toolkit has from which the model comes: what transformers has saved bears its
// version.
static void read_search(struct reader *reader, struct vks_model_config *config) {
    bool is_hf = cJSON_HasObjectItem(reader->json, "transformers_version");
    const char *name = read_text(reader, "search", is_hf ? "hf" : "");
    config->search = VKS_SEARCH_DEFAULT;
    for (size_t i = 0; i < COUNT_OF(search_names); i++)
        if (strcmp(name, search_names[i]) == 0)
            config->search = (enum vks_search)(VKS_SEARCH_MARIAN + i);
    if (*name && config->search == VKS_SEARCH_DEFAULT)
        reader_fail(reader, "search", "\"marian\", \"hf\" or \"exact\"");
}

static void read_class(struct reader *reader, struct vks_model_config *config) {
    const char *type = read_text(reader, "model_type", NULL);
    if (strcmp(type, "marian") == 0)
        config->pre_norm = false;
    else if (strcmp(type, "pegasus") == 0)
        config->pre_norm = true;
    else if (strcmp(type, "vkseq") == 0)
        config->pre_norm = read_bool(reader, "normalize_before", false);
    else
        reader_fail(reader, "model_type", "\"marian\", \"pegasus\" or \"vkseq\"");
}

static void read_config(struct reader *reader, struct vks_model_config *c) {
    read_class(reader, c);
    c->source_vocab = read_u32(reader, "vocab_size", 1, -1);
    c->target_vocab = read_u32(reader, "decoder_vocab_size", 1, c->source_vocab);
    c->width = read_u32(reader, "d_model", 1, -1);
    c->ffn_width = read_u32(reader, "encoder_ffn_dim", 1, -1);
    c->num_heads = read_u32(reader, "encoder_attention_heads", 1, -1);
    c->encoder_layers = read_u32(reader, "encoder_layers", 1, -1);
    c->decoder_layers = read_u32(reader, "decoder_layers", 1, -1);
    c->eos_id = read_u32(reader, "eos_token_id", 0, 0);
    c->pad_id = read_u32(reader, "pad_token_id", 1, -1);
    c->max_positions = read_u32(reader, "max_position_embeddings", 1, 512);
    c->position_offset = read_u32(reader, "position_offset", 0, 0);
    c->no_embedding_scale = !read_bool(reader, "scale_embedding", false);
    read_activation(reader, c);
    read_positions(reader, c);
    read_search(reader, c);
    c->alignment_layer = read_u32(reader, "alignment_layer", 0, 0);
    c->placeholders = read_bool(reader, "placeholders", false);
    bool shared = read_bool(reader, "share_encoder_decoder_embeddings", true);
    bool tied = read_bool(reader, "tie_word_embeddings", true);
    c->tying = shared && tied ? VKS_TIED_ALL : tied ? VKS_TIED_OUTPUT : VKS_TIED_NONE;
    check_same(reader, "decoder_ffn_dim", "encoder_ffn_dim", c->ffn_width);
    check_same(reader, "decoder_attention_heads", "encoder_attention_heads", c->num_heads);
    check_same(reader, "decoder_start_token_id", "pad_token_id", c->pad_id);
}

enum vks_status config_parse(const char *text, size_t num_bytes, const char *name,
                             const struct vks_log *log, struct vks_model_config *config) {
    cJSON *json;
    TRY(json_parse(text, num_bytes, name, log, &json));
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        log_error(log, "%s: not a JSON object", name);
        return VKS_ERR_FORMAT;
    }
    struct reader reader = {.path = name, .log = log, .json = json};
    struct vks_model_config read = {0};
    read_config(&reader, &read);
    cJSON_Delete(json);
    if (reader.status == VKS_OK && config_complete(&read, name, log) != VKS_OK)
        reader.status = VKS_ERR_FORMAT;
    if (reader.status == VKS_OK)
        *config = read;
    return reader.status;
}

enum vks_status config_read(const char *path, const struct vks_log *log,
                            struct vks_model_config *config) {
    unsigned char *text;
    size_t num_bytes;
    TRY(file_read(path, MAX_CONFIG_BYTES, log, &text, &num_bytes));
    enum vks_status status = config_parse((const char *)text, num_bytes, path, log, config);
    free(text);
    return status;
}

// Takes the text, which may be NULL for want of memory.
static enum vks_status write_text(char *text, const char *dir, const char *name,
                                  const struct vks_log *log) {
    enum vks_status status = VKS_ERR_OOM;
    char *path = path_join(dir, name);
    if (path && text)
        status = file_replace(path, text, strlen(text), log);
    free(text);
    free(path);
    return status;
}

// An object as it is put together; what memory did not suffice for makes it not whole.
struct writer {
    cJSON *json;
    bool is_whole;
};

static void add_number(struct writer *writer, const char *key, double value) {
    writer->is_whole &= cJSON_AddNumberToObject(writer->json, key, value) != NULL;
}

static void add_bool(struct writer *writer, const char *key, bool value) {
    writer->is_whole &= cJSON_AddBoolToObject(writer->json, key, value) != NULL;
}

static void add_text(struct writer *writer, const char *key, const char *value) {
    writer->is_whole &= cJSON_AddStringToObject(writer->json, key, value) != NULL;
}

// The text of what was put together, NULL if it is not whole.
static char *finish(struct writer *writer) {
    char *text = writer->is_whole ? cJSON_Print(writer->json) : NULL;
    cJSON_Delete(writer->json);
    return text;
}

// What tells transformers how to translate with the model.
static void add_ids(struct writer *writer, const struct vks_model_config *c) {
    add_number(writer, "pad_token_id", c->pad_id);
    add_number(writer, "eos_token_id", c->eos_id);
    add_number(writer, "decoder_start_token_id", c->pad_id);
    add_number(writer, "forced_eos_token_id", c->eos_id);
    char words[32];
    snprintf(words, sizeof words, "[[%u]]", c->pad_id);
    writer->is_whole &= cJSON_AddRawToObject(writer->json, "bad_words_ids", words) != NULL;
    add_number(writer, "max_length", 512);
    add_number(writer, "num_beams", 4);
}

static void add_config(struct writer *writer, const struct vks_model_config *c) {
    bool is_class = c->positions == VKS_POSITIONS_HF && c->position_offset == 0 &&
                    c->tying != VKS_TIED_NONE && (!c->pre_norm || c->tying == VKS_TIED_ALL);
    const char *type = !is_class ? "vkseq" : c->pre_norm ? "pegasus" : "marian";
    const char *class_name = c->pre_norm ? "PegasusForConditionalGeneration" : "MarianMTModel";
    add_text(writer, "model_type", type);
    cJSON *classes = cJSON_AddArrayToObject(writer->json, "architectures");
    writer->is_whole &=
        cJSON_AddItemToArray(classes, cJSON_CreateString(is_class ? class_name : "vkseq"));
    add_bool(writer, "is_encoder_decoder", true);
    add_number(writer, "vocab_size", c->source_vocab);
    add_number(writer, "decoder_vocab_size", c->target_vocab);
    add_number(writer, "d_model", c->width);
    add_number(writer, "encoder_ffn_dim", c->ffn_width);
    add_number(writer, "decoder_ffn_dim", c->ffn_width);
    add_number(writer, "encoder_attention_heads", c->num_heads);
    add_number(writer, "decoder_attention_heads", c->num_heads);
    add_number(writer, "encoder_layers", c->encoder_layers);
    add_number(writer, "decoder_layers", c->decoder_layers);
    add_number(writer, "num_hidden_layers", c->encoder_layers);
    add_number(writer, "max_position_embeddings", c->max_positions);
    add_text(writer, "activation_function", activation_names[c->activation]);
    add_bool(writer, "scale_embedding", !c->no_embedding_scale);
    add_bool(writer, "static_position_embeddings", c->positions != VKS_POSITIONS_LEARNED);
    add_bool(writer, "share_encoder_decoder_embeddings", c->tying == VKS_TIED_ALL);
    add_bool(writer, "tie_word_embeddings", c->tying != VKS_TIED_NONE);
    add_bool(writer, "normalize_before", c->pre_norm);
    add_text(writer, "position_formula", position_names[c->positions]);
    add_number(writer, "position_offset", c->position_offset);
    if (c->search != VKS_SEARCH_DEFAULT)
        add_text(writer, "search", search_names[c->search - VKS_SEARCH_MARIAN]);
    if (c->alignment_layer)
        add_number(writer, "alignment_layer", c->alignment_layer);
    if (c->placeholders)
        add_bool(writer, "placeholders", true);
    add_text(writer, "torch_dtype", "float32");
    add_ids(writer, c);
}

char *config_print(const struct vks_model_config *config) {
    struct writer writer = {cJSON_CreateObject(), true};
    add_config(&writer, config);
    return finish(&writer);
}

static char *print_generation(const struct vks_model_config *config) {
    struct writer writer = {cJSON_CreateObject(), true};
    add_ids(&writer, config);
    return finish(&writer);
}

enum vks_status config_write(const struct vks_model_config *config, const char *dir,
                             const struct vks_log *log) {
    TRY(write_text(print_generation(config), dir, "generation_config.json", log));
    return write_text(config_print(config), dir, "config.json", log);
}
