// A translator for the desktop: vkseq-translator [MODEL_DIR | FILE]
#include "cli/environment.h"
#include "window.h"

#include <vkseq/base.h>

// No display is a message and an exit code, as GTK gives them.
struct program {
    GtkApplication *application;
    struct settings settings;
    struct window *window;
};

static void add_style(void) {
    GdkDisplay *display = gdk_display_get_default();
    GtkCssProvider *provider = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(provider, "/vkseq/translator/style.css");
    gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(provider);
    gtk_icon_theme_add_resource_path(gtk_icon_theme_get_for_display(display),
                                     "/vkseq/translator/icons");
    gtk_window_set_default_icon_name("vkseq-translator");
}

static void show_about(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct program *program = user;
    gtk_show_about_dialog(gtk_application_get_active_window(program->application), "program-name",
                          "Translator", "logo-icon-name", "vkseq-translator", "version",
                          VKS_VERSION_STRING, "comments",
                          "Translates on this computer, with vkseq. No text leaves it.", NULL);
}

static void quit(GSimpleAction *action, GVariant *parameter, void *user) {
    (void)action, (void)parameter;
    struct program *program = user;
    GtkWindow *window = gtk_application_get_active_window(program->application);
    if (window)
        gtk_window_close(window);
}

static void start_up(GApplication *application, struct program *program) {
    static const GActionEntry entries[] = {
        {.name = "about", .activate = show_about},
        {.name = "quit", .activate = quit},
    };
    add_style();
    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                    program);
    settings_load(&program->settings);
}

static void forget_window(GtkApplication *application, GtkWindow *gtk_window,
                          struct program *program) {
    (void)application;
    if (GTK_IS_APPLICATION_WINDOW(gtk_window)) {
        gtk_widget_hide(GTK_WIDGET(gtk_window));
        window_destroy(&program->window);
    }
}

static void activate(GApplication *application, struct program *program) {
    if (!program->window)
        program->window = window_create(GTK_APPLICATION(application), &program->settings);
    window_present(program->window);
}

static void open_files(GApplication *application, GFile **files, int num_files, const char *hint,
                       struct program *program) {
    (void)hint;
    activate(application, program);
    for (int i = 0; i < num_files; i++) {
        char *path = g_file_get_path(files[i]);
        if (path)
            window_open(program->window, path);
        g_free(path);
    }
}

int main(int argc, char **argv) {
    struct program program = {0};
    environment_prepare(argv); // before any thread, and before GTK opens a Vulkan driver of its own
    g_set_application_name("Translator");
    program.application = gtk_application_new("org.vkseq.Translator", G_APPLICATION_HANDLES_OPEN);
    g_application_set_option_context_parameter_string(G_APPLICATION(program.application),
                                                      "[MODEL_DIR | FILE]");
    g_signal_connect(program.application, "startup", G_CALLBACK(start_up), &program);
    g_signal_connect(program.application, "activate", G_CALLBACK(activate), &program);
    g_signal_connect(program.application, "open", G_CALLBACK(open_files), &program);
    g_signal_connect(program.application, "window-removed", G_CALLBACK(forget_window), &program);
    int exit_code = g_application_run(G_APPLICATION(program.application), argc, argv);
    window_destroy(&program.window);
    g_object_unref(program.application);
    settings_finish(&program.settings);
    return exit_code;
}
