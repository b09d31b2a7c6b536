#include "translate_document.h"

#include "stop_signal.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_SEGMENTS = 2000 };

const char *const document_formats[] = {"lines", "auto", "text", "po", "srt", NULL};

bool document_format_read(const char *text, enum vks_document_format *format) {
    for (int i = 1; document_formats[i]; i++)
        if (!strcmp(text, document_formats[i])) {
            *format = (enum vks_document_format)(VKS_DOCUMENT_AUTO + i - 1);
            return true;
        }
    return false;
}

enum vks_status document_work_begin(struct document_work *work, struct console *console,
                                    const char *input, const char *output,
                                    enum vks_document_format format) {
    work->console = console;
    work->output_path = output;
    enum vks_status status = vks_document_open(input, format, &console->log, &work->document);
    if (status != VKS_OK)
        return status;
    stop_signal_catch(); // from here on there is something to take back
    return line_output_open(&work->output, output, console);
}

// The translator asks this after each step.
static bool go_on(void *user, const struct vks_progress *progress) {
    struct document_work *work = user;
    console_update_progress(work->console, work->num_done + progress->num_done);
    return !stop_signal();
}

void document_work_prepare(struct document_work *work, struct vks_translator_params *params) {
    params->split_sentences = true;
    params->observe = go_on;
    params->observe_user = work;
}

// Segments from num_done on.
static enum vks_status translate_block(struct document_work *work,
                                       struct vks_translator *translator, const char **lines,
                                       size_t num) {
    struct vks_translation *translations;
    for (size_t i = 0; i < num; i++)
        lines[i] = vks_document_segment(work->document, work->num_done + i);
    enum vks_status status = vks_translate(translator, lines, num, &translations);
    if (status != VKS_OK)
        return status;
    for (size_t i = 0; i < num && status == VKS_OK; i++) {
        const struct vks_hypothesis *best = &translations[i].hypotheses[0];
        status = vks_document_set_translation(work->document, work->num_done + i, best->text);
    }
    vks_translations_free(translations, num);
    work->num_done += num;
    console_update_progress(work->console, work->num_done);
    return status;
}

enum vks_status document_work_translate(struct document_work *work,
                                        struct vks_translator *translator) {
    size_t num_segments = vks_document_num_segments(work->document);
    const char **lines = malloc(BLOCK_SEGMENTS * sizeof *lines);
    enum vks_status status = lines ? VKS_OK : VKS_ERR_OOM;
    console_begin_progress(work->console, "translate", "texts", num_segments,
                           work->output.file != stdout);
    while (work->num_done < num_segments && status == VKS_OK) {
        size_t num = num_segments - work->num_done;
        status =
            translate_block(work, translator, lines, num < BLOCK_SEGMENTS ? num : BLOCK_SEGMENTS);
    }
    console_end_progress(work->console);
    free(lines);
    return status;
}

static enum vks_status write_document(struct document_work *work) {
    char *content;
    size_t num_bytes;
    enum vks_status status = vks_document_content(work->document, &content, &num_bytes);
    if (status != VKS_OK)
        return status;
    fwrite(content, 1, num_bytes, work->output.file);
    vks_free(content);
    return VKS_OK;
}

static void print_summary(const struct document_work *work) {
    struct vks_document_counts counts;
    vks_document_count(work->document, &counts);
    if (work->console->is_quiet)
        return;
    fprintf(stderr, "translate: %zu %s translated, %zu kept, %zu left", counts.num_translated,
            vks_document_unit(work->document), counts.num_kept, counts.num_untranslated);
    if (counts.num_lost > 0)
        fprintf(stderr, ", %zu of them since placeholders did not survive", counts.num_lost);
    fputc('\n', stderr);
}

enum vks_status document_work_end(struct document_work *work, enum vks_status status) {
    bool is_open = work->output.file;
    if (status == VKS_OK)
        status = write_document(work);
    status = line_output_close(&work->output, status);
    if (status == VKS_OK)
        print_summary(work);
    else if (status == VKS_ERR_CANCELLED && is_open)
        console_error(work->console, "cancelled; nothing is written to %s",
                      strcmp(work->output_path, "-") != 0 ? work->output_path : "standard output");
    vks_document_close(&work->document);
    return status;
}
