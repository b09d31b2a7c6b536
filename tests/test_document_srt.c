// Subtitles as a document.
#include "fake_document.h"

#define CUE(number, times, text) number "\n" times "\n" text "\n\n"

static void an_untranslated_document_is_what_it_was(void **state) {
    static const char *const texts[] = {
        "",
        "\n\n",
        CUE("1", "00:00:01,000 --> 00:00:02,000", "Hi."),
        "\xEF\xBB\xBF"
        "1\r\n00:00:01,000 --> 00:00:02,000 X1:40 Y1:2\r\n{\\an8}<i>Hi\r\nyou.</i>\r\n\r\n\r\n"
        "7\r\n0:00:03.5 --> 0:00:04.25\r\n\r\n8\r\n00:00:05,000 --> 00:00:06,000\r\n- a\r\n- b",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct vks_document *document = fake_open(*state, "a.srt", texts[i], VKS_DOCUMENT_AUTO);
        fake_assert_content(document, texts[i]);
        vks_document_close(&document);
    }
}

static void all_but_the_words_stays(void **state) {
    fake_assert_upper(
        *state, "a.srt",
        "\xEF\xBB\xBF"
        "1\r\n00:00:01,000 --> 00:00:02,000 align:start\r\n{\\an8}<i>Hi you.</i>\r\n\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\n\xE2\x99\xAA La la. \xE2\x99\xAA\r\n",
        "\xEF\xBB\xBF"
        "1\r\n00:00:01,000 --> 00:00:02,000 align:start\r\n{\\an8}<i>HI YOU.</i>\r\n\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\n\xE2\x99\xAA LA LA. \xE2\x99\xAA\r\n");
}

static void lines_are_broken_again_about_equally_long(void **state) {
    struct vks_document *document = fake_open(
        *state, "a.srt", CUE("1", "00:00:01,000 --> 00:00:02,000", "<i>One two</i>\n<i>three.</i>"),
        VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_num_segments(document), 1);
    assert_string_equal(vks_document_segment(document, 0), "One two three.");
    assert_int_equal(vks_document_set_translation(
                         document, 0, "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj"),
                     VKS_OK);
    fake_assert_content(document, CUE("1", "00:00:01,000 --> 00:00:02,000",
                                      "<i>aaaa bbbb cccc dddd eeee\nffff gggg hhhh iiii jjjj</i>"));
    vks_document_close(&document);
}

static void a_sentence_over_several_subtitles_is_one_segment(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.srt",
                  CUE("1", "00:00:01,000 --> 00:00:02,000", "Good. I never thought,")
                      CUE("2", "00:00:02,000 --> 00:00:03,000", "<i>that it would end</i>")
                          CUE("3", "00:00:03,100 --> 00:00:04,000", "like this. Really?"),
                  VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_num_segments(document), 3);
    assert_string_equal(vks_document_segment(document, 0), "Good.");
    assert_string_equal(vks_document_segment(document, 1),
                        "I never thought, that it would end like this.");
    assert_string_equal(vks_document_segment(document, 2), "Really?");
    assert_int_equal(vks_document_set_translation(document, 0, "Gut."), VKS_OK);
    assert_int_equal(
        vks_document_set_translation(document, 1, "Ich habe nie gedacht, dass es so zu Ende geht."),
        VKS_OK);
    assert_int_equal(vks_document_set_translation(document, 2, "Ja?"), VKS_OK);
    fake_assert_content(document,
                        CUE("1", "00:00:01,000 --> 00:00:02,000", "Gut. Ich habe nie gedacht,")
                            CUE("2", "00:00:02,000 --> 00:00:03,000", "<i>dass es so zu</i>")
                                CUE("3", "00:00:03,100 --> 00:00:04,000", "Ende geht. Ja?"));
    vks_document_close(&document);
}

static void speakers_have_lines_of_their_own(void **state) {
    fake_assert_upper(*state, "a.srt",
                      CUE("1", "00:00:01,000 --> 00:00:02,000", "- Who is\nthere?\n- <i>Me.</i>"),
                      CUE("1", "00:00:01,000 --> 00:00:02,000", "- WHO IS THERE?\n- <i>ME.</i>"));
    fake_assert_upper(*state, "a.srt",
                      CUE("1", "00:00:01,000 --> 00:00:02,000", "<i>- Who?\n- Me.</i>"),
                      CUE("1", "00:00:01,000 --> 00:00:02,000", "<i>- WHO?\n- ME.</i>"));
}

static void far_and_finished_subtitles_are_not_joined(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.srt",
                  CUE("1", "00:00:01,000 --> 00:00:02,000", "and then")
                      CUE("2", "00:00:09,000 --> 00:00:10,000", "it came")
                          CUE("3", "00:00:10,000 --> 00:00:11,000", "- here.")
                              CUE("4", "00:00:11,000 --> 00:00:12,000", "No way."),
                  VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_num_segments(document), 4);
    vks_document_close(&document);
}

static void fewer_words_than_subtitles_leave_the_last_ones_empty(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.srt",
                  CUE("1", "00:00:01,000 --> 00:00:02,000", "of course")
                      CUE("2", "00:00:02,000 --> 00:00:03,000", "it is."),
                  VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_num_segments(document), 1);
    assert_int_equal(vks_document_set_translation(document, 0, "Ja."), VKS_OK);
    fake_assert_content(document, CUE("1", "00:00:01,000 --> 00:00:02,000", "Ja.")
                                      CUE("2", "00:00:02,000 --> 00:00:03,000", ""));
    vks_document_close(&document);
}

static void tags_within_a_sentence_survive_or_it_stays(void **state) {
    struct vks_document_counts counts;
    struct vks_document *document =
        fake_open(*state, "a.srt",
                  CUE("1", "00:00:01,000 --> 00:00:02,000", "I <i>really</i> mean it.")
                      CUE("2", "00:00:02,000 --> 00:00:03,000", "He <b>left</b>.")
                          CUE("3", "00:00:03,000 --> 00:00:04,000", "..."),
                  VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_set_translation(document, 0, "Ich meine es <i>ernst</i>."),
                     VKS_OK);
    assert_int_equal(vks_document_set_translation(document, 1, "Er ging."), VKS_OK);
    fake_assert_content(document,
                        CUE("1", "00:00:01,000 --> 00:00:02,000", "Ich meine es <i>ernst</i>.")
                            CUE("2", "00:00:02,000 --> 00:00:03,000", "He <b>left</b>.")
                                CUE("3", "00:00:03,000 --> 00:00:04,000", "..."));
    vks_document_count(document, &counts);
    assert_int_equal(counts.num_translated, 1);
    assert_int_equal(counts.num_untranslated, 1);
    assert_int_equal(counts.num_lost, 1);
    assert_int_equal(counts.num_kept, 1);
    vks_document_close(&document);
}

static void a_pair_of_tags_is_not_cut(void **state) {
    struct vks_document *document =
        fake_open(*state, "a.srt",
                  CUE("1", "00:00:01,000 --> 00:00:02,000", "we <i>saw")
                      CUE("2", "00:00:02,000 --> 00:00:03,000", "him</i> there."),
                  VKS_DOCUMENT_SRT);
    assert_int_equal(vks_document_num_segments(document), 1);
    assert_int_equal(
        vks_document_set_translation(document, 0, "dort haben <i>wir ihn</i> gesehen."), VKS_OK);
    fake_assert_content(document,
                        CUE("1", "00:00:01,000 --> 00:00:02,000", "dort haben")
                            CUE("2", "00:00:02,000 --> 00:00:03,000", "<i>wir ihn</i> gesehen."));
    vks_document_close(&document);
}

static void malformed_subtitles_are_refused_with_line_and_value(void **state) {
    fake_assert_refused(*state, "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nHi.\n\nHello\n",
                        "a.srt:5: expected the number of a subtitle, found 'Hello'");
    fake_assert_refused(*state, "a.srt", "1\n00:00:01,000 -> 00:00:02,000\nHi.\n",
                        "a.srt:2: expected times as in 00:00:01,000 --> 00:00:02,500, found "
                        "'00:00:01,000 -> 00:00:02,000'");
    fake_assert_refused(*state, "a.srt", "1\n00:61:01,000 --> 00:00:02,000\nHi.\n", "a.srt:2: ");
    fake_assert_refused(*state, "a.srt", "1\n00:00:01,000 --> 00:00:02\nHi.\n", "a.srt:2: ");
    fake_assert_refused(*state, "a.srt", "1",
                        "a.srt:1: expected times as in 00:00:01,000 --> "
                        "00:00:02,500, found the end");
    fake_assert_refused(*state, "a.srt", "1\n\nHi.\n", "found a blank line");
    fake_assert_refused(*state, "a.srt", "1\n00:00:01,000 --> 00:00:02,000\n\xFF\n",
                        "a.srt:3: not UTF-8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_untranslated_document_is_what_it_was),
        SCRATCH_TEST(all_but_the_words_stays),
        SCRATCH_TEST(lines_are_broken_again_about_equally_long),
        SCRATCH_TEST(a_sentence_over_several_subtitles_is_one_segment),
        SCRATCH_TEST(speakers_have_lines_of_their_own),
        SCRATCH_TEST(far_and_finished_subtitles_are_not_joined),
        SCRATCH_TEST(fewer_words_than_subtitles_leave_the_last_ones_empty),
        SCRATCH_TEST(tags_within_a_sentence_survive_or_it_stays),
        SCRATCH_TEST(a_pair_of_tags_is_not_cut),
        SCRATCH_TEST(malformed_subtitles_are_refused_with_line_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
