// vkseq inspect: what a model is, and whether vkseq can use it.
#include "command.h"
#include "named_models.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct values {
    const char *path;
    bool tensors, json;
};

// clang-format off
static const struct cli_option options[] = {
    {"PATH", 0, CLI_STRING, offsetof(struct values, path), .required = true, .is_operand = true,
     .is_model = true, .group = "Paths",
     .help = "A model's directory or name, or one of its files."},
    {"tensors", 0, CLI_FLAG, offsetof(struct values, tensors), .group = "General",
     .help = "List the tensors too."},
    {"json", 0, CLI_FLAG, offsetof(struct values, json), .help = "Print a JSON object."},
    {0},
};
// clang-format on

static void print_shape(const struct vks_inspected_tensor *tensor) {
    putchar('[');
    for (uint32_t i = 0; i < tensor->num_dims; i++)
        printf(i ? ", %" PRIu64 : "%" PRIu64, tensor->dims[i]);
    putchar(']');
}

static void print_text(const struct vks_inspection *inspection, const struct values *values) {
    size_t num_problems = vks_inspection_num_problems(inspection);
    for (size_t i = 0; i < vks_inspection_num_facts(inspection); i++) {
        const struct vks_fact *fact = vks_inspection_fact(inspection, i);
        printf("%-24s%s\n", fact->key, fact->value);
    }
    for (size_t i = 0; i < vks_inspection_num_tensors(inspection) && values->tensors; i++) {
        const struct vks_inspected_tensor *tensor = vks_inspection_tensor(inspection, i);
        printf("  %-56s%-6s", tensor->name, tensor->type);
        print_shape(tensor);
        putchar('\n');
    }
    printf("%-24s%s\n", "usable", num_problems ? "no" : "yes");
    for (size_t i = 0; i < num_problems; i++)
        printf("  %s\n", vks_inspection_problem(inspection, i));
}

static void print_json_tensors(const struct vks_inspection *inspection) {
    fputs(", \"tensor_list\": [", stdout);
    for (size_t i = 0; i < vks_inspection_num_tensors(inspection); i++) {
        const struct vks_inspected_tensor *tensor = vks_inspection_tensor(inspection, i);
        fputs(i ? ",\n {\"name\": " : "{\"name\": ", stdout);
        print_json_string(stdout, tensor->name);
        fputs(", \"type\": ", stdout);
        print_json_string(stdout, tensor->type);
        fputs(", \"shape\": ", stdout);
        print_shape(tensor);
        putchar('}');
    }
    putchar(']');
}

static void print_json(const struct vks_inspection *inspection, const struct values *values) {
    size_t num_problems = vks_inspection_num_problems(inspection);
    printf("{\"usable\": %s", num_problems ? "false" : "true");
    for (size_t i = 0; i < vks_inspection_num_facts(inspection); i++) {
        const struct vks_fact *fact = vks_inspection_fact(inspection, i);
        fputs(", ", stdout);
        print_json_string(stdout, fact->key);
        fputs(": ", stdout);
        if (fact->is_number)
            fputs(fact->value, stdout);
        else
            print_json_string(stdout, fact->value);
    }
    if (values->tensors)
        print_json_tensors(inspection);
    fputs(", \"problems\": [", stdout);
    for (size_t i = 0; i < num_problems; i++) {
        fputs(i ? ", " : "", stdout);
        print_json_string(stdout, vks_inspection_problem(inspection, i));
    }
    puts("]}");
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct vks_inspection *inspection = NULL;
    enum vks_status status = VKS_ERR_IO;
    if (access(values->path, F_OK) == 0)
        status = vks_inspect(values->path, &console->log, &inspection);
    else
        named_models_report_missing(console, values->path);
    int exit_code = exit_code_of(console, status);
    if (status == VKS_OK) {
        if (values->json)
            print_json(inspection, values);
        else
            print_text(inspection, values);
        exit_code = vks_inspection_num_problems(inspection) ? EXIT_FAILED : EXIT_OK;
    }
    vks_inspection_destroy(&inspection);
    return exit_code;
}

int verb_inspect(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq inspect",
        .summary = "Says what a model is, and what of it vkseq cannot use; needs no device.\n"
                   "Ends with 1 if the model cannot be used.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
