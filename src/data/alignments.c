#include "data/alignments.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdio.h>

enum { MAX_POSITION = UINT16_MAX, MIN_LINKS = 64, MAX_PLACE_BYTES = 64 };

bool alignment_links_reserve(struct alignment_links *links, size_t num) {
    size_t capacity = links->capacity ? links->capacity : MIN_LINKS, num_bytes;
    if (num <= links->capacity)
        return true;
    while (capacity < num)
        if (!size_mul(capacity, 2, &capacity))
            return false;
    struct alignment_link *items = size_mul(capacity, sizeof *items, &num_bytes)
                                       ? memory_realloc(links->items, num_bytes)
                                       : NULL;
    if (!items)
        return false;
    links->items = items;
    links->capacity = capacity;
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Reads digits; what is larger than any position becomes MAX_POSITION + 1.
static bool read_position(const char **at, const char *end, uint32_t *position) {
    const char *begin = *at;
    for (*position = 0; *at < end && isdigit((unsigned char)**at); ++*at)
        *position = min_u32(*position * 10 + (uint32_t)(**at - '0'), MAX_POSITION + 1);
    return *at > begin;
}

// Where a point stands in its file: line and column, or line, field and column in it.
static const char *place_of(const struct alignment_line *line, const char *point,
                            char text[MAX_PLACE_BYTES]) {
    size_t column = (size_t)(point - line->text) + 1;
    if (line->field)
        snprintf(text, MAX_PLACE_BYTES, "%llu: field %u:%zu", (unsigned long long)line->line,
                 line->field, column);
    else
        snprintf(text, MAX_PLACE_BYTES, "%llu:%zu", (unsigned long long)line->line, column);
    return text;
}

static enum vks_status fail_point(const struct alignment_line *line, const struct vks_log *log,
                                  const char *point, size_t num_bytes) {
    char place[MAX_PLACE_BYTES];
    log_error(log, "%s:%s: '%.*s' is no alignment point; expected SOURCE-TARGET, as in 0-0",
              line->path, place_of(line, point, place), num_bytes < 40 ? (int)num_bytes : 40,
              point);
    return VKS_ERR_FORMAT;
}

static enum vks_status fail_side(const struct alignment_line *line, const struct vks_log *log,
                                 const char *point, size_t num_bytes, int side) {
    char place[MAX_PLACE_BYTES];
    log_error(
        log, "%s:%s: point %.*s: the %s has %u tokens with </s>, expected a number from 0 to %u",
        line->path, place_of(line, point, place), num_bytes < 40 ? (int)num_bytes : 40, point,
        side == VKS_SOURCE ? "source" : "target", line->lengths[side], line->lengths[side] - 1);
    return VKS_ERR_FORMAT;
}

// The point at [point, end).
static enum vks_status parse_point(const struct alignment_line *line, const struct vks_log *log,
                                   const char *point, const char *end,
                                   struct alignment_links *links) {
    const char *at = point;
    uint32_t positions[2];
    bool is_point = read_position(&at, end, &positions[VKS_SOURCE]) && at < end && *at++ == '-' &&
                    read_position(&at, end, &positions[VKS_TARGET]) && at == end;
    if (!is_point)
        return fail_point(line, log, point, (size_t)(end - point));
    for (int side = 0; side < 2; side++) {
        if (positions[side] < line->lengths[side] && positions[side] <= MAX_POSITION)
            continue;
        if (line->is_cropped)
            return VKS_OK;
        return fail_side(line, log, point, (size_t)(end - point), side);
    }
    if (alignment_links_reserve(links, links->num + 1)) {
        links->items[links->num++] = (struct alignment_link){(uint16_t)positions[VKS_SOURCE],
                                                             (uint16_t)positions[VKS_TARGET]};
        return VKS_OK;
    }
    log_error(log, "%s: out of memory for %zu alignment points", line->path, links->num);
    return VKS_ERR_OOM;
}

enum vks_status alignment_parse(const struct alignment_line *line, const struct vks_log *log,
                                struct alignment_links *links) {
    size_t num_before = links->num;
    const char *at = line->text, *line_end = at + line->num_bytes;
    while (at < line_end) {
        const char *end = at;
        while (end < line_end && !is_blank(*end))
            end++;
        enum vks_status status = end > at ? parse_point(line, log, at, end, links) : VKS_OK;
        if (status != VKS_OK) {
            links->num = num_before;
            return status;
        }
        at = end < line_end ? end + 1 : end;
    }
    return VKS_OK;
}
