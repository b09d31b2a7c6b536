#include "convert/inspect_directory.h"

#include "base/check.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/json.h"
#include "model/config.h"
#include "model/config_class.h"
#include "model/weights_file.h"
#include "vkseq/tokenizer.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIG_BYTES = 1 << 20, MAX_LISTED = 5, PROBLEM_BYTES = 512 };

// Names in a config.json of any class, which vkseq need not know.
static void inspect_names(const struct config_text *text, struct vks_inspection *inspection) {
    cJSON *json;
    if (json_parse(text->text, text->num_bytes, text->name, NULL, &json) != VKS_OK)
        return;
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "model_type"));
    const cJSON *classes = cJSON_GetObjectItemCaseSensitive(json, "architectures");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(classes, 0));
    if (type)
        inspection_text(inspection, "model_type", type);
    if (name)
        inspection_text(inspection, "class", name);
    cJSON_Delete(json);
}

static void add_shape(const struct vks_model_config *c, struct vks_inspection *inspection) {
    const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {
        {"source_vocabulary", c->source_vocab},
        {"target_vocabulary", c->target_vocab},
        {"width", c->width},
        {"ffn_width", c->ffn_width},
        {"heads", c->num_heads},
        {"encoder_layers", c->encoder_layers},
        {"decoder_layers", c->decoder_layers},
        {"position_offset", c->position_offset},
        {"max_positions", c->max_positions},
        {"eos_id", c->eos_id},
        {"pad_id", c->pad_id},
        {"alignment_layer", c->alignment_layer},
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        inspection_number(inspection, numbers[i].key, numbers[i].value);
    inspection_number(inspection, "norm_eps", (double)c->norm_eps);
}

static void add_choices(const struct vks_model_config *c, struct vks_inspection *inspection) {
    static const char *const activations[] = {"relu", "gelu", "swish"};
    static const char *const positions[] = {"hf", "fairseq", "learned"};
    static const char *const tyings[] = {"all embeddings", "target and output", "none",
                                         "source and target"};
    static const char *const searches[] = {"marian", "marian", "hf", "exact", "hf-early"};
    static const char *const cells[] = {"self-attention", "ssru"};
    inspection_text(inspection, "activation", activations[c->activation]);
    inspection_text(inspection, "positions", positions[c->positions]);
    inspection_text(inspection, "tied", tyings[c->tying]);
    inspection_text(inspection, "normalisation", c->pre_norm ? "before blocks" : "after blocks");
    inspection_text(inspection, "embeddings", c->no_embedding_scale ? "as they are" : "scaled");
    inspection_text(inspection, "decoder_cells", cells[c->decoder_cell]);
    inspection_text(inspection, "search", searches[c->search]);
}

static void add_generation(const struct vks_model_config *c, struct vks_inspection *inspection) {
    const struct vks_generation *g = &c->generation;
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"beam_size", g->beam_size},
        {"max_length", g->max_length},
        {"min_length", g->min_length},
        {"no_repeat_ngram", g->no_repeat_ngram},
        {"normalize", (double)g->normalize},
        {"word_penalty", (double)g->word_penalty},
        {"repetition_penalty", (double)g->repetition_penalty},
        {"first_id", g->forces_first ? g->first_id : 0},
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (numbers[i].value != 0)
            inspection_number(inspection, numbers[i].key, numbers[i].value);
}

void inspect_add_config(const struct vks_model_config *config, struct vks_inspection *inspection) {
    add_shape(config, inspection);
    add_choices(config, inspection);
    add_generation(config, inspection);
    enum vks_model_class model_class = config_expressed_by(config, NULL, NULL);
    inspection_text(inspection, "transformers_class",
                    model_class == VKS_CLASS_OWN ? "none" : config_class_name(model_class));
}

// Reads a config.json; what goes wrong is a problem. text->text is to be freed.
static bool read_text(const char *path, struct vks_inspection *inspection,
                      struct config_text *text) {
    const struct vks_log log = inspection_log(inspection);
    unsigned char *bytes;
    text->name = path;
    if (file_read(path, MAX_CONFIG_BYTES, &log, &bytes, &text->num_bytes) != VKS_OK)
        return false;
    text->text = (const char *)bytes;
    inspect_names(text, inspection);
    return true;
}

void inspect_config_file(const char *path, struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct config_text text = {0};
    struct vks_model_config config = {0};
    if (!read_text(path, inspection, &text))
        return;
    if (config_parse(&text, NULL, &log, &config) == VKS_OK) {
        inspect_add_config(&config, inspection);
        inspection_problem(inspection, "a configuration alone is no model; inspect the directory");
    }
    free((void *)text.text);
}

// The configuration of a directory; false if there is no usable one.
static bool inspect_config(const char *dir, struct vks_inspection *inspection,
                           struct vks_model_config *config) {
    const struct vks_log log = inspection_log(inspection);
    struct config_text text = {0};
    char *path = path_join(dir, "config.json");
    inspection->is_whole &= path != NULL;
    bool is_read =
        path && read_text(path, inspection, &text) && config_read(dir, &log, config) == VKS_OK;
    free((void *)text.text);
    free(path);
    if (is_read)
        inspect_add_config(config, inspection);
    return is_read;
}

void inspect_tensors(const struct tensor_set *set, struct vks_inspection *inspection) {
    bool has_type[16] = {false};
    char types[160] = "";
    double num_values = 0;
    for (size_t i = 0; i < tensor_set_num(set); i++) {
        const struct tensor_view *view = tensor_set_at(set, i);
        const char *type = safetensors_dtype_name(view->dtype);
        inspection_tensor(inspection, view->name, type, view->num_dims, view->dims);
        num_values += (double)view->num_elements;
        if (has_type[view->dtype])
            continue;
        has_type[view->dtype] = true;
        size_t used = strlen(types);
        snprintf(types + used, sizeof types - used, "%s%s", used ? ", " : "", type);
    }
    inspection_number(inspection, "tensors", (double)tensor_set_num(set));
    inspection_number(inspection, "values", num_values);
    inspection_text(inspection, "precision", types);
}

static void report_weight(const struct named_weight *weight, const struct tensor_view *view,
                          struct vks_inspection *inspection) {
    char text[PROBLEM_BYTES];
    char expected[48];
    if (weight->num_dims == 1)
        snprintf(expected, sizeof expected, "[%u]", weight->num);
    else
        snprintf(expected, sizeof expected, "[%u, %u]", weight->num, weight->parameter.cols);
    snprintf(text, sizeof text,
             view ? "tensor '%s' has another shape than %s, which the configuration asks for"
                  : "tensor '%s' %s is missing, which the configuration asks for",
             weight->name, expected);
    inspection_problem(inspection, text);
}

// Every tensor that is missing or has another shape; the first of them are named.
static size_t compare_weights(const struct weights *weights, const struct tensor_set *set,
                              struct vks_inspection *inspection) {
    size_t num = 0;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        const struct tensor_view *view = weights_find_tensor(weights, set, weight->name);
        bool fits = view && view->num_dims == weight->num_dims && view->dims[0] == weight->num &&
                    (view->num_dims == 1 || view->dims[1] == weight->parameter.cols);
        if (!fits && num++ < MAX_LISTED)
            report_weight(weight, view, inspection);
    }
    if (num > MAX_LISTED) {
        char text[PROBLEM_BYTES];
        snprintf(text, sizeof text, "and %zu more tensors", num - MAX_LISTED);
        inspection_problem(inspection, text);
    }
    return num;
}

static void inspect_weights(const char *dir, struct vks_model_config *config,
                            struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct tensor_set *set = NULL;
    struct weights weights = {0};
    if (tensor_set_open(dir, &log, &set) != VKS_OK)
        return;
    inspect_tensors(set, inspection);
    if (config && config->model_class != VKS_CLASS_OWN)
        weights_complete_config(set, &log, config);
    if (config && weights_init(NULL, config, NULL, 0, &weights) != VKS_OK)
        inspection->is_whole = false;
    else if (config && compare_weights(&weights, set, inspection) == 0)
        (void)weights_check(&weights, PART_VALUE, config, set);
    uint64_t num = 0;
    for (size_t i = 0; i < weights.num_named; i++)
        num += named_weight_size(&weights.named[i]);
    if (config)
        inspection_number(inspection, "parameters", (double)num);
    weights_finish(&weights);
    tensor_set_close(&set);
}

static void check_size(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t expected,
                       struct vks_inspection *inspection) {
    char text[PROBLEM_BYTES];
    uint32_t num = vks_tokenizer_vocab_size(tokenizer, side);
    inspection_number(inspection, side == VKS_SOURCE ? "source_pieces" : "target_pieces", num);
    if (num == expected || expected == 0)
        return;
    snprintf(text, sizeof text, "the %s vocabulary has %u pieces, the configuration %u",
             side == VKS_SOURCE ? "source" : "target", num, expected);
    inspection_problem(inspection, text);
}

// All codes, with blanks between them.
static void add_languages(const struct vks_tokenizer *tokenizer,
                          struct vks_inspection *inspection) {
    static const char *const keys[] = {"source_language", "target_language"};
    uint32_t num = vks_tokenizer_num_languages(tokenizer);
    size_t num_bytes = 0;
    for (uint32_t i = 0; i < num; i++)
        num_bytes += strlen(vks_tokenizer_language(tokenizer, i)) + 1;
    char *codes = num > 0 ? memory_malloc(num_bytes) : NULL, *end = codes;
    for (uint32_t i = 0; i < num && codes; i++)
        end += sprintf(end, i ? " %s" : "%s", vks_tokenizer_language(tokenizer, i));
    inspection->is_whole &= num == 0 || codes;
    if (codes)
        inspection_text(inspection, "languages", codes);
    free(codes);
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++) {
        const char *code = vks_tokenizer_default_language(tokenizer, (enum vks_side)side);
        if (code)
            inspection_text(inspection, keys[side], code);
    }
}

void inspect_vocabularies(const char *dir, const struct vks_model_config *config,
                          struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct vks_tokenizer *tokenizer = NULL;
    if (vks_tokenizer_load(dir, &log, &tokenizer) != VKS_OK)
        return;
    bool is_joint = vks_tokenizer_is_joint(tokenizer);
    inspection_text(inspection, "vocabularies", is_joint ? "one for both sides" : "separate");
    check_size(tokenizer, VKS_SOURCE, config ? config->source_vocab : 0, inspection);
    check_size(tokenizer, VKS_TARGET, config ? config->target_vocab : 0, inspection);
    inspection_number(inspection, "unk_id", vks_tokenizer_unk_id(tokenizer, VKS_SOURCE));
    add_languages(tokenizer, inspection);
    vks_tokenizer_destroy(&tokenizer);
}

void inspect_directory(const char *dir, struct vks_inspection *inspection) {
    struct vks_model_config config = {0};
    inspection_text(inspection, "format", "directory in Hugging Face's layout");
    bool has_config = inspect_config(dir, inspection, &config);
    inspect_weights(dir, has_config ? &config : NULL, inspection);
    inspect_vocabularies(dir, has_config ? &config : NULL, inspection);
}
