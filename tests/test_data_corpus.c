// Parallel files become token ids, line by line, whatever the number of threads.
#include "scratch.h"

#include "data/corpus.h"
#include "number_tokenizer.h"

static const struct vks_tokenizer tokenizer = {.eos_id = 9};

static void put_text(struct scratch *scratch, const char *name, const char *text) {
    scratch_put(scratch, name, text, strlen(text));
}

// Loads the files "src" and "tgt" by these params, whose paths, tokenizer and log are set here.
static enum vks_status load(struct scratch *scratch, struct encoder_params params,
                            struct corpus **corpus) {
    char *source = scratch_path(scratch, "src"), *target = scratch_path(scratch, "tgt");
    params.tokenizer = &tokenizer;
    params.sets = &(struct vks_text_set){.source = source, .target = target};
    params.num_sets = 1;
    params.log = &scratch->log;
    enum vks_status status = corpus_load(&params, corpus);
    free(source);
    free(target);
    return status;
}

static void expect_ids(const struct corpus *corpus, enum vks_side side, uint32_t pair_idx,
                       const char *expected) {
    uint32_t num_ids;
    const uint32_t *ids = corpus_ids(corpus, side, pair_idx, &num_ids);
    char text[256] = "";
    for (uint32_t i = 0; i < num_ids; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? " %u" : "%u", ids[i]);
    assert_string_equal(text, expected);
    assert_int_equal(corpus_length(corpus, side, pair_idx), num_ids);
}

static void lines_become_ids_with_end(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src",
             "\xEF\xBB\xBF"
             "1 2\r\n3\n4 5 6");
    put_text(scratch, "tgt", "7\n8 10\r\n11\r\n");
    assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_OK);
    assert_int_equal(corpus_num_pairs(corpus), 3);
    expect_ids(corpus, VKS_SOURCE, 0, "1 2 9");
    expect_ids(corpus, VKS_SOURCE, 1, "3 9");
    expect_ids(corpus, VKS_SOURCE, 2, "4 5 6 9");
    expect_ids(corpus, VKS_TARGET, 0, "7 9");
    expect_ids(corpus, VKS_TARGET, 1, "8 10 9");
    expect_ids(corpus, VKS_TARGET, 2, "11 9");
    assert_int_equal(corpus_num_tokens(corpus, VKS_SOURCE), 9);
    assert_int_equal(corpus_num_tokens(corpus, VKS_TARGET), 7);
    assert_int_equal(corpus_line(corpus, 2), 3);
    assert_int_equal(scratch->num_messages, 0);
    corpus_destroy(&corpus);
    corpus_destroy(&corpus);
}

static void empty_sides_are_left_out_and_said_once(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1\n\n3\n \n5\n");
    put_text(scratch, "tgt", "1\n2\n3\n4\n\r\n");
    assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_OK);
    assert_int_equal(corpus_num_pairs(corpus), 2);
    expect_ids(corpus, VKS_SOURCE, 1, "3 9");
    assert_int_equal(corpus_line(corpus, 1), 3);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "3 pairs left out for an empty side"));
    corpus_destroy(&corpus);
}

static void long_pairs_are_left_out_or_cut(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1 2\n1 2 3\n4\n");
    put_text(scratch, "tgt", "1\n2\n3 4 5 6\n");
    assert_int_equal(load(scratch, (struct encoder_params){.max_length = 2}, &corpus), VKS_OK);
    assert_int_equal(corpus_num_pairs(corpus), 1);
    assert_non_null(strstr(scratch->text, "2 pairs left out for being longer than 2 tokens"));
    corpus_destroy(&corpus);
    assert_int_equal(load(scratch, (struct encoder_params){.max_length = 2, .crop = true}, &corpus),
                     VKS_OK);
    assert_int_equal(corpus_num_pairs(corpus), 3);
    expect_ids(corpus, VKS_SOURCE, 1, "1 2 9");
    expect_ids(corpus, VKS_TARGET, 2, "3 4 9");
    assert_non_null(strstr(scratch->text, "2 pairs cut"));
    corpus_destroy(&corpus);
}

static void unequal_line_counts_are_refused(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1\n2\n3");
    put_text(scratch, "tgt", "1\n2\n");
    assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_ERR_FORMAT);
    assert_null(corpus);
    assert_non_null(strstr(scratch->text, "/src has 3 lines"));
    assert_non_null(strstr(scratch->text, "/tgt has 2"));
}

static void invalid_utf8_names_file_and_line(void **state) {
    struct scratch *scratch = *state;
    static const char *const invalid[] = {"\x80",
                                          "\xC3",
                                          "\xC0\xAF",
                                          "\xE0\x80\xAF",
                                          "\xED\xA0\x80",
                                          "\xF0\x80\x80\xAF",
                                          "\xF4\x90\x80\x80",
                                          "\xF8\x88\x80\x80\x80",
                                          "\xE2\x82",
                                          "\xE2\x82 ",
                                          "\xFF"};
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1\n2\n3\n");
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        char text[64];
        snprintf(text, sizeof text, "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\n%s\n3\n", invalid[i]);
        put_text(scratch, "tgt", text);
        assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_ERR_FORMAT);
        assert_non_null(strstr(scratch->text, "/tgt:2: not UTF-8"));
    }
}

static void corpus_without_pairs_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "");
    put_text(scratch, "tgt", "");
    assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "no pair"));
    put_text(scratch, "src", "\n1 2\n");
    put_text(scratch, "tgt", "1\n1\n");
    assert_int_equal(load(scratch, (struct encoder_params){.max_length = 1}, &corpus),
                     VKS_ERR_FORMAT);
    assert_int_equal(scratch->num_messages, 2);
    assert_null(corpus);
}

static void missing_file_is_an_error(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1\n");
    assert_int_equal(load(scratch, (struct encoder_params){0}, &corpus), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, "/tgt"));
}

static void threads_do_not_change_the_result(void **state) {
    struct scratch *scratch = *state;
    enum { NUM_LINES = 5003, LINE_BYTES = 128 };
    char *source = calloc(NUM_LINES, LINE_BYTES), *target = calloc(NUM_LINES, LINE_BYTES);
    assert_true(source && target);
    for (unsigned i = 0, src = 0, tgt = 0; i < NUM_LINES; i++) {
        for (unsigned t = 0; t < i * 7 % 11; t++)
            src += (unsigned)sprintf(source + src, "%u ", i + t);
        for (unsigned t = 0; t < i * 5 % 13; t++)
            tgt += (unsigned)sprintf(target + tgt, "%u ", i * 3 + t);
        src += (unsigned)sprintf(source + src, "\n");
        tgt += (unsigned)sprintf(target + tgt, "\n");
    }
    put_text(scratch, "src", source);
    put_text(scratch, "tgt", target);
    struct corpus *expected = NULL, *corpus = NULL;
    assert_int_equal(
        load(scratch, (struct encoder_params){.num_threads = 1, .max_length = 9}, &expected),
        VKS_OK);
    static const uint32_t thread_counts[] = {0, 2, 7, 1000};
    for (size_t c = 0; c < 4; c++) {
        struct encoder_params params = {.num_threads = thread_counts[c], .max_length = 9};
        assert_int_equal(load(scratch, params, &corpus), VKS_OK);
        assert_int_equal(corpus_num_pairs(corpus), corpus_num_pairs(expected));
        for (uint32_t i = 0; i < corpus_num_pairs(corpus); i++) {
            assert_int_equal(corpus_line(corpus, i), corpus_line(expected, i));
            for (int side = 0; side < 2; side++) {
                uint32_t num, num_expected;
                const uint32_t *ids = corpus_ids(corpus, (enum vks_side)side, i, &num);
                const uint32_t *expected_ids =
                    corpus_ids(expected, (enum vks_side)side, i, &num_expected);
                assert_int_equal(num, num_expected);
                assert_memory_equal(ids, expected_ids, num * sizeof *ids);
            }
        }
        corpus_destroy(&corpus);
    }
    corpus_destroy(&expected);
    free(source);
    free(target);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(lines_become_ids_with_end),
        SCRATCH_TEST(empty_sides_are_left_out_and_said_once),
        SCRATCH_TEST(long_pairs_are_left_out_or_cut),
        SCRATCH_TEST(unequal_line_counts_are_refused),
        SCRATCH_TEST(invalid_utf8_names_file_and_line),
        SCRATCH_TEST(corpus_without_pairs_is_refused),
        SCRATCH_TEST(missing_file_is_an_error),
        SCRATCH_TEST(threads_do_not_change_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
