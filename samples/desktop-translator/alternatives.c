#include "alternatives.h"

#include <math.h>
#include <string.h>

enum { MAX_SHOWN = 7, MAX_REST_CHARACTERS = 34 };

struct alternatives {
    struct lookup_params params;
    GtkWidget *popover, *stack, *list, *none;
    struct alternatives_job *job; // borrowed from the worker; NULL: none runs
    const struct segment *segment;
    char *source, *word; // of the segment, to tell whether it is the same still; the word in place
    GPtrArray *prefixes; // char *, what a translation begins with that takes a row's word
};

static void drop_job(struct alternatives *alternatives) {
    if (!alternatives->job)
        return;
    job_cancel(&alternatives->job->job);
    alternatives->job->job.done = NULL;
    alternatives->job = NULL;
}

static void choose(GtkListBox *list, GtkListBoxRow *row, struct alternatives *alternatives) {
    (void)list;
    const struct segment *segment = alternatives->segment;
    guint idx = (guint)gtk_list_box_row_get_index(row);
    char *prefix = g_strdup(alternatives->prefixes->pdata[idx]);
    char *source = g_strdup(alternatives->source);
    alternatives_hide(alternatives);
    if (g_ptr_array_find(alternatives->params.texts->segments, segment, NULL) &&
        strcmp(segment->source, source) == 0)
        alternatives->params.chosen(alternatives->params.user, segment, prefix);
    g_free(prefix);
    g_free(source);
}

static GtkWidget *label(const char *text, const char *class) {
    GtkWidget *widget = gtk_label_new(text);
    gtk_widget_add_css_class(widget, class);
    return widget;
}

static void add_row(struct alternatives *alternatives, const char *word, const char *rest,
                    float probability) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    GtkWidget *rest_label = label(rest, "alternative-rest");
    char *percent = g_strdup_printf(probability < 0.01f ? "<1 %%" : "%.0f %%",
                                    round((double)probability * 100));
    GtkWidget *percent_label = label(percent, "alternative-rest");
    gtk_label_set_ellipsize(GTK_LABEL(rest_label), PANGO_ELLIPSIZE_END);
    gtk_label_set_max_width_chars(GTK_LABEL(rest_label), MAX_REST_CHARACTERS);
    gtk_label_set_xalign(GTK_LABEL(rest_label), 0);
    gtk_widget_set_hexpand(rest_label, TRUE);
    gtk_box_append(GTK_BOX(box), label(word, "alternative-word"));
    gtk_box_append(GTK_BOX(box), rest_label);
    gtk_box_append(GTK_BOX(box), percent_label);
    gtk_list_box_append(GTK_LIST_BOX(alternatives->list), box);
    char *name = g_strdup_printf("%s, %s", word, percent);
    gtk_accessible_update_property(GTK_ACCESSIBLE(gtk_widget_get_parent(box)),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_free(name);
    g_free(percent);
}

static bool is_listed(const struct alternatives *alternatives, const char *prefix) {
    return g_ptr_array_find_with_equal_func(alternatives->prefixes, prefix, g_str_equal, NULL);
}

// A row for a way to go on, unless it has the word that is there, or one that is listed, or goes on
// within the word before.
static void add(struct alternatives *alternatives, const struct alternative *alternative) {
    const char *text = alternative->sentence->text;
    struct span word = span_next_word(text, alternative->start);
    if (span_of_word(text, word.start).start != word.start)
        return;
    char *content = span_text(text, word);
    char *prefix = span_text(text, (struct span){0, word.end});
    if (alternatives->prefixes->len < MAX_SHOWN && *content &&
        strcmp(content, alternatives->word) != 0 && !is_listed(alternatives, prefix)) {
        add_row(alternatives, content, g_utf8_offset_to_pointer(text, word.end),
                alternative->probability);
        g_ptr_array_add(alternatives->prefixes, g_steal_pointer(&prefix));
    }
    g_free(content);
    g_free(prefix);
}

static void clear_rows(struct alternatives *alternatives) {
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(alternatives->list)))
        gtk_list_box_remove(GTK_LIST_BOX(alternatives->list), row);
    g_ptr_array_set_size(alternatives->prefixes, 0);
}

static void fill(struct job *user) {
    struct alternatives_job *job = (struct alternatives_job *)user;
    struct alternatives *alternatives = job->job.owner;
    alternatives->job = NULL;
    if (job->outcome.status != VKS_OK) {
        alternatives_hide(alternatives);
        if (job->outcome.status != VKS_ERR_CANCELLED)
            alternatives->params.failed(alternatives->params.user, &job->outcome);
        return;
    }
    for (size_t i = 0; i < job->num; i++)
        add(alternatives, &job->alternatives[i]);
    bool has_rows = alternatives->prefixes->len > 0;
    gtk_stack_set_visible_child(GTK_STACK(alternatives->stack),
                                has_rows ? alternatives->list : alternatives->none);
    if (has_rows)
        gtk_widget_grab_focus(gtk_widget_get_first_child(alternatives->list));
}

// The popover's parent is not the view, which would not give it another size with its content.
static void point_to(struct alternatives *alternatives, const GdkRectangle *place) {
    double x, y;
    gtk_widget_translate_coordinates(GTK_WIDGET(alternatives->params.target),
                                     alternatives->params.card, place->x, place->y, &x, &y);
    gtk_popover_set_pointing_to(GTK_POPOVER(alternatives->popover),
                                &(GdkRectangle){(int)x, (int)y, place->width, place->height});
}

void alternatives_show(struct alternatives *alternatives, const struct segment *segment,
                       struct span word, const GdkRectangle *place) {
    drop_job(alternatives);
    clear_rows(alternatives);
    g_free(alternatives->source);
    g_free(alternatives->word);
    alternatives->segment = segment;
    alternatives->source = g_strdup(segment->source);
    alternatives->word = span_text(segment->sentence->text, word);
    char *prefix = span_text(segment->sentence->text, (struct span){0, word.start});
    alternatives->job = alternatives_job_create(segment->source, g_strchomp(prefix));
    alternatives->job->job.owner = alternatives;
    alternatives->job->job.done = fill;
    g_free(prefix);
    gtk_stack_set_visible_child_name(GTK_STACK(alternatives->stack), "wait");
    point_to(alternatives, place);
    gtk_popover_popup(GTK_POPOVER(alternatives->popover));
    worker_push(alternatives->params.worker, &alternatives->job->job);
}

bool alternatives_are_open(const struct alternatives *alternatives) {
    return gtk_widget_get_visible(alternatives->popover);
}

void alternatives_hide(struct alternatives *alternatives) {
    drop_job(alternatives);
    gtk_popover_popdown(GTK_POPOVER(alternatives->popover));
}

static void give_focus_back(GtkPopover *popover, struct alternatives *alternatives) {
    (void)popover;
    gtk_widget_grab_focus(GTK_WIDGET(alternatives->params.target));
}

struct alternatives *alternatives_create(const struct lookup_params *params) {
    struct alternatives *alternatives = g_new0(struct alternatives, 1);
    alternatives->params = *params;
    alternatives->prefixes = g_ptr_array_new_with_free_func(g_free);
    alternatives->list = gtk_list_box_new();
    alternatives->none = label("There is no likely other word", "dim-label");
    GtkWidget *spinner = gtk_spinner_new();
    gtk_spinner_start(GTK_SPINNER(spinner));
    alternatives->stack = gtk_stack_new();
    gtk_stack_set_vhomogeneous(GTK_STACK(alternatives->stack), FALSE);
    gtk_stack_set_hhomogeneous(GTK_STACK(alternatives->stack), FALSE);
    gtk_stack_add_named(GTK_STACK(alternatives->stack), spinner, "wait");
    gtk_stack_add_child(GTK_STACK(alternatives->stack), alternatives->list);
    gtk_stack_add_child(GTK_STACK(alternatives->stack), alternatives->none);
    alternatives->popover = gtk_popover_new();
    gtk_widget_add_css_class(alternatives->popover, "alternatives");
    gtk_popover_set_child(GTK_POPOVER(alternatives->popover), alternatives->stack);
    gtk_popover_set_position(GTK_POPOVER(alternatives->popover), GTK_POS_BOTTOM);
    gtk_widget_set_parent(alternatives->popover, params->card);
    gtk_accessible_update_property(GTK_ACCESSIBLE(alternatives->list),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Other words", -1);
    g_signal_connect(alternatives->popover, "closed", G_CALLBACK(give_focus_back), alternatives);
    g_signal_connect(alternatives->list, "row-activated", G_CALLBACK(choose), alternatives);
    return alternatives;
}

void alternatives_destroy(struct alternatives **alternatives) {
    if (!*alternatives)
        return;
    drop_job(*alternatives);
    g_signal_handlers_disconnect_by_data((*alternatives)->popover, *alternatives);
    gtk_widget_unparent((*alternatives)->popover);
    g_ptr_array_unref((*alternatives)->prefixes);
    g_free((*alternatives)->source);
    g_free((*alternatives)->word);
    g_clear_pointer(alternatives, g_free);
}
