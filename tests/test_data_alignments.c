// Word alignments in the format of Pharaoh become links, or an error with file, line and column.
#include "scratch.h"

#include "base/check.h"
#include "data/corpus.h"
#include "number_tokenizer.h"

static const struct vks_tokenizer tokenizer = {.eos_id = 9};

static void put_text(struct scratch *scratch, const char *name, const char *text) {
    scratch_put(scratch, name, text, strlen(text));
}

// Loads the corpus of the files "src", "tgt" and "align", as these params say.
static enum vks_status load(struct scratch *scratch, uint32_t max_length, bool crop,
                            struct corpus **corpus) {
    char *source = scratch_path(scratch, "src"), *target = scratch_path(scratch, "tgt");
    char *align = scratch_path(scratch, "align");
    const struct vks_text_set set = {.source = source, .target = target, .alignments = align};
    const struct encoder_params params = {.tokenizer = &tokenizer,
                                          .sets = &set,
                                          .num_sets = 1,
                                          .max_length = max_length,
                                          .crop = crop,
                                          .log = &scratch->log};
    enum vks_status status = corpus_load(&params, corpus);
    free(source);
    free(target);
    free(align);
    return status;
}

static void expect_links(const struct corpus *corpus, uint32_t pair_idx, const char *expected) {
    size_t num;
    const struct alignment_link *links = corpus_links(corpus, pair_idx, &num);
    char text[256] = "";
    for (size_t i = 0; i < num; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? " %u-%u" : "%u-%u",
                 links[i].source, links[i].target);
    assert_string_equal(text, expected);
}

static void lines_become_links(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1 2\n3\n4 5 6\n1\n");
    put_text(scratch, "tgt", "7\n8 10\n11\n1\n");
    put_text(scratch, "align", " 1-0  0-0\t\r\n\n3-1 2-0\n0-0");
    assert_int_equal(load(scratch, 0, false, &corpus), VKS_OK);
    expect_links(corpus, 0, "1-0 0-0");
    expect_links(corpus, 1, "");
    expect_links(corpus, 2, "3-1 2-0"); // of </s>, too
    expect_links(corpus, 3, "0-0");
    assert_int_equal(scratch->num_messages, 0);
    corpus_destroy(&corpus);
}

static void links_follow_the_pairs_that_are_used(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1 2 3 4\n\n3 4\n");
    put_text(scratch, "tgt", "7\n8\n11\n");
    put_text(scratch, "align", "9-9\nnone\n1-0\n");
    assert_int_equal(load(scratch, 3, false, &corpus), VKS_OK);
    expect_links(corpus, 0, "1-0");
    corpus_destroy(&corpus);
}

static void points_beyond_what_was_cut_are_left_out(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    put_text(scratch, "src", "1 2 3 4\n");
    put_text(scratch, "tgt", "7 8 9 10\n");
    put_text(scratch, "align", "0-0 3-3 1-3 3-1 1-1\n");
    assert_int_equal(load(scratch, 2, true, &corpus), VKS_OK);
    expect_links(corpus, 0, "0-0 1-1");
    corpus_destroy(&corpus);
}

// Sets without alignments have none; a field's faults are told with its number.
static void links_may_be_a_field(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = NULL;
    char *fields = scratch_path(scratch, "fields"), *plain = scratch_path(scratch, "plain");
    put_text(scratch, "fields", "1 2\t7\tunused\t1-0 0-0\n3\t8\tunused\t\n");
    put_text(scratch, "plain", "1\n");
    const struct vks_text_set sets[] = {{.source = plain, .target = plain},
                                        {.source = fields, .num_fields = 4, .alignments_field = 3}};
    struct encoder_params params = {
        .tokenizer = &tokenizer, .sets = sets, .num_sets = 2, .log = &scratch->log};
    assert_int_equal(corpus_load(&params, &corpus), VKS_OK);
    expect_links(corpus, 0, "");
    expect_links(corpus, 1, "1-0 0-0");
    expect_links(corpus, 2, "");
    corpus_destroy(&corpus);
    params.num_sets = 1;
    assert_int_equal(corpus_load(&params, &corpus), VKS_OK);
    expect_links(corpus, 0, "");
    corpus_destroy(&corpus);
    put_text(scratch, "fields", "1 2\t7\t\t0-0\n3\t8\t\t0-0 2-0\n");
    params.num_sets = 2;
    assert_int_equal(corpus_load(&params, &corpus), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "fields:2: field 3:5: point 2-0: the source has 2"));
    free(fields);
    free(plain);
}

static void faults_are_told_with_line_and_column(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"0-0\n0-0 1-\n", "align:2:5: '1-' is no alignment point"},
        {"0-0\n-1-0\n", "align:2:1: '-1-0' is no"},
        {"0-0\n0-0-1\n", "align:2:1: '0-0-1' is no"},
        {"0-0\n0:0\n", "align:2:1: '0:0' is no"},
        {"0-0\n 0-0  0-x\n", "align:2:7: '0-x' is no"},
        {"0-0\n0-0 4-0\n", "align:2:5: point 4-0: the source has 4 tokens with </s>, expected a "
                           "number from 0 to 3"},
        {"0-2\n0-0\n", "align:1:1: point 0-2: the target has 2 tokens with </s>, expected a number "
                       "from 0 to 1"},
        {"0-0\n99999999999999999999-0\n", "align:2:1: point 99999999999999999999-0: the source"},
        {"0-0\n", "align has 1: expected as many"},
        {"0-0\n0-0\n0-0\n", "align has 3: expected as many"},
        {"0-0\n\xff\n", "align:2: not UTF-8"},
    };
    struct scratch *scratch = *state;
    put_text(scratch, "src", "1 2 3\n4 5 6\n");
    put_text(scratch, "tgt", "1\n2\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct corpus *corpus = NULL;
        put_text(scratch, "align", cases[i].text);
        scratch->num_messages = 0;
        assert_int_equal(load(scratch, 0, false, &corpus), VKS_ERR_FORMAT);
        assert_int_equal(scratch->num_messages, 1);
        if (!strstr(scratch->text, cases[i].message))
            fail_msg("'%s' does not say '%s'", scratch->text, cases[i].message);
        assert_null(corpus);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(lines_become_links),
        SCRATCH_TEST(links_follow_the_pairs_that_are_used),
        SCRATCH_TEST(points_beyond_what_was_cut_are_left_out),
        SCRATCH_TEST(links_may_be_a_field),
        SCRATCH_TEST(faults_are_told_with_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
