#include "window_parts.h"

enum { MIN_WIDTH = 560, MIN_HEIGHT = 380 };

static GObject *part(GtkBuilder *builder, const char *name) {
    return gtk_builder_get_object(builder, name);
}

// The labels that follow what is in the panes.
static void update_labels(struct window *window) {
    int num_characters = gtk_text_buffer_get_char_count(window->texts.source);
    char *count = num_characters ? g_strdup_printf("%'d characters", num_characters) : NULL;
    gtk_label_set_label(window->source_count, count ? count : "");
    gtk_widget_set_visible(GTK_WIDGET(window->source_hint), num_characters == 0);
    bool has_target = gtk_text_buffer_get_char_count(window->texts.target) > 0;
    gtk_label_set_label(window->target_hint,
                        has_target ? "Click a word for others in its place" : "");
    g_free(count);
}

static void update(void *user) {
    struct window *window = user;
    status_line_update(window->status);
    document_view_update(window->document);
    update_labels(window);
    window_update_actions(window);
}

static void update_setup(void *user) {
    struct window *window = user;
    char *text;
    if (setup_is_opening(window->setup)) {
        const char *name = setup_model_name(window->setup);
        text = *name ? g_strdup_printf("Opening %s on %s…", name, setup_device_name(window->setup))
                     : g_strdup("Looking for devices…");
        status_line_set_busy(window->status, text);
    } else {
        text = setup_is_ready(window->setup)
                   ? g_strdup_printf("%s · ready", setup_device_name(window->setup))
                   : g_strdup("");
        status_line_set_text(window->status, text);
    }
    g_free(text);
    window_update_actions(window);
}

static void take_result(void *user, const struct translate_job *job) {
    struct window *window = user;
    if (job->outcome.status == VKS_OK) {
        status_line_set_result(window->status, setup_device_name(window->setup), job);
        if (notices_kind(window->notices) == NOTICE_TRANSLATION)
            notices_hide(window->notices);
    } else if (job->outcome.status != VKS_ERR_CANCELLED) {
        notices_show_translate_failed(window->notices, setup_device_name(window->setup),
                                      &job->outcome);
    }
}

static void touch(GtkTextBuffer *buffer, struct window *window) {
    (void)buffer;
    lookup_reset(window->lookup);
    live_touch(window->live);
    update_labels(window);
}

static void translate_from(void *user, const struct segment *segment, const char *prefix) {
    struct window *window = user;
    live_translate_from(window->live, segment, prefix);
}

static void tell_failure(void *user, const struct outcome *outcome) {
    struct window *window = user;
    notices_show_translate_failed(window->notices, setup_device_name(window->setup), outcome);
}

static void change_colors(void *user) {
    struct window *window = user;
    if (window->lookup)
        lookup_reset(window->lookup);
}

static gboolean drop(GtkDropTarget *target, const GValue *value, double x, double y,
                     struct window *window) {
    (void)target, (void)x, (void)y;
    const GSList *files = g_value_get_boxed(value);
    for (; files; files = files->next) {
        char *path = g_file_get_path(files->data);
        if (path)
            window_open(window, path);
        g_free(path);
    }
    return TRUE;
}

static void show_drop_hint(GtkDropTarget *target, GParamSpec *property, GtkWidget *hint) {
    (void)property;
    gtk_widget_set_visible(hint, gtk_drop_target_get_current_drop(target) != NULL);
}

// Before the text panes' own, which take a file's name for text.
static void accept_drops(struct window *window, GtkBuilder *builder) {
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(target), GTK_PHASE_CAPTURE);
    g_signal_connect(target, "drop", G_CALLBACK(drop), window);
    g_signal_connect(target, "notify::current-drop", G_CALLBACK(show_drop_hint),
                     part(builder, "drop-hint"));
    gtk_widget_add_controller(GTK_WIDGET(window->window), GTK_EVENT_CONTROLLER(target));
}

static void destroy(void *user) {
    struct window *window = user;
    gtk_window_destroy(GTK_WINDOW(window->window));
}

static gboolean close_request(GtkWindow *gtk_window, struct window *window) {
    window->settings->is_maximized = gtk_window_is_maximized(gtk_window);
    if (!window->settings->is_maximized)
        gtk_window_get_default_size(gtk_window, &window->settings->width,
                                    &window->settings->height);
    settings_save(window->settings);
    document_view_leave(window->document, destroy, window);
    return TRUE;
}

static void find_widgets(struct window *window, GtkBuilder *builder) {
    window->window = GTK_APPLICATION_WINDOW(part(builder, "window"));
    window->source = GTK_TEXT_VIEW(part(builder, "source"));
    window->target = GTK_TEXT_VIEW(part(builder, "target"));
    window->source_hint = GTK_LABEL(part(builder, "source-hint"));
    window->source_count = GTK_LABEL(part(builder, "source-count"));
    window->target_hint = GTK_LABEL(part(builder, "target-hint"));
    const struct settings *settings = window->settings;
    GtkWindow *gtk_window = GTK_WINDOW(window->window);
    gtk_widget_set_size_request(GTK_WIDGET(gtk_window), MIN_WIDTH, MIN_HEIGHT);
    if (settings->width > 0 && settings->height > 0)
        gtk_window_set_default_size(gtk_window, settings->width, settings->height);
    if (settings->is_maximized)
        gtk_window_maximize(gtk_window);
    g_signal_connect(gtk_window, "close-request", G_CALLBACK(close_request), window);
}

static void create_parts(struct window *window, GtkBuilder *builder) {
    window->worker = worker_create();
    texts_init(&window->texts, gtk_text_view_get_buffer(window->source),
               gtk_text_view_get_buffer(window->target));
    window->live = live_create(&(struct live_params){.texts = &window->texts,
                                                     .worker = window->worker,
                                                     .changed = update,
                                                     .ended = take_result,
                                                     .user = window});
    window->lookup =
        lookup_create(&(struct lookup_params){.target = window->target,
                                              .card = GTK_WIDGET(part(builder, "target-card")),
                                              .texts = &window->texts,
                                              .worker = window->worker,
                                              .chosen = translate_from,
                                              .failed = tell_failure,
                                              .user = window});
    window->notices = notices_create(builder);
    window->status = status_line_create(builder, window->live);
    window->setup = setup_create(&(struct setup_params){.builder = builder,
                                                        .settings = window->settings,
                                                        .worker = window->worker,
                                                        .live = window->live,
                                                        .notices = window->notices,
                                                        .changed = update_setup,
                                                        .user = window});
    window->document =
        document_view_create(&(struct document_view_params){.builder = builder,
                                                            .texts = &window->texts,
                                                            .live = window->live,
                                                            .worker = window->worker,
                                                            .notices = window->notices});
    window->theme = theme_switch_create(window->settings->theme, change_colors, window);
}

struct window *window_create(GtkApplication *application, struct settings *settings) {
    struct window *window = g_new0(struct window, 1);
    GtkBuilder *builder = gtk_builder_new_from_resource("/vkseq/translator/window.ui");
    window->settings = settings;
    find_widgets(window, builder);
    create_parts(window, builder);
    window_add_actions(window, application);
    accept_drops(window, builder);
    g_signal_connect(window->texts.source, "changed", G_CALLBACK(touch), window);
    gtk_window_set_application(GTK_WINDOW(window->window), application);
    g_object_set_data_full(G_OBJECT(window->window), "builder", builder, g_object_unref);
    gtk_widget_grab_focus(GTK_WIDGET(window->source));
    update(window);
    setup_start(window->setup);
    return window;
}

void window_destroy(struct window **window) {
    if (!*window)
        return;
    g_signal_handlers_disconnect_by_data((*window)->texts.source, *window);
    g_signal_handlers_disconnect_by_data((*window)->window, *window);
    theme_switch_destroy(&(*window)->theme);
    document_view_destroy(&(*window)->document);
    setup_destroy(&(*window)->setup);
    status_line_destroy(&(*window)->status);
    lookup_destroy(&(*window)->lookup);
    live_destroy(&(*window)->live);
    worker_destroy(&(*window)->worker);
    notices_destroy(&(*window)->notices);
    texts_finish(&(*window)->texts);
    g_clear_pointer(window, g_free);
}

void window_present(struct window *window) {
    gtk_window_present(GTK_WINDOW(window->window));
}

void window_open(struct window *window, const char *path) {
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        setup_add_model(window->setup, path);
    else
        document_view_open(window->document, path);
}
