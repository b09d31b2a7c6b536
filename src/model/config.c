#include "model/config.h"

#include "ops/attention.h"
#include "base/check.h"
#include "base/log.h"
#include "io/files.h"
#include "io/json.h"
#include "model/config_class.h"
#include "model/config_fields.h"
#include "model/generation.h"
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

static const float DEFAULT_EPS = 1e-5f; // of torch.nn.LayerNorm
static const char *const activation_names[] = {"relu", "gelu", "swish"};
static const char *const position_names[] = {"hf", "fairseq", "learned"};
static const char *const cell_names[] = {"self-attention", "ssru"};
static const char *const search_names[] = {"marian", "hf", "exact",
                                           "hf-early"}; // from VKS_SEARCH_MARIAN on

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

// A decoder layer that has another one's weights names one that has its own.
static enum vks_status check_tied_layers(const struct vks_model_config *c, const char *name,
                                         const struct vks_log *log) {
    for (uint32_t i = 0; i < VKS_MAX_LAYERS; i++) {
        uint32_t other = c->tied_layers[i];
        if (other == 0 || (i < c->decoder_layers && other <= i && c->tied_layers[other - 1] == 0))
            continue;
        log_error(log,
                  "%s: decoder layer %u has the weights of layer %u: expected an earlier one that "
                  "has its own",
                  name, i + 1, other);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

static void fill_defaults(struct vks_model_config *c) {
    set_default(&c->width, 512);
    set_default(&c->ffn_width, 4 * c->width);
    set_default(&c->num_heads, 8);
    set_default(&c->encoder_layers, 6);
    set_default(&c->decoder_layers, 6);
    set_default(&c->max_positions, 512);
    set_default(&c->decoder_ffn_width, c->ffn_width);
    set_default(&c->decoder_heads, c->num_heads);
    if (!c->pad_is_zero)
        set_default(&c->pad_id, c->target_vocab - 1);
    set_default(&c->start_id, c->pad_id);
    if (c->norm_eps == 0.0f)
        c->norm_eps = DEFAULT_EPS;
}

struct shape_check {
    bool fails;
    const char *what;
    uint32_t value;
};

static enum vks_status refuse_first(const struct shape_check *checks, size_t num, const char *name,
                                    const struct vks_log *log) {
    for (size_t i = 0; i < num; i++) {
        if (!checks[i].fails)
            continue;
        log_error(log, "%s: %u is no good as %s", name, checks[i].value, checks[i].what);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

static enum vks_status check_tokens(const struct vks_model_config *c, const char *name,
                                    const struct vks_log *log) {
    const struct shape_check checks[] = {
        {c->pad_id >= c->target_vocab, "id of <pad>, which must be in the target vocabulary",
         c->pad_id},
        {c->eos_id >= c->target_vocab || c->eos_id == c->pad_id,
         "id of </s>, which must be in the target vocabulary and not <pad>", c->eos_id},
        {c->start_id >= c->target_vocab,
         "id of the decoder's first input, which must be in the target vocabulary", c->start_id},
        {c->generation.forces_first && c->generation.first_id >= c->target_vocab,
         "id of the first token, which must be in the target vocabulary", c->generation.first_id},
    };
    return refuse_first(checks, COUNT_OF(checks), name, log);
}

enum vks_status config_complete(struct vks_model_config *c, const char *name,
                                const struct vks_log *log) {
    fill_defaults(c);
    uint32_t head_width = c->width / c->num_heads, decoder_head_width = c->width / c->decoder_heads;
    char heads[80];
    snprintf(heads, sizeof heads, "number of heads, which must divide the model width of %u",
             c->width);
    const struct shape_check checks[] = {
        {c->source_vocab < 4 || c->source_vocab > MAX_DIMENSION, "source vocabulary, 4 to 16777216",
         c->source_vocab},
        {c->target_vocab < 4 || c->target_vocab > MAX_DIMENSION, "target vocabulary, 4 to 16777216",
         c->target_vocab},
        {c->width > MAX_WIDTH, "model width, at most 16384", c->width},
        {c->ffn_width > 8 * MAX_WIDTH, "feed-forward width, at most 131072", c->ffn_width},
        {c->decoder_ffn_width > 8 * MAX_WIDTH, "feed-forward width, at most 131072",
         c->decoder_ffn_width},
        {c->num_heads > c->width || c->width % c->num_heads != 0, heads, c->num_heads},
        {c->decoder_heads > c->width || c->width % c->decoder_heads != 0, heads, c->decoder_heads},
        {head_width % 4 != 0 || head_width > ATTENTION_MAX_WIDTH,
         "width of a head, a multiple of 4 up to 128", head_width},
        {decoder_head_width % 4 != 0 || decoder_head_width > ATTENTION_MAX_WIDTH,
         "width of a head, a multiple of 4 up to 128", decoder_head_width},
        {c->encoder_layers > WEIGHTS_MAX_LAYERS, "number of encoder layers, at most 64",
         c->encoder_layers},
        {c->decoder_layers > WEIGHTS_MAX_LAYERS, "number of decoder layers, at most 64",
         c->decoder_layers},
        {c->alignment_layer > c->decoder_layers,
         "layer with alignments, one of the decoder's from 1 on, or 0", c->alignment_layer},
        {(c->tying == VKS_TIED_ALL || c->tying == VKS_TIED_SOURCE) &&
             c->source_vocab != c->target_vocab,
         "target vocabulary, which must be the source's where both sides' embeddings are tied",
         c->target_vocab},
        {c->position_offset > MAX_POSITION_OFFSET, "offset of positions, at most 1024",
         c->position_offset},
        {c->positions == VKS_POSITIONS_LEARNED && c->max_positions < 2,
         "number of learned positions, at least 2", c->max_positions},
        {c->positions == VKS_POSITIONS_FAIRSEQ && c->width < 4,
         "model width, at least 4 for these positions", c->width},
    };
    TRY(refuse_first(checks, COUNT_OF(checks), name, log));
    TRY(check_tokens(c, name, log));
    return check_tied_layers(c, name, log);
}

// Names that transformers has for the same function too.
static void read_activation(struct fields_reader *reader, struct vks_model_config *config) {
    static const struct {
        const char *name;
        enum vks_activation activation;
    } others[] = {{"silu", VKS_SILU}, {"gelu_python", VKS_GELU}};
    const char *name = fields_read_text(reader, "activation_function", NULL);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (strcmp(name, others[i].name) == 0) {
            config->activation = others[i].activation;
            return;
        }
    }
    config->activation = (enum vks_activation)fields_read_name(
        reader, "activation_function", activation_names, COUNT_OF(activation_names), NULL,
        "\"relu\", \"gelu\", \"swish\" or \"silu\"");
}

// The rule that the toolkit has from which the model comes: what transformers has saved bears its
// version.
static void read_search(struct fields_reader *reader, struct vks_model_config *config) {
    static const char *const expected = "\"marian\", \"hf\", \"exact\" or \"hf-early\"";
    bool is_hf = cJSON_HasObjectItem(reader->json, "transformers_version");
    if (is_hf || fields_find(reader, "search"))
        config->search =
            (enum vks_search)(VKS_SEARCH_MARIAN + fields_read_name(reader, "search", search_names,
                                                                   COUNT_OF(search_names),
                                                                   is_hf ? "hf" : NULL, expected));
}

// [0, 0, 1]: the third layer has the weights of the first.
static void read_tied_layers(struct fields_reader *reader, struct vks_model_config *config) {
    const cJSON *list = fields_find(reader, "tied_layers");
    const cJSON *item;
    uint32_t num = 0;
    if (!list)
        return;
    bool is_list = cJSON_IsArray(list) && cJSON_GetArraySize(list) <= VKS_MAX_LAYERS;
    for (item = is_list ? list->child : NULL; item && is_list; item = item->next) {
        double layer = item->valuedouble;
        is_list =
            cJSON_IsNumber(item) && layer >= 0 && layer <= VKS_MAX_LAYERS && floor(layer) == layer;
        if (is_list)
            config->tied_layers[num++] = (uint8_t)layer;
    }
    if (!is_list)
        fields_fail(reader, "tied_layers", "a list of layers' numbers, for at most 64 layers");
}

// By whose rules the rest is read.
static void read_class(struct fields_reader *reader, struct vks_model_config *config) {
    const char *type = fields_read_text(reader, "model_type", NULL);
    config->model_class = config_class_find(reader);
    if (config->model_class != VKS_CLASS_OWN)
        return;
    if (strcmp(type, "marian") == 0)
        config->pre_norm = false;
    else if (strcmp(type, "pegasus") == 0)
        config->pre_norm = true;
    else if (strcmp(type, "vkseq") == 0)
        config->pre_norm = fields_read_bool(reader, "normalize_before", false);
    else
        fields_fail(reader, "model_type",
                    "\"marian\", \"pegasus\", \"m2m_100\", \"mbart\" or \"vkseq\"");
}

static void read_tokens(struct fields_reader *reader, struct vks_model_config *c) {
    bool has_defaults = c->model_class == VKS_CLASS_OWN || c->model_class == VKS_CLASS_MARIAN;
    c->eos_id = fields_read_id(reader, "eos_token_id", has_defaults ? 0 : -1);
    c->pad_id = fields_read_u32(reader, "pad_token_id", 0, -1);
    c->pad_is_zero = c->pad_id == 0;
    bool starts_with_pad = has_defaults || c->model_class == VKS_CLASS_PEGASUS;
    c->start_id = fields_read_u32(reader, "decoder_start_token_id", 0,
                                  starts_with_pad ? (int64_t)c->pad_id : -1);
    if (c->start_id == 0 && !c->pad_is_zero)
        fields_fail(reader, "decoder_start_token_id", "another token than 0, which is not <pad>");
}

static void read_tying(struct fields_reader *reader, struct vks_model_config *c) {
    // Of the classes only Marian's may have two vocabularies.
    bool may_part = c->model_class == VKS_CLASS_OWN || c->model_class == VKS_CLASS_MARIAN;
    bool shared = !may_part || fields_read_bool(reader, "share_encoder_decoder_embeddings", true);
    bool tied = fields_read_bool(reader, "tie_word_embeddings", true);
    bool joint = fields_read_bool(reader, "share_input_embeddings", false);
    c->tying = shared && tied ? VKS_TIED_ALL
               : tied         ? VKS_TIED_OUTPUT
               : joint        ? VKS_TIED_SOURCE
                              : VKS_TIED_NONE;
    c->target_vocab = may_part ? fields_read_u32(reader, "decoder_vocab_size", 1, c->source_vocab)
                               : c->source_vocab;
}

// What vkseq says of its own models, and no class can.
static void read_own(struct fields_reader *reader, struct vks_model_config *c) {
    c->positions = (enum vks_positions)fields_read_name(reader, "position_formula", position_names,
                                                        COUNT_OF(position_names), "hf",
                                                        "\"hf\", \"fairseq\" or \"learned\"");
    c->position_offset = fields_read_u32(reader, "position_offset", 0, 0);
    c->embedding_norm = fields_read_bool(reader, "normalize_embedding", false);
    c->pad_in_softmax = fields_read_bool(reader, "pad_in_softmax", false);
    c->decoder_cell = (enum vks_decoder_cell)fields_read_name(
        reader, "decoder_cell", cell_names, COUNT_OF(cell_names), cell_names[VKS_CELL_ATTENTION],
        "\"self-attention\" or \"ssru\"");
    read_tied_layers(reader, c);
    c->rnn_projection = fields_read_bool(reader, "rnn_projection", false);
    c->norm_eps =
        (float)fields_read_number(reader, "layer_norm_eps", 1e-12, 1, (double)DEFAULT_EPS);
    c->no_final_norm = !fields_read_bool(reader, "add_final_layer_norm", true);
    c->shared_positions = fields_read_bool(reader, "share_positions", false);
    read_search(reader, c);
    generation_read_own(reader, c);
}

static void read_config(struct fields_reader *reader, struct vks_model_config *c) {
    read_class(reader, c);
    c->source_vocab = fields_read_u32(reader, "vocab_size", 1, -1);
    read_tying(reader, c);
    c->width = fields_read_u32(reader, "d_model", 1, -1);
    c->ffn_width = fields_read_u32(reader, "encoder_ffn_dim", 1, -1);
    c->decoder_ffn_width = fields_read_u32(reader, "decoder_ffn_dim", 1, c->ffn_width);
    c->num_heads = fields_read_u32(reader, "encoder_attention_heads", 1, -1);
    c->decoder_heads = fields_read_u32(reader, "decoder_attention_heads", 1, c->num_heads);
    c->encoder_layers = fields_read_u32(reader, "encoder_layers", 1, -1);
    c->decoder_layers = fields_read_u32(reader, "decoder_layers", 1, -1);
    c->max_positions = fields_read_u32(reader, "max_position_embeddings", 1, 512);
    c->no_embedding_scale = !fields_read_bool(reader, "scale_embedding", false);
    c->alignment_layer = fields_read_u32(reader, "alignment_layer", 0, 0);
    c->placeholders = fields_read_bool(reader, "placeholders", false);
    c->output_bias = fields_read_bool(reader, "output_bias", false);
    read_activation(reader, c);
    read_tokens(reader, c);
    if (c->model_class == VKS_CLASS_OWN)
        read_own(reader, c);
    else
        config_class_complete(reader, c);
}

static enum vks_status parse_object(const struct config_text *text, const struct vks_log *log,
                                    cJSON **json) {
    TRY(json_parse(text->text, text->num_bytes, text->name, log, json));
    if (cJSON_IsObject(*json))
        return VKS_OK;
    cJSON_Delete(*json);
    *json = NULL;
    log_error(log, "%s: not a JSON object", text->name);
    return VKS_ERR_FORMAT;
}

enum vks_status config_parse(const struct config_text *config_text,
                             const struct config_text *generation_text, const struct vks_log *log,
                             struct vks_model_config *config) {
    cJSON *json = NULL, *generation = NULL;
    struct vks_model_config read = {0};
    enum vks_status status;
    TRY_GOTO(status, parse_object(config_text, log, &json), done);
    struct fields_reader reader = {.path = config_text->name, .log = log, .json = json};
    read_config(&reader, &read);
    TRY_GOTO(status, reader.status, done);
    if (read.model_class != VKS_CLASS_OWN) {
        if (generation_text) {
            TRY_GOTO(status, parse_object(generation_text, log, &generation), done);
            reader.json = generation;
            reader.path = generation_text->name;
        }
        generation_read(&reader, &read);
        TRY_GOTO(status, reader.status, done);
    }
    status = config_complete(&read, config_text->name, log) == VKS_OK ? VKS_OK : VKS_ERR_FORMAT;
    if (status == VKS_OK)
        *config = read;
done:
    cJSON_Delete(generation);
    cJSON_Delete(json);
    return status;
}

// A file of the folder; text NULL when it may be missing and is.
static enum vks_status read_text_file(const char *dir, const char *name, bool must_be,
                                      const struct vks_log *log, struct config_text *text) {
    char *path = path_join(dir, name);
    unsigned char *bytes = NULL;
    if (!path)
        return VKS_ERR_OOM;
    text->name = path;
    if (!must_be && !file_exists(path))
        return VKS_OK;
    enum vks_status status = file_read(path, MAX_CONFIG_BYTES, log, &bytes, &text->num_bytes);
    text->text = (const char *)bytes;
    return status;
}

enum vks_status config_read(const char *dir, const struct vks_log *log,
                            struct vks_model_config *config) {
    struct config_text own = {0}, generation = {0};
    enum vks_status status = read_text_file(dir, "config.json", true, log, &own);
    if (status == VKS_OK)
        status = read_text_file(dir, "generation_config.json", false, log, &generation);
    if (status == VKS_OK)
        status = config_parse(&own, generation.text ? &generation : NULL, log, config);
    free((void *)own.text);
    free((void *)own.name);
    free((void *)generation.text);
    free((void *)generation.name);
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

// How transformers should translate with a model of vkseq's own: as vkseq does by default.
static void fill_generation(struct vks_model_config *c) {
    struct vks_generation *generation = &c->generation;
    size_t end = 0;
    set_default(&generation->beam_size, 4);
    set_default(&generation->max_length, c->max_positions - 1);
    generation->forces_eos = true;
    while (generation->suppressed[end] > 0)
        end += 1 + generation->suppressed[end];
    if (end + 2 < VKS_MAX_SUPPRESSED_IDS) {
        generation->suppressed[end] = 1;
        generation->suppressed[end + 1] = c->pad_id;
    }
}

// What tells transformers how to translate with the model.
static void add_ids(struct fields_writer *writer, const struct vks_model_config *config) {
    struct vks_model_config c = *config;
    if (c.model_class == VKS_CLASS_OWN)
        fill_generation(&c);
    fields_add_number(writer, "pad_token_id", c.pad_id);
    fields_add_number(writer, "eos_token_id", c.eos_id);
    fields_add_number(writer, "decoder_start_token_id", c.start_id);
    generation_add(writer, &c);
}

static bool has_tied_layers(const struct vks_model_config *c) {
    for (uint32_t i = 0; i < VKS_MAX_LAYERS; i++)
        if (c->tied_layers[i])
            return true;
    return false;
}

// Why no class has the model's positions, or NULL.
static const char *missing_positions(const struct vks_model_config *c, bool has_positions) {
    if (c->position_offset != 0)
        return "its positions begin at an offset";
    if (has_positions || c->positions != VKS_POSITIONS_FAIRSEQ)
        return NULL;
    return "its positions are of another formula";
}

// Why no class has the model's parts, or NULL.
static const char *missing_parts(const struct vks_model_config *c) {
    if (c->embedding_norm)
        return "it normalises embeddings";
    if (c->norm_eps != DEFAULT_EPS)
        return "its norms add another number to variances";
    if (c->start_id != c->pad_id)
        return "its decoder starts with another token than <pad>";
    if (c->decoder_cell != VKS_CELL_ATTENTION)
        return "its decoder has recurrent cells";
    if (c->no_final_norm)
        return "it does not normalise at its end";
    if (has_tied_layers(c))
        return "its layers share weights";
    if (c->tying == VKS_TIED_SOURCE)
        return "its output layer alone is not tied";
    if (c->pre_norm && c->tying != VKS_TIED_ALL)
        return "it normalises before each block and has separate vocabularies or an untied output "
               "layer";
    if (c->source_vocab <= c->pad_id)
        return "its source vocabulary is smaller than its target vocabulary";
    return NULL;
}

enum vks_model_class config_expressed_by(const struct vks_model_config *c,
                                         const struct config_form *form, const char **why) {
    if (c->model_class != VKS_CLASS_OWN)
        return c->model_class;
    const char *reason = missing_parts(c);
    if (!reason)
        reason = missing_positions(c, form && form->has_positions);
    if (reason && why)
        *why = reason;
    return reason ? VKS_CLASS_OWN : c->pre_norm ? VKS_CLASS_PEGASUS : VKS_CLASS_MARIAN;
}

// What only models of vkseq have, if the model has it.
static void add_parts(struct fields_writer *writer, const struct vks_model_config *c) {
    if (c->tying == VKS_TIED_SOURCE)
        fields_add_bool(writer, "share_input_embeddings", true);
    if (c->decoder_cell != VKS_CELL_ATTENTION)
        fields_add_text(writer, "decoder_cell", cell_names[c->decoder_cell]);
    if (c->rnn_projection)
        fields_add_bool(writer, "rnn_projection", true);
    if (c->no_final_norm)
        fields_add_bool(writer, "add_final_layer_norm", false);
    if (c->shared_positions)
        fields_add_bool(writer, "share_positions", true);
    if (c->norm_eps != DEFAULT_EPS)
        fields_add_number(writer, "layer_norm_eps", (double)c->norm_eps);
    if (!has_tied_layers(c))
        return;
    cJSON *list = cJSON_AddArrayToObject(writer->json, "tied_layers");
    for (uint32_t i = 0; i < c->decoder_layers; i++)
        writer->is_whole &= cJSON_AddItemToArray(list, cJSON_CreateNumber(c->tied_layers[i]));
}

static void add_own(struct fields_writer *writer, const struct vks_model_config *c) {
    fields_add_bool(writer, "normalize_before", c->pre_norm);
    fields_add_text(writer, "position_formula", position_names[c->positions]);
    fields_add_number(writer, "position_offset", c->position_offset);
    if (c->search != VKS_SEARCH_DEFAULT)
        fields_add_text(writer, "search", search_names[c->search - VKS_SEARCH_MARIAN]);
    generation_add_own(writer, c);
    fields_add_bool(writer, "normalize_embedding", c->embedding_norm);
    if (c->pad_in_softmax)
        fields_add_bool(writer, "pad_in_softmax", true);
    add_parts(writer, c);
}

static void add_config(struct fields_writer *writer, const struct vks_model_config *c,
                       const struct config_form *form) {
    enum vks_model_class found = config_expressed_by(c, form, NULL);
    bool is_class = found != VKS_CLASS_OWN;
    fields_add_text(writer, "model_type", is_class ? config_class_type(found) : "vkseq");
    cJSON *classes = cJSON_AddArrayToObject(writer->json, "architectures");
    writer->is_whole &= cJSON_AddItemToArray(
        classes, cJSON_CreateString(is_class ? config_class_name(found) : "vkseq"));
    fields_add_bool(writer, "is_encoder_decoder", true);
    fields_add_number(writer, "vocab_size", c->source_vocab);
    fields_add_number(writer, "decoder_vocab_size", c->target_vocab);
    fields_add_number(writer, "d_model", c->width);
    fields_add_number(writer, "encoder_ffn_dim", c->ffn_width);
    fields_add_number(writer, "decoder_ffn_dim", c->decoder_ffn_width);
    fields_add_number(writer, "encoder_attention_heads", c->num_heads);
    fields_add_number(writer, "decoder_attention_heads", c->decoder_heads);
    fields_add_number(writer, "encoder_layers", c->encoder_layers);
    fields_add_number(writer, "decoder_layers", c->decoder_layers);
    fields_add_number(writer, "num_hidden_layers", c->encoder_layers);
    fields_add_number(writer, "max_position_embeddings", c->max_positions);
    fields_add_text(writer, "activation_function", activation_names[c->activation]);
    fields_add_bool(writer, "scale_embedding", !c->no_embedding_scale);
    fields_add_bool(writer, "static_position_embeddings", c->positions != VKS_POSITIONS_LEARNED);
    fields_add_bool(writer, "share_encoder_decoder_embeddings", c->tying == VKS_TIED_ALL);
    fields_add_bool(writer, "tie_word_embeddings",
                    c->tying == VKS_TIED_ALL || c->tying == VKS_TIED_OUTPUT);
    if (c->model_class == VKS_CLASS_OWN)
        add_own(writer, c);
    if (c->alignment_layer)
        fields_add_number(writer, "alignment_layer", c->alignment_layer);
    if (c->output_bias)
        fields_add_bool(writer, "output_bias", true);
    if (c->placeholders)
        fields_add_bool(writer, "placeholders", true);
    fields_add_text(writer, "torch_dtype", form && form->is_half ? "float16" : "float32");
    add_ids(writer, c);
}

char *config_print(const struct vks_model_config *config, const struct config_form *form) {
    struct fields_writer writer = {cJSON_CreateObject(), true};
    add_config(&writer, config, form);
    return fields_finish(&writer);
}

static char *print_generation(const struct vks_model_config *config) {
    struct fields_writer writer = {cJSON_CreateObject(), true};
    add_ids(&writer, config);
    return fields_finish(&writer);
}

enum vks_status config_write(const struct vks_model_config *config, const struct config_form *form,
                             const char *dir, const struct vks_log *log) {
    TRY(write_text(print_generation(config), dir, "generation_config.json", log));
    return write_text(config_print(config, form), dir, "config.json", log);
}
