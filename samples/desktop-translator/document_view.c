#include "document_view.h"

#include "document_jobs.h"

#include <string.h>

struct document_view {
    struct document_view_params params;
    GtkWindow *window;
    GtkTextView *source;
    GtkRevealer *bar, *translation_bar;
    GtkLabel *name, *size, *translation_size;
    char *path;                    // of the document; NULL: none is open
    struct vks_document *document; // owned; the worker alone uses it
    struct read_job *reading;      // borrowed from the worker
    struct write_job *writing;
    GtkFileChooserNative *dialog; // owned, while it is shown
    char **saved; // [num_saved] translations of the segments, as they were saved last
    size_t num_saved;
    void (*then)(void *user); // what leaving the document waits for; NULL: it is not left
    void *then_user;
    char *next; // path of the document to open then
};

static GObject *part(const struct document_view_params *params, const char *name) {
    return gtk_builder_get_object(params->builder, name);
}

struct document_view *document_view_create(const struct document_view_params *params) {
    struct document_view *view = g_new0(struct document_view, 1);
    view->params = *params;
    view->window = GTK_WINDOW(part(params, "window"));
    view->source = GTK_TEXT_VIEW(part(params, "source"));
    view->bar = GTK_REVEALER(part(params, "document-bar"));
    view->name = GTK_LABEL(part(params, "document-name"));
    view->size = GTK_LABEL(part(params, "document-size"));
    view->translation_bar = GTK_REVEALER(part(params, "translation-bar"));
    view->translation_size = GTK_LABEL(part(params, "translation-size"));
    return view;
}

// Frees the translations.
static void forget_saved(struct document_view *view) {
    for (size_t i = 0; i < view->num_saved; i++)
        g_free(view->saved[i]);
    g_clear_pointer(&view->saved, g_free);
    view->num_saved = 0;
}

// Has the worker close what is open; nothing else of the view changes.
static void release_document(struct document_view *view) {
    forget_saved(view);
    if (view->document)
        worker_push(view->params.worker, close_job_create(g_steal_pointer(&view->document)));
    g_clear_pointer(&view->path, g_free);
}

static void drop_reading(struct document_view *view) {
    if (view->reading)
        view->reading->job.done = NULL;
    view->reading = NULL;
}

void document_view_destroy(struct document_view **view) {
    if (!*view)
        return;
    drop_reading(*view);
    if ((*view)->writing)
        (*view)->writing->job.done = NULL;
    release_document(*view);
    g_free((*view)->next);
    g_clear_object(&(*view)->dialog);
    g_clear_pointer(view, g_free);
}

bool document_view_is_open(const struct document_view *view) {
    return view->path != NULL;
}

void document_view_update(struct document_view *view) {
    const GPtrArray *segments = view->params.texts->segments;
    size_t num_translated = 0;
    if (!document_view_is_open(view))
        return;
    for (guint i = 0; i < segments->len; i++)
        num_translated += texts_segment(view->params.texts, i)->sentence != NULL;
    char *text = num_translated < segments->len
                     ? g_strdup_printf("%'zu of %'u", num_translated, segments->len)
                     : g_strdup("complete");
    gtk_label_set_label(view->translation_size, text);
    g_free(text);
}

// Shows text in the source pane, typed or a document's.
static void show_text(struct document_view *view, const char *text) {
    bool is_document = document_view_is_open(view);
    gtk_text_view_set_editable(view->source, !is_document);
    gtk_revealer_set_reveal_child(view->bar, is_document);
    gtk_revealer_set_reveal_child(view->translation_bar, is_document);
    gtk_text_buffer_set_text(view->params.texts->source, text, -1);
}

// Whether there are translations that were not saved.
static bool is_unsaved(const struct document_view *view) {
    const struct texts *texts = view->params.texts;
    for (guint i = 0; document_view_is_open(view) && i < texts->segments->len; i++) {
        const struct sentence *sentence = texts_segment(texts, i)->sentence;
        if (sentence && g_strcmp0(sentence->text, i < view->num_saved ? view->saved[i] : NULL) != 0)
            return true;
    }
    return false;
}

// The view may be gone afterwards.
static void leave(struct document_view *view) {
    void (*then)(void *user) = view->then;
    view->then = NULL;
    if (then)
        then(view->then_user);
}

static void answer_leaving(GtkDialog *dialog, int response, struct document_view *view) {
    gtk_window_destroy(GTK_WINDOW(dialog));
    if (response == GTK_RESPONSE_ACCEPT)
        document_view_ask_save(view);
    else if (response == GTK_RESPONSE_REJECT)
        leave(view);
    else
        view->then = NULL;
}

static void ask_leaving(struct document_view *view) {
    char *name = g_path_get_basename(view->path);
    GtkWidget *dialog = gtk_message_dialog_new(
        view->window, GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, "Save the translation of “%s”?", name);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog),
                                             "What is not saved has to be translated again.");
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), "_Cancel", GTK_RESPONSE_CANCEL, "_Discard",
                           GTK_RESPONSE_REJECT, "_Save…", GTK_RESPONSE_ACCEPT, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
    gtk_widget_add_css_class(
        gtk_dialog_get_widget_for_response(GTK_DIALOG(dialog), GTK_RESPONSE_REJECT),
        "destructive-action");
    g_signal_connect(dialog, "response", G_CALLBACK(answer_leaving), view);
    gtk_window_present(GTK_WINDOW(dialog));
    g_free(name);
}

void document_view_leave(struct document_view *view, void (*then)(void *user), void *user) {
    bool is_asking = view->then != NULL;
    view->then = then;
    view->then_user = user;
    if (!is_unsaved(view))
        leave(view);
    else if (!is_asking)
        ask_leaving(view);
}

static void close_now(void *user) {
    struct document_view *view = user;
    drop_reading(view);
    release_document(view);
    show_text(view, "");
}

void document_view_close(struct document_view *view) {
    document_view_leave(view, close_now, view);
}

static void take_document(struct job *user) {
    struct read_job *job = (struct read_job *)user;
    struct document_view *view = job->job.owner;
    view->reading = NULL;
    if (job->outcome.status != VKS_OK) {
        notices_show_unreadable(view->params.notices, job->path, job->outcome.status,
                                job->outcome.messages);
        return;
    }
    if (notices_kind(view->params.notices) == NOTICE_DOCUMENT)
        notices_hide(view->params.notices);
    release_document(view);
    view->document = g_steal_pointer(&job->document);
    view->path = g_strdup(job->path);
    char *name = g_path_get_basename(job->path);
    char *size =
        g_strdup_printf(job->num_segments == 1 ? "%'zu text" : "%'zu texts", job->num_segments);
    gtk_label_set_label(view->name, name);
    gtk_label_set_label(view->size, size);
    show_text(view, job->text);
    g_free(size);
    g_free(name);
}

static void open_next(void *user) {
    struct document_view *view = user;
    drop_reading(view);
    view->reading = read_job_create(view->next);
    view->reading->job.owner = view;
    view->reading->job.done = take_document;
    worker_push(view->params.worker, &view->reading->job);
}

void document_view_open(struct document_view *view, const char *path) {
    g_free(view->next);
    view->next = g_strdup(path);
    document_view_leave(view, open_next, view);
}

static void end_writing(struct job *user) {
    struct write_job *job = (struct write_job *)user;
    struct document_view *view = job->job.owner;
    char *details = NULL;
    view->writing = NULL;
    if (job->outcome.status != VKS_OK) {
        view->then = NULL;
        notices_show_unwritable(view->params.notices, job->path, job->outcome.messages);
        return;
    }
    forget_saved(view);
    view->saved = g_steal_pointer(&job->translations);
    view->num_saved = job->num;
    const struct vks_document_counts *counts = &job->counts;
    if (job->unit && counts->num_lost)
        details = g_strdup_printf("%'zu %s translated, %'zu not: of these, %'zu had placeholders "
                                  "such as %%s that the translation has lost.",
                                  counts->num_translated, job->unit, counts->num_untranslated,
                                  counts->num_lost);
    else if (job->unit && counts->num_untranslated)
        details = g_strdup_printf("%'zu %s translated, %'zu not translated yet.",
                                  counts->num_translated, job->unit, counts->num_untranslated);
    else if (job->unit)
        details = g_strdup_printf("%'zu %s translated.", counts->num_translated, job->unit);
    notices_show_saved(view->params.notices, job->path, details);
    g_free(details);
    leave(view);
}

// Lines of the source pane are the document's segments.
static void save(struct document_view *view, const char *path) {
    const struct texts *texts = view->params.texts;
    if (view->document) {
        size_t num = texts->segments->len;
        char **translations = g_new0(char *, num + 1);
        for (size_t i = 0; i < num; i++)
            if (texts_segment(texts, i)->sentence)
                translations[i] = g_strdup(texts_segment(texts, i)->sentence->text);
        view->writing = write_job_create(path, view->document, translations, num);
    } else {
        char *text = texts_content(texts->target);
        view->writing = write_text_job_create(path, text);
        g_free(text);
    }
    if (view->then)
        live_cancel(view->params.live); // the worker would write when all is translated
    view->writing->job.owner = view;
    view->writing->job.done = end_writing;
    worker_push(view->params.worker, &view->writing->job);
}

static void answer(GtkNativeDialog *dialog, int response, struct document_view *view) {
    GFile *file = response == GTK_RESPONSE_ACCEPT
                      ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                      : NULL;
    char *path = file ? g_file_get_path(file) : NULL;
    bool is_save =
        gtk_file_chooser_get_action(GTK_FILE_CHOOSER(dialog)) == GTK_FILE_CHOOSER_ACTION_SAVE;
    g_clear_object(&view->dialog);
    if (path && is_save)
        save(view, path);
    else if (path)
        document_view_open(view, path);
    else
        view->then = NULL;
    g_free(path);
    g_clear_object(&file);
}

static void add_filter(GtkFileChooser *chooser, const char *name, const char *const *patterns) {
    GtkFileFilter *filter = gtk_file_filter_new();
    gtk_file_filter_set_name(filter, name);
    for (; *patterns; patterns++)
        gtk_file_filter_add_pattern(filter, *patterns);
    gtk_file_chooser_add_filter(chooser, filter);
    g_object_unref(filter);
}

static void show_dialog(struct document_view *view, const char *title, GtkFileChooserAction action,
                        const char *accept) {
    g_clear_object(&view->dialog);
    view->dialog = gtk_file_chooser_native_new(title, view->window, action, accept, "_Cancel");
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(view->dialog), TRUE);
    g_signal_connect(view->dialog, "response", G_CALLBACK(answer), view);
}

void document_view_ask_open(struct document_view *view) {
    show_dialog(view, "Open", GTK_FILE_CHOOSER_ACTION_OPEN, "_Open");
    add_filter(GTK_FILE_CHOOSER(view->dialog), "Text, PO and SRT",
               (const char *const[]){"*.txt", "*.po", "*.pot", "*.srt", NULL});
    add_filter(GTK_FILE_CHOOSER(view->dialog), "All files", (const char *const[]){"*", NULL});
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(view->dialog));
}

// report.po is offered as report-translated.po.
static char *offered_name(const struct document_view *view) {
    if (!view->path)
        return g_strdup("translation.txt");
    char *name = g_path_get_basename(view->path), *dot = strrchr(name, '.');
    int stem_bytes = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    char *offered = g_strdup_printf("%.*s-translated%s", stem_bytes, name, name + stem_bytes);
    g_free(name);
    return offered;
}

void document_view_ask_save(struct document_view *view) {
    show_dialog(view, "Save the Translation", GTK_FILE_CHOOSER_ACTION_SAVE, "_Save");
    char *name = offered_name(view);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(view->dialog), name);
    g_free(name);
    if (view->path) {
        char *folder = g_path_get_dirname(view->path);
        GFile *file = g_file_new_for_path(folder);
        gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(view->dialog), file, NULL);
        g_object_unref(file);
        g_free(folder);
    }
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(view->dialog));
}
