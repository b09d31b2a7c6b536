// Pairs whose placeholders, names and numbers are masked for training.
#include "data/pair_mask.h"

#include "text/placeholders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct masked_pair mask(const char *source, const char *target, float probability,
                               uint32_t seed) {
    const struct text_pair pair = {
        .texts = {source, target},
        .num_bytes = {(uint32_t)strlen(source), (uint32_t)strlen(target)}};
    struct rng rng = {.seed = seed};
    struct masked_pair masked;
    assert_int_equal(pair_mask(&pair, probability, &rng, &masked), VKS_OK);
    return masked;
}

// Which symbols a text has, as bits.
static uint32_t symbols_of(const char *text) {
    uint32_t symbols = 0;
    for (uint32_t i = 0; i < PLACEHOLDERS_MAX; i++) {
        char symbol[PLACEHOLDERS_MAX_SYMBOL_BYTES + 1];
        snprintf(symbol, sizeof symbol, "<ph%u>", (unsigned)i);
        symbols |= (uint32_t)(strstr(text, symbol) != NULL) << i;
    }
    return symbols;
}

static void placeholders_get_the_same_symbols_on_both_sides(void **state) {
    (void)state;
    bool begins_with_0 = false, begins_elsewhere = false;
    for (uint32_t seed = 0; seed < 50; seed++) {
        struct masked_pair masked = mask("copy %s to {0}", "nach {0} kopieren: %s", 1.0f, seed);
        const char *of_s = strstr(masked.texts[0], "<ph"), *of_0 = strstr(of_s + 1, "<ph");
        const char *target_0 = strstr(masked.texts[1], "<ph");
        const char *target_s = strstr(target_0 + 1, "<ph");
        assert_null(strstr(masked.texts[0], "%s"));
        assert_null(strstr(masked.texts[1], "{0}"));
        assert_int_equal(atoi(of_s + 3), atoi(target_s + 3));
        assert_int_equal(atoi(of_0 + 3), atoi(target_0 + 3));
        assert_int_equal(atoi(of_0 + 3), atoi(of_s + 3) + 1);
        assert_int_equal(masked.num_bytes[0], strlen(masked.texts[0]));
        begins_with_0 |= atoi(of_s + 3) == 0;
        begins_elsewhere |= atoi(of_s + 3) > 5;
        masked_pair_free(&masked);
    }
    assert_true(begins_with_0 && begins_elsewhere);
}

static void names_and_numbers_of_both_sides_are_masked_now_and_then(void **state) {
    (void)state;
    uint32_t num_masked = 0, num_wrapped = 0;
    for (uint32_t seed = 0; seed < 200; seed++) {
        struct masked_pair masked = mask("open Calc now",
                                         "jetzt Calc \xc3\xb6"
                                         "ffnen",
                                         1.0f, seed);
        if (!masked.texts[0])
            continue;
        assert_int_equal(symbols_of(masked.texts[0]), symbols_of(masked.texts[1]));
        bool has_name = strstr(masked.texts[0], "Calc") != NULL;
        assert_int_equal(strstr(masked.texts[1], "Calc") != NULL, has_name);
        num_masked++;
        num_wrapped += has_name;
        masked_pair_free(&masked);
    }
    assert_in_range(num_masked, 70, 130);
    assert_in_range(num_wrapped, num_masked / 5, num_masked / 2);
}

static void other_words_stay(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        // lower case; twice on a side; another word; placeholders that differ
        assert_null(mask("in total", "in total", 1.0f, seed).texts[0]);
        assert_null(mask("Calc or Calc", "Calc oder Calc", 1.0f, seed).texts[0]);
        assert_null(mask("Files", "Dateien", 1.0f, seed).texts[0]);
        assert_null(mask("%s in Calc", "%d in Calc", 1.0f, seed).texts[0]);
        assert_null(mask("", "", 1.0f, seed).texts[0]);
    }
}

static void the_probability_is_kept(void **state) {
    (void)state;
    uint32_t num = 0;
    for (uint32_t seed = 0; seed < 1000; seed++) {
        struct masked_pair masked = mask("%s", "%s", 0.3f, seed);
        num += masked.texts[0] != NULL;
        masked_pair_free(&masked);
        assert_null(mask("%s", "%s", 0.0f, seed).texts[0]);
    }
    assert_in_range(num, 240, 360); // 4 standard deviations
}

static void symbols_do_not_run_out(void **state) {
    (void)state;
    const char *many = "A1 A2 A3 A4 A5 A6 A7 A8 A9 B1 B2 B3 B4 B5 B6 B7 B8 B9 C1 C2 C3 C4 C5 C6 C7 "
                       "C8 C9 D1 D2 D3 D4 D5 D6 D7 D8 D9 E1 E2 E3 E4 E5 E6 E7 E8 E9";
    for (uint32_t seed = 0; seed < 100; seed++) {
        struct masked_pair masked = mask(many, many, 1.0f, seed);
        assert_string_equal(masked.texts[0], masked.texts[1]);
        assert_null(strstr(masked.texts[0], "<ph16>"));
        masked_pair_free(&masked);
        // More placeholders than symbols: not masked.
        assert_null(mask("%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s",
                         1.0f, seed)
                        .texts[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_get_the_same_symbols_on_both_sides),
        cmocka_unit_test(names_and_numbers_of_both_sides_are_masked_now_and_then),
        cmocka_unit_test(other_words_stay),
        cmocka_unit_test(the_probability_is_kept),
        cmocka_unit_test(symbols_do_not_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
