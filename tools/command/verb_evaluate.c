// vkseq evaluate: translates a test set, and scores the translations by their references.
#include "decoding_options.h"
#include "translate_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const struct cli_command *command;
    const char *model, *device, *source, *reference, *hypotheses, *tokenize, *output;
    bool json, quiet;
    struct vks_translator_params search;
    struct decoding_options decoding;
};

static const char *const tokenizations[] = {"13a", "intl", "zh", "char", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR",
     .is_model = true, .group = "General",
     .help = "Model directory, or a model's name; needed without --hypotheses."},
    {"source", 's', CLI_STRING, offsetof(struct values, source), "FILE",
     .help = "Text to translate, UTF-8; needed without --hypotheses."},
    {"reference", 'r', CLI_STRING, offsetof(struct values, reference), "FILE", .required = true,
     .help = "Its translations by people, a line each."},
    {"hypotheses", 0, CLI_STRING, offsetof(struct values, hypotheses), "FILE",
     .help = "Score these translations instead of making any."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE",
     .help = "Keep the translations made."},
    {"tokenize", 0, CLI_CHOICE, offsetof(struct values, tokenize), .default_text = "13a",
     .choices = tokenizations,
     .help = "How BLEU cuts lines into words; zh for Chinese, char for any language that is "
             "written without blanks."},
    {"json", 0, CLI_FLAG, offsetof(struct values, json), .help = "Print a JSON object."},
    OPTIONS_LANGUAGES(values, search.source_language, search.target_language),
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    OPTIONS_SEARCH(values),
    OPTIONS_DECODING(values),
    {0},
};
// clang-format on

static bool check_values(struct console *console, const struct values *values) {
    const char *missing = NULL;
    if (values->hypotheses && values->output) {
        console_error(console, "with --hypotheses nothing is translated for --output");
        return false;
    }
    if (!values->hypotheses && !values->source)
        missing = "source";
    if (!values->hypotheses && !values->model && values->decoding.models.num == 0)
        missing = "model";
    if (missing)
        console_error(console, "without --hypotheses, option '--%s' is required", missing);
    return !missing;
}

static enum vks_status make_hypotheses(struct console *console, const struct values *values,
                                       struct line_block *hypotheses) {
    struct decoding_models models = {0};
    struct vks_translator *translator = NULL;
    struct vks_translator_params params = values->search;
    struct line_block sources = {0};
    struct line_output output = {0};
    bool is_regular;
    uint64_t num_lines;
    params.log = &console->log;
    enum vks_status status =
        check_parallel(values->source, values->reference, console, &is_regular, &num_lines);
    if (status == VKS_OK)
        status = read_all_lines(values->source, console, &sources);
    if (status == VKS_OK && values->output)
        status = line_output_open(&output, values->output, console);
    if (status == VKS_OK)
        status = decoding_models_open(console, values->model, values->device, &values->decoding,
                                      &models, &params);
    if (status == VKS_OK)
        status =
            vks_translator_create(models.first.model, models.first.tokenizer, &params, &translator);
    if (status == VKS_OK) {
        console_begin_progress(console, "evaluate", "lines", sources.num, true);
        status = translate_lines(console, translator, &sources, hypotheses);
        console_end_progress(console);
        if (output.file)
            print_lines(output.file, hypotheses);
    }
    status = line_output_close(&output, status);
    line_block_free(&sources);
    vks_translator_destroy(&translator);
    decoding_models_close(&models);
    return status;
}

static enum vks_status score(struct console *console, const struct values *values,
                             struct vks_metric_scores *scores, enum vks_bleu_tokenize *tokenize) {
    struct line_block references = {0}, hypotheses = {0};
    enum vks_status status = vks_bleu_tokenize_from_name(values->tokenize, tokenize);
    if (status == VKS_OK)
        status = read_all_lines(values->reference, console, &references);
    if (status == VKS_OK && values->hypotheses)
        status = read_all_lines(values->hypotheses, console, &hypotheses);
    else if (status == VKS_OK)
        status = make_hypotheses(console, values, &hypotheses);
    if (status == VKS_OK && hypotheses.num != references.num) {
        console_error(console, "%s has %zu lines and %s has %zu: expected the same number",
                      values->hypotheses ? values->hypotheses : values->source, hypotheses.num,
                      values->reference, references.num);
        status = VKS_ERR_FORMAT;
    } else if (status == VKS_OK && references.num == 0) {
        console_error(console, "%s is empty: there is nothing to score", values->reference);
        status = VKS_ERR_FORMAT;
    }
    if (status == VKS_OK)
        status = vks_metrics_corpus((const char *const *)hypotheses.lines,
                                    (const char *const *)references.lines, references.num,
                                    *tokenize, scores);
    line_block_free(&references);
    line_block_free(&hypotheses);
    return status;
}

static void print_scores(const struct vks_metric_scores *scores, enum vks_bleu_tokenize tokenize) {
    const double *p = scores->precisions;
    double ratio = scores->reference_words
                       ? (double)scores->hypothesis_words / (double)scores->reference_words
                       : 0;
    printf("BLEU|%s = %.2f %.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %" PRIu64
           " ref_len = %" PRIu64 ")\n",
           vks_metrics_signature(VKS_METRIC_BLEU, tokenize), scores->bleu, p[0], p[1], p[2], p[3],
           scores->brevity_penalty, ratio, scores->hypothesis_words, scores->reference_words);
    printf("chrF2|%s = %.2f\n", vks_metrics_signature(VKS_METRIC_CHRF, tokenize), scores->chrf);
    printf("chrF2++|%s = %.2f\n", vks_metrics_signature(VKS_METRIC_CHRF_PP, tokenize),
           scores->chrf_pp);
}

static void print_json_scores(const struct vks_metric_scores *scores,
                              enum vks_bleu_tokenize tokenize) {
    const double *p = scores->precisions;
    printf("{\"bleu\": %.10g, \"chrf\": %.10g, \"chrf_pp\": %.10g, \"precisions\": [%.10g, %.10g, "
           "%.10g, %.10g], \"brevity_penalty\": %.10g, \"hypothesis_words\": %" PRIu64
           ", \"reference_words\": %" PRIu64 ", \"signatures\": {",
           scores->bleu, scores->chrf, scores->chrf_pp, p[0], p[1], p[2], p[3],
           scores->brevity_penalty, scores->hypothesis_words, scores->reference_words);
    printf("\"bleu\": ");
    print_json_string(stdout, vks_metrics_signature(VKS_METRIC_BLEU, tokenize));
    printf(", \"chrf\": ");
    print_json_string(stdout, vks_metrics_signature(VKS_METRIC_CHRF, tokenize));
    printf(", \"chrf_pp\": ");
    print_json_string(stdout, vks_metrics_signature(VKS_METRIC_CHRF_PP, tokenize));
    puts("}}");
}

static int run(struct console *console, void *user) {
    struct values *values = user;
    struct vks_metric_scores scores;
    enum vks_bleu_tokenize tokenize;
    if (!check_values(console, values) ||
        decoding_options_apply(values->command, console, &values->decoding, &values->search) !=
            VKS_OK)
        return EXIT_USAGE;
    enum vks_status status = score(console, values, &scores, &tokenize);
    int exit_code = exit_code_of(console, status);
    if (status == VKS_OK && values->json)
        print_json_scores(&scores, tokenize);
    else if (status == VKS_OK)
        print_scores(&scores, tokenize);
    return exit_code;
}

int verb_evaluate(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq evaluate",
        .summary = "Translates a test set and prints BLEU, chrF and chrF++ as sacreBLEU computes\n"
                   "them, with signatures.",
        .options = options,
        .values = &values,
        .given = given,
    };
    values.command = &command;
    return run_verb(&command, argc, argv, &values.quiet, run);
}
