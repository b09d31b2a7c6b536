#include "status_line.h"

#include <math.h>

// A bar that comes and goes at each word would disturb.
static const double SHOWN_AFTER_S = 0.8;
enum { UPDATE_MS = 200 };

struct status_line {
    const struct live *live;
    GtkSpinner *spinner;
    GtkLabel *text, *progress_text;
    GtkWidget *progress;
    GtkProgressBar *bar;
    guint timer;
};

struct status_line *status_line_create(GtkBuilder *builder, const struct live *live) {
    struct status_line *line = g_new0(struct status_line, 1);
    line->live = live;
    line->spinner = GTK_SPINNER(gtk_builder_get_object(builder, "spinner"));
    line->text = GTK_LABEL(gtk_builder_get_object(builder, "status"));
    line->progress = GTK_WIDGET(gtk_builder_get_object(builder, "progress"));
    line->progress_text = GTK_LABEL(gtk_builder_get_object(builder, "progress-text"));
    line->bar = GTK_PROGRESS_BAR(gtk_builder_get_object(builder, "progress-bar"));
    return line;
}

void status_line_destroy(struct status_line **line) {
    if (*line && (*line)->timer)
        g_source_remove((*line)->timer);
    g_clear_pointer(line, g_free);
}

static void set_spinning(struct status_line *line, bool is_spinning) {
    gtk_spinner_set_spinning(line->spinner, is_spinning);
    gtk_widget_set_visible(GTK_WIDGET(line->spinner), is_spinning);
}

void status_line_set_busy(struct status_line *line, const char *text) {
    set_spinning(line, true);
    gtk_label_set_label(line->text, text);
}

void status_line_set_text(struct status_line *line, const char *text) {
    set_spinning(line, false);
    gtk_label_set_label(line->text, text);
}

void status_line_set_result(struct status_line *line, const char *device,
                            const struct translate_job *job) {
    const double second = 1;
    double tokens_per_s = job->seconds > 0 ? (double)job->num_tokens / job->seconds : 0;
    char *took = job->seconds < second ? g_strdup_printf("%.0f ms", job->seconds * 1000)
                                       : g_strdup_printf("%.1f s", job->seconds);
    char *text =
        g_strdup_printf("%s · %s · %'.0f tokens/s%s", device, took, tokens_per_s,
                        job->was_lost ? " · the device had stopped and was started again" : "");
    status_line_set_text(line, text);
    g_free(took);
    g_free(text);
}

// "about 3 minutes left", in words that do not jump.
static char *time_left(double left_s) {
    const double minute = 60, hour = 3600;
    if (left_s < 0)
        return g_strdup("");
    if (left_s < 10)
        return g_strdup(" · a few seconds left");
    if (left_s < minute)
        return g_strdup_printf(" · about %.0f seconds left", 10 * ceil(left_s / 10));
    if (left_s < 1.5 * minute)
        return g_strdup(" · about 1 minute left");
    if (left_s < hour)
        return g_strdup_printf(" · about %.0f minutes left", round(left_s / minute));
    return g_strdup_printf(" · about %.1f hours left", left_s / hour);
}

static gboolean update_later(void *user) {
    struct status_line *line = user;
    line->timer = 0;
    status_line_update(line);
    return G_SOURCE_REMOVE;
}

void status_line_update(struct status_line *line) {
    struct live_progress progress;
    bool is_running = live_progress(line->live, &progress);
    bool is_shown = is_running && progress.running_s >= SHOWN_AFTER_S;
    gtk_widget_set_visible(line->progress, is_shown);
    if (is_shown) {
        char *left = time_left(progress.left_s);
        char *text = g_strdup_printf("%'zu of %'zu%s", progress.num_done, progress.num_lines, left);
        gtk_label_set_label(line->progress_text, text);
        gtk_progress_bar_set_fraction(line->bar, progress.fraction);
        g_free(text);
        g_free(left);
    }
    if (is_running && !line->timer)
        line->timer = g_timeout_add(UPDATE_MS, update_later, line);
}
