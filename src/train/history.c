#include "train/history.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "io/file_system.h"
#include "io/files.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HISTORY_BYTES = 1 << 30 };

struct history {
    FILE *file;
    char *path;
    struct event_file *events; // NULL: none
    const struct vks_log *log;
    bool has_failed;
};

// Whether the line, of num_bytes, is a whole one of an update up to `updates`.
static bool is_kept(const char *line, size_t num_bytes, uint64_t updates) {
    cJSON *json = cJSON_ParseWithLength(line, num_bytes);
    const cJSON *update = cJSON_GetObjectItemCaseSensitive(json, "update");
    bool kept = cJSON_IsNumber(update) && update->valuedouble <= (double)updates;
    cJSON_Delete(json);
    return kept;
}

// Leaves in the file only its lines up to an update.
static enum vks_status cut(const char *path, uint64_t updates, const struct vks_log *log) {
    unsigned char *data;
    size_t num_bytes, num_kept = 0;
    if (!file_exists(path))
        return VKS_OK;
    TRY(file_read(path, MAX_HISTORY_BYTES, log, &data, &num_bytes));
    char *text = (char *)data, *end;
    for (char *line = text; (end = memchr(line, '\n', num_bytes - (size_t)(line - text)));
         line = end + 1) {
        size_t line_bytes = (size_t)(end - line) + 1;
        if (!is_kept(line, line_bytes, updates))
            continue;
        memmove(text + num_kept, line, line_bytes);
        num_kept += line_bytes;
    }
    enum vks_status status =
        num_kept == num_bytes ? VKS_OK : file_replace(path, text, num_kept, log);
    free(data);
    return status;
}

enum vks_status history_open(const char *model_dir, const char *tensorboard_dir, uint64_t updates,
                             const struct vks_log *log, struct history **result) {
    struct history *history = memory_calloc(1, sizeof *history);
    char *path = path_join(model_dir, "history.jsonl");
    if (!history || !path) {
        free(history);
        free(path);
        return VKS_ERR_OOM;
    }
    *history = (struct history){.path = path, .log = log};
    enum vks_status status = cut(path, updates, log);
    if (status == VKS_OK) {
        history->file = fs_open_stream(path, "ab");
        if (!history->file) {
            log_error(log, "%s: %s", path, strerror(errno));
            status = VKS_ERR_IO;
        }
    }
    if (status == VKS_OK && tensorboard_dir)
        status = event_file_create(tensorboard_dir, platform_time_s(), updates + 1, log,
                                   &history->events);
    if (status != VKS_OK)
        history_close(&history);
    else
        *result = history;
    return status;
}

static bool write_line(struct history *history, double time_s, uint64_t update,
                       const struct event_value *values, size_t num_values) {
    cJSON *json = cJSON_CreateObject();
    bool ok = cJSON_AddNumberToObject(json, "update", (double)update) &&
              cJSON_AddNumberToObject(json, "time", floor(time_s * 1000) / 1000);
    for (size_t i = 0; i < num_values; i++)
        if (isfinite(values[i].value))
            ok &= cJSON_AddNumberToObject(json, values[i].tag, values[i].value) != NULL;
    char *text = cJSON_PrintUnformatted(json);
    ok = ok && text && fprintf(history->file, "%s\n", text) > 0 && fflush(history->file) == 0;
    cJSON_free(text);
    cJSON_Delete(json);
    return ok;
}

void history_add(struct history *history, uint64_t update, const struct event_value *values,
                 size_t num_values) {
    double time_s = platform_time_s();
    if (history->has_failed)
        return;
    if (!write_line(history, time_s, update, values, num_values)) {
        log_warn(history->log, "%s: %s; training goes on without its history", history->path,
                 strerror(errno));
        history->has_failed = true;
    } else if (history->events &&
               event_file_add(history->events, time_s, update, values, num_values) != VKS_OK) {
        history->has_failed = true;
    }
}

void history_close(struct history **history_ref) {
    struct history *history = *history_ref;
    if (!history)
        return;
    event_file_close(&history->events);
    if (history->file)
        fclose(history->file);
    free(history->path);
    free(history);
    *history_ref = NULL;
}
