// JSON texts, read whole.
#ifndef IO_JSON_H
#define IO_JSON_H

#include "vkseq/base.h"

struct cJSON;

// Parses a text that holds one JSON value and nothing else.
//   text  [num_bytes]
// name: what messages call the text, e.g. the file's path. *json is owned by the caller
// (cJSON_Delete). Errors: VKS_ERR_FORMAT, with the line, also for what is nested too deep.
VKS_MUST_CHECK enum vks_status json_parse(const char *text, size_t num_bytes, const char *name,
                                          const struct vks_log *log, struct cJSON **json);

#endif
