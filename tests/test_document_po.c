// PO files as documents: what is translated, what stays, and that msgfmt takes the result.
#include "fake_document.h"

#include <time.h>

#define HEADER(forms)                                                                              \
    "# Someone's translation.\n#\nmsgid \"\"\nmsgstr \"\"\n\"Project-Id-Version: x 1\\n\"\n"       \
    "\"PO-Revision-Date: 2026-01-02 03:04+0000\\n\"\n\"Last-Translator: x <x@x.org>\\n\"\n"        \
    "\"Language-Team: x <x@x.org>\\n\"\n\"Language: de\\n\"\n\"MIME-Version: 1.0\\n\"\n"           \
    "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"                                             \
    "\"Content-Transfer-Encoding: 8bit\\n\"\n" forms
#define TWO_FORMS "\"Plural-Forms: nplurals=2; plural=(n != 1);\\n\"\n"
#define THREE_FORMS "\"Plural-Forms: nplurals=3; plural=(n%10==1 ? 0 : n==2 ? 1 : 2);\\n\"\n"

static void set(struct vks_document *document, size_t segment_idx, const char *source,
                const char *text) {
    assert_string_equal(vks_document_segment(document, segment_idx), source);
    assert_int_equal(vks_document_set_translation(document, segment_idx, text), VKS_OK);
}

static void assert_counts(const struct vks_document *document, size_t num_translated,
                          size_t num_kept, size_t num_untranslated, size_t num_lost) {
    struct vks_document_counts counts;
    vks_document_count(document, &counts);
    assert_int_equal(counts.num_translated, num_translated);
    assert_int_equal(counts.num_kept, num_kept);
    assert_int_equal(counts.num_untranslated, num_untranslated);
    assert_int_equal(counts.num_lost, num_lost);
}

// Saves the document, and lets msgfmt check it with all that is fuzzy.
static void assert_msgfmt_takes(struct scratch *scratch, struct vks_document *document) {
    char command[1024], *path = scratch_path(scratch, "checked.po");
    assert_int_equal(vks_document_save(document, path), VKS_OK);
    snprintf(command, sizeof command, "msgfmt --version >%s/version 2>&1", scratch->dir);
    if (system(command) != 0) {
        free(path);
        print_message("no msgfmt here\n");
        skip();
    }
    snprintf(command, sizeof command,
             "msgfmt --check --use-fuzzy --output-file=%s/checked.mo %s >%s/said 2>&1",
             scratch->dir, path, scratch->dir);
    int result = system(command);
    fake_assert_file(scratch, "said", "");
    assert_int_equal(result, 0);
    free(path);
}

static void all_but_empty_translations_stays(void **state) {
    static const char text[] = HEADER(
        TWO_FORMS) "\n# by the translator\n#. by the programmer\n#: a.c:3 b.c:4\n#, c-format\n"
                   "msgctxt \"menu\"\nmsgid \"Open %s\\n\"\nmsgstr \"\"\n"
                   "\nmsgid \"Close\"\nmsgstr \"Zu\"\n"
                   "\n#, fuzzy\n#| msgid \"Save it\"\nmsgid \"Save\"\nmsgstr \"Sichere es\"\n"
                   "\nmsgid \"translator-credits\"\nmsgstr \"\"\n"
                   "\nmsgid \"%d: 12\"\nmsgstr \"\"\n"
                   "\n#~ msgid \"Old\"\n#~ msgstr \"Alt\"\n";
    static const char expected[] = HEADER(
        TWO_FORMS) "\n# by the translator\n#. by the programmer\n#: a.c:3 b.c:4\n#, fuzzy, "
                   "c-format\n"
                   "msgctxt \"menu\"\nmsgid \"Open %s\\n\"\nmsgstr \"%s auf\\n\"\n"
                   "\nmsgid \"Close\"\nmsgstr \"Zu\"\n"
                   "\n#, fuzzy\n#| msgid \"Save it\"\nmsgid \"Save\"\nmsgstr \"Sichere es\"\n"
                   "\nmsgid \"translator-credits\"\nmsgstr \"\"\n"
                   "\nmsgid \"%d: 12\"\nmsgstr \"\"\n"
                   "\n#~ msgid \"Old\"\n#~ msgstr \"Alt\"\n";
    struct vks_document *document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_num_segments(document), 1);
    fake_assert_content(document, text);
    set(document, 0, "Open %s", "%s auf");
    fake_assert_content(document, expected);
    assert_counts(document, 1, 4, 0, 0);
    assert_msgfmt_takes(*state, document);
    assert_int_equal(vks_document_set_translation(document, 0, NULL), VKS_OK);
    fake_assert_content(document, text);
    assert_counts(document, 0, 4, 1, 0);
    vks_document_close(&document);
}

static void fuzzy_entries_are_translated_when_asked_for(void **state) {
    static const char text[] = HEADER("") "\n#, fuzzy\n#| msgid \"Save it\"\nmsgid \"Save\"\n"
                                          "msgstr \"Sichere es\"\n";
    struct vks_document *document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_num_segments(document), 0);
    assert_int_equal(vks_document_include_fuzzy(document), VKS_OK);
    assert_int_equal(vks_document_num_segments(document), 1);
    set(document, 0, "Save", "Sichern");
    fake_assert_content(document, HEADER("") "\n#, fuzzy\nmsgid \"Save\"\nmsgstr \"Sichern\"\n");
    assert_int_equal(vks_document_set_translation(document, 0, NULL), VKS_OK);
    fake_assert_content(document, text);
    vks_document_close(&document);
}

static void accelerators_move(void **state) {
    static const char text[] = HEADER("") "\nmsgid \"_File\"\nmsgstr \"\"\n"
                                          "\nmsgid \"E_xit...\"\nmsgstr \"\"\n"
                                          "\nmsgid \"Not s_ort\"\nmsgstr \"\"\n";
    struct vks_document *document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    set(document, 0, "File", "Datei finden");
    set(document, 1, "Exit...",
        "Schlie\xC3\x9F"
        "en.");
    set(document, 2, "Not sort", "\xE6\x8E\x92\xE5\xBA\x8F");
    fake_assert_content(
        document,
        HEADER("") "\n#, fuzzy\nmsgid \"_File\"\nmsgstr \"Datei _finden\"\n"
                   "\n#, fuzzy\nmsgid \"E_xit...\"\nmsgstr \"_Schlie\xC3\x9F"
                   "en...\"\n"
                   "\n#, fuzzy\nmsgid \"Not s_ort\"\nmsgstr \"\xE6\x8E\x92\xE5\xBA\x8F(_O)\"\n");
    assert_msgfmt_takes(*state, document);
    vks_document_close(&document);
}

static void plural_forms_are_those_of_the_header(void **state) {
    static const char entry[] = "\n#, c-format\nmsgid \"One file\"\nmsgid_plural \"%d files\"\n"
                                "msgstr[0] \"\"\nmsgstr[1] \"\"\n";
    char text[2048];
    snprintf(text, sizeof text, "%s%s", HEADER(TWO_FORMS), entry);
    struct vks_document *document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    set(document, 0, "One file", "Eine Datei");
    fake_assert_content(document, text); // half an entry is none
    set(document, 1, "%d files", "%d Dateien");
    fake_assert_content(
        document,
        HEADER(TWO_FORMS) "\n#, fuzzy, c-format\nmsgid \"One file\"\nmsgid_plural \"%d files\"\n"
                          "msgstr[0] \"Eine Datei\"\nmsgstr[1] \"%d Dateien\"\n");
    assert_msgfmt_takes(*state, document);
    vks_document_close(&document);

    // 21, 31 and so on have the form for one, which must therefore say the number.
    snprintf(text, sizeof text, "%s%s", HEADER(THREE_FORMS), entry);
    document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    set(document, 0, "One file", "Ein F");
    set(document, 1, "%d files", "%d F");
    fake_assert_content(
        document,
        HEADER(THREE_FORMS) "\n#, fuzzy, c-format\nmsgid \"One file\"\nmsgid_plural \"%d files\"\n"
                            "msgstr[0] \"%d F\"\nmsgstr[1] \"%d F\"\nmsgstr[2] \"%d F\"\n");
    assert_msgfmt_takes(*state, document);
    assert_int_equal(vks_document_set_translation(document, 0, NULL), VKS_OK);
    fake_assert_content(document, text);
    vks_document_close(&document);
}

static void plural_entries_without_a_header_are_left(void **state) {
    struct scratch *scratch = *state;
    static const char text[] = HEADER("") "\nmsgid \"One file\"\nmsgid_plural \"%d files\"\n"
                                          "msgstr[0] \"\"\nmsgstr[1] \"\"\n";
    struct vks_document *document = fake_open(scratch, "a.po", text, VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_num_segments(document), 0);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "1 entries with plural forms are left"));
    assert_counts(document, 0, 0, 1, 0);
    vks_document_close(&document);
}

static void entries_that_lose_placeholders_stay(void **state) {
    static const char text[] =
        HEADER("") "\n#, python-brace-format\nmsgid \"Open {name!r}\"\nmsgstr \"\"\n"
                   "\nmsgid \"See <b>it</b>\"\nmsgstr \"\"\n"
                   "\n#, c-format\nmsgid \"50% of\"\nmsgstr \"\"\n"
                   "\nmsgid \"\"\n\"Line one\\n\"\n\"\\n\"\n\"Line %s.\"\nmsgstr \"\"\n";
    struct vks_document *document = fake_open(*state, "a.po", text, VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_set_translation(document, 0, "{name} auf"), VKS_OK);
    assert_int_equal(vks_document_set_translation(document, 1, "<b>Siehe</b> das"), VKS_OK);
    assert_int_equal(vks_document_set_translation(document, 2, "50% von"), VKS_OK); // msgfmt's %o
    set(document, 3, "Line one", "Zeile eins");
    set(document, 4, "Line %s.", "Zeile.");
    fake_assert_content(
        document, HEADER("") "\n#, python-brace-format\nmsgid \"Open {name!r}\"\nmsgstr \"\"\n"
                             "\n#, fuzzy\nmsgid \"See <b>it</b>\"\nmsgstr \"<b>Siehe</b> das\"\n"
                             "\n#, c-format\nmsgid \"50% of\"\nmsgstr \"\"\n"
                             "\nmsgid \"\"\n\"Line one\\n\"\n\"\\n\"\n\"Line %s.\"\nmsgstr \"\"\n");
    assert_counts(document, 1, 0, 3, 3);
    vks_document_close(&document);
}

static void line_ends_and_white_space_are_those_of_the_msgid(void **state) {
    struct vks_document *document = fake_open(
        *state, "a.po",
        HEADER("") "\nmsgid \"\"\n\"\\n\"\n\"  One.\\n\"\n\"\\n\"\n\"\\t- two:\\n\"\nmsgstr \"\"\n",
        VKS_DOCUMENT_AUTO);
    set(document, 0, "One.", "Eins.");
    set(document, 1, "two:", "zwei.");
    fake_assert_content(
        document, HEADER("") "\n#, fuzzy\nmsgid \"\"\n\"\\n\"\n\"  One.\\n\"\n"
                             "\"\\n\"\n\"\\t- two:\\n\"\nmsgstr \"\"\n\"\\n\"\n\"  Eins.\\n\"\n"
                             "\"\\n\"\n\"\\t- zwei:\\n\"\n");
    assert_msgfmt_takes(*state, document);
    vks_document_close(&document);
}

static void crlf_stays_and_the_byte_order_mark_goes(void **state) {
    fake_assert_upper(
        *state, "a.po",
        "\xEF\xBB\xBF# c\r\nmsgid \"\"\r\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\r\n"
        "\r\n#. x\r\nmsgid \"one\"\r\nmsgstr \"\"\r\n",
        "# c\r\nmsgid \"\"\r\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\r\n"
        "\r\n#. x\r\n#, fuzzy\r\nmsgid \"one\"\r\nmsgstr \"ONE\"\r\n");
}

static void what_is_written_is_utf8(void **state) {
    fake_assert_upper(*state, "a.po",
                      "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=CHARSET\\n\"\n"
                      "\nmsgid \"one\"\nmsgstr \"\"\n",
                      "msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
                      "\"Content-Transfer-Encoding: 8bit\\n\"\n"
                      "\n#, fuzzy\nmsgid \"one\"\nmsgstr \"ONE\"\n");
    fake_assert_upper(*state, "a.pot", "msgid \"one\"\nmsgstr \"\"\n",
                      "msgid \"\"\nmsgstr \"\"\n\"MIME-Version: 1.0\\n\"\n"
                      "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
                      "\"Content-Transfer-Encoding: 8bit\\n\"\n"
                      "\n#, fuzzy\nmsgid \"one\"\nmsgstr \"ONE\"\n");
}

static void texts_without_a_charset_keep_their_characters(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.po", "# \xC3\xA4\n\n# \xC3\xB6\nmsgid \"\xC3\xBC\"\nmsgstr \"\"\n",
                  VKS_DOCUMENT_AUTO);
    set(document, 0, "\xC3\xBC", "\xC3\x9F");
    fake_assert_content(
        document, "msgid \"\"\nmsgstr \"\"\n\"MIME-Version: 1.0\\n\"\n"
                  "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
                  "\"Content-Transfer-Encoding: 8bit\\n\"\n"
                  "\n# \xC3\xA4\n# \xC3\xB6\n#, fuzzy\nmsgid \"\xC3\xBC\"\nmsgstr \"\xC3\x9F\"\n");
    vks_document_close(&document);
}

static void malformed_files_are_refused_with_a_line(void **state) {
    fake_assert_refused(*state, "a.po", "msgid \"a\"\nmsgstr \"b\n\nmsgid \"x\"\nfoo\n",
                        "a.po:3: end-of-line within string");
    fake_assert_refused(*state, "a.po", "msgid \"a\"\nmsgstr \"b\"\n\nmsgid \"a\"\nmsgstr \"c\"\n",
                        "a.po:4: duplicate message definition");
    fake_assert_refused(*state, "a.po", "msgid \"a\"\nmsgstr \"b\"\nfoo \"c\"\n",
                        "a.po:3: keyword \"foo\" unknown");
    fake_assert_refused(*state, "a.po", "1\n00:00:01,000 --> 00:00:02,000\n", "a.po:1: ");
    fake_assert_refused(*state, "a.po",
                        "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=ISO-8859-1\\n\"\n",
                        "a.po: the header says charset=ISO-8859-1; expected UTF-8");
    fake_assert_refused(*state, "a.po",
                        "msgid \"a\"\nmsgstr \"\"\n\nmsgid \"\\377\"\nmsgstr \"\"\n",
                        "a.po: message 2: its escapes make text that is not UTF-8");
    fake_assert_refused(*state, "a.po", "msgid \"\xE4\"\nmsgstr \"\"\n", "a.po:1: not UTF-8");
}

// After a refused file others are still read.
static void a_refused_file_leaves_nothing_behind(void **state) {
    struct scratch *scratch = *state;
    fake_assert_refused(scratch, "a.po", "msgid \"a\n", "a.po:");
    fake_assert_upper(scratch, "b.po",
                      "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n",
                      "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n");
}

static void five_thousand_entries_take_no_time(void **state) {
    enum { NUM = 5000 };
    struct scratch *scratch = *state;
    struct text_buffer buffer = {0};
    char entry[256], *text;
    text_append_string(&buffer, HEADER(TWO_FORMS));
    for (int i = 0; i < NUM; i++) {
        if (i % 5 == 0)
            snprintf(entry, sizeof entry,
                     "\n#, c-format\nmsgid \"%%d f_ile %d\"\nmsgid_plural \"%%d "
                     "_files %d\"\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n",
                     i, i);
        else
            snprintf(entry, sizeof entry,
                     "\n#: file.c:%d\n#, c-format\nmsgid \"_Open %%s number %d...\"\nmsgstr \"\"\n",
                     i, i);
        text_append_string(&buffer, entry);
    }
    assert_int_equal(text_take(&buffer, &text, NULL), VKS_OK);
    clock_t begin = clock();
    struct vks_document *document = fake_open(scratch, "a.po", text, VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_num_segments(document), NUM + NUM / 5);
    fake_translate(document);
    assert_counts(document, NUM, 0, 0, 0);
    fake_assert_file(scratch, "a.po", text); // nothing is written before it is saved
    assert_msgfmt_takes(scratch, document);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    print_message("%.2f s\n", seconds);
    assert_true(seconds < 10);
    vks_document_close(&document);
    fake_assert_file(scratch, "a.po", text);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(all_but_empty_translations_stays),
        SCRATCH_TEST(fuzzy_entries_are_translated_when_asked_for),
        SCRATCH_TEST(accelerators_move),
        SCRATCH_TEST(plural_forms_are_those_of_the_header),
        SCRATCH_TEST(plural_entries_without_a_header_are_left),
        SCRATCH_TEST(entries_that_lose_placeholders_stay),
        SCRATCH_TEST(line_ends_and_white_space_are_those_of_the_msgid),
        SCRATCH_TEST(crlf_stays_and_the_byte_order_mark_goes),
        SCRATCH_TEST(what_is_written_is_utf8),
        SCRATCH_TEST(texts_without_a_charset_keep_their_characters),
        SCRATCH_TEST(malformed_files_are_refused_with_a_line),
        SCRATCH_TEST(a_refused_file_leaves_nothing_behind),
        SCRATCH_TEST(five_thousand_entries_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
