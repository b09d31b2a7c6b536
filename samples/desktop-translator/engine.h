// The device, the model and its translator. Everything here belongs to the worker's thread.
#ifndef DESKTOP_ENGINE_H
#define DESKTOP_ENGINE_H

#include "sentence.h"

#include <vkseq/device.h>

struct job;
struct engine;

// Nothing is open at first.
struct engine *engine_create(void);
void engine_destroy(struct engine **engine);

// Which device and model; a copy of it is kept.
struct engine_choice {
    char *model_dir;
    uint32_t device; // an index of vks_devices_list
};

// Opens them in place of those before, which are closed first. Errors: those of vks_device_create,
// vks_tokenizer_load, vks_model_load and vks_translator_create; nothing is open then.
VKS_MUST_CHECK enum vks_status engine_open(struct engine *engine,
                                           const struct engine_choice *choice);
// The open device; NULL: none.
const struct vks_device_info *engine_device(const struct engine *engine);

// How often a device was lost and opened anew.
unsigned engine_num_losses(const struct engine *engine);

// Lines and what their translations have to begin with; prefixes may be NULL.
struct engine_lines {
    const char *const *lines, *const *prefixes;
    size_t num;
};

// Fills sentences [num]; each is owned by the caller (sentence_unref). job: stops when it is
// cancelled. A lost device is opened anew, with the model, and the lines are translated again.
// Errors: VKS_ERR_ARGUMENT if nothing is open, VKS_ERR_CANCELLED, those of vks_translate_from.
VKS_MUST_CHECK enum vks_status engine_translate(struct engine *engine, const struct job *job,
                                                const struct engine_lines *lines,
                                                struct sentence **sentences);

// A way to go on after a beginning.
struct alternative {
    struct sentence *sentence;
    int start; // character of its text where the way begins
    float probability;
};

// The most probable ways after prefix, at most num; *alternatives is owned by the caller
// (alternatives_free). Errors: as for engine_translate, and those of vks_translate_alternatives.
VKS_MUST_CHECK enum vks_status engine_alternatives(struct engine *engine, const char *line,
                                                   const char *prefix,
                                                   struct alternative **alternatives, size_t *num);
void alternatives_free(struct alternative *alternatives, size_t num);

// Where the public functions that the worker calls write their messages.
const struct vks_log *engine_log(struct engine *engine);
// The messages since the last call, a line each; owned by the caller (g_free).
char *engine_take_messages(struct engine *engine);

#endif
