#include "document/plain_text.h"

#include "base/memory.h"
#include "document/units.h"

static enum vks_status parse_text(struct vks_document *document) {
    struct units *units = memory_calloc(1, sizeof *units);
    size_t begin = document_mark_bytes(document);
    if (!units)
        return document_report(document, VKS_ERR_OOM);
    document->state = units;
    return document_report(
        document, units_cut(document, document->bytes + begin, document->num_bytes - begin, units));
}

static enum vks_status write_text(const struct vks_document *document, struct text_buffer *buffer) {
    size_t begin = document_mark_bytes(document);
    text_append(buffer, document->bytes, begin);
    units_fill(document, document->state, document->bytes + begin, document->num_bytes - begin,
               buffer);
    return VKS_OK;
}

static void count_text(const struct vks_document *document, struct vks_document_counts *counts) {
    for (size_t i = 0; i < document->num_segments; i++) {
        const struct document_segment *segment = &document->segments[i];
        counts->num_translated += segment->translation != NULL;
        counts->num_untranslated += segment->translation == NULL;
        counts->num_lost += segment->is_lost;
    }
}

static void finish_text(struct vks_document *document) {
    struct units *units = document->state;
    if (units)
        free(units->items);
    free(units);
}

const struct document_kind document_text = {
    .unit = "paragraphs",
    .parse = parse_text,
    .write = write_text,
    .count = count_text,
    .finish = finish_text,
};
