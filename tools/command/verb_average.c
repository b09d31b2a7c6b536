// vkseq average: the mean of several models, or of a training's last states.
#include "command.h"
#include "cli/folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *training, *output;
    struct cli_strings models;
    uint32_t last;
};

// clang-format off
static const struct cli_option options[] = {
    {"models", 'm', CLI_STRINGS, offsetof(struct values, models), "DIR...",
     .is_model = true, .help = "Model directories to average.", .group = "General"},
    {"training", 't', CLI_STRING, offsetof(struct values, training), "DIR",
     .help = "Or: the model directory of a training, to average its last states."},
    {"last", 0, CLI_U32, offsetof(struct values, last), .default_text = "4", .min = 1,
     .max = 10000, .help = "How many; vkseq train --keep-last says how many there are."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "DIR", .required = true,
     .help = "Model directory that is made."},
    {0},
};
// clang-format on

// Paths of weights. Zero-initialised is empty.
struct paths {
    char **items; // owned
    size_t num;
};

static bool add_path(struct paths *paths, const char *folder, const char *name) {
    char **items = realloc(paths->items, (paths->num + 1) * sizeof *items);
    if (!items)
        return false;
    paths->items = items;
    items[paths->num] = path_append(folder, name);
    return items[paths->num++] != NULL;
}

static void free_paths(struct paths *paths) {
    for (size_t i = 0; i < paths->num; i++)
        free(paths->items[i]);
    free(paths->items);
}

// The newest states of a training, the newest last.
static enum vks_status add_states(struct console *console, const struct values *values,
                                  struct paths *paths) {
    char **names = NULL;
    char *root = path_append(values->training, "training");
    if (!root)
        return VKS_ERR_OOM;
    enum vks_status status = VKS_OK;
    int num = folder_names(root, "gen-", &names);
    if (num < 0) {
        console_error(console, "%s: %s", root, strerror(errno));
        status = VKS_ERR_IO;
    } else if (num < (int)values->last) {
        console_error(console, "%s has %d training states: expected %u or more (--last)", root, num,
                      values->last);
        status = VKS_ERR_ARGUMENT;
    }
    for (int i = num - (int)values->last; i < num && status == VKS_OK; i++) {
        char *state = path_append(root, names[i]);
        if (!state || !add_path(paths, state, "weights.safetensors"))
            status = VKS_ERR_OOM;
        free(state);
    }
    for (int i = 0; i < num; i++)
        free(names[i]);
    free(names);
    free(root);
    return status;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct paths paths = {0};
    enum vks_status status = VKS_OK;
    const char *model = values->training;
    if ((values->models.num > 0) == (values->training != NULL)) {
        console_error(console, "one of --models and --training is needed");
        return EXIT_USAGE;
    }
    if (values->training) {
        status = add_states(console, values, &paths);
    } else {
        model = values->models.items[0];
        for (size_t i = 0; i < values->models.num && status == VKS_OK; i++) {
            status = model_folder_check(console, values->models.items[i]);
            if (status == VKS_OK && !add_path(&paths, values->models.items[i], "model.safetensors"))
                status = VKS_ERR_OOM;
        }
    }
    if (status == VKS_OK)
        status = vks_model_average((const char *const *)paths.items, paths.num, model,
                                   values->output, &console->log);
    free_paths(&paths);
    return exit_code_of(console, status);
}

int verb_average(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq average",
        .summary = "Averages the weights of several models, or of a training's last states, into a "
                   "new model.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
