// vkseq score: the log probability of given translations.
#include "command.h"
#include "line_files.h"
#include "precision_option.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { BLOCK_LINES = 2000 };

struct values {
    const char *model, *device, *source, *target, *precision, *source_language, *target_language;
    bool quiet;
};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .is_model = true, .help = "Model directory, or a model's name."},
    {"source", 's', CLI_STRING, offsetof(struct values, source), "FILE", .required = true,
     .help = "Source text, UTF-8."},
    {"target", 't', CLI_STRING, offsetof(struct values, target), "FILE", .required = true,
     .help = "Its translations, a line each."},
    OPTIONS_LANGUAGES(values, source_language, target_language),
    {"precision", 0, CLI_CHOICE, offsetof(struct values, precision), .default_text = "float32",
     .choices = precision_names, .help = "Activations, and weights in products."},
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    {0},
};
// clang-format on

// Scoring under way.
struct work {
    struct console *console;
    struct vks_scorer *scorer;
    struct line_input sides[2]; // by enum vks_side
    double log_prob;            // sum over all lines
    uint64_t num_tokens;
};

static enum vks_status report_lengths(const struct work *work) {
    const struct line_input *longer = &work->sides[VKS_SOURCE], *shorter = &work->sides[VKS_TARGET];
    if (longer->num_lines < shorter->num_lines) {
        longer = &work->sides[VKS_TARGET];
        shorter = &work->sides[VKS_SOURCE];
    }
    console_error(work->console, "%s has %" PRIu64 " lines, %s has more: expected the same number",
                  shorter->name, shorter->num_lines, longer->name);
    return VKS_ERR_FORMAT;
}

static enum vks_status score_block(struct work *work, const struct line_block blocks[2]) {
    float log_probs[BLOCK_LINES];
    uint32_t num_tokens[BLOCK_LINES];
    size_t num_lines = blocks[VKS_SOURCE].num;
    enum vks_status status =
        vks_score(work->scorer, (const char *const *)blocks[VKS_SOURCE].lines,
                  (const char *const *)blocks[VKS_TARGET].lines, num_lines, log_probs, num_tokens);
    if (status != VKS_OK)
        return status;
    for (size_t i = 0; i < num_lines; i++) {
        printf("%.6f\n", (double)log_probs[i]);
        work->log_prob += (double)log_probs[i];
        work->num_tokens += num_tokens[i];
    }
    if (fflush(stdout) == 0)
        return VKS_OK;
    console_error(work->console, "standard output: cannot be written: %s", strerror(errno));
    return VKS_ERR_IO;
}

static enum vks_status score_all(struct work *work) {
    enum vks_status status;
    size_t num_lines;
    do {
        struct line_block blocks[2] = {{0}};
        status = line_input_read(&work->sides[VKS_SOURCE], BLOCK_LINES, &blocks[VKS_SOURCE]);
        if (status == VKS_OK)
            status = line_input_read(&work->sides[VKS_TARGET], BLOCK_LINES, &blocks[VKS_TARGET]);
        num_lines = blocks[VKS_SOURCE].num;
        if (status == VKS_OK && num_lines != blocks[VKS_TARGET].num)
            status = report_lengths(work);
        else if (status == VKS_OK && num_lines)
            status = score_block(work, blocks);
        line_block_free(&blocks[VKS_SOURCE]);
        line_block_free(&blocks[VKS_TARGET]);
        console_update_progress(work->console, work->sides[VKS_SOURCE].num_lines);
    } while (status == VKS_OK && num_lines);
    return status;
}

static enum vks_status open_work(struct work *work, const struct values *values,
                                 struct loaded_model *loaded) {
    struct console *console = work->console;
    bool is_regular;
    uint64_t num_lines = 0;
    enum vks_status status =
        check_parallel(values->source, values->target, console, &is_regular, &num_lines);
    if (status == VKS_OK)
        status = line_input_open(&work->sides[VKS_SOURCE], values->source, console);
    if (status == VKS_OK)
        status = line_input_open(&work->sides[VKS_TARGET], values->target, console);
    if (status == VKS_OK)
        status = loaded_model_open(console, values->model, values->device, loaded);
    const struct vks_scorer_params params = {.precision = precision_of_name(values->precision),
                                             .source_language = values->source_language,
                                             .target_language = values->target_language,
                                             .log = &console->log};
    if (status == VKS_OK)
        status = vks_scorer_create(loaded->model, loaded->tokenizer, &params, &work->scorer);
    if (status == VKS_OK)
        console_begin_progress(console, "score", "lines", num_lines, true);
    return status;
}

static void print_summary(const struct work *work) {
    double cross_entropy = work->num_tokens ? -work->log_prob / (double)work->num_tokens : 0;
    fprintf(stderr,
            "%" PRIu64 " lines, %" PRIu64 " tokens with </s>: log probability %.4f, cross-entropy "
            "%.6f a token, perplexity %.4f\n",
            work->sides[VKS_SOURCE].num_lines, work->num_tokens, work->log_prob, cross_entropy,
            exp(cross_entropy));
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct loaded_model loaded = {0};
    struct work work = {.console = console};
    enum vks_status status = open_work(&work, values, &loaded);
    if (status == VKS_OK)
        status = score_all(&work);
    console_end_progress(console);
    int exit_code = exit_code_of(console, status);
    if (status == VKS_OK && !values->quiet)
        print_summary(&work);
    vks_scorer_destroy(&work.scorer);
    line_input_close(&work.sides[VKS_SOURCE]);
    line_input_close(&work.sides[VKS_TARGET]);
    loaded_model_close(&loaded);
    return exit_code;
}

int verb_score(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq score",
        .summary = "Prints the natural log probability of each translation, its </s> included;\n"
                   "a summary goes to stderr.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
