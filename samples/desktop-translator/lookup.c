#include "lookup.h"

#include "alternatives.h"

#include <string.h>

struct lookup {
    struct lookup_params params;
    GtkTextTag *word, *strong, *weak; // in the target pane; in the source pane
    struct alternatives *alternatives;
    const struct segment *segment; // whose word is highlighted; NULL: none
    struct span highlighted;
};

static void remove_tags(struct lookup *lookup) {
    GtkTextIter start, end;
    lookup->segment = NULL;
    gtk_text_buffer_get_bounds(lookup->params.texts->target, &start, &end);
    gtk_text_buffer_remove_tag(lookup->params.texts->target, lookup->word, &start, &end);
    gtk_text_buffer_get_bounds(lookup->params.texts->source, &start, &end);
    gtk_text_buffer_remove_tag(lookup->params.texts->source, lookup->strong, &start, &end);
    gtk_text_buffer_remove_tag(lookup->params.texts->source, lookup->weak, &start, &end);
}

static void apply(GtkTextBuffer *buffer, GtkTextTag *tag, int offset, struct span span) {
    GtkTextIter start, end;
    gtk_text_buffer_get_iter_at_offset(buffer, &start, offset + span.start);
    gtk_text_buffer_get_iter_at_offset(buffer, &end, offset + span.end);
    gtk_text_buffer_apply_tag(buffer, tag, &start, &end);
}

static void set_color(GtkTextTag *tag, const GdkRGBA *color, float alpha) {
    GdkRGBA faint = *color;
    faint.alpha = alpha;
    g_object_set(tag, "background-rgba", &faint, NULL);
}

static float mix(float a, float b) {
    const float part = 0.3f;
    return a + part * (b - a);
}

static void set_colors(struct lookup *lookup) {
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(lookup->params.target));
    GdkRGBA color, text;
    gtk_style_context_get_color(style, &text);
    if (!gtk_style_context_lookup_color(style, "theme_selected_bg_color", &color))
        color = text;
    color = (GdkRGBA){mix(color.red, text.red), mix(color.green, text.green),
                      mix(color.blue, text.blue), 1};
    set_color(lookup->word, &color, 0.3f);
    set_color(lookup->strong, &color, 0.45f);
    set_color(lookup->weak, &color, 0.2f);
}

// Highlights a word of a segment's translation and what it comes from.
static void highlight(struct lookup *lookup, const struct segment *segment, struct span word) {
    const float strong = 0.5f; // part of the word that comes from there
    struct attended *attended;
    if (lookup->segment == segment && lookup->highlighted.start == word.start)
        return;
    remove_tags(lookup);
    lookup->segment = segment;
    lookup->highlighted = word;
    apply(lookup->params.texts->target, lookup->word, segment->target_start, word);
    size_t num = sentence_attended(segment->sentence, word, &attended);
    for (size_t i = 0; i < num; i++)
        apply(lookup->params.texts->source,
              attended[i].weight >= strong || num == 1 ? lookup->strong : lookup->weak,
              segment->source_start, attended[i].word);
    g_free(attended);
}

// The translated word at a character of the target pane; NULL: none.
static struct segment *word_at(const struct lookup *lookup, int offset, struct span *word) {
    int position;
    struct segment *segment = texts_at(lookup->params.texts, offset, &position);
    if (!segment || !segment->sentence || strcmp(segment->sentence->source, segment->source) != 0)
        return NULL;
    *word = span_of_word(segment->sentence->text, position);
    return word->end > word->start ? segment : NULL;
}

// The character under the pointer, or -1.
static int offset_at(GtkTextView *view, double x, double y) {
    GtkTextIter iter;
    int buffer_x, buffer_y;
    gtk_text_view_window_to_buffer_coords(view, GTK_TEXT_WINDOW_WIDGET, (int)x, (int)y, &buffer_x,
                                          &buffer_y);
    if (!gtk_text_view_get_iter_at_location(view, &iter, buffer_x, buffer_y))
        return -1;
    return gtk_text_iter_get_offset(&iter);
}

static void move(GtkEventControllerMotion *controller, double x, double y, struct lookup *lookup) {
    (void)controller;
    struct span word;
    int offset = offset_at(lookup->params.target, x, y);
    const struct segment *segment = offset < 0 ? NULL : word_at(lookup, offset, &word);
    if (segment)
        highlight(lookup, segment, word);
    else
        remove_tags(lookup);
    gtk_widget_set_cursor_from_name(GTK_WIDGET(lookup->params.target),
                                    segment ? "pointer" : "text");
}

static void leave(GtkEventControllerMotion *controller, struct lookup *lookup) {
    (void)controller;
    if (!alternatives_are_open(lookup->alternatives))
        remove_tags(lookup);
}

static void show(struct lookup *lookup, int offset) {
    struct span word;
    GdkRectangle first, last, place;
    GtkTextIter iter;
    const struct segment *segment = word_at(lookup, offset, &word);
    if (!segment)
        return;
    highlight(lookup, segment, word);
    gtk_text_buffer_get_iter_at_offset(lookup->params.texts->target, &iter,
                                       segment->target_start + word.start);
    gtk_text_view_get_iter_location(lookup->params.target, &iter, &first);
    gtk_text_iter_forward_chars(&iter, word.end - word.start - 1);
    gtk_text_view_get_iter_location(lookup->params.target, &iter, &last);
    if (last.y == first.y)
        gdk_rectangle_union(&first, &last, &place);
    else
        place = first;
    gtk_text_view_buffer_to_window_coords(lookup->params.target, GTK_TEXT_WINDOW_WIDGET, place.x,
                                          place.y, &place.x, &place.y);
    alternatives_show(lookup->alternatives, segment, word, &place);
}

static void release(GtkGestureClick *gesture, int num_presses, double x, double y,
                    struct lookup *lookup) {
    (void)gesture;
    int offset = offset_at(lookup->params.target, x, y);
    if (num_presses == 1 && offset >= 0 &&
        !gtk_text_buffer_get_has_selection(lookup->params.texts->target))
        show(lookup, offset);
}

void lookup_show_at_cursor(struct lookup *lookup) {
    GtkTextIter iter;
    GtkTextBuffer *buffer = lookup->params.texts->target;
    gtk_text_buffer_get_iter_at_mark(buffer, &iter, gtk_text_buffer_get_insert(buffer));
    gtk_text_view_scroll_to_iter(lookup->params.target, &iter, 0, FALSE, 0, 0);
    show(lookup, gtk_text_iter_get_offset(&iter));
}

void lookup_reset(struct lookup *lookup) {
    set_colors(lookup);
    remove_tags(lookup);
    alternatives_hide(lookup->alternatives);
}

static void forget_target(GtkTextBuffer *buffer, struct lookup *lookup) {
    (void)buffer;
    remove_tags(lookup);
}

struct lookup *lookup_create(const struct lookup_params *params) {
    struct lookup *lookup = g_new0(struct lookup, 1);
    lookup->params = *params;
    lookup->word = gtk_text_buffer_create_tag(params->texts->target, NULL, NULL);
    lookup->strong = gtk_text_buffer_create_tag(params->texts->source, NULL, NULL);
    lookup->weak = gtk_text_buffer_create_tag(params->texts->source, NULL, NULL);
    lookup->alternatives = alternatives_create(params);
    GtkEventController *motion = gtk_event_controller_motion_new();
    g_signal_connect(motion, "motion", G_CALLBACK(move), lookup);
    g_signal_connect(motion, "leave", G_CALLBACK(leave), lookup);
    gtk_widget_add_controller(GTK_WIDGET(params->target), motion);
    GtkGesture *click = gtk_gesture_click_new();
    // Before the view's own gesture takes the sequence.
    gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(click), GTK_PHASE_CAPTURE);
    g_signal_connect(click, "released", G_CALLBACK(release), lookup);
    gtk_widget_add_controller(GTK_WIDGET(params->target), GTK_EVENT_CONTROLLER(click));
    g_signal_connect(params->texts->target, "changed", G_CALLBACK(forget_target), lookup);
    set_colors(lookup);
    return lookup;
}

void lookup_destroy(struct lookup **lookup) {
    if (!*lookup)
        return;
    g_signal_handlers_disconnect_by_data((*lookup)->params.texts->target, *lookup);
    alternatives_destroy(&(*lookup)->alternatives);
    g_clear_pointer(lookup, g_free);
}
