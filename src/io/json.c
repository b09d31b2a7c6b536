#include "io/json.h"

#include "base/log.h"

#include <cjson/cJSON.h>
#include <string.h>

enum vks_status json_parse(const char *text, size_t num_bytes, const char *name,
                           const struct vks_log *log, struct cJSON **json) {
    const char *end = text;
    cJSON *parsed = cJSON_ParseWithLengthOpts(text, num_bytes, &end, false);
    while (parsed && end < text + num_bytes && strchr(" \t\r\n", *end) && *end)
        end++;
    if (parsed && end == text + num_bytes) {
        *json = parsed;
        return VKS_OK;
    }
    cJSON_Delete(parsed);
    uint32_t line = 1;
    for (const char *c = text; c < end && c < text + num_bytes; c++)
        line += *c == '\n';
    log_error(log, "%s:%u: malformed JSON, or nested deeper than %d", name, line,
              CJSON_NESTING_LIMIT);
    return VKS_ERR_FORMAT;
}
