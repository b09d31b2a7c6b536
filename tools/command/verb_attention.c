// vkseq attention: where a model looks, for one line and its translation.
#include "attention_chart.h"
#include "command.h"
#include "line_files.h"

#include <string.h>

struct values {
    const struct cli_command *command;
    const char *model, *device, *source, *target, *part, *output, *svg, *source_language,
        *target_language;
    uint32_t layer, head;
    bool quiet;
};

static const char *const parts[] = {"cross", "encoder", "decoder", NULL}; // as vks_attention

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .is_model = true, .help = "Model directory, or a model's name.", .group = "General"},
    {"source", 's', CLI_STRING, offsetof(struct values, source), "TEXT", .required = true,
     .help = "A line of text."},
    {"target", 't', CLI_STRING, offsetof(struct values, target), "TEXT",
     .help = "Its translation. Without it the model translates the line."},
    {"part", 0, CLI_CHOICE, offsetof(struct values, part), .default_text = "cross",
     .choices = parts,
     .help = "cross: the translation looks at the source; encoder, decoder: each at itself."},
    {"layer", 0, CLI_U32, offsetof(struct values, layer), "N",
     .help = "From 0; without it the last one."},
    {"head", 0, CLI_U32, offsetof(struct values, head), "N",
     .help = "From 0; without it the mean of all."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE", .default_text = "-",
     .help = "Tokens and weights as a JSON object; - is standard output."},
    {"svg", 0, CLI_STRING, offsetof(struct values, svg), "FILE",
     .help = "A picture as well."},
    OPTIONS_LANGUAGES(values, source_language, target_language),
    OPTION_DEVICE(values),
    OPTION_QUIET(values),
    {0},
};
// clang-format on

static enum vks_status write_chart(struct console *console, const char *path,
                                   const struct attention_chart *chart,
                                   void (*print)(FILE *, const struct attention_chart *)) {
    struct line_output output;
    enum vks_status status = line_output_open(&output, path, console);
    if (status != VKS_OK)
        return status;
    print(output.file, chart);
    return line_output_close(&output, VKS_OK);
}

static enum vks_status translate(struct console *console, const struct values *values,
                                 const struct loaded_model *loaded,
                                 struct vks_translation **translation) {
    const struct vks_translator_params params = {.normalize = 1,
                                                 .source_language = values->source_language,
                                                 .target_language = values->target_language,
                                                 .log = &console->log};
    struct vks_translator *translator;
    enum vks_status status =
        vks_translator_create(loaded->model, loaded->tokenizer, &params, &translator);
    if (status != VKS_OK)
        return status;
    status = vks_translate(translator, &values->source, 1, translation);
    vks_translator_destroy(&translator);
    return status;
}

static enum vks_attention kind_of(const char *part) {
    int kind = 0;
    while (strcmp(parts[kind], part) != 0)
        kind++;
    return (enum vks_attention)kind;
}

static enum vks_status show(struct console *console, const struct values *values,
                            const struct loaded_model *loaded, const char *target) {
    const struct vks_model_config *config = vks_model_config(loaded->model);
    struct vks_attention_params params = {.kind = kind_of(values->part),
                                          .head = VKS_ATTENTION_ALL_HEADS,
                                          .source_language = values->source_language,
                                          .target_language = values->target_language,
                                          .log = &console->log};
    params.layer =
        (params.kind == VKS_ATTENTION_ENCODER ? config->encoder_layers : config->decoder_layers) -
        1;
    if (cli_was_given(values->command, "layer"))
        params.layer = values->layer;
    if (cli_was_given(values->command, "head"))
        params.head = values->head;
    struct vks_attention_map map;
    enum vks_status status = vks_attention_compute(loaded->model, loaded->tokenizer, &params,
                                                   values->source, target, &map);
    if (status != VKS_OK)
        return status;
    const struct attention_chart chart = {&map, loaded->tokenizer, params.kind, params.layer,
                                          params.head};
    if (values->svg)
        status = write_chart(console, values->svg, &chart, attention_chart_print_svg);
    if (status == VKS_OK)
        status = write_chart(console, values->output, &chart, attention_chart_print_json);
    vks_attention_map_free(&map);
    return status;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct loaded_model loaded;
    struct vks_translation *translation = NULL;
    enum vks_status status = loaded_model_open(console, values->model, values->device, &loaded);
    const char *target = values->target;
    if (status == VKS_OK && !target) {
        status = translate(console, values, &loaded, &translation);
        target = translation ? translation->hypotheses[0].text : NULL;
    }
    if (status == VKS_OK)
        status = show(console, values, &loaded, target);
    int exit_code = exit_code_of(console, status);
    vks_translations_free(translation, 1);
    loaded_model_close(&loaded);
    return exit_code;
}

int verb_attention(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq attention",
        .summary = "Shows where a model looks, for one line and its translation.",
        .options = options,
        .values = &values,
        .given = given,
    };
    values.command = &command;
    return run_verb(&command, argc, argv, &values.quiet, run);
}
