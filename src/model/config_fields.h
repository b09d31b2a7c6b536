// Fields of a JSON object that describes a model, read with checks and written.
#ifndef MODEL_CONFIG_FIELDS_H
#define MODEL_CONFIG_FIELDS_H

#include "vkseq/model.h"

struct cJSON;

// A file being read; the first failure stays.
struct fields_reader {
    const char *path; // what messages call it
    const struct vks_log *log;
    const struct cJSON *json;
    enum vks_status status;
};

// The field; NULL when it is missing or null.
const struct cJSON *fields_find(const struct fields_reader *reader, const char *key);

// Says what the field is, and what was expected.
void fields_fail(struct fields_reader *reader, const char *key, const char *expected);

// A whole number from `min` to 16,777,216; `by_default` when the field is missing, which fails
// without one (< 0).
uint32_t fields_read_u32(struct fields_reader *reader, const char *key, uint32_t min,
                         int64_t by_default);
// A number from min to max; `by_default` when the field is missing.
double fields_read_number(struct fields_reader *reader, const char *key, double min, double max,
                          double by_default);
bool fields_read_bool(struct fields_reader *reader, const char *key, bool by_default);
// by_default NULL: there must be one. Borrowed from the JSON.
const char *fields_read_text(struct fields_reader *reader, const char *key, const char *by_default);
// The index of the field's text among names [num], by_default when it is missing; anything else
// fails with the text `expected`, and is 0.
size_t fields_read_name(struct fields_reader *reader, const char *key, const char *const *names,
                        size_t num, const char *by_default, const char *expected);
// A token's id, or a list of one; by_default as in fields_read_u32.
uint32_t fields_read_id(struct fields_reader *reader, const char *key, int64_t by_default);

// An object as it is put together; what memory did not suffice for makes it not whole.
struct fields_writer {
    struct cJSON *json;
    bool is_whole;
};

void fields_add_number(struct fields_writer *writer, const char *key, double value);
void fields_add_bool(struct fields_writer *writer, const char *key, bool value);
void fields_add_text(struct fields_writer *writer, const char *key, const char *value);

// The text of what was put together; owned by the caller (free). NULL if it is not whole.
char *fields_finish(struct fields_writer *writer);

#endif
