#include "progress.h"

#include "system.h"

#include <math.h>

#define TERMINAL_PERIOD_S 0.2
#define FILE_PERIOD_S 30.0
#define LINE_BYTES 160
#define ERASE_LINE "\r\033[K"

// "1,234,567"; text holds 27 bytes.
static const char *format_count(uint64_t count, char text[27]) {
    char *end = text + 26;
    *end = '\0';
    for (int num_digits = 0; num_digits == 0 || count; num_digits++, count /= 10) {
        if (num_digits && num_digits % 3 == 0)
            *--end = ',';
        *--end = (char)('0' + count % 10);
    }
    return end;
}

// "42s", "3m07s", "2h05m".
static void format_time(double seconds, char *text, size_t text_bytes) {
    unsigned long long s = (unsigned long long)fmin(fmax(seconds, 0), 1e9);
    if (s < 60)
        snprintf(text, text_bytes, "%llus", s);
    else if (s < 3600)
        snprintf(text, text_bytes, "%llum%02llus", s / 60, s % 60);
    else
        snprintf(text, text_bytes, "%lluh%02llum", s / 3600, s / 60 % 60);
}

void progress_format(const struct progress *progress, double elapsed_s, bool finished, char *text,
                     size_t text_bytes) {
    char done[27], total[27], time[32], share[64] = "", end[48] = "";
    double rate = elapsed_s > 0 ? (double)progress->num_done / elapsed_s : 0;
    double num_left = (double)progress->num_total - (double)progress->num_done;
    const char *of = "", *num_total = "";
    if (progress->num_total) {
        double percent = 100 * (double)progress->num_done / (double)progress->num_total;
        snprintf(share, sizeof share, ", %.0f %%", floor(percent));
        of = " of ";
        num_total = format_count(progress->num_total, total);
    }
    if (finished) {
        format_time(elapsed_s, time, sizeof time);
        snprintf(end, sizeof end, ", in %s", time);
    } else if (rate > 0 && num_left > 0) {
        format_time(num_left / rate, time, sizeof time);
        snprintf(end, sizeof end, ", %s left", time);
    }
    snprintf(text, text_bytes, "%s: %s%s%s %s%s, %.*f %s/s%s", progress->label,
             format_count(progress->num_done, done), of, num_total, progress->unit, share,
             rate < 100 ? 1 : 0, rate, progress->unit, end);
}

void progress_begin(struct progress *progress, FILE *file, const char *label, const char *unit,
                    uint64_t num_total) {
    double start_s = system_now_s();
    *progress = (struct progress){
        .file = file,
        .label = label,
        .unit = unit,
        .num_total = num_total,
        .start_s = start_s,
        .shown_s = start_s,
        .is_terminal = file && system_is_terminal(file),
    };
}

static void show(struct progress *progress, double time_s, bool finished) {
    char line[LINE_BYTES];
    progress_format(progress, time_s - progress->start_s, finished, line, sizeof line);
    fprintf(progress->file, "%s%s%s", progress->is_terminal ? ERASE_LINE : "", line,
            progress->is_terminal && !finished ? "" : "\n");
    fflush(progress->file);
    progress->shown_s = time_s;
    progress->is_shown = progress->is_terminal && !finished;
}

void progress_update(struct progress *progress, uint64_t num_done) {
    progress->num_done = num_done;
    if (!progress->file)
        return;
    double time_s = system_now_s();
    if (time_s - progress->shown_s >= (progress->is_terminal ? TERMINAL_PERIOD_S : FILE_PERIOD_S))
        show(progress, time_s, false);
}

void progress_clear(struct progress *progress) {
    if (!progress->file || !progress->is_shown)
        return;
    fputs(ERASE_LINE, progress->file);
    fflush(progress->file);
    progress->is_shown = false;
}

void progress_end(struct progress *progress) {
    if (progress->file)
        show(progress, system_now_s(), true);
    progress->file = NULL;
}
