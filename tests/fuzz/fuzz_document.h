// Any bytes as a document: what is refused is said once; what is not translated is what it was, and
// what is translated is a document again, of as many parts.
#ifndef TESTS_FUZZ_DOCUMENT_H
#define TESTS_FUZZ_DOCUMENT_H

#include "fuzz_file.h"

#include "vkseq/document.h"

static inline bool fuzz_document_open(const void *data, size_t num_bytes,
                                      enum vks_document_format format,
                                      struct vks_document **document) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct fuzz_file file = fuzz_file_create(data, num_bytes);
    bool is_ok = fuzz_is_ok(vks_document_open(file.path, format, &log, document), num_messages);
    fuzz_file_finish(&file);
    return is_ok;
}

static inline size_t fuzz_document_num_parts(const struct vks_document *document) {
    struct vks_document_counts counts;
    vks_document_count(document, &counts);
    CHECK(counts.num_lost <= counts.num_untranslated);
    return counts.num_translated + counts.num_kept + counts.num_untranslated;
}

// A translation with the same placeholders: words are longer or shorter, in turn.
static inline void fuzz_document_translate(struct vks_document *document) {
    for (size_t i = 0; i < vks_document_num_segments(document); i++) {
        const char *source = vks_document_segment(document, i);
        size_t num_bytes = strlen(source);
        CHECK(num_bytes > 0 && !strpbrk(source, "\n"));
        char *text = malloc(2 * num_bytes + 8);
        CHECK(text);
        snprintf(text, 2 * num_bytes + 8, i % 3 ? "%s %s" : "x %s", source, source);
        CHECK(vks_document_set_translation(document, i, text) == VKS_OK);
        CHECK(vks_document_set_translation(document, i, i % 5 ? text : NULL) == VKS_OK);
        free(text);
    }
}

// is_same: whether what is not translated is the same bytes.
static inline void fuzz_document(const uint8_t *data, size_t num_bytes,
                                 enum vks_document_format format, bool is_same) {
    struct vks_document *document, *again;
    char *content;
    size_t content_bytes;
    if (!fuzz_document_open(data, num_bytes, format, &document))
        return;
    CHECK(vks_document_content(document, &content, &content_bytes) == VKS_OK);
    CHECK(!is_same || (content_bytes == num_bytes && !memcmp(content, data, num_bytes)));
    free(content);
    size_t num_parts = fuzz_document_num_parts(document);
    CHECK(vks_document_include_fuzzy(document) == VKS_OK);
    fuzz_document_translate(document);
    CHECK(fuzz_document_num_parts(document) == num_parts);
    CHECK(vks_document_content(document, &content, &content_bytes) == VKS_OK);
    CHECK(fuzz_document_open(content, content_bytes, format, &again));
    CHECK(format == VKS_DOCUMENT_TEXT || fuzz_document_num_parts(again) == num_parts);
    vks_document_close(&again);
    vks_document_close(&document);
    free(content);
}

#endif
