// For the desktop translator under test: notes on which thread each call of vkseq runs, a line a
// call, in the file that the environment's VKSEQ_WATCH names. Linked with --wrap for each of them.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vkseq/document.h>
#include <vkseq/vkseq.h>

static void note(const char *name) {
    const char *path = getenv("VKSEQ_WATCH");
    char line[128];
    int num_bytes = snprintf(line, sizeof line, "%s %s\n", name,
                             syscall(SYS_gettid) == getpid() ? "main" : "other");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    if (fd >= 0 && write(fd, line, (size_t)num_bytes) != num_bytes)
        abort();
    if (fd >= 0)
        close(fd);
}

#define WATCH(type, name, parameters, arguments)                                                   \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters {                                                                \
        note(#name);                                                                               \
        return __real_##name arguments;                                                            \
    }

WATCH(enum vks_status, vks_devices_list,
      (const struct vks_log *log, struct vks_device_info **infos, size_t *num), (log, infos, num))
WATCH(enum vks_status, vks_device_create,
      (const char *selector, const struct vks_log *log, struct vks_device **device),
      (selector, log, device))
WATCH(void, vks_device_destroy, (struct vks_device * *device), (device))
WATCH(enum vks_status, vks_tokenizer_load,
      (const char *dir, const struct vks_log *log, struct vks_tokenizer **tokenizer),
      (dir, log, tokenizer))
WATCH(enum vks_status, vks_tokenizer_decode,
      (const struct vks_tokenizer *tokenizer, enum vks_side side, const uint32_t *ids, size_t num,
       char **text),
      (tokenizer, side, ids, num, text))
WATCH(enum vks_status, vks_model_load,
      (struct vks_device * device, const char *dir, struct vks_model **model), (device, dir, model))
WATCH(void, vks_model_destroy, (struct vks_model * *model), (model))
WATCH(enum vks_status, vks_translator_create,
      (struct vks_model * model, const struct vks_tokenizer *tokenizer,
       const struct vks_translator_params *params, struct vks_translator **translator),
      (model, tokenizer, params, translator))
WATCH(void, vks_translator_destroy, (struct vks_translator * *translator), (translator))
WATCH(enum vks_status, vks_translate_from,
      (struct vks_translator * translator, const char *const *lines, const char *const *prefixes,
       size_t num, struct vks_translation **translations),
      (translator, lines, prefixes, num, translations))
WATCH(enum vks_status, vks_translate_alternatives,
      (struct vks_translator * translator, const char *line, const char *prefix, uint32_t num,
       struct vks_translation **translations, size_t *position),
      (translator, line, prefix, num, translations, position))
WATCH(enum vks_status, vks_document_open,
      (const char *path, enum vks_document_format format, const struct vks_log *log,
       struct vks_document **document),
      (path, format, log, document))
WATCH(enum vks_status, vks_document_save, (const struct vks_document *document, const char *path),
      (document, path))
