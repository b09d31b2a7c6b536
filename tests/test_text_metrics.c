// BLEU and chrF against sacreBLEU's figures (golden/make_metrics.py), and on bad input.
#include "io/files.h"
#include "vkseq/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_LINES = 100 };
static const double tolerance = 0.001;

static void assert_close(double actual, double expected, const char *what, const char *row) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%s is %f instead of %f: %s", what, actual, expected, row);
}

static void check_score(const char *row, const char *const *hypotheses,
                        const char *const *references) {
    unsigned first, num;
    char name[8];
    double bleu, precisions[4], brevity_penalty, chrf, chrf_pp;
    unsigned long long hypothesis_words, reference_words;
    assert_int_equal(sscanf(row, "score %u %u %7s %lf %lf %lf %lf %lf %lf %llu %llu %lf %lf",
                            &first, &num, name, &bleu, &precisions[0], &precisions[1],
                            &precisions[2], &precisions[3], &brevity_penalty, &hypothesis_words,
                            &reference_words, &chrf, &chrf_pp),
                     13);
    enum vks_bleu_tokenize tokenize;
    struct vks_metric_scores scores;
    assert_int_equal(vks_bleu_tokenize_from_name(name, &tokenize), VKS_OK);
    assert_int_equal(
        vks_metrics_corpus(hypotheses + first, references + first, num, tokenize, &scores), VKS_OK);
    assert_close(scores.bleu, bleu, "BLEU", row);
    for (int n = 0; n < 4; n++)
        assert_close(scores.precisions[n], precisions[n], "precision", row);
    assert_close(scores.brevity_penalty, brevity_penalty, "brevity penalty", row);
    assert_close((double)scores.hypothesis_words, (double)hypothesis_words, "words", row);
    assert_close((double)scores.reference_words, (double)reference_words, "words", row);
    assert_close(scores.chrf, chrf, "chrF", row);
    assert_close(scores.chrf_pp, chrf_pp, "chrF++", row);
}

static void scores_equal_sacrebleu(void **state) {
    (void)state;
    unsigned char *data = NULL;
    size_t num_bytes = 0, num_lines = 0, num_scores = 0;
    const char *hypotheses[MAX_LINES], *references[MAX_LINES];
    assert_int_equal(
        file_read(TEST_DATA_DIR "/golden/metrics.tsv", 1 << 20, NULL, &data, &num_bytes), VKS_OK);
    for (char *row = (char *)data, *end; *row; row = end + 1) {
        end = strchr(row, '\n');
        *end = '\0';
        if (strncmp(row, "line\t", 5) == 0) {
            assert_true(num_lines < MAX_LINES);
            char *reference = strchr(row + 5, '\t');
            *reference = '\0';
            hypotheses[num_lines] = row + 5;
            references[num_lines++] = reference + 1;
        } else {
            check_score(row, hypotheses, references);
            num_scores++;
        }
    }
    assert_true(num_lines > 50 && num_scores > 4 * num_lines);
    free(data);
}

static struct vks_metric_scores score_line(const char *hypothesis, const char *reference,
                                           enum vks_bleu_tokenize tokenize) {
    struct vks_metric_scores scores;
    assert_int_equal(vks_metrics_corpus(&hypothesis, &reference, 1, tokenize, &scores), VKS_OK);
    return scores;
}

static void malformed_utf8_is_a_replacement_character(void **state) {
    (void)state;
    const char *fixed = "one \xef\xbf\xbd two three four\xef\xbf\xbd";
    for (int tokenize = VKS_BLEU_13A; tokenize <= VKS_BLEU_CHAR; tokenize++) {
        struct vks_metric_scores scores =
            score_line("one \xff two three four\xe4\xbd", fixed, (enum vks_bleu_tokenize)tokenize);
        assert_close(scores.bleu, 100, "BLEU", "malformed");
        assert_close(scores.chrf, 100, "chrF", "malformed");
    }
}

static void line_breaks_inside_a_line_are_blanks(void **state) {
    (void)state;
    struct vks_metric_scores scores =
        score_line("a hyphen-\nated word\nand more", "a hyphenated word and more", VKS_BLEU_13A);
    assert_close(scores.bleu, 100, "BLEU", "line break");
}

static void long_lines_are_scored(void **state) {
    (void)state;
    enum { NUM = 200000 };
    char *text = malloc(NUM + 1);
    assert_non_null(text);
    for (int i = 0; i < NUM; i++)
        text[i] = "ab .c-1,"[i * 7 % 11 % 8];
    text[NUM] = '\0';
    assert_close(score_line(text, text, VKS_BLEU_13A).bleu, 100, "BLEU", "long line");
    assert_close(score_line(text, text, VKS_BLEU_CHAR).chrf_pp, 100, "chrF++", "long line");
    free(text);
}

static void bad_arguments_leave_the_scores_alone(void **state) {
    (void)state;
    struct vks_metric_scores scores = {.bleu = 42};
    enum vks_bleu_tokenize tokenize = VKS_BLEU_ZH;
    const char *line = "a";
    assert_int_equal(vks_metrics_corpus(&line, &line, 0, VKS_BLEU_13A, &scores), VKS_ERR_ARGUMENT);
    assert_int_equal(vks_metrics_corpus(&line, &line, 1, (enum vks_bleu_tokenize)4, &scores),
                     VKS_ERR_ARGUMENT);
    assert_close(scores.bleu, 42, "BLEU", "bad arguments");
    assert_int_equal(vks_bleu_tokenize_from_name("14a", &tokenize), VKS_ERR_ARGUMENT);
    assert_int_equal(tokenize, VKS_BLEU_ZH);
}

static void signatures_have_the_form_of_sacrebleu(void **state) {
    (void)state;
    assert_string_equal(
        vks_metrics_signature(VKS_METRIC_BLEU, VKS_BLEU_INTL),
        "nrefs:1|case:mixed|eff:no|tok:intl|smooth:exp|version:vkseq-" VKS_VERSION_STRING);
    assert_string_equal(
        vks_metrics_signature(VKS_METRIC_CHRF, VKS_BLEU_13A),
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:vkseq-" VKS_VERSION_STRING);
    assert_string_equal(
        vks_metrics_signature(VKS_METRIC_CHRF_PP, VKS_BLEU_13A),
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:vkseq-" VKS_VERSION_STRING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_sacrebleu),
        cmocka_unit_test(malformed_utf8_is_a_replacement_character),
        cmocka_unit_test(line_breaks_inside_a_line_are_blanks),
        cmocka_unit_test(long_lines_are_scored),
        cmocka_unit_test(bad_arguments_leave_the_scores_alone),
        cmocka_unit_test(signatures_have_the_form_of_sacrebleu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
