// Plain text as a document: what is translated, and what stays as it was.
#include "fake_document.h"

#include "base/inject.h"

static void an_untranslated_document_is_what_it_was(void **state) {
    static const char *const texts[] = {
        "",
        "\n",
        "one",
        "one\n",
        "one\r\n\r\ntwo",
        "\xEF\xBB\xBFone\n\n\n  two \t three  \n",
        "- a\n- b\n\n",
        "A sentence that is long enough to be\nbroken in two\r\nlines\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct vks_document *document = fake_open(*state, "a.txt", texts[i], VKS_DOCUMENT_AUTO);
        fake_assert_content(document, texts[i]);
        vks_document_close(&document);
    }
}

static void lines_blank_lines_and_ends_stay(void **state) {
    fake_assert_upper(*state, "a.txt", "First line.\n\n\n  Second one\t \nlast",
                      "FIRST LINE.\n\n\n  SECOND ONE\t \nLAST");
    fake_assert_upper(*state, "a.txt", "one.\r\n\r\ntwo.\r\n", "ONE.\r\n\r\nTWO.\r\n");
    fake_assert_upper(*state, "a.txt", "\xEF\xBB\xBFone.\n", "\xEF\xBB\xBFONE.\n");
}

static void bullets_and_tabs_stay(void **state) {
    fake_assert_upper(*state, "a.txt", "* one\n  - two\n12. three\na) four\n> five\nsix\tseven\n",
                      "* ONE\n  - TWO\n12. THREE\na) FOUR\n> FIVE\nSIX\tSEVEN\n");
}

static void lines_without_words_are_no_segments(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.txt", "-----\n1.2.3\n%s {0} <b>\n\n* * *\n", VKS_DOCUMENT_TEXT);
    assert_int_equal(vks_document_num_segments(document), 0);
    vks_document_close(&document);
}

static void a_broken_sentence_is_one_segment_and_broken_again(void **state) {
    static const char text[] = "  This is a paragraph that was broken in\r\n"
                               "  several lines, as Editors do, at about\r\n"
                               "  forty columns. Another sentence. End.\r\n"
                               "\r\nNext one.\r\n";
    struct vks_document *document = fake_open(*state, "a.txt", text, VKS_DOCUMENT_TEXT);
    assert_int_equal(vks_document_num_segments(document), 2);
    assert_string_equal(vks_document_segment(document, 0),
                        "This is a paragraph that was broken in several lines, as Editors do, at "
                        "about forty columns. Another sentence. End.");
    assert_int_equal(vks_document_set_translation(
                         document, 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbb ccc"),
                     VKS_OK);
    fake_assert_content(
        document, "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n  bbbbbbbbb ccc\r\n\r\nNext one.\r\n");
    vks_document_close(&document);
}

static void short_lines_and_lists_are_not_joined(void **state) {
    struct vks_document *document = fake_open(
        *state, "a.txt", "Heading\nA sentence.\nand more\n- item\n- other\n    code here\n",
        VKS_DOCUMENT_TEXT);
    assert_int_equal(vks_document_num_segments(document), 6);
    vks_document_close(&document);
}

static void narrow_lines_keep_their_number(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.txt", "Save the\nfile now?", VKS_DOCUMENT_TEXT);
    assert_int_equal(vks_document_num_segments(document), 1);
    assert_int_equal(
        vks_document_set_translation(document, 0, "Wollen Sie die Datei jetzt sichern?"), VKS_OK);
    fake_assert_content(document, "Wollen Sie die Datei\njetzt sichern?");
    vks_document_close(&document);
}

static void a_segment_without_its_placeholders_stays(void **state) {
    struct vks_document_counts counts;
    struct vks_document *document =
        fake_open(*state, "a.txt", "Open %s.\nClose <b>it</b>.\nEnd.", VKS_DOCUMENT_TEXT);
    assert_int_equal(vks_document_set_translation(document, 0, "%d auf."), VKS_OK);
    assert_int_equal(vks_document_set_translation(document, 1, "<b>Es</b> zu."), VKS_OK);
    fake_assert_content(document, "Open %s.\n<b>Es</b> zu.\nEnd.");
    vks_document_count(document, &counts);
    assert_int_equal(counts.num_translated, 1);
    assert_int_equal(counts.num_untranslated, 2);
    assert_int_equal(counts.num_lost, 1);
    assert_int_equal(vks_document_set_translation(document, 1, NULL), VKS_OK);
    fake_assert_content(document, "Open %s.\nClose <b>it</b>.\nEnd.");
    vks_document_close(&document);
}

static void bytes_that_are_no_text_are_refused(void **state) {
    struct scratch *scratch = *state;
    fake_assert_refused(scratch, "a.txt", "one\ntwo\xFF\n",
                        ":2: not UTF-8; expected text in UTF-8");
    fake_assert_refused(scratch, "missing/a.txt", NULL, "cannot open");
}

static void saving_replaces_the_file_that_was_opened(void **state) {
    struct scratch *scratch = *state;
    struct vks_document *document = fake_open(scratch, "a.txt", "one\n", VKS_DOCUMENT_AUTO);
    char *path = scratch_path(scratch, "a.txt"), *other = scratch_path(scratch, "missing/a.txt");
    fake_translate(document);
    assert_int_equal(vks_document_save(document, other), VKS_ERR_IO);
    assert_int_equal(scratch->num_messages, 1);
    fake_assert_file(scratch, "a.txt", "one\n");
    assert_int_equal(vks_document_save(document, path), VKS_OK);
    fake_assert_file(scratch, "a.txt", "ONE\n");
    vks_document_close(&document);
    free(path);
    free(other);
}

static void a_translation_that_is_no_text_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct vks_document *document = fake_open(scratch, "a.txt", "one\n", VKS_DOCUMENT_AUTO);
    assert_int_equal(vks_document_set_translation(document, 0, "\xFF"), VKS_ERR_ARGUMENT);
    assert_int_equal(scratch->num_messages, 1);
    assert_int_equal(vks_document_set_translation(document, 0, " \n"), VKS_OK); // nothing
    fake_assert_content(document, "one\n");
    vks_document_close(&document);
}

// A document opened, translated and written; the status of the first failure.
static enum vks_status work_through(struct scratch *scratch, const char *path) {
    struct vks_document *document = NULL;
    char *content = NULL;
    size_t num_bytes;
    enum vks_status status = vks_document_open(path, VKS_DOCUMENT_AUTO, &scratch->log, &document);
    for (size_t i = 0; status == VKS_OK && i < vks_document_num_segments(document); i++)
        status = vks_document_set_translation(document, i, vks_document_segment(document, i));
    if (status == VKS_OK)
        status = vks_document_content(document, &content, &num_bytes);
    vks_document_close(&document);
    free(content);
    return status;
}

static void each_allocation_may_fail(void **state) {
    static const char *const documents[][2] = {
        {"a.txt", "A sentence that\ngoes on %s.\n\tx"},
        {"a.srt", "1\n00:00:01,000 --> 00:00:02,000\n- I <i>say\n- so,\n\n2\n"
                  "00:00:02,000 --> 00:00:03,000\nand so.\n"},
        {"a.po", "msgid \"\"\nmsgstr \"Plural-Forms: nplurals=2; plural=n != 1;\\n\"\n\n"
                 "msgid \"_a %d\"\nmsgid_plural \"%d b\"\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n"},
    };
    struct scratch *scratch = *state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char *path = scratch_path(scratch, documents[i][0]);
        scratch_put(scratch, documents[i][0], documents[i][1], strlen(documents[i][1]));
        enum vks_status status = work_through(scratch, path);
        uint32_t num_failed = 0;
        bool is_done = status == VKS_ERR_UNSUPPORTED; // built without libgettextpo
        assert_true(is_done || status == VKS_OK);
        bool is_skipped = is_done;
        for (; !is_done; num_failed += !is_done) {
            char fault[32];
            snprintf(fault, sizeof fault, "alloc:%u", num_failed + 1);
            scratch->num_messages = 0;
            assert_true(inject_set(fault));
            status = work_through(scratch, path);
            is_done = inject_num_done() == 0;
            assert_true(inject_set(NULL));
            assert_int_equal(status, is_done ? VKS_OK : VKS_ERR_OOM);
            assert_int_equal(scratch->num_messages, !is_done);
        }
        assert_true(is_skipped || num_failed > 10);
        free(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_untranslated_document_is_what_it_was),
        SCRATCH_TEST(lines_blank_lines_and_ends_stay),
        SCRATCH_TEST(bullets_and_tabs_stay),
        SCRATCH_TEST(lines_without_words_are_no_segments),
        SCRATCH_TEST(a_broken_sentence_is_one_segment_and_broken_again),
        SCRATCH_TEST(short_lines_and_lists_are_not_joined),
        SCRATCH_TEST(narrow_lines_keep_their_number),
        SCRATCH_TEST(a_segment_without_its_placeholders_stays),
        SCRATCH_TEST(bytes_that_are_no_text_are_refused),
        SCRATCH_TEST(saving_replaces_the_file_that_was_opened),
        SCRATCH_TEST(a_translation_that_is_no_text_is_refused),
        SCRATCH_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
