#include "decoding_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const decoding_searches[] = {"marian", "hf", "exact", "hf-early", NULL};

enum { DEFAULT_BEAM_SIZE = 4 };

static bool parse_number(const char *text, double min, double max, double *number) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= min) || !(value <= max))
        return false;
    *number = value;
    return true;
}

static enum vks_status refuse(struct console *console, const char *word, const char *expected) {
    console_error(console, "option '--output-sampling': '%s' is not %s", word, expected);
    return VKS_ERR_ARGUMENT;
}

// METHOD, its parameter if it has one, and a temperature.
static enum vks_status apply_sampling(struct console *console, const struct cli_strings *words,
                                      struct vks_translator_params *params) {
    static const char *const names[] = {"full", "topk", "nucleus"}; // from VKS_SAMPLING_FULL on
    double k = 10, mass = 0.9, temperature = 1;
    size_t method = 0, next = 1;
    while (method < 3 && strcmp(words->items[0], names[method]) != 0)
        method++;
    if (method == 3)
        return refuse(console, words->items[0], "one of full, topk, nucleus");
    params->sampling = (enum vks_sampling)(VKS_SAMPLING_FULL + method);
    if (params->sampling != VKS_SAMPLING_FULL && next < words->num) {
        const char *word = words->items[next++];
        bool is_top_k = params->sampling == VKS_SAMPLING_TOP_K;
        if (is_top_k && (!parse_number(word, 1, 1e6, &k) || k != floor(k)))
            return refuse(console, word, "a whole number from 1 to 1000000");
        if (!is_top_k && !parse_number(word, 1e-6, 1, &mass))
            return refuse(console, word, "a number over 0 and at most 1");
    }
    if (next < words->num && !parse_number(words->items[next++], 1e-3, 1e3, &temperature))
        return refuse(console, words->items[next - 1], "a temperature from 0.001 to 1000");
    if (next < words->num)
        return refuse(console, words->items[next], "expected: the temperature is the last word");
    params->sampling_k = (uint32_t)k;
    params->sampling_mass = (float)mass;
    params->temperature = (float)temperature;
    return VKS_OK;
}

static enum vks_status check_models(const struct cli_command *command, struct console *console,
                                    const struct decoding_options *options) {
    const struct cli_strings *models = &options->models, *weights = &options->weights;
    if (models->num > 0 && cli_was_given(command, "model"))
        console_error(console, "options '--model' and '--models' exclude each other");
    else if (models->num > VKS_MAX_MODELS)
        console_error(console, "option '--models': %zu models; at most %d can translate together",
                      models->num, VKS_MAX_MODELS);
    else if (weights->num > 0 && weights->num != models->num)
        console_error(console, "option '--weights': %zu numbers for %zu --models", weights->num,
                      models->num);
    else
        return VKS_OK;
    return VKS_ERR_ARGUMENT;
}

// What is not given is the model's to say.
static void leave_to_model(const struct cli_command *command,
                           struct vks_translator_params *params) {
    if (!cli_was_given(command, "beam-size"))
        params->beam_size = 0;
    if (!cli_was_given(command, "min-length"))
        params->min_length = 0;
    if (!cli_was_given(command, "no-repeat-ngram"))
        params->no_repeat_ngram = 0;
    if (!cli_was_given(command, "repetition-penalty"))
        params->repetition_penalty = 0.0f;
    params->no_normalize = cli_was_given(command, "normalize") && params->normalize == 0.0f;
}

enum vks_status decoding_options_apply(const struct cli_command *command, struct console *console,
                                       const struct decoding_options *options,
                                       struct vks_translator_params *params) {
    double number;
    leave_to_model(command, params);
    params->precision = precision_of_name(options->precision);
    for (int i = 0; options->search && decoding_searches[i]; i++)
        if (strcmp(options->search, decoding_searches[i]) == 0)
            params->search = (enum vks_search)(VKS_SEARCH_MARIAN + i);
    params->suppressed = (const char *const *)options->suppressed.items;
    params->num_suppressed = options->suppressed.num;
    for (size_t i = 0; i < options->weights.num; i++) {
        if (parse_number(options->weights.items[i], 0, 1e6, &number))
            continue;
        console_error(console, "option '--weights': '%s' is not a number of at least 0",
                      options->weights.items[i]);
        return VKS_ERR_ARGUMENT;
    }
    enum vks_status status = check_models(command, console, options);
    if (status != VKS_OK || options->sampling.num == 0)
        return status;
    if (options->search) {
        console_error(console, "options '--search' and '--output-sampling' exclude each other: "
                               "what is drawn is not searched for");
        return VKS_ERR_ARGUMENT;
    }
    if (!cli_was_given(command, "beam-size"))
        params->beam_size = 1;
    return apply_sampling(console, &options->sampling, params);
}

// Ids mean the same in both; the library compares sizes.
static enum vks_status check_pieces(struct console *console, const char *first_dir, const char *dir,
                                    const struct vks_tokenizer *first,
                                    const struct vks_tokenizer *other) {
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++) {
        uint32_t num = vks_tokenizer_vocab_size(first, side);
        for (uint32_t id = 0; id < num; id++) {
            const char *a = vks_tokenizer_piece(first, side, id);
            const char *b = vks_tokenizer_piece(other, side, id);
            if (a && b && strcmp(a, b) == 0)
                continue;
            console_error(console,
                          "%s and %s cannot translate together: %s token %u is '%s' in the first "
                          "and '%s' in the second",
                          first_dir, dir, side == VKS_SOURCE ? "source" : "target", id,
                          a ? a : "missing", b ? b : "missing");
            return VKS_ERR_ARGUMENT;
        }
    }
    return VKS_OK;
}

static enum vks_status open_more(struct console *console, const char *first_dir, const char *dir,
                                 struct decoding_models *models) {
    struct vks_tokenizer *tokenizer = NULL;
    enum vks_status status = model_folder_check(console, dir);
    if (status == VKS_OK)
        status = vks_tokenizer_load(dir, &console->log, &tokenizer);
    if (status == VKS_OK)
        status = check_pieces(console, first_dir, dir, models->first.tokenizer, tokenizer);
    if (status == VKS_OK)
        status = vks_model_load(models->first.device, dir, &models->more[models->num_more]);
    if (status == VKS_OK)
        models->num_more++;
    vks_tokenizer_destroy(&tokenizer);
    return status;
}

// FILE, and what follows it.
static enum vks_status open_shortlist(struct console *console, const char *first_dir,
                                      const struct cli_strings *words,
                                      struct decoding_models *models) {
    static const double most[] = {1e7, 1e7, 1};
    const struct vks_tokenizer *tokenizer = models->first.tokenizer;
    double numbers[] = {100, 100, 0};
    if (words->num == 0)
        return vks_shortlist_load_for_model(first_dir, tokenizer, &console->log,
                                            &models->shortlist);
    for (size_t i = 1; i < words->num; i++) {
        bool is_whole = i < 3, is_known = i <= 3;
        if (is_known && parse_number(words->items[i], is_whole, most[i - 1], &numbers[i - 1]) &&
            (!is_whole || numbers[i - 1] == floor(numbers[i - 1])))
            continue;
        console_error(console, "option '--shortlist': '%s' is not %s", words->items[i],
                      is_whole   ? "a whole number from 1 to 10000000"
                      : is_known ? "a probability from 0 to 1"
                                 : "expected: the probability is the last word");
        return VKS_ERR_ARGUMENT;
    }
    const struct vks_shortlist_params params = {.path = words->items[0],
                                                .first = (uint32_t)numbers[0],
                                                .best = (uint32_t)numbers[1],
                                                .threshold = (float)numbers[2],
                                                .log = &console->log};
    return vks_shortlist_load(&params, tokenizer, &models->shortlist);
}

enum vks_status decoding_models_open(struct console *console, const char *model, const char *device,
                                     const struct decoding_options *options,
                                     struct decoding_models *models,
                                     struct vks_translator_params *params) {
    const struct cli_strings *dirs = &options->models;
    const char *first_dir = dirs->num > 0 ? dirs->items[0] : model;
    enum vks_status status = loaded_model_open(console, first_dir, device, &models->first);
    if (status == VKS_OK && params->beam_size == 0)
        params->beam_size = vks_model_config(models->first.model)->generation.beam_size;
    if (params->beam_size == 0)
        params->beam_size = DEFAULT_BEAM_SIZE;
    for (size_t i = 1; i < dirs->num && status == VKS_OK; i++)
        status = open_more(console, first_dir, dirs->items[i], models);
    if (status == VKS_OK)
        status = open_shortlist(console, first_dir, &options->shortlist, models);
    params->shortlist = models->shortlist;
    for (size_t i = 0; i < options->weights.num; i++)
        models->weights[i] = strtof(options->weights.items[i], NULL);
    params->more_models = models->more;
    params->num_more_models = models->num_more;
    params->weights = options->weights.num > 0 ? models->weights : NULL;
    return status;
}

void decoding_models_close(struct decoding_models *models) {
    for (size_t i = 0; i < models->num_more; i++)
        vks_model_destroy(&models->more[i]);
    vks_shortlist_destroy(&models->shortlist);
    loaded_model_close(&models->first);
}
