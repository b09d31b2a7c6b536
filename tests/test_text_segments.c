// Lines cut for translation, and translations joined.
#include "text/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A token is 4 bytes.
static enum vks_status count_bytes(void *user, const char *text, size_t num_bytes,
                                   size_t *num_tokens) {
    (void)user, (void)text;
    *num_tokens = (num_bytes + 3) / 4;
    return VKS_OK;
}

static struct segments cut(const char *line, size_t max_tokens, bool cut_sentences) {
    const struct segment_params params = {
        .count_tokens = count_bytes, .max_tokens = max_tokens, .cut_sentences = cut_sentences};
    struct segments segments;
    assert_int_equal(segments_cut(&params, line, strlen(line), &segments), VKS_OK);
    return segments;
}

// The segments as "[text|gap][text|gap]".
static void assert_cut(const char *line, size_t max_tokens, bool cut_sentences,
                       const char *expected) {
    char shown[4096];
    size_t used = 0, at = 0;
    struct segments segments = cut(line, max_tokens, cut_sentences);
    shown[0] = '\0';
    for (size_t i = 0; i < segments.num; i++) {
        const struct segment *s = &segments.items[i];
        assert_ptr_equal(s->text, line + at); // nothing is lost
        at += s->num_bytes + s->gap_bytes;
        used +=
            (size_t)snprintf(shown + used, sizeof shown - used, "[%.*s|%.*s]", (int)s->num_bytes,
                             s->text, (int)s->gap_bytes, s->text + s->num_bytes);
    }
    assert_int_equal(at, strlen(line));
    assert_string_equal(shown, expected);
    segments_free(&segments);
}

static void a_short_line_is_one_segment(void **state) {
    (void)state;
    assert_cut("One. Two.", 100, false, "[One. Two.|]");
    assert_cut("", 100, false, "");
    assert_cut("  \t", 100, true, "[|  \t]");
    assert_cut("  One.  ", 100, false, "[  One.  |]");
}

static void sentences_are_cut_when_asked_for(void **state) {
    (void)state;
    assert_cut("One two. Three!  Four? \"Five.\" Six", 100, true,
               "[One two.| ][Three!|  ][Four?| ][\"Five.\"| ][Six|]");
    assert_cut("\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82\xe6\x88\x91\xef\xbc\x9f", 100, true,
               "[\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82|][\xe6\x88\x91\xef\xbc\x9f|]");
}

static void abbreviations_and_ordinals_end_no_sentence(void **state) {
    (void)state;
    assert_cut("Das ist z. B. ein Test. Am 3. Mai kam er. Gut.", 100, true,
               "[Das ist z. B. ein Test.| ][Am 3. Mai kam er.| ][Gut.|]");
    assert_cut("Mr. Jones met J. Smith. Version 2.5 works.", 100, true,
               "[Mr. Jones met J. Smith.| ][Version 2.5 works.|]");
    assert_cut("The U.S. Army won. Es gab z.B. Autos, u.a. Busse. Ab. Cd.", 100, true,
               "[The U.S. Army won.| ][Es gab z.B. Autos, u.a. Busse.| ][Ab.| ][Cd.|]");
}

static void a_long_line_is_cut_at_sentences_first(void **state) {
    (void)state;
    assert_cut("One two. Three four. Five six. Seven.", 5, false,
               "[One two. Three four.| ][Five six. Seven.|]");
}

static void then_at_clauses_then_at_words_then_anywhere(void **state) {
    (void)state;
    assert_cut("One two three, four five six, 1,000 end", 5, false,
               "[One two three,| ][four five six,| ][1,000 end|]");
    assert_cut("alpha beta gamma delta", 3, false, "[alpha beta| ][gamma delta|]");
    assert_cut("abcdefghijkl", 1, false, "[abcd|][efgh|][ijkl|]");
    assert_cut("\xe4\xbd\xa0\xe5\xa5\xbd", 1, false, "[\xe4\xbd\xa0|][\xe5\xa5\xbd|]");
}

static void every_byte_is_kept_whatever_the_limit(void **state) {
    static const char line[] = " A b. C, d; e \xe2\x80\x94 f\xe3\x80\x82"
                               "g!  h\tijklmnopq";
    (void)state;
    for (size_t max_tokens = 1; max_tokens < 12; max_tokens++)
        for (int sentences = 0; sentences < 2; sentences++) {
            struct segments segments = cut(line, max_tokens, sentences);
            size_t at = 0;
            for (size_t i = 0; i < segments.num; i++) {
                assert_ptr_equal(segments.items[i].text, line + at);
                assert_true((segments.items[i].num_bytes + 3) / 4 <= max_tokens);
                at += segments.items[i].num_bytes + segments.items[i].gap_bytes;
            }
            assert_int_equal(at, sizeof line - 1);
            segments_free(&segments);
        }
}

static void assert_joined(const char *line, const char *const *translations, const char *expected) {
    struct segments segments = cut(line, 100, true);
    char *joined;
    assert_int_equal(segments_join(&segments, translations, &joined), VKS_OK);
    assert_string_equal(joined, expected);
    free(joined);
    segments_free(&segments);
}

static void gaps_fit_the_script_of_the_translation(void **state) {
    static const char *const german[] = {"Eins.", "Zwei.", "Drei."};
    static const char *const indented[] = {"", "Eins.", "Zwei."};
    static const char *const chinese[] = {"\xe4\xb8\x80\xe3\x80\x82", "\xe4\xba\x8c\xe3\x80\x82"};
    (void)state;
    assert_joined("One. Two.  Three.", german, "Eins. Zwei.  Drei.");
    assert_joined("\tOne. Two.", indented, "\tEins. Zwei.");
    assert_joined("\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xe3\x80\x82", german, "Eins. Zwei.");
    assert_joined("One. Two.", chinese, "\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xe3\x80\x82");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_line_is_one_segment),
        cmocka_unit_test(sentences_are_cut_when_asked_for),
        cmocka_unit_test(abbreviations_and_ordinals_end_no_sentence),
        cmocka_unit_test(a_long_line_is_cut_at_sentences_first),
        cmocka_unit_test(then_at_clauses_then_at_words_then_anywhere),
        cmocka_unit_test(every_byte_is_kept_whatever_the_limit),
        cmocka_unit_test(gaps_fit_the_script_of_the_translation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
