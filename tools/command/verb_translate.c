// vkseq translate: a line in, a line out, in order; or a document.
#include "decoding_options.h"
#include "line_files.h"
#include "print_translation.h"
#include "translate_document.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCK_LINES = 2000 };

struct values {
    const struct cli_command *command;
    const char *model, *device, *input, *output, *prefixes, *alignment, *format;
    bool quiet, n_best, stream, fuzzy;
    struct vks_translator_params search;
    struct decoding_options decoding;
};

static const char *const alignments[] = {"hard", "soft", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR",
     .is_model = true, .group = "General",
     .help = "Model directory, or a model's name; needed without --models."},
    {"input", 'i', CLI_STRING, offsetof(struct values, input), "FILE", .default_text = "-",
     .help = "Text to translate, UTF-8; - is standard input."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE", .default_text = "-",
     .help = "Translations; - is standard output. FILE.partial until all is translated."},
    {"format", 0, CLI_CHOICE, offsetof(struct values, format), .choices = document_formats,
     .default_text = "lines",
     .help = "Lines of text, or a document, of which all but the text stays: paragraphs, a PO file "
             "of gettext, SRT subtitles; auto goes by the name of --input, .po, .pot or .srt."},
    {"fuzzy", 0, CLI_FLAG, offsetof(struct values, fuzzy),
     .help = "Of a PO file: also replace translations that are marked fuzzy."},
    {"n-best", 0, CLI_FLAG, offsetof(struct values, n_best),
     .help = "Print all hypotheses of the beam: line number, translation, sum of natural "
             "log probabilities, and score, between |||."},
    {"alignment", 0, CLI_CHOICE, offsetof(struct values, alignment), .choices = alignments,
     .implicit_text = "hard",
     .help = "Print which source token each token comes from (hard: source-target), or how much of "
             "it from each (soft), after |||."},
    {"word-scores", 0, CLI_FLAG, offsetof(struct values, search.word_scores),
     .help = "Print the log probability of each token, </s> included, after |||."},
    {"force-decode", 0, CLI_STRING, offsetof(struct values, prefixes), "FILE",
     .help = "Texts that the translations begin with, a line each; an empty one leaves its line "
             "free."},
    {"split-sentences", 0, CLI_FLAG, offsetof(struct values, search.split_sentences),
     .help = "Translate every sentence of a line by itself, and keep white space between them."},
    {"replace-unknowns", 0, CLI_FLAG, offsetof(struct values, search.replace_unknowns),
     .help = "Print the source token that it comes from most in the place of <unk>, for "
             "vocabularies without bytes."},
    {"stream", 0, CLI_FLAG, offsetof(struct values, stream),
     .help = "Print each token as soon as it is known, one line after the other. --beam-size is "
             "1."},
    OPTIONS_LANGUAGES(values, search.source_language, search.target_language),
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    OPTIONS_SEARCH(values),
    OPTIONS_DECODING(values),
    {0},
};
// clang-format on

// A translation under way.
struct work {
    const struct values *values;
    struct console *console;
    struct decoding_models models;
    struct vks_translator *translator;
    struct line_input input, prefixes;
    struct line_output output;
    struct print_params print;
    struct document_work document;
};

// Prints what has come to the line that is translated; it begins with what was printed before.
static bool print_so_far(void *user, const struct vks_progress *progress) {
    struct work *work = user;
    size_t num_bytes = strlen(progress->text), num_printed = work->print.num_printed;
    if (num_bytes <= num_printed)
        return true;
    fwrite(progress->text + num_printed, 1, num_bytes - num_printed, work->output.file);
    work->print.num_printed = num_bytes;
    return line_output_flush(&work->output) == VKS_OK;
}

// As many prefixes as there are lines.
static enum vks_status read_prefixes(struct work *work, size_t num, struct line_block *block) {
    enum vks_status status = line_input_read(&work->prefixes, num, block);
    if (status != VKS_OK || block->num == num)
        return status;
    console_error(work->console, "%s has %" PRIu64 " lines, %s has more: expected the same number",
                  work->values->prefixes, work->prefixes.num_lines, work->values->input);
    line_block_free(block);
    return VKS_ERR_FORMAT;
}

static enum vks_status translate_block(struct work *work, const struct line_block *block) {
    uint64_t first = work->input.num_lines - block->num;
    struct line_block prefixes = {0};
    struct vks_translation *translations;
    enum vks_status status = VKS_OK;
    if (work->values->prefixes)
        status = read_prefixes(work, block->num, &prefixes);
    if (status != VKS_OK)
        return status;
    status = vks_translate_from(work->translator, (const char *const *)block->lines,
                                (const char *const *)prefixes.lines, block->num, &translations);
    line_block_free(&prefixes);
    if (status != VKS_OK)
        return status;
    for (size_t i = 0; i < block->num; i++)
        print_translation(work->output.file, &work->print, first + i, &translations[i]);
    work->print.num_printed = 0;
    vks_translations_free(translations, block->num);
    return line_output_flush(&work->output);
}

// Standard input's lines cannot be counted before.
static enum vks_status check_prefixes_end(struct work *work) {
    struct line_block rest;
    if (!work->values->prefixes)
        return VKS_OK;
    enum vks_status status = line_input_read(&work->prefixes, 1, &rest);
    if (status != VKS_OK || rest.num == 0)
        return status;
    line_block_free(&rest);
    console_error(work->console, "%s has %" PRIu64 " lines, %s has more: expected the same number",
                  work->values->input, work->input.num_lines, work->values->prefixes);
    return VKS_ERR_FORMAT;
}

static enum vks_status translate_all(struct work *work) {
    struct line_block block;
    enum vks_status status;
    do {
        status = line_input_read(&work->input, work->values->stream ? 1 : BLOCK_LINES, &block);
        if (status != VKS_OK)
            return status;
        if (block.num == 0)
            return check_prefixes_end(work);
        status = translate_block(work, &block);
        line_block_free(&block);
        console_update_progress(work->console, work->input.num_lines);
    } while (status == VKS_OK);
    return status;
}

static enum vks_status open_files(struct work *work, bool *is_regular, uint64_t *num_lines) {
    const struct values *values = work->values;
    enum vks_status status = line_input_open(&work->input, values->input, work->console);
    if (status == VKS_OK && values->prefixes)
        status =
            check_parallel(values->input, values->prefixes, work->console, is_regular, num_lines);
    else if (status == VKS_OK)
        status = count_file_lines(values->input, work->console, is_regular, num_lines);
    if (status == VKS_OK && values->prefixes)
        status = line_input_open(&work->prefixes, values->prefixes, work->console);
    if (status == VKS_OK)
        status = line_output_open(&work->output, values->output, work->console);
    work->input.is_prompt = true;
    return status;
}

static enum vks_status open_models(struct work *work, struct vks_translator_params *params) {
    const struct values *values = work->values;
    enum vks_status status = decoding_models_open(work->console, values->model, values->device,
                                                  &values->decoding, &work->models, params);
    params->n_best = values->n_best ? params->beam_size : 1;
    if (status == VKS_OK)
        status = vks_translator_create(work->models.first.model, work->models.first.tokenizer,
                                       params, &work->translator);
    return status;
}

static enum vks_status open_work(struct work *work, struct vks_translator_params *params) {
    const struct values *values = work->values;
    bool is_regular = false;
    uint64_t num_lines = 0;
    enum vks_status status = open_files(work, &is_regular, &num_lines);
    if (status == VKS_OK)
        status = open_models(work, params);
    work->print = (struct print_params){.n_best = values->n_best,
                                        .with_alignment = values->alignment != NULL,
                                        .is_soft = values->alignment && *values->alignment == 's',
                                        .with_word_scores = params->word_scores,
                                        .eos_id = 0};
    if (status == VKS_OK)
        work->print.eos_id = vks_tokenizer_eos_id(work->models.first.tokenizer, VKS_SOURCE);
    if (status == VKS_OK && is_regular)
        console_begin_progress(work->console, "translate", "lines", num_lines,
                               work->output.file != stdout);
    return status;
}

static enum vks_status refuse_both(struct console *console, const char *first, const char *second,
                                   const char *why) {
    console_error(console, "options '%s' and '%s' exclude each other%s", first, second, why);
    return VKS_ERR_ARGUMENT;
}

static enum vks_status check_stream(const struct values *values, struct console *console,
                                    struct vks_translator_params *params) {
    if (!values->stream)
        return VKS_OK;
    if (!cli_was_given(values->command, "beam-size"))
        params->beam_size = 1;
    if (params->beam_size > 1) {
        console_error(console,
                      "options '--stream' and '--beam-size %u' exclude each other: which "
                      "translation is the best is known when all are whole",
                      params->beam_size);
        return VKS_ERR_ARGUMENT;
    }
    if (values->search.replace_unknowns)
        return refuse_both(console, "--stream", "--replace-unknowns",
                           ": where a token comes from is known when all are whole");
    return values->n_best ? refuse_both(console, "--stream", "--n-best", "") : VKS_OK;
}

static enum vks_status check_lines(const struct values *values, struct console *console) {
    if (values->n_best && values->search.split_sentences)
        return refuse_both(console, "--n-best", "--split-sentences",
                           ": a line's sentences have hypotheses of their own");
    if (values->prefixes && !strcmp(values->prefixes, "-") && !strcmp(values->input, "-"))
        return refuse_both(console, "--force-decode -", "--input -",
                           ": there is one standard input");
    return VKS_OK;
}

static enum vks_status run_lines(struct work *work, struct vks_translator_params *params) {
    enum vks_status status = open_work(work, params);
    if (status == VKS_OK)
        status = translate_all(work);
    console_end_progress(work->console);
    status = line_output_close(&work->output, status);
    line_input_close(&work->input);
    line_input_close(&work->prefixes);
    return status;
}

// A document is read before the models are: it is what may be wrong.
static enum vks_status run_document(struct work *work, struct vks_translator_params *params,
                                    enum vks_document_format format) {
    const struct values *values = work->values;
    struct document_work *document = &work->document;
    enum vks_status status =
        document_work_begin(document, work->console, values->input, values->output, format);
    if (status == VKS_OK && values->fuzzy)
        status = vks_document_include_fuzzy(document->document);
    document_work_prepare(document, params);
    if (status == VKS_OK)
        status = open_models(work, params);
    if (status == VKS_OK)
        status = document_work_translate(document, work->translator);
    return document_work_end(document, status);
}

// What belongs to lines alone, and to documents alone.
static enum vks_status check_format(const struct values *values, struct console *console) {
    static const char *const of_lines[] = {"n-best",       "alignment", "word-scores",
                                           "force-decode", "stream",    NULL};
    enum vks_document_format format;
    bool is_document = document_format_read(values->format, &format);
    for (int i = 0; is_document && of_lines[i]; i++)
        if (cli_was_given(values->command, of_lines[i])) {
            console_error(console, "options '--format %s' and '--%s' exclude each other",
                          values->format, of_lines[i]);
            return VKS_ERR_ARGUMENT;
        }
    if (is_document && format == VKS_DOCUMENT_AUTO && !strcmp(values->input, "-")) {
        console_error(console,
                      "option '--format auto' needs '--input FILE', by whose name it goes");
        return VKS_ERR_ARGUMENT;
    }
    bool may_be_po = is_document && (format == VKS_DOCUMENT_AUTO || format == VKS_DOCUMENT_PO);
    if (!values->fuzzy || may_be_po)
        return VKS_OK;
    console_error(console, "option '--fuzzy' needs '--format po'");
    return VKS_ERR_ARGUMENT;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct work work = {.values = values, .console = console};
    struct vks_translator_params params = values->search;
    if (decoding_options_apply(values->command, console, &values->decoding, &params) != VKS_OK ||
        check_stream(values, console, &params) != VKS_OK ||
        check_lines(values, console) != VKS_OK || check_format(values, console) != VKS_OK)
        return EXIT_USAGE;
    if (!values->model && values->decoding.models.num == 0) {
        console_error(console,
                      "option '--model' is required; 'vkseq translate --help' explains it");
        return EXIT_USAGE;
    }
    params.alignment = values->alignment != NULL;
    params.log = &console->log;
    params.observe = values->stream ? print_so_far : NULL;
    params.observe_user = &work;
    enum vks_document_format format;
    enum vks_status status = document_format_read(values->format, &format)
                                 ? run_document(&work, &params, format)
                                 : run_lines(&work, &params);
    int exit_code = exit_code_of(console, status);
    vks_translator_destroy(&work.translator);
    decoding_models_close(&work.models);
    return exit_code;
}

int verb_translate(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq translate",
        .summary = "Translates text, a line in, a line out, in order, or a document.",
        .options = options,
        .values = &values,
        .given = given,
    };
    values.command = &command;
    return run_verb(&command, argc, argv, &values.quiet, run);
}
