// Placeholders found in texts, masked and put back.
#include "text/placeholders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// What is found, as "[span][span]".
static void assert_found(const char *text, const char *expected) {
    struct placeholders found;
    char shown[1024] = "";
    size_t used = 0;
    placeholders_find(text, strlen(text), &found);
    for (size_t i = 0; i < found.num; i++)
        used += (size_t)snprintf(shown + used, sizeof shown - used, "[%.*s]",
                                 (int)found.spans[i].num_bytes, text + found.spans[i].begin);
    assert_string_equal(shown, expected);
}

static void formats_are_found(void **state) {
    (void)state;
    assert_found("Opened %s in %5.2f s", "[%s][%5.2f]");
    assert_found("%1$s of %2$ld, %-8s", "[%1$s][%2$ld][%-8s]");
    assert_found("%(name)s and %(num)03d", "[%(name)s][%(num)03d]");
    assert_found("%1 of %2, %L1 %n", "[%1][%2][%L1][%n]");
    assert_found("%PRODUCTNAME has %%", "[%PRODUCTNAME][%%]");
    assert_found("%NAME% stays", "[%NAME%]");
    assert_found("%@ items", "[%@]");
}

static void variables_are_found(void **state) {
    (void)state;
    assert_found("{0} of {count} {} {x:.2f}", "[{0}][{count}][{}][{x:.2f}]");
    assert_found("$(ARG1) ${home} $PATH $NAME$ $1$", "[$(ARG1)][${home}][$PATH][$NAME$][$1$]");
    assert_found("@VERSION@ #NUMBER#", "[@VERSION@][#NUMBER#]");
}

static void tags_entities_escapes_and_addresses_are_found(void **state) {
    (void)state;
    assert_found("<b>Bold</b> <a href=\"x.html\">link</a><br/>",
                 "[<b>][</b>][<a href=\"x.html\">][</a>][<br/>]");
    assert_found("a &lt; b &#160;c", "[&lt;][&#160;]");
    assert_found("one\\ntwo\\t", "[\\n][\\t]");
    assert_found("See https://example.org/a?b=1, or (http://x.org).",
                 "[https://example.org/a?b=1][http://x.org]");
}

static void language_is_not_a_placeholder(void **state) {
    (void)state;
    assert_found("", "");
    assert_found("100% sure, 50 % of them, 100%ige", "");
    assert_found("5 < 6 and 7 > 3, a <", "");
    assert_found("It costs $5 or 5$.", "");
    assert_found("me@home.org #1 @ & ; \\ { } {a b}", "");
    assert_found("R&D; AT&T, Q&A", "[&D;]"); // cannot be told from an entity
    assert_found("%", "");
    assert_found("<", "");
    assert_found("http://", "");
}

static void more_than_there_are_symbols_is_said(void **state) {
    (void)state;
    const char *text = "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s";
    struct placeholders found;
    placeholders_find(text, 32, &found);
    assert_int_equal(found.num, PLACEHOLDERS_MAX);
    assert_false(found.has_more);
    placeholders_find(text, 34, &found);
    assert_int_equal(found.num, PLACEHOLDERS_MAX);
    assert_true(found.has_more);
    // Nothing past the end is read.
    placeholders_find(text, 1, &found);
    assert_int_equal(found.num, 0);
}

static void masked_texts_have_symbols(void **state) {
    (void)state;
    const char *text = "Open %s in Calc.";
    const struct text_mask masks[] = {{.span = {5, 2}, .symbol = 3},
                                      {.span = {11, 4}, .symbol = 14, .wraps = true}};
    size_t num_bytes;
    char *masked = placeholders_mask(text, strlen(text), masks, 2, &num_bytes);
    assert_string_equal(masked, "Open <ph3> in <ph14>Calc<ph15>.");
    assert_int_equal(num_bytes, strlen(masked));
    free(masked);
}

// Finds, and restores a translation with symbols.
static void assert_restored(const char *text, const char *translation, const char *expected,
                            bool is_whole) {
    struct placeholders found;
    bool whole;
    placeholders_find(text, strlen(text), &found);
    char *restored = placeholders_restore(&found, translation, &whole);
    assert_string_equal(restored, expected);
    assert_int_equal(whole, is_whole);
    free(restored);
}

static void symbols_become_placeholders_again(void **state) {
    (void)state;
    assert_restored("%s in <b>%d</b>", "<ph1><ph2><ph3> hat <ph0>", "<b>%d</b> hat %s", true);
    assert_restored("nothing", "nichts <b>", "nichts <b>", true);
    assert_restored("%s", "ohne", "ohne", false);
    assert_restored("%s", "<ph0> und <ph0>", "%s und %s", false);
    assert_restored("%s", "<ph0><ph1>", "%s", false); // a symbol that stands for nothing
    assert_restored("%s", "<ph0 <ph16> <ph>", "<ph0 <ph16> <ph>", false);
}

static void a_translation_s_placeholders_are_matched(void **state) {
    (void)state;
    const char *text = "%s, %s: {0}", *other = "{0}: %s, %s";
    struct placeholders found;
    struct text_mask masks[PLACEHOLDERS_MAX];
    bool whole;
    placeholders_find(text, strlen(text), &found);
    assert_int_equal(found.num, 3);
    assert_int_equal(placeholders_match(&found, other, strlen(other), masks, &whole), 3);
    assert_true(whole);
    assert_int_equal(masks[0].symbol, 2);
    assert_int_equal(masks[1].symbol, 0);
    assert_int_equal(masks[2].symbol, 1);
    assert_int_equal(placeholders_match(&found, "%s", 2, masks, &whole), 1);
    assert_false(whole);
    assert_int_equal(placeholders_match(&found, "%d", 2, masks, &whole), 0);
    placeholders_match(&found, "%s %s {0} {0}", 13, masks, &whole);
    assert_false(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found),
        cmocka_unit_test(variables_are_found),
        cmocka_unit_test(tags_entities_escapes_and_addresses_are_found),
        cmocka_unit_test(language_is_not_a_placeholder),
        cmocka_unit_test(more_than_there_are_symbols_is_said),
        cmocka_unit_test(masked_texts_have_symbols),
        cmocka_unit_test(symbols_become_placeholders_again),
        cmocka_unit_test(a_translation_s_placeholders_are_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
