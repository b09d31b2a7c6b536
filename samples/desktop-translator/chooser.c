#include "chooser.h"

#include <string.h>

struct chooser {
    GtkDropDown *drop_down;
    GtkStringList *entries; // name, line break, details
    char *kind;
    void (*chosen)(void *user, guint idx);
    void *user;
    bool is_filling;
};

static GtkWidget *add_label(GtkWidget *box, const char *class) {
    GtkWidget *label = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(label, class);
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

// In the button: the kind, then the name.
static void set_up_button(GtkListItemFactory *factory, GtkListItem *item, struct chooser *chooser) {
    (void)factory;
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
    GtkWidget *kind = add_label(box, "choice-kind");
    gtk_label_set_label(GTK_LABEL(kind), chooser->kind);
    gtk_label_set_ellipsize(GTK_LABEL(kind), PANGO_ELLIPSIZE_NONE);
    GtkWidget *name = add_label(box, "choice-name");
    gtk_label_set_max_width_chars(GTK_LABEL(name), 1); // the panes' widths count, not the names'
    gtk_widget_set_hexpand(name, TRUE);
    gtk_list_item_set_child(item, box);
}

// In the list: the name over the details, and a mark at what is chosen.
static void set_up_row(GtkListItemFactory *factory, GtkListItem *item, struct chooser *chooser) {
    (void)factory, (void)chooser;
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    add_label(box, "choice-name");
    gtk_label_set_max_width_chars(GTK_LABEL(add_label(box, "choice-place")), 56);
    gtk_list_item_set_child(item, box);
}

static void bind(GtkListItemFactory *factory, GtkListItem *item, struct chooser *chooser) {
    (void)factory, (void)chooser;
    const char *entry = gtk_string_object_get_string(gtk_list_item_get_item(item));
    char **parts = g_strsplit(entry, "\n", 2);
    GtkWidget *box = gtk_list_item_get_child(item);
    bool is_row = gtk_orientable_get_orientation(GTK_ORIENTABLE(box)) == GTK_ORIENTATION_VERTICAL;
    GtkWidget *name = is_row ? gtk_widget_get_first_child(box) : gtk_widget_get_last_child(box);
    gtk_label_set_label(GTK_LABEL(name), parts[0]);
    if (is_row)
        gtk_label_set_label(GTK_LABEL(gtk_widget_get_last_child(box)), parts[1]);
    else
        gtk_widget_set_tooltip_text(box, parts[0]);
    g_strfreev(parts);
}

static GtkListItemFactory *factory_create(struct chooser *chooser, GCallback set_up) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect(factory, "setup", set_up, chooser);
    g_signal_connect(factory, "bind", G_CALLBACK(bind), chooser);
    return factory;
}

// What is chosen is part of the name: the list's button has none of its own.
static void set_accessible_name(const struct chooser *chooser) {
    guint idx = gtk_drop_down_get_selected(chooser->drop_down);
    const char *entry = idx == GTK_INVALID_LIST_POSITION
                            ? "none"
                            : gtk_string_list_get_string(chooser->entries, idx);
    char *name = g_strdup_printf("%s: %.*s", chooser->kind, (int)strcspn(entry, "\n"), entry);
    GtkWidget *button = gtk_widget_get_first_child(GTK_WIDGET(chooser->drop_down));
    gtk_accessible_update_property(GTK_ACCESSIBLE(chooser->drop_down),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_free(name);
}

static void tell(GtkDropDown *drop_down, GParamSpec *property, struct chooser *chooser) {
    (void)property;
    guint idx = gtk_drop_down_get_selected(drop_down);
    set_accessible_name(chooser);
    if (!chooser->is_filling && idx != GTK_INVALID_LIST_POSITION)
        chooser->chosen(chooser->user, idx);
}

struct chooser *chooser_create(GtkDropDown *drop_down, const char *kind,
                               void (*chosen)(void *user, guint idx), void *user) {
    struct chooser *chooser = g_new0(struct chooser, 1);
    chooser->drop_down = g_object_ref(drop_down);
    chooser->entries = gtk_string_list_new(NULL);
    chooser->kind = g_strdup(kind);
    chooser->chosen = chosen;
    chooser->user = user;
    GtkListItemFactory *button = factory_create(chooser, G_CALLBACK(set_up_button));
    GtkListItemFactory *row = factory_create(chooser, G_CALLBACK(set_up_row));
    gtk_drop_down_set_factory(drop_down, button);
    gtk_drop_down_set_list_factory(drop_down, row);
    gtk_drop_down_set_model(drop_down, G_LIST_MODEL(chooser->entries));
    g_object_unref(button);
    g_object_unref(row);
    g_signal_connect(drop_down, "notify::selected", G_CALLBACK(tell), chooser);
    set_accessible_name(chooser);
    return chooser;
}

void chooser_destroy(struct chooser **chooser) {
    if (!*chooser)
        return;
    g_signal_handlers_disconnect_by_data((*chooser)->drop_down, *chooser);
    g_object_unref((*chooser)->drop_down);
    g_object_unref((*chooser)->entries);
    g_free((*chooser)->kind);
    g_clear_pointer(chooser, g_free);
}

void chooser_fill(struct chooser *chooser, const char *const *names, const char *const *details,
                  guint num) {
    chooser->is_filling = true;
    gtk_string_list_splice(chooser->entries, 0,
                           g_list_model_get_n_items(G_LIST_MODEL(chooser->entries)), NULL);
    for (guint i = 0; i < num; i++)
        gtk_string_list_take(chooser->entries, g_strdup_printf("%s\n%s", names[i], details[i]));
    gtk_drop_down_set_selected(chooser->drop_down, GTK_INVALID_LIST_POSITION);
    gtk_widget_set_sensitive(GTK_WIDGET(chooser->drop_down), num > 0);
    chooser->is_filling = false;
}

void chooser_select(struct chooser *chooser, guint idx) {
    chooser->is_filling = true;
    gtk_drop_down_set_selected(chooser->drop_down, idx);
    chooser->is_filling = false;
}

guint chooser_selected(const struct chooser *chooser) {
    return gtk_drop_down_get_selected(chooser->drop_down);
}
