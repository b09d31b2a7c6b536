#include "data/alignments.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/lines.h"

#include <ctype.h>
#include <stdlib.h>

enum { MAX_POSITION = UINT16_MAX };

struct alignments {
    struct alignment_links links;
    size_t *begins; // [num_pairs + 1]
    uint32_t num_pairs;
};

static bool add_link(struct alignment_links *links, struct alignment_link link) {
    if (links->num == links->capacity) {
        size_t capacity = links->capacity ? 2 * links->capacity : 256, num_bytes;
        struct alignment_link *items = size_mul(capacity, sizeof *items, &num_bytes)
                                           ? memory_realloc(links->items, num_bytes)
                                           : NULL;
        if (!items)
            return false;
        links->items = items;
        links->capacity = capacity;
    }
    links->items[links->num++] = link;
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

static enum vks_status fail_point(const struct alignment_line *line, const struct vks_log *log,
                                  const char *point, size_t num_bytes) {
    log_error(log, "%s:%llu:%zu: '%.*s' is no alignment point; expected SOURCE-TARGET, as in 0-0",
              line->path, (unsigned long long)line->line, (size_t)(point - line->text) + 1,
              num_bytes < 40 ? (int)num_bytes : 40, point);
    return VKS_ERR_FORMAT;
}

static enum vks_status fail_side(const struct alignment_line *line, const struct vks_log *log,
                                 const char *point, size_t num_bytes, int side) {
    log_error(
        log,
        "%s:%llu:%zu: point %.*s: the %s has %u tokens with </s>, expected a number from 0 to "
        "%u",
        line->path, (unsigned long long)line->line, (size_t)(point - line->text) + 1,
        num_bytes < 40 ? (int)num_bytes : 40, point, side == VKS_SOURCE ? "source" : "target",
        line->lengths[side], line->lengths[side] - 1);
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
    if (add_link(links, (struct alignment_link){(uint16_t)positions[VKS_SOURCE],
                                                (uint16_t)positions[VKS_TARGET]}))
        return VKS_OK;
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

static enum vks_status parse_lines(const char *path, const struct corpus *corpus, bool is_cropped,
                                   const struct vks_log *log, const struct lines *lines,
                                   struct alignments *alignments) {
    if (lines->num != corpus_num_lines(corpus)) {
        log_error(log, "%s has %zu lines, %s has %zu: expected as many", path, lines->num,
                  corpus_path(corpus, VKS_SOURCE), corpus_num_lines(corpus));
        return VKS_ERR_FORMAT;
    }
    for (uint32_t i = 0; i < alignments->num_pairs; i++) {
        struct alignment_line line = {
            .path = path,
            .line = corpus_line(corpus, i),
            .lengths = {corpus_length(corpus, VKS_SOURCE, i), corpus_length(corpus, VKS_TARGET, i)},
            .is_cropped = is_cropped};
        line.text = lines_get(lines, line.line - 1, &line.num_bytes);
        TRY(alignment_parse(&line, log, &alignments->links));
        alignments->begins[i + 1] = alignments->links.num;
    }
    return VKS_OK;
}

enum vks_status alignments_load(const char *path, const struct corpus *corpus, bool is_cropped,
                                const struct vks_log *log, struct alignments **alignments) {
    struct lines lines = {0};
    struct alignments *loaded = memory_calloc(1, sizeof *loaded);
    enum vks_status status = VKS_ERR_OOM;
    if (loaded) {
        loaded->num_pairs = corpus_num_pairs(corpus);
        loaded->begins = memory_calloc((size_t)loaded->num_pairs + 1, sizeof *loaded->begins);
    }
    if (!loaded || !loaded->begins) {
        log_error(log, "%s: out of memory", path);
        goto done;
    }
    TRY_GOTO(status, lines_read(path, log, &lines), done);
    TRY_GOTO(status, parse_lines(path, corpus, is_cropped, log, &lines, loaded), done);
    *alignments = loaded;
    loaded = NULL;
done:
    lines_finish(&lines);
    alignments_destroy(&loaded);
    return status;
}

void alignments_destroy(struct alignments **alignments) {
    if (!*alignments)
        return;
    free((*alignments)->links.items);
    free((*alignments)->begins);
    free(*alignments);
    *alignments = NULL;
}

const struct alignment_link *alignments_get(const struct alignments *alignments, uint32_t pair_idx,
                                            size_t *num) {
    CHECK(pair_idx < alignments->num_pairs);
    size_t begin = alignments->begins[pair_idx];
    *num = alignments->begins[pair_idx + 1] - begin;
    return alignments->links.items + begin;
}
