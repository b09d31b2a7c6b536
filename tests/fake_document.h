// Documents for tests, and translators that need no model.
#ifndef TESTS_FAKE_DOCUMENT_H
#define TESTS_FAKE_DOCUMENT_H

#include "scratch.h"

#include "document/growing.h"
#include "text/placeholders.h"
#include "vkseq/document.h"

#include <ctype.h>

static inline struct vks_document *fake_open(struct scratch *scratch, const char *name,
                                             const char *text, enum vks_document_format format) {
    struct vks_document *document;
    char *path = scratch_path(scratch, name);
    scratch_put(scratch, name, text, strlen(text));
    enum vks_status status = vks_document_open(path, format, &scratch->log, &document);
    if (status != VKS_OK)
        print_message("%s\n", scratch->text);
    assert_int_equal(status, VKS_OK);
    free(path);
    return document;
}

// Upper case, without the placeholders; owned by the caller (free).
static inline char *fake_upper(const char *text) {
    size_t num_bytes = strlen(text);
    char *upper = strdup(text);
    assert_non_null(upper);
    for (size_t at = 0, length; at < num_bytes; at += length ? length : 1) {
        length = placeholders_length(text, num_bytes, at);
        if (length == 0)
            upper[at] = (char)toupper((unsigned char)text[at]);
    }
    return upper;
}

static inline void fake_translate(struct vks_document *document) {
    for (size_t i = 0; i < vks_document_num_segments(document); i++) {
        char *upper = fake_upper(vks_document_segment(document, i));
        assert_int_equal(vks_document_set_translation(document, i, upper), VKS_OK);
        free(upper);
    }
}

static inline void fake_assert_content(const struct vks_document *document, const char *expected) {
    char *content;
    size_t num_bytes;
    assert_int_equal(vks_document_content(document, &content, &num_bytes), VKS_OK);
    assert_string_equal(content, expected);
    assert_int_equal(num_bytes, strlen(expected));
    free(content);
}

// What a document is when all of it is translated.
static inline void fake_assert_upper(struct scratch *scratch, const char *name, const char *text,
                                     const char *expected) {
    struct vks_document *document = fake_open(scratch, name, text, VKS_DOCUMENT_AUTO);
    fake_translate(document);
    fake_assert_content(document, expected);
    vks_document_close(&document);
}

// That a document is refused with one message that has a part; text NULL: there is no file.
static inline void fake_assert_refused(struct scratch *scratch, const char *name, const char *text,
                                       const char *message) {
    struct vks_document *document = NULL;
    char *path = scratch_path(scratch, name);
    if (text)
        scratch_put(scratch, name, text, strlen(text));
    scratch->num_messages = 0;
    assert_int_not_equal(vks_document_open(path, VKS_DOCUMENT_AUTO, &scratch->log, &document),
                         VKS_OK);
    assert_null(document);
    if (!strstr(scratch->text, message))
        fail_msg("'%s' is not in '%s'", message, scratch->text);
    assert_int_equal(scratch->num_messages, 1);
    free(path);
}

static inline void fake_assert_file(const struct scratch *scratch, const char *name,
                                    const char *expected) {
    unsigned char *data;
    size_t num_bytes;
    char *path = scratch_path(scratch, name);
    assert_int_equal(file_read(path, (size_t)1 << 20, &scratch->log, &data, &num_bytes), VKS_OK);
    assert_string_equal((char *)data, expected);
    free(data);
    free(path);
}

#endif
