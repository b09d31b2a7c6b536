#include "model/generation.h"

#include "base/check.h"
#include "base/log.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_BEAM_SIZE = 64,
    MAX_NGRAM = 65535,
    MAX_POWER = 100,
    MAX_PENALTY = 1000000,
    MAX_TOKENS = 1 << 20
};

static void read_lengths(struct fields_reader *reader, struct vks_generation *generation) {
    // transformers counts the decoder's first input too, but not among new tokens.
    uint32_t most = fields_read_u32(reader, "max_length", 1, 0);
    uint32_t least = fields_read_u32(reader, "min_length", 0, 0);
    most = fields_read_u32(reader, "max_new_tokens", 1, most > 1 ? most - 1 : most);
    least = fields_read_u32(reader, "min_new_tokens", 0, least > 1 ? least - 1 : 0);
    generation->max_length = min_u32(most, MAX_TOKENS);
    generation->min_length = min_u32(least, MAX_TOKENS);
}

static void read_search(struct fields_reader *reader, struct vks_model_config *config) {
    const cJSON *item = fields_find(reader, "early_stopping");
    const char *text = cJSON_GetStringValue(item);
    config->search = cJSON_IsTrue(item) ? VKS_SEARCH_HF_EARLY : VKS_SEARCH_HF;
    if (text && strcmp(text, "never") == 0)
        config->search = VKS_SEARCH_EXACT;
    else if (item && !cJSON_IsBool(item))
        fields_fail(reader, "early_stopping", "true, false or \"never\"");
}

// The lists of suppressed tokens as they are put together.
struct suppressed {
    struct fields_reader *reader;
    uint32_t *ids;
    size_t num;
};

static void suppress(struct suppressed *list, const char *key, const cJSON *first, size_t num) {
    if (num == 0 || list->num + 1 + num >= VKS_MAX_SUPPRESSED_IDS) {
        fields_fail(list->reader, key, "lists of tokens, no more than fit into 64 numbers");
        return;
    }
    list->ids[list->num++] = (uint32_t)num;
    for (const cJSON *item = first; num-- > 0; item = item->next) {
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > UINT32_MAX ||
            floor(item->valuedouble) != item->valuedouble) {
            fields_fail(list->reader, key, "lists of tokens' ids");
            return;
        }
        list->ids[list->num++] = (uint32_t)item->valuedouble;
    }
}

// Whether the rest of a list is one token.
static bool is_token(const cJSON *item, uint32_t id) {
    return cJSON_IsNumber(item) && !item->next && item->valuedouble == id;
}

static void read_suppressed(struct fields_reader *reader, uint32_t eos_id,
                            struct vks_generation *generation) {
    struct suppressed list = {reader, generation->suppressed, 0};
    const cJSON *words = fields_find(reader, "bad_words_ids");
    const cJSON *tokens = fields_find(reader, "suppress_tokens"), *item;
    if ((words && !cJSON_IsArray(words)) || (tokens && !cJSON_IsArray(tokens)))
        fields_fail(reader, words ? "bad_words_ids" : "suppress_tokens", "a list");
    // Without those that are </s> alone, as transformers: a translation must be able to end.
    cJSON_ArrayForEach(item, words) {
        if (reader->status == VKS_OK && !is_token(item->child, eos_id))
            suppress(&list, "bad_words_ids", item->child, (size_t)cJSON_GetArraySize(item));
    }
    cJSON_ArrayForEach(item, tokens) {
        if (reader->status == VKS_OK && item->valuedouble != eos_id)
            suppress(&list, "suppress_tokens", item, 1);
    }
}

// What would make other translations.
static void warn_of_others(const struct fields_reader *reader) {
    static const struct {
        const char *key;
        double harmless;
    } others[] = {
        {"do_sample", 0},          {"num_beam_groups", 1},
        {"diversity_penalty", 0},  {"encoder_no_repeat_ngram_size", 0},
        {"penalty_alpha", 0},      {"encoder_repetition_penalty", 1},
        {"guidance_scale", 1},     {"begin_suppress_tokens", 0},
        {"sequence_bias", 0},      {"exponential_decay_length_penalty", 0},
        {"forced_decoder_ids", 0},
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const cJSON *item = fields_find(reader, others[i].key);
        bool is_harmless = !item || cJSON_IsFalse(item) ||
                           (cJSON_IsNumber(item) && item->valuedouble == others[i].harmless);
        if (!is_harmless)
            log_warn(reader->log, "%s: \"%s\" is not done", reader->path, others[i].key);
    }
}

void generation_read(struct fields_reader *reader, struct vks_model_config *config) {
    struct vks_generation *generation = &config->generation;
    generation->beam_size = fields_read_u32(reader, "num_beams", 1, 0);
    if (generation->beam_size > MAX_BEAM_SIZE)
        fields_fail(reader, "num_beams", "at most 64");
    generation->normalize =
        (float)fields_read_number(reader, "length_penalty", -MAX_POWER, MAX_POWER, 1);
    generation->repetition_penalty =
        (float)fields_read_number(reader, "repetition_penalty", 1e-3, 1e3, 0);
    generation->no_repeat_ngram = fields_read_u32(reader, "no_repeat_ngram_size", 0, 0);
    if (generation->no_repeat_ngram > MAX_NGRAM)
        fields_fail(reader, "no_repeat_ngram_size", "at most 65535");
    read_lengths(reader, generation);
    read_search(reader, config);
    read_suppressed(reader, config->eos_id, generation);
    generation->forces_first = fields_find(reader, "forced_bos_token_id") != NULL;
    if (generation->forces_first)
        generation->first_id = fields_read_u32(reader, "forced_bos_token_id", 0, -1);
    if (fields_find(reader, "forced_eos_token_id")) {
        generation->forces_eos = true;
        if (fields_read_id(reader, "forced_eos_token_id", -1) != config->eos_id)
            fields_fail(reader, "forced_eos_token_id", "the id of </s>");
    }
    warn_of_others(reader);
}

void generation_read_own(struct fields_reader *reader, struct vks_model_config *config) {
    const cJSON *object = fields_find(reader, "decoding");
    enum vks_search search = config->search;
    if (!object)
        return;
    struct fields_reader inner = *reader;
    inner.json = object;
    if (!cJSON_IsObject(object))
        fields_fail(reader, "decoding", "an object");
    if (reader->status != VKS_OK)
        return;
    generation_read(&inner, config);
    config->generation.word_penalty =
        (float)fields_read_number(&inner, "word_penalty", -MAX_PENALTY, MAX_PENALTY, 0);
    config->search = search;
    reader->status = inner.status;
}

static void add_suppressed(struct fields_writer *writer, const struct vks_generation *generation) {
    const uint32_t *ids = generation->suppressed;
    if (ids[0] == 0)
        return;
    cJSON *words = cJSON_AddArrayToObject(writer->json, "bad_words_ids");
    for (size_t i = 0; ids[i] > 0; i += 1 + ids[i]) {
        cJSON *word = cJSON_CreateArray();
        writer->is_whole &= cJSON_AddItemToArray(words, word);
        for (uint32_t j = 0; j < ids[i]; j++)
            writer->is_whole &= cJSON_AddItemToArray(word, cJSON_CreateNumber(ids[i + 1 + j]));
    }
}

// The number with the fewest digits that a float is: 0.6, not 0.60000002384185791.
static double shortest(float value) {
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return strtod(text, NULL);
}

void generation_add(struct fields_writer *writer, const struct vks_model_config *config) {
    const struct vks_generation *generation = &config->generation;
    if (generation->beam_size)
        fields_add_number(writer, "num_beams", generation->beam_size);
    if (generation->max_length)
        fields_add_number(writer, "max_length", generation->max_length + 1);
    if (generation->min_length)
        fields_add_number(writer, "min_length", generation->min_length + 1);
    if (generation->no_repeat_ngram)
        fields_add_number(writer, "no_repeat_ngram_size", generation->no_repeat_ngram);
    if (generation->normalize != 1.0f)
        fields_add_number(writer, "length_penalty", shortest(generation->normalize));
    if (generation->repetition_penalty != 0.0f)
        fields_add_number(writer, "repetition_penalty", shortest(generation->repetition_penalty));
    if (config->search == VKS_SEARCH_EXACT)
        fields_add_text(writer, "early_stopping", "never");
    else if (config->search == VKS_SEARCH_HF_EARLY)
        fields_add_bool(writer, "early_stopping", true);
    if (generation->forces_first)
        fields_add_number(writer, "forced_bos_token_id", generation->first_id);
    if (generation->forces_eos)
        fields_add_number(writer, "forced_eos_token_id", config->eos_id);
    add_suppressed(writer, generation);
}

static bool has_any(const struct vks_generation *g) {
    return g->beam_size || g->max_length || g->min_length || g->no_repeat_ngram ||
           g->normalize != 0.0f || g->repetition_penalty != 0.0f || g->word_penalty != 0.0f ||
           g->forces_first || g->forces_eos || g->suppressed[0];
}

void generation_add_own(struct fields_writer *writer, const struct vks_model_config *config) {
    float word_penalty = config->generation.word_penalty;
    if (!has_any(&config->generation))
        return;
    cJSON *object = cJSON_AddObjectToObject(writer->json, "decoding");
    struct fields_writer inner = {object, object != NULL};
    generation_add(&inner, config);
    if (word_penalty != 0.0f)
        fields_add_number(&inner, "word_penalty", shortest(word_penalty));
    writer->is_whole &= inner.is_whole;
}
