// One line that says how far a long task has come: rewritten in place on a terminal, printed now
// and then elsewhere.
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Read-only for its user, between progress_begin and progress_end.
struct progress {
    FILE *file; // NULL: silent
    const char *label, *unit;
    uint64_t num_total, num_done;
    double start_s, shown_s;
    bool is_terminal;
    bool is_shown; // the terminal's last line is ours
};

// label and unit ("lines") are borrowed until progress_end. file: usually stderr; NULL prints
// nothing. num_total 0: not known, so no share and no time left.
void progress_begin(struct progress *progress, FILE *file, const char *label, const char *unit,
                    uint64_t num_total);
// num_done: since progress_begin. Prints at most five times a second on a terminal, every 30
// seconds elsewhere.
void progress_update(struct progress *progress, uint64_t num_done);
// Takes the line off the terminal, so that something else can be printed; the next update brings
// it back.
void progress_clear(struct progress *progress);
// Prints the last line, with the time that all took.
void progress_end(struct progress *progress);

// "translate: 1,200 of 5,000 lines, 24 %, 60.2 lines/s, 1m03s left", or, finished, "..., in
// 1m23s", as if elapsed_s seconds had passed. text ends with a NUL and is cut to text_bytes.
void progress_format(const struct progress *progress, double elapsed_s, bool finished, char *text,
                     size_t text_bytes);

#endif
