#include "train_score.h"
#include "cli/folders.h"
#include "translate_lines.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SAMPLES = 5, NUM_LOGGED = 2 };

bool train_score_is_needed(const struct train_options *options) {
    for (size_t i = 0; i < options->valid_metrics.num; i++) {
        const char *name = options->valid_metrics.items[i];
        if (!strcmp(name, "bleu") || !strcmp(name, "chrf") || !strcmp(name, "translation"))
            return true;
    }
    return false;
}

enum vks_status train_score_open(struct train_score *score, struct console *console,
                                 const struct train_options *options,
                                 const struct loaded_model *loaded) {
    *score = (struct train_score){.console = console, .options = options, .loaded = loaded};
    const struct vks_text_set *set = &options->data.valid;
    bool has_fields = set->num_fields > 0;
    enum vks_status status = read_text_lines(set->source, has_fields, console, &score->sources);
    if (status == VKS_OK)
        status = read_text_lines(has_fields ? set->source : set->target, has_fields ? 2 : 0,
                                 console, &score->references);
    return status;
}

// Lines evenly spread over the text.
static size_t sample_line(const struct train_score *score, size_t idx) {
    return (2 * idx + 1) * score->sources.num / (2 * NUM_SAMPLES);
}

static enum vks_status write_samples(const struct train_score *score,
                                     const struct line_block *translations) {
    struct line_output output;
    char *path = path_append(score->options->model, "samples.json");
    if (!path)
        return VKS_ERR_OOM;
    enum vks_status status = line_output_open(&output, path, score->console);
    if (status == VKS_OK) {
        fprintf(output.file, "{\"update\": %" PRIu64 ", \"samples\": [", score->update);
        for (size_t i = 0; i < NUM_SAMPLES && i < score->sources.num; i++) {
            size_t line = sample_line(score, i);
            fprintf(output.file, "%s\n{\"source\": ", i ? "," : "");
            print_json_string(output.file, score->sources.lines[line]);
            fprintf(output.file, ", \"reference\": ");
            print_json_string(output.file, score->references.lines[line]);
            fprintf(output.file, ", \"translation\": ");
            print_json_string(output.file, translations->lines[line]);
            fprintf(output.file, "}");
        }
        fprintf(output.file, "\n]}\n");
        status = line_output_close(&output, VKS_OK);
    }
    free(path);
    return status;
}

static void log_samples(const struct train_score *score, const struct line_block *translations) {
    for (size_t i = 0; i < NUM_LOGGED && i < score->sources.num; i++) {
        size_t line = sample_line(score, i * (NUM_SAMPLES - 1));
        console_info(score->console, "[valid] source: %s", score->sources.lines[line]);
        console_info(score->console, "[valid] reference: %s", score->references.lines[line]);
        console_info(score->console, "[valid] translation: %s", translations->lines[line]);
    }
}

// The translator lives no longer than this, as the trainer may have to open the device anew.
static enum vks_status translate_text(struct train_score *score, struct line_block *translations) {
    const struct loaded_model *loaded = score->loaded;
    struct vks_translator_params search = score->options->search;
    struct vks_translator *translator = NULL;
    search.source_language = score->options->trainer.source_language;
    search.target_language = score->options->trainer.target_language;
    search.log = &score->console->log;
    enum vks_status status =
        vks_translator_create(loaded->model, loaded->tokenizer, &search, &translator);
    if (status == VKS_OK)
        status = translate_lines(score->console, translator, &score->sources, translations);
    vks_translator_destroy(&translator);
    return status;
}

static enum vks_status translate(struct train_score *score, uint64_t update) {
    struct line_block translations = {0};
    enum vks_bleu_tokenize tokenize;
    const char *output = score->options->valid_translation_output;
    enum vks_status status = vks_bleu_tokenize_from_name(score->options->valid_tokenize, &tokenize);
    if (status == VKS_OK)
        status = translate_text(score, &translations);
    if (status == VKS_OK)
        status = vks_metrics_corpus((const char *const *)translations.lines,
                                    (const char *const *)score->references.lines,
                                    score->sources.num, tokenize, &score->scores);
    if (status == VKS_OK && output)
        status = write_lines(score->console, output, &translations);
    score->update = update;
    score->has_scores = status == VKS_OK;
    if (status == VKS_OK)
        status = write_samples(score, &translations);
    if (status == VKS_OK)
        log_samples(score, &translations);
    line_block_free(&translations);
    return status;
}

enum vks_status train_score_get(struct train_score *score, uint64_t update, const char *metric,
                                double *value) {
    enum vks_status status = VKS_OK;
    if (!score->has_scores || score->update != update)
        status = translate(score, update);
    if (status == VKS_OK)
        *value = !strcmp(metric, "bleu")   ? score->scores.bleu
                 : !strcmp(metric, "chrf") ? score->scores.chrf
                                           : (double)NAN;
    return status;
}

void train_score_close(struct train_score *score) {
    line_block_free(&score->sources);
    line_block_free(&score->references);
}
