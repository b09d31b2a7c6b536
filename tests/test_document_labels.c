// Labels of programs: accelerators, endings, placeholders, plural forms.
#include "document/accelerator.h"
#include "document/endings.h"
#include "document/plural_forms.h"
#include "document/survival.h"
#include "text/placeholders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool always(void *user, char marker) {
    (void)user, (void)marker;
    return true;
}

static bool never(void *user, char marker) {
    (void)user, (void)marker;
    return false;
}

static void assert_taken(const char *text, const char *plain, const char *letter, bool is_usual) {
    struct text_buffer buffer = {0};
    struct accelerator accelerator;
    char *taken;
    assert_int_equal(accelerator_take(text, is_usual ? always : never, NULL, &buffer, &accelerator),
                     VKS_OK);
    assert_int_equal(text_take(&buffer, &taken, NULL), VKS_OK);
    assert_string_equal(taken, plain);
    if (*letter) {
        assert_int_equal(accelerator.marker, letter[0]);
        assert_int_equal(accelerator.letter, letter[1]);
    } else {
        assert_int_equal(accelerator.marker, 0);
    }
    free(taken);
}

static void an_accelerator_is_taken_off(void **state) {
    (void)state;
    assert_taken("_File", "File", "_F", false);
    assert_taken("Save _As...", "Save As...", "_A", false);
    assert_taken("E_xit", "Exit", "_x", false);
    assert_taken("Prefere_nces\xE2\x80\xA6", "Preferences\xE2\x80\xA6", "_n", false);
    assert_taken("_open", "open", "_o", false);
    assert_taken("&File", "File", "&F", false);
    assert_taken("E&xit", "Exit", "&x", false);
    assert_taken("Save && &Close", "Save & Close", "&C", false);
    assert_taken("~Edit", "Edit", "~E", false);
    assert_taken("Sch~rift", "Schrift", "~r", false);
    assert_taken("Open %(file_name)s _now", "Open %(file_name)s now", "_n", true);
}

static void what_only_looks_like_one_is_left(void **state) {
    (void)state;
    static const char *const texts[] = {"a_b",
                                        "file_name",
                                        "The file_name is bad",
                                        "Fish &amp; Chips",
                                        "Tom & Jerry",
                                        "AT&T",
                                        "~/path",
                                        "about ~5 minutes",
                                        "HEAD~1",
                                        "http://x/?a=1&b=2",
                                        "__init__",
                                        "_File _Edit",
                                        "%(file_name)s",
                                        "<a_b>",
                                        "{my_name}",
                                        "my_file.txt",
                                        "100 &",
                                        "a & b",
                                        "_",
                                        "~",
                                        "&",
                                        "",
                                        "Save && Close"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_taken(texts[i], texts[i], "", false);
}

static void markers_within_words_need_others_beside_them(void **state) {
    (void)state;
    assert_taken("Not s_orted", "Not s_orted", "", false);
    assert_taken("Not s_orted", "Not sorted", "_o", true);
    assert_taken("Undo _last", "Undo last", "_l", true);
    assert_taken("The s_ort is a sentence.", "The s_ort is a sentence.", "", true);
    assert_taken("file_name", "file_name", "", true);
    assert_taken("Use file_name", "Use file_name", "", true);
    assert_taken("Set a_b", "Set a_b", "", true);
    assert_true(accelerator_is_certain("_File", '_'));
    assert_false(accelerator_is_certain("_File", '&'));
    assert_false(accelerator_is_certain("Not s_orted", '_'));
}

static void assert_put(char marker, uint32_t letter, const char *text, const char *expected) {
    struct text_buffer buffer = {0};
    char *marked;
    text_append_string(&buffer, text);
    accelerator_put(&(struct accelerator){marker, letter}, &buffer);
    assert_int_equal(text_take(&buffer, &marked, NULL), VKS_OK);
    assert_string_equal(marked, expected);
    free(marked);
}

static void an_accelerator_goes_to_the_best_letter(void **state) {
    (void)state;
    assert_put('_', 'F', "Datei finden", "Datei _finden"); // a word's start
    assert_put('_', 'x', "Extra", "E_xtra");               // within
    assert_put('&', 'Q', "Beenden", "&Beenden");           // first letter
    assert_put('~', 'O',
               "\xC3\x96"
               "ffnen",
               "~\xC3\x96"
               "ffnen");
    assert_put('_', 'f', "%(file)s %d finden", "%(file)s %d _finden"); // no placeholder
    assert_put('&', 'F', "\xD0\xA4\xD0\xB0\xD0\xB9\xD0\xBB", "&\xD0\xA4\xD0\xB0\xD0\xB9\xD0\xBB");
    assert_put('_', 'F', "123", "123"); // none
    assert_put('_', 'F', "", "");
    assert_put('&', 'C', "Sichern & beenden", "Si&chern && beenden");
    assert_put('_', 'O', "Auf\tCtrl+O", "_Auf\tCtrl+O"); // not in the shortcut
    assert_put(0, 0, "Datei", "Datei");
}

static void chinese_and_japanese_have_it_behind(void **state) {
    (void)state;
    assert_put('_', 'f', "\xE6\x96\x87\xE4\xBB\xB6", "\xE6\x96\x87\xE4\xBB\xB6(_F)");
    assert_put('&', 'O', "\xE6\x89\x93\xE5\xBC\x80...", "\xE6\x89\x93\xE5\xBC\x80(&O)...");
    assert_put('~', 'S', "HTML \xE3\x83\x95\xE3\x82\xA1\xE3\x82\xA4\xE3\x83\xAB\xEF\xBC\x9A",
               "HTML \xE3\x83\x95\xE3\x82\xA1\xE3\x82\xA4\xE3\x83\xAB(~S)\xEF\xBC\x9A");
}

static void assert_finished(const char *source, const char *translation, const char *expected) {
    struct text_buffer buffer = {0};
    char *finished;
    append_finished(&buffer, source, translation);
    assert_int_equal(text_take(&buffer, &finished, NULL), VKS_OK);
    assert_string_equal(finished, expected);
    free(finished);
}

static void colon_and_ellipsis_are_those_of_the_source(void **state) {
    (void)state;
    assert_finished("Open...",
                    " \xC3\x96"
                    "ffnen. ",
                    "\xC3\x96"
                    "ffnen...");
    assert_finished("Open...", "Auf\xE2\x80\xA6", "Auf...");
    assert_finished("Open\xE2\x80\xA6", "Auf...", "Auf\xE2\x80\xA6");
    assert_finished("Name:", "Name", "Name:");
    assert_finished("Name:", "Nom :", "Nom :");
    assert_finished("Name:", "\xE5\x90\x8D\xE7\xA7\xB0", "\xE5\x90\x8D\xE7\xA7\xB0\xEF\xBC\x9A");
    assert_finished("Name:", "\xE5\x90\x8D\xEF\xBC\x9A", "\xE5\x90\x8D\xEF\xBC\x9A");
    assert_finished("A b.", "C\nd.\n", "C d.");
    assert_finished("Name:", " ", "");
    assert_finished("Open...", "...", "");
}

static void assert_length(const char *text, size_t expected) {
    assert_int_equal(placeholders_length(text, strlen(text), 0), expected);
}

static void placeholders_are_found(void **state) {
    static const char *const whole[] = {"%s",
                                        "%d",
                                        "%%",
                                        "%1$s",
                                        "%-5.2f",
                                        "%lu",
                                        "%(name)s",
                                        "%1",
                                        "%L1",
                                        "%{n}",
                                        "%APPDATA%",
                                        "%PRODUCTNAME",
                                        "{0}",
                                        "{}",
                                        "{name:>10}",
                                        "{{name}}",
                                        "{\\an8}",
                                        "$NAME",
                                        "$NAME$",
                                        "${name}",
                                        "$(ARG1)",
                                        "$[officename]",
                                        "@VERSION@",
                                        "<b>",
                                        "</b>",
                                        "<br/>",
                                        "<a href=\"x y\">",
                                        "&amp;",
                                        "&#160;"};
    static const char *const none[] = {"%",    "50", "% des", "$5", "$", "{",     "{a b}", "<",
                                       "< b>", "<3", "& ",    "&;", "@", "@home", "100 %", ""};
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        assert_length(whole[i], strlen(whole[i]));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_length(none[i], 0);
    assert_true(text_has_words("%s a", 4));
    assert_false(text_has_words("%s <b>12</b>", 12));
}

static void assert_survived(const char *source, const char *translation, bool expected) {
    bool survived = !expected;
    assert_int_equal(placeholders_survived(source, translation, &survived), VKS_OK);
    assert_int_equal(survived, expected);
}

static void placeholders_survive_in_number_and_order(void **state) {
    (void)state;
    assert_survived("a", "b", true);
    assert_survived("%s and %d", "%s und %d", true);
    assert_survived("%s and %d", "%d und %s", false); // they would take each other's argument
    assert_survived("%1$s and %2$d", "%2$d und %1$s", true);
    assert_survived("%(a)s and %(b)d", "%(b)d und %(a)s", true);
    assert_survived("%PRODUCTNAME %VERSION", "%VERSION von %PRODUCTNAME", true);
    assert_survived("{0} <b>x</b>", "<b>y</b> {0}", true);
    assert_survived("%s", "", false);
    assert_survived("a", "%s", false);
    assert_survived("%s %s", "%s", false);
    assert_survived("$NAME", "$name", false);
    assert_survived("50 % of", "50 % von", true);
}

static void assert_plural(const char *field, size_t num, size_t one, bool is_for_all) {
    struct plural_forms forms;
    assert_true(plural_forms_read(field, &forms));
    assert_int_equal(forms.num, num);
    assert_int_equal(forms.one, one);
    assert_int_equal(forms.is_one_for_all, is_for_all);
}

static void plural_forms_are_computed(void **state) {
    (void)state;
    assert_plural("nplurals=1; plural=0;", 1, 0, true);
    assert_plural("nplurals=2; plural=(n != 1);", 2, 0, false);
    assert_plural("nplurals=2; plural=n>1;", 2, 0, true);
    assert_plural("nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
                  "(n%100<10 || n%100>=20) ? 1 : 2);",
                  3, 0, true);
    assert_plural(
        "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
        "n%100>=11 ? 4 : 5);",
        6, 1, false); // Arabic
    assert_plural("nplurals = 2; plural=!(n-1)*1", 2, 1, false);
}

static void wrong_plural_forms_are_refused(void **state) {
    static const char *const fields[] = {"",
                                         "nplurals=INTEGER; plural=EXPRESSION;",
                                         "nplurals=2;",
                                         "nplurals=2; plural=n;",
                                         "nplurals=2; plural=(n != 1;",
                                         "nplurals=2; plural=n/0;",
                                         "nplurals=0; plural=0;",
                                         "nplurals=99; plural=0;",
                                         "nplurals=2; plural=n=1;",
                                         "nplurals=2; plural=0; 1",
                                         "nplurals=2; plural=n?1;",
                                         "nplurals=2; plural=99999999999999;"};
    struct plural_forms forms = {.num = 7};
    char deep[4000] = "nplurals=2; plural=";
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_false(plural_forms_read(fields[i], &forms));
    memset(deep + strlen(deep), '(', sizeof deep - 1 - strlen(deep));
    deep[sizeof deep - 1] = '\0';
    assert_false(plural_forms_read(deep, &forms));
    assert_int_equal(forms.num, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accelerator_is_taken_off),
        cmocka_unit_test(what_only_looks_like_one_is_left),
        cmocka_unit_test(markers_within_words_need_others_beside_them),
        cmocka_unit_test(an_accelerator_goes_to_the_best_letter),
        cmocka_unit_test(chinese_and_japanese_have_it_behind),
        cmocka_unit_test(colon_and_ellipsis_are_those_of_the_source),
        cmocka_unit_test(placeholders_are_found),
        cmocka_unit_test(placeholders_survive_in_number_and_order),
        cmocka_unit_test(plural_forms_are_computed),
        cmocka_unit_test(wrong_plural_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
