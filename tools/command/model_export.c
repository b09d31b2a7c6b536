#include "model_export.h"

#include "cli/folders.h"

#include <string.h>

const char *const export_precisions[] = {"float32", "float16", NULL};

int model_export_run(struct console *console, const struct model_export *export,
                     const char *device) {
    struct loaded_model loaded = {0};
    const struct vks_export_params params = {
        .format = export->format,
        .is_half = strcmp(export->precision, "float16") == 0,
        .log = &console->log,
    };
    // The model would be lost if writing failed half-way.
    if (folders_are_same(export->model, export->output)) {
        console_error(console, "%s: the output is the model itself; expected another folder",
                      export->output);
        return EXIT_USAGE;
    }
    enum vks_status status = loaded_model_open(console, export->model, device, &loaded);
    if (status == VKS_OK)
        status = vks_model_export(loaded.model, loaded.tokenizer, &params, export->output);
    loaded_model_close(&loaded);
    return exit_code_of(console, status);
}
