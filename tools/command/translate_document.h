// vkseq translate --format: documents, of which the text is translated and all else stays.
#ifndef COMMAND_TRANSLATE_DOCUMENT_H
#define COMMAND_TRANSLATE_DOCUMENT_H

#include "line_files.h"
#include "vkseq/document.h"
#include "vkseq/vkseq.h"

// A document's translation under way. Zero-initialised is none; begin, translate and end follow one
// another.
struct document_work {
    struct console *console;
    const char *output_path;
    struct vks_document *document;
    struct line_output output;
    size_t num_done; // segments that earlier calls of the translator have done
};

// Values of --format, of which the first one is none of a document's; the others follow enum
// vks_document_format.
extern const char *const document_formats[];
// What a value of --format means; false: lines.
bool document_format_read(const char *text, enum vks_document_format *format);

// Reads the document, and opens the output, in whose place nothing is written before the end.
// Paths are borrowed. What fails is reported, and there is something to end in any case.
VKS_MUST_CHECK enum vks_status document_work_begin(struct document_work *work,
                                                   struct console *console, const char *input,
                                                   const char *output,
                                                   enum vks_document_format format);
// Gives params what translating a document takes; work is borrowed by the translator.
void document_work_prepare(struct document_work *work, struct vks_translator_params *params);
// Translates all, with a progress line, until it is done or a signal comes (VKS_ERR_CANCELLED).
VKS_MUST_CHECK enum vks_status document_work_translate(struct document_work *work,
                                                       struct vks_translator *translator);
// Writes the document after VKS_OK, and says what became of it; else leaves the output as it was.
// Returns status, or what went wrong.
VKS_MUST_CHECK enum vks_status document_work_end(struct document_work *work,
                                                 enum vks_status status);

#endif
