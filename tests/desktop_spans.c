// Where tokens and words stand in a text: samples/desktop-translator/spans.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "spans.h"

enum { MAX_TOKENS = 8 };

// Whether the tokens' spans hold these texts.
static void check_tokens(const char *text, const char *const *tokens, const char *const *expected) {
    struct span spans[MAX_TOKENS];
    size_t num = g_strv_length((char **)tokens);
    spans_find(text, tokens, num, spans);
    for (size_t i = 0; i < num; i++) {
        char *found = span_text(text, spans[i]);
        assert_string_equal(found, expected[i]);
        g_free(found);
    }
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void tokens_are_found_in_characters(void **state) {
    (void)state;
    check_tokens("Größe der  Tabelle.", LIST("Größ", "e", "der", "Tab", "elle", "."),
                 LIST("Größ", "e", "der", "Tab", "elle", "."));
}

static void forms_that_a_vocabulary_unifies_are_found(void **state) {
    (void)state;
    check_tokens("ﬁle … ＯＫ", LIST("file", "...", "ok"), LIST("ﬁle", "…", "ＯＫ"));
    check_tokens("Cafe\u0301 x", LIST("Café", "x"), LIST("Cafe\u0301", "x"));
}

static void unknown_token_gets_what_lies_between(void **state) {
    (void)state;
    check_tokens("see ☃☃ now", LIST("see", "\uFFFD", "\uFFFD", "now"),
                 LIST("see", "☃☃ ", "☃☃ ", "now"));
    check_tokens("now ☃", LIST("now", "\uFFFD", ""), LIST("now", "☃", ""));
}

static void token_of_a_later_place_is_not_taken_early(void **state) {
    (void)state;
    check_tokens("a b a", LIST("a", "b", "a"), LIST("a", "b", "a"));
    struct span spans[3];
    spans_find("a b a", LIST("a", "b", "a"), 3, spans);
    assert_int_equal(spans[2].start, 4);
}

static void words_stand_between_spaces(void **state) {
    (void)state;
    struct span word = span_of_word("Über die Brücke.", 11);
    assert_int_equal(word.start, 9);
    assert_int_equal(word.end, 16);
    word = span_of_word("ein Wort", 3);
    assert_int_equal(word.end, word.start);
    word = span_of_word("ein", 5);
    assert_int_equal(word.end, word.start);
}

static void scripts_without_spaces_have_words_of_one_character(void **state) {
    (void)state;
    struct span word = span_of_word("文字列ok", 1);
    assert_int_equal(word.start, 1);
    assert_int_equal(word.end, 2);
    word = span_of_word("文字列ok", 4);
    assert_int_equal(word.start, 3);
    assert_int_equal(word.end, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_found_in_characters),
        cmocka_unit_test(forms_that_a_vocabulary_unifies_are_found),
        cmocka_unit_test(unknown_token_gets_what_lies_between),
        cmocka_unit_test(token_of_a_later_place_is_not_taken_early),
        cmocka_unit_test(words_stand_between_spaces),
        cmocka_unit_test(scripts_without_spaces_have_words_of_one_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
