#include "convert/inspection.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>

// Room for one more item at the end of a list that has num; NULL when there is no memory.
static void *grow(struct vks_inspection *inspection, void *list, size_t num, size_t item_bytes) {
    bool is_full = (num & (num - 1)) == 0; // at 0, 1, 2, 4, 8 ...
    void *grown = is_full ? memory_realloc(list, 2 * (num + 1) * item_bytes) : list;
    inspection->is_whole &= grown != NULL;
    return grown;
}

// Files say what they like: what is no text, or would move a terminal's cursor, is a question mark.
static const char *copy(struct vks_inspection *inspection, const char *text) {
    char *copied = arena_strdup(&inspection->arena, text);
    inspection->is_whole &= copied != NULL;
    bool is_text = vks_utf8_is_valid(text, strlen(text));
    for (unsigned char *c = (unsigned char *)copied; c && *c; c++)
        if (*c < 0x20 || *c == 0x7f || (*c >= 0x80 && !is_text))
            *c = '?';
    return copied;
}

static void add_fact(struct vks_inspection *inspection, struct vks_fact fact) {
    struct vks_fact *facts =
        grow(inspection, inspection->facts, inspection->num_facts, sizeof *facts);
    if (!facts)
        return;
    inspection->facts = facts;
    facts[inspection->num_facts++] = fact;
}

void inspection_text(struct vks_inspection *inspection, const char *key, const char *value) {
    add_fact(inspection,
             (struct vks_fact){.key = copy(inspection, key), .value = copy(inspection, value)});
}

void inspection_number(struct vks_inspection *inspection, const char *key, double value) {
    char text[32];
    snprintf(text, sizeof text, floor(value) == value ? "%.0f" : "%.7g", value);
    add_fact(inspection, (struct vks_fact){.key = copy(inspection, key),
                                           .value = copy(inspection, text),
                                           .is_number = true});
}

void inspection_tensor(struct vks_inspection *inspection, const char *name, const char *type,
                       uint32_t num_dims, const uint64_t *dims) {
    uint64_t *own_dims = ARENA_NEW(&inspection->arena, uint64_t, num_dims + 1);
    struct vks_inspected_tensor *tensors =
        grow(inspection, inspection->tensors, inspection->num_tensors, sizeof *tensors);
    inspection->is_whole &= own_dims != NULL;
    if (!tensors)
        return;
    inspection->tensors = tensors;
    for (uint32_t i = 0; i < num_dims && own_dims; i++)
        own_dims[i] = dims[i];
    tensors[inspection->num_tensors++] = (struct vks_inspected_tensor){
        .name = copy(inspection, name),
        .type = copy(inspection, type),
        .num_dims = num_dims,
        .dims = own_dims,
    };
}

void inspection_problem(struct vks_inspection *inspection, const char *text) {
    const char **problems =
        grow(inspection, inspection->problems, inspection->num_problems, sizeof *problems);
    if (!problems)
        return;
    inspection->problems = problems;
    problems[inspection->num_problems++] = copy(inspection, text);
}

static void write_problem(void *user, enum vks_log_level level, const char *text) {
    if (level == VKS_LOG_ERROR)
        inspection_problem(user, text);
}

struct vks_log inspection_log(struct vks_inspection *inspection) {
    return (struct vks_log){.write = write_problem, .user = inspection, .level = VKS_LOG_ERROR};
}

void vks_inspection_destroy(struct vks_inspection **inspection_ref) {
    struct vks_inspection *inspection = *inspection_ref;
    if (!inspection)
        return;
    free(inspection->facts);
    free(inspection->tensors);
    free(inspection->problems);
    arena_finish(&inspection->arena);
    free(inspection);
    *inspection_ref = NULL;
}

size_t vks_inspection_num_facts(const struct vks_inspection *inspection) {
    return inspection->num_facts;
}

const struct vks_fact *vks_inspection_fact(const struct vks_inspection *inspection, size_t idx) {
    return &inspection->facts[idx];
}

size_t vks_inspection_num_tensors(const struct vks_inspection *inspection) {
    return inspection->num_tensors;
}

const struct vks_inspected_tensor *vks_inspection_tensor(const struct vks_inspection *inspection,
                                                         size_t idx) {
    return &inspection->tensors[idx];
}

size_t vks_inspection_num_problems(const struct vks_inspection *inspection) {
    return inspection->num_problems;
}

const char *vks_inspection_problem(const struct vks_inspection *inspection, size_t idx) {
    return inspection->problems[idx];
}
