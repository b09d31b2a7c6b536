#include "window_parts.h"

static void set_enabled(struct window *window, const char *name, bool is_enabled) {
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window->window), name);
    g_simple_action_set_enabled(G_SIMPLE_ACTION(action), is_enabled);
}

void window_update_actions(struct window *window) {
    struct live_progress progress;
    bool has_source = gtk_text_buffer_get_char_count(window->texts.source) > 0;
    bool has_target = gtk_text_buffer_get_char_count(window->texts.target) > 0;
    bool is_document = document_view_is_open(window->document);
    set_enabled(window, "cancel", live_progress(window->live, &progress));
    set_enabled(window, "clear", has_source || is_document);
    set_enabled(window, "copy", has_target);
    set_enabled(window, "save", has_target || is_document);
    set_enabled(window, "swap", has_target && !is_document);
    set_enabled(window, "alternatives", has_target);
}

static void open_document(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    document_view_ask_open(window->document);
}

static void save_document(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    document_view_ask_save(window->document);
}

static void cancel(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    live_cancel(window->live);
    status_line_set_text(window->status, "Stopped");
}

static void clear(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    document_view_close(window->document);
    gtk_widget_grab_focus(GTK_WIDGET(window->source));
}

static void copy(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    char *text = texts_content(window->texts.target);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(window->window)), text);
    status_line_set_text(window->status, "Copied");
    g_free(text);
}

static void swap(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    char *text = texts_content(window->texts.target);
    gtk_text_buffer_set_text(window->texts.source, text, -1);
    setup_turn_around(window->setup);
    g_free(text);
}

static void show_alternatives(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    lookup_show_at_cursor(window->lookup);
}

static void add_model(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    setup_ask_model(window->setup);
}

static void try_again(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    setup_start(window->setup);
}

// Made anew each time: for a window that was never shown, GTK 4.8 has no path on the accessibility
// bus, and ends when a screen reader asks for the last window after that has been closed.
static void show_shortcuts(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    GtkBuilder *builder = gtk_builder_new_from_resource("/vkseq/translator/shortcuts.ui");
    GtkWindow *shortcuts = GTK_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
    gtk_window_set_transient_for(shortcuts, GTK_WINDOW(window->window));
    gtk_window_present(shortcuts);
    g_object_unref(builder);
}

static void choose(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)parameter;
    struct window *window = user;
    GtkBuilder *builder = g_object_get_data(G_OBJECT(window->window), "builder");
    bool is_model = g_str_equal(g_action_get_name(G_ACTION(action)), "choose-model");
    GtkWidget *chooser = GTK_WIDGET(gtk_builder_get_object(builder, is_model ? "model" : "device"));
    gtk_widget_grab_focus(chooser);
    gtk_widget_activate(chooser);
}

static void set_theme(GSimpleAction *action, GVariant *state, void *user) {
    struct window *window = user;
    window->settings->theme = theme_of_name(g_variant_get_string(state, NULL));
    theme_switch_set(window->theme, window->settings->theme);
    settings_save(window->settings);
    g_simple_action_set_state(action, state);
}

static void toggle_dark(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct window *window = user;
    enum theme theme = theme_switch_is_dark(window->theme) ? THEME_LIGHT : THEME_DARK;
    g_action_group_change_action_state(G_ACTION_GROUP(window->window), "theme",
                                       g_variant_new_string(theme_name(theme)));
}

void window_add_actions(struct window *window, GtkApplication *application) {
    static const GActionEntry entries[] = {
        {.name = "open", .activate = open_document},
        {.name = "save", .activate = save_document},
        {.name = "cancel", .activate = cancel},
        {.name = "clear", .activate = clear},
        {.name = "copy", .activate = copy},
        {.name = "swap", .activate = swap},
        {.name = "alternatives", .activate = show_alternatives},
        {.name = "add-model", .activate = add_model},
        {.name = "try-again", .activate = try_again},
        {.name = "shortcuts", .activate = show_shortcuts},
        {.name = "choose-model", .activate = choose},
        {.name = "choose-device", .activate = choose},
        {.name = "theme", .parameter_type = "s", .state = "'system'", .change_state = set_theme},
        {.name = "toggle-dark", .activate = toggle_dark},
    };
    static const struct {
        const char *action, *keys;
    } accelerators[] = {
        {"win.open", "<Control>o"},
        {"win.save", "<Control>s"},
        {"win.cancel", "Escape"},
        {"win.clear", "<Control>n"},
        {"win.copy", "<Control><Shift>c"},
        {"win.swap", "<Control><Shift>x"},
        {"win.alternatives", "<Alt>Down"},
        {"win.add-model", "<Control><Shift>o"},
        {"win.try-again", "F5"},
        {"win.choose-model", "<Control>m"},
        {"win.choose-device", "<Control>d"},
        {"win.toggle-dark", "<Control><Shift>l"},
        {"win.shortcuts", "<Control>question"},
        {"window.close", "<Control>w"},
        {"app.quit", "<Control>q"},
    };
    g_action_map_add_action_entries(G_ACTION_MAP(window->window), entries, G_N_ELEMENTS(entries),
                                    window);
    GAction *theme = g_action_map_lookup_action(G_ACTION_MAP(window->window), "theme");
    g_simple_action_set_state(G_SIMPLE_ACTION(theme),
                              g_variant_new_string(theme_name(window->settings->theme)));
    for (size_t i = 0; i < G_N_ELEMENTS(accelerators); i++)
        gtk_application_set_accels_for_action(application, accelerators[i].action,
                                              (const char *const[]){accelerators[i].keys, NULL});
}
