#include "named_models.h"

#include "cli/folders.h"
#include "cli/model_folders.h"

#include <stdlib.h>
#include <string.h>

// All folders as one text, allocated (free); NULL when there is no memory.
static char *join(char *const *folders) {
    size_t num_bytes = 1;
    for (char *const *f = folders; *f; f++)
        num_bytes += strlen(*f) + 2;
    char *text = malloc(num_bytes), *end = text;
    for (char *const *f = folders; text && *f; f++)
        end += sprintf(end, f == folders ? "%s" : ", %s", *f);
    return text;
}

static void find(char *const *folders, const char **model, struct cli_texts *texts) {
    if (folder_exists(*model) || !model_is_name(*model))
        return;
    char *path = model_folders_find(folders, *model);
    const char *kept = path ? cli_texts_keep(texts, path, strlen(path) + 1) : NULL;
    if (kept)
        *model = kept;
    free(path);
}

void named_models_find(const struct cli_command *command, struct cli_texts *texts) {
    char **folders = model_folders();
    for (const struct cli_option *o = command->options; o->name && folders; o++) {
        void *value = (char *)command->values + o->offset;
        const char **text = value;
        const struct cli_strings *list = value;
        if (o->is_model && o->kind == CLI_STRING && *text)
            find(folders, text, texts);
        for (size_t i = 0; o->is_model && o->kind == CLI_STRINGS && i < list->num; i++)
            find(folders, (const char **)&list->items[i], texts);
    }
    model_folders_free(folders);
}

void named_models_report_missing(struct console *console, const char *model) {
    char **folders = model_is_name(model) ? model_folders() : NULL;
    char *looked_in = folders ? join(folders) : NULL;
    if (looked_in)
        console_error(console,
                      "%s: there is no such model directory, nor a model of this name in %s", model,
                      looked_in);
    else
        console_error(console, "%s: there is no such model directory", model);
    free(looked_in);
    model_folders_free(folders);
}
