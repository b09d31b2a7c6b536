// Documents of which the text is translated and all else stays: plain text, PO files of gettext,
// SRT subtitles. They are a library of their own, vkseq_document, linked beside vkseq.
//
// A document is opened, its segments are translated by whatever translator, and it is saved. What
// becomes of a translation (white space, line breaks, accelerators, plural forms) is in
// docs/documents.md. A document is used by one thread at a time, and only one thread at a time
// works with PO documents, since libgettextpo has state of its own.
#ifndef VKSEQ_DOCUMENT_H
#define VKSEQ_DOCUMENT_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_document_format {
    VKS_DOCUMENT_AUTO, // by the name's ending: .po and .pot, .srt; all else is text
    VKS_DOCUMENT_TEXT,
    VKS_DOCUMENT_PO,
    VKS_DOCUMENT_SRT,
};

struct vks_document;

// Reads a document; path "-" is standard input. log: borrowed until the document is closed.
// Errors, each said with file, line, and what was found: VKS_ERR_IO; VKS_ERR_FORMAT for what is
// malformed or not UTF-8; VKS_ERR_UNSUPPORTED for PO where vkseq was built without libgettextpo;
// VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_document_open(const char *path,
                                                         enum vks_document_format format,
                                                         const struct vks_log *log,
                                                         struct vks_document **document);

// Makes segments of what is marked fuzzy too, whose old translations are then replaced; right after
// vks_document_open. Only PO documents have such entries. Errors: VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_document_include_fuzzy(struct vks_document *document);

// Texts to translate: UTF-8 without line breaks, not empty. A text may have several sentences. It
// is borrowed until the document is closed.
VKS_API size_t vks_document_num_segments(const struct vks_document *document);
VKS_API const char *vks_document_segment(const struct vks_document *document, size_t segment_idx);

// Gives a segment its translation, which is copied; NULL takes it away again, and the segment stays
// as it was. So does one whose placeholders are not those of its translation (%s, {0}, $NAME, <b>
// and the like). Errors: VKS_ERR_ARGUMENT for text that is not UTF-8, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_document_set_translation(struct vks_document *document, size_t segment_idx, const char *text);

// What became of the document's parts so far: entries of PO, subtitles of SRT, paragraphs of text.
struct vks_document_counts {
    size_t num_translated;
    size_t num_kept;         // had a translation before, or have nothing to translate
    size_t num_untranslated; // all others
    size_t num_lost;         // of these: for placeholders that did not survive
};

// Counts them.
VKS_API void vks_document_count(const struct vks_document *document,
                                struct vks_document_counts *counts);
// What is counted: "entries", "subtitles" or "paragraphs".
VKS_API const char *vks_document_unit(const struct vks_document *document);

// The document as it would be saved, owned by the caller (vks_free); a NUL that *num_bytes does not
// count stands behind it. Errors: VKS_ERR_OOM, and VKS_ERR_IO for PO, which takes a temporary file.
VKS_API VKS_MUST_CHECK enum vks_status vks_document_content(const struct vks_document *document,
                                                            char **content, size_t *num_bytes);

// Writes the document, in one step: a file that was there, such as the one that was opened, is
// replaced by the whole new one or not at all. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_document_save(const struct vks_document *document,
                                                         const char *path);

// Forgets what was not saved.
VKS_API void vks_document_close(struct vks_document **document);

#ifdef __cplusplus
}
#endif
#endif
