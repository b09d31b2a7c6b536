// What a function prints to a stream, as a string.
#ifndef TESTS_TEXT_STREAM_H
#define TESTS_TEXT_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static inline FILE *text_stream_open(void) {
    FILE *stream = tmpfile();
    assert_non_null(stream);
    return stream;
}

// Closes the stream. text gets all that was printed, which has to be shorter than text_bytes.
static inline void text_stream_close(FILE *stream, char *text, size_t text_bytes) {
    rewind(stream);
    size_t num_bytes = fread(text, 1, text_bytes, stream);
    assert_true(num_bytes < text_bytes);
    text[num_bytes] = '\0';
    fclose(stream);
}

#endif
