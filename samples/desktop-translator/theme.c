#include "theme.h"

#include <gtk/gtk.h>

// What desktops agree on (org.freedesktop.appearance, color-scheme): 0 no preference, 1 dark, 2
// light. Without it GTK's own setting holds, as it was when the program started.
static const char portal[] = "org.freedesktop.portal.Desktop",
                  portal_path[] = "/org/freedesktop/portal/desktop",
                  portal_settings[] = "org.freedesktop.portal.Settings",
                  appearance[] = "org.freedesktop.appearance", color_scheme[] = "color-scheme";
enum { PORTAL_TIMEOUT_MS = 3000, SCHEME_NONE = 0, SCHEME_DARK = 1 };

struct theme_switch {
    enum theme theme;
    bool starts_dark;
    guint32 scheme;
    void (*changed)(void *user);
    void *user;
    GDBusProxy *portal; // NULL: not there, or not yet
    GCancellable *cancellable;
};

bool theme_switch_is_dark(const struct theme_switch *theme_switch) {
    if (theme_switch->theme != THEME_SYSTEM)
        return theme_switch->theme == THEME_DARK;
    return theme_switch->scheme == SCHEME_NONE ? theme_switch->starts_dark
                                               : theme_switch->scheme == SCHEME_DARK;
}

static void apply(struct theme_switch *theme_switch) {
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme",
                 theme_switch_is_dark(theme_switch), NULL);
    if (theme_switch->changed)
        theme_switch->changed(theme_switch->user);
}

// Takes the value, which portals wrap once or twice.
static void set_scheme(struct theme_switch *theme_switch, GVariant *value) {
    while (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        GVariant *inner = g_variant_get_variant(value);
        g_variant_unref(value);
        value = inner;
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        theme_switch->scheme = g_variant_get_uint32(value);
        apply(theme_switch);
    }
    g_variant_unref(value);
}

static void take_change(GDBusProxy *proxy, const char *sender, const char *signal,
                        GVariant *parameters, void *user) {
    (void)proxy, (void)sender;
    const char *namespace, *key;
    GVariant *value;
    if (!g_str_equal(signal, "SettingChanged") ||
        !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ssv)")))
        return;
    g_variant_get(parameters, "(&s&sv)", &namespace, &key, &value);
    if (g_str_equal(namespace, appearance) && g_str_equal(key, color_scheme))
        set_scheme(user, value);
    else
        g_variant_unref(value);
}

static void take_answer(GObject *proxy, GAsyncResult *result, void *user) {
    GVariant *answer = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, NULL);
    if (!answer)
        return; // no portal, or the window is gone
    if (g_variant_is_of_type(answer, G_VARIANT_TYPE("(v)")))
        set_scheme(user, g_variant_get_child_value(answer, 0));
    g_variant_unref(answer);
}

static void ask_portal(GObject *source, GAsyncResult *result, void *user) {
    (void)source;
    GDBusProxy *proxy = g_dbus_proxy_new_for_bus_finish(result, NULL);
    struct theme_switch *theme_switch = user;
    if (!proxy)
        return; // no session bus, or the window is gone
    theme_switch->portal = proxy;
    g_signal_connect(proxy, "g-signal", G_CALLBACK(take_change), theme_switch);
    g_dbus_proxy_call(proxy, "Read", g_variant_new("(ss)", appearance, color_scheme),
                      G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_MS, theme_switch->cancellable,
                      take_answer, theme_switch);
}

struct theme_switch *theme_switch_create(enum theme theme, void (*changed)(void *user),
                                         void *user) {
    struct theme_switch *theme_switch = g_new0(struct theme_switch, 1);
    gboolean prefers_dark;
    char *name;
    g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &prefers_dark,
                 "gtk-theme-name", &name, NULL);
    theme_switch->starts_dark = prefers_dark || (name && g_str_has_suffix(name, "-dark"));
    g_free(name);
    theme_switch->theme = theme;
    theme_switch->changed = changed;
    theme_switch->user = user;
    theme_switch->cancellable = g_cancellable_new();
    g_dbus_proxy_new_for_bus(G_BUS_TYPE_SESSION, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, NULL,
                             portal, portal_path, portal_settings, theme_switch->cancellable,
                             ask_portal, theme_switch);
    apply(theme_switch);
    return theme_switch;
}

void theme_switch_destroy(struct theme_switch **theme_switch) {
    if (!*theme_switch)
        return;
    g_cancellable_cancel((*theme_switch)->cancellable);
    g_object_unref((*theme_switch)->cancellable);
    if ((*theme_switch)->portal)
        g_signal_handlers_disconnect_by_data((*theme_switch)->portal, *theme_switch);
    g_clear_object(&(*theme_switch)->portal);
    g_clear_pointer(theme_switch, g_free);
}

void theme_switch_set(struct theme_switch *theme_switch, enum theme theme) {
    theme_switch->theme = theme;
    apply(theme_switch);
}
