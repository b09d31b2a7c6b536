// vkseq translate: a line in, a line out, in order.
#include "command.h"
#include "line_files.h"

#include <inttypes.h>

enum { BLOCK_LINES = 2000 };

struct values {
    const char *model, *device, *input, *output;
    bool quiet, n_best;
    struct vks_translator_params search;
};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .help = "Model directory.", .group = "General"},
    {"input", 'i', CLI_STRING, offsetof(struct values, input), "FILE", .default_text = "-",
     .help = "Text to translate, UTF-8; - is standard input."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE", .default_text = "-",
     .help = "Translations; - is standard output. FILE.partial until all is translated."},
    {"n-best", 0, CLI_FLAG, offsetof(struct values, n_best),
     .help = "Print all hypotheses of the beam: line number, translation, sum of natural "
             "log probabilities, and score, between |||."},
    {"split-sentences", 0, CLI_FLAG, offsetof(struct values, search.split_sentences),
     .help = "Translate every sentence of a line by itself, and keep white space between them."},
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    OPTIONS_SEARCH(values),
    {0},
};
// clang-format on

// A translation under way.
struct work {
    const struct values *values;
    struct console *console;
    struct vks_translator *translator;
    struct line_input input;
    struct line_output output;
};

static void print_translation(const struct work *work, uint64_t line_idx,
                              const struct vks_translation *translation) {
    FILE *file = work->output.file;
    if (!work->values->n_best) {
        fprintf(file, "%s\n", translation->hypotheses[0].text);
        return;
    }
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        const struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        fprintf(file, "%" PRIu64 " ||| %s ||| F0= %.6f ||| %.6f\n", line_idx, hypothesis->text,
                (double)hypothesis->log_prob, (double)hypothesis->score);
    }
}

static enum vks_status translate_block(struct work *work, const struct line_block *block) {
    uint64_t first = work->input.num_lines - block->num;
    struct vks_translation *translations;
    enum vks_status status = vks_translate(work->translator, (const char *const *)block->lines,
                                           block->num, &translations);
    if (status != VKS_OK)
        return status;
    for (size_t i = 0; i < block->num; i++)
        print_translation(work, first + i, &translations[i]);
    vks_translations_free(translations, block->num);
    return line_output_flush(&work->output);
}

static enum vks_status translate_all(struct work *work) {
    struct line_block block;
    enum vks_status status;
    do {
        status = line_input_read(&work->input, BLOCK_LINES, &block);
        if (status != VKS_OK || block.num == 0)
            return status;
        status = translate_block(work, &block);
        line_block_free(&block);
        console_update_progress(work->console, work->input.num_lines);
    } while (status == VKS_OK);
    return status;
}

static enum vks_status open_work(struct work *work, struct loaded_model *loaded) {
    const struct values *values = work->values;
    struct vks_translator_params params = values->search;
    bool is_regular = false;
    uint64_t num_lines = 0;
    enum vks_status status = line_input_open(&work->input, values->input, work->console);
    if (status == VKS_OK)
        status = count_file_lines(values->input, work->console, &is_regular, &num_lines);
    if (status == VKS_OK)
        status = line_output_open(&work->output, values->output, work->console);
    if (status == VKS_OK)
        status = loaded_model_open(work->console, values->model, values->device, loaded);
    if (status != VKS_OK)
        return status;
    work->input.is_prompt = true;
    params.n_best = values->n_best ? params.beam_size : 1;
    params.log = &work->console->log;
    status = vks_translator_create(loaded->model, loaded->tokenizer, &params, &work->translator);
    if (status == VKS_OK && is_regular)
        console_begin_progress(work->console, "translate", "lines", num_lines,
                               work->output.file != stdout);
    return status;
}

static int run(struct console *console, void *user) {
    struct loaded_model loaded = {0};
    struct work work = {.values = user, .console = console};
    enum vks_status status = open_work(&work, &loaded);
    if (status == VKS_OK)
        status = translate_all(&work);
    console_end_progress(console);
    status = line_output_close(&work.output, status);
    int exit_code = exit_code_of(console, status);
    vks_translator_destroy(&work.translator);
    line_input_close(&work.input);
    loaded_model_close(&loaded);
    return exit_code;
}

int verb_translate(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq translate",
        .summary = "Translates text, a line in, a line out, in order.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
