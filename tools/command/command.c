#include "command.h"
#include "named_models.h"

#include "cli/environment.h"
#include "cli/folders.h"

#include <string.h>
#include <unistd.h>

int exit_code_of_options(enum cli_result result) {
    return result == CLI_HELP ? EXIT_OK : EXIT_USAGE;
}

int run_verb(const struct cli_command *command, int argc, char **argv, const bool *is_quiet,
             int (*run)(struct console *console, void *values)) {
    struct console console;
    enum cli_result parsed = cli_parse(command, argc, argv);
    if (parsed != CLI_OK)
        return exit_code_of_options(parsed);
    struct cli_texts texts = {0};
    console_init(&console, command->name, false, is_quiet && *is_quiet);
    named_models_find(command, &texts);
    int exit_code = run(&console, command->values);
    console_finish(&console);
    cli_texts_free(&texts);
    return exit_code;
}

int exit_code_of(struct console *console, enum vks_status status) {
    if (status == VKS_OK)
        return EXIT_OK;
    if (!console_has_error(console))
        console_error(console, "%s", vks_status_text(status));
    return status == VKS_ERR_NO_DEVICE ? EXIT_NO_DEVICE : EXIT_FAILED;
}

// A Marian model by itself.
static bool is_marian_file(const char *path) {
    size_t length = strlen(path);
    const char *end = length > 4 ? path + length - 4 : "";
    return access(path, F_OK) == 0 && (strcmp(end, ".npz") == 0 || strcmp(end, ".bin") == 0);
}

enum vks_status model_folder_check(struct console *console, const char *dir) {
    if (folder_exists(dir) || is_marian_file(dir))
        return VKS_OK;
    if (access(dir, F_OK) == 0)
        console_error(console, "%s: not a folder; expected a model directory", dir);
    else
        named_models_report_missing(console, dir);
    return VKS_ERR_IO;
}

enum vks_status device_open(struct console *console, const char *selector,
                            struct vks_device **device) {
    if (environment_has_chosen_width()) {
        console_mute_errors(console, true);
        enum vks_status status = vks_device_create(selector, &console->log, device);
        console_mute_errors(console, false);
        if (status == VKS_OK)
            return VKS_OK;
        environment_narrow_vectors();
    }
    return vks_device_create(selector, &console->log, device);
}

enum vks_status loaded_model_open(struct console *console, const char *dir, const char *device,
                                  struct loaded_model *loaded) {
    *loaded = (struct loaded_model){0};
    enum vks_status status = model_folder_check(console, dir);
    if (status == VKS_OK)
        status = vks_tokenizer_load(dir, &console->log, &loaded->tokenizer);
    if (status == VKS_OK)
        status = device_open(console, device, &loaded->device);
    if (status == VKS_OK)
        status = vks_model_load(loaded->device, dir, &loaded->model);
    return status;
}

void loaded_model_close(struct loaded_model *loaded) {
    vks_model_destroy(&loaded->model);
    vks_device_destroy(&loaded->device);
    vks_tokenizer_destroy(&loaded->tokenizer);
}

void print_json_string(FILE *file, const char *text) {
    fputc('"', file);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(file, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(file, "\\u%04x", (unsigned)*c);
        else
            fputc(*c, file);
    }
    fputc('"', file);
}
