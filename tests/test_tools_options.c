// The command's options, help and progress line. Linked with tools/cli/options.c and progress.c.
#include "../tools/cli/options.h"
#include "../tools/cli/progress.h"
#include "text_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEST_ENV "VKSEQ_TEST_DEVICE"
#define MAX_WORDS 16

struct values {
    const char *device, *model, *task;
    bool quiet;
    uint32_t mini_batch_words;
    uint64_t seed;
    float dropout, normalize;
    double max_time_s;
    struct cli_limit after;
    struct cli_strings train_sets;
};

static const char *const tasks[] = {"tiny", "demo", "transformer-base", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"device", 'd', CLI_STRING, offsetof(struct values, device), .env = TEST_ENV,
     .help = "Device to use, by index or part of its name.", .group = "General"},
    {"quiet", 0, CLI_FLAG, offsetof(struct values, quiet), .help = "Print errors only."},
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .help = "Model directory.", .group = "Model"},
    {"task", 0, CLI_CHOICE, offsetof(struct values, task), .default_text = "demo",
     .choices = tasks, .help = "Preset."},
    {"mini-batch-words", 0, CLI_U32, offsetof(struct values, mini_batch_words),
     .default_text = "2048", .min = 1, .max = 65536,
     .help = "Most target tokens in a batch: more of them make better use of a large device, and "
             "need more of its memory.", .group = "Training"},
    {"seed", 0, CLI_U64, offsetof(struct values, seed), .help = "Seed of all random numbers."},
    {"dropout", 0, CLI_FLOAT, offsetof(struct values, dropout), .default_text = "0.1",
     .max = 0.9, .help = "Dropout."},
    {"normalize", 'n', CLI_FLOAT, offsetof(struct values, normalize), .default_text = "0",
     .implicit_text = "1", .help = "Divide scores by length to this power."},
    {"max-time", 0, CLI_DURATION, offsetof(struct values, max_time_s), .help = "Stop after."},
    {"after", 0, CLI_LIMIT, offsetof(struct values, after), .default_text = "10e",
     .help = "Stop after."},
    {"train-sets", 't', CLI_STRINGS, offsetof(struct values, train_sets), "SRC TGT",
     .help = "Training text."},
    {0},
};
// clang-format on

struct run {
    struct values values;
    bool given[sizeof options / sizeof *options];
    char line[512]; // what the words are cut from
    char out[8192], err[1024];
    enum cli_result result;
};

// Parses the words of line, cut at blanks.
static void parse(struct run *run, const char *line) {
    char *words[MAX_WORDS] = {"vkseq"};
    int num_words = 1;
    memset(run, 0, sizeof *run);
    FILE *out = text_stream_open();
    FILE *err = text_stream_open();
    const struct cli_command command = {.name = "vkseq train",
                                        .summary = "Trains a model.",
                                        .options = options,
                                        .values = &run->values,
                                        .given = run->given,
                                        .out = out,
                                        .err = err};
    snprintf(run->line, sizeof run->line, "%s", line);
    for (char *word = strtok(run->line, " "); word && num_words < MAX_WORDS;
         word = strtok(NULL, " "))
        words[num_words++] = word;
    run->result = cli_parse(&command, num_words, words);
    text_stream_close(out, run->out, sizeof run->out);
    text_stream_close(err, run->err, sizeof run->err);
}

static void assert_rejected(const char *line, const char *message) {
    struct run run;
    parse(&run, line);
    assert_int_equal(run.result, CLI_ERROR);
    assert_string_equal(run.err, message);
}

static void defaults_are_set(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--model m");
    assert_int_equal(run.result, CLI_OK);
    assert_string_equal(run.values.task, "demo");
    assert_int_equal(run.values.mini_batch_words, 2048);
    assert_float_equal(run.values.dropout, 0.1, 1e-7);
    assert_int_equal(run.values.after.num, 10);
    assert_int_equal(run.values.after.unit, CLI_EPOCHS);
    assert_null(run.values.device);
    assert_false(run.values.quiet);
    assert_string_equal(run.err, "");
}

static void values_follow_or_are_attached(void **state) {
    (void)state;
    struct run run;
    parse(&run, "-mdir --mini-batch-words=65536 --seed 18446744073709551615 --quiet "
                "--task tiny --dropout=.5 --max-time 1h30m -d 1 --after=20Ku");
    assert_int_equal(run.result, CLI_OK);
    assert_string_equal(run.values.model, "dir");
    assert_int_equal(run.values.mini_batch_words, 65536);
    assert_true(run.values.seed == UINT64_MAX);
    assert_true(run.values.quiet);
    assert_string_equal(run.values.task, "tiny");
    assert_float_equal(run.values.dropout, 0.5, 0);
    assert_float_equal(run.values.max_time_s, 5400, 0);
    assert_string_equal(run.values.device, "1");
    assert_int_equal(run.values.after.num, 20000);
    assert_int_equal(run.values.after.unit, CLI_UPDATES);
}

static void last_of_two_wins(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--model a --quiet --model b --quiet=false");
    assert_int_equal(run.result, CLI_OK);
    assert_string_equal(run.values.model, "b");
    assert_false(run.values.quiet);
}

static void list_takes_words_up_to_next_option(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--train-sets a.en - a.de --model m");
    assert_int_equal(run.result, CLI_OK);
    assert_int_equal(run.values.train_sets.num, 3);
    assert_string_equal(run.values.train_sets.items[1], "-");
    assert_string_equal(run.values.train_sets.items[2], "a.de");
    assert_string_equal(run.values.model, "m");
    parse(&run, "--model m --train-sets=a.en a.de");
    assert_int_equal(run.values.train_sets.num, 2);
    assert_string_equal(run.values.train_sets.items[0], "a.en");
    parse(&run, "-ta.en --model m");
    assert_int_equal(run.values.train_sets.num, 1);
    assert_string_equal(run.values.train_sets.items[0], "a.en");
}

static void value_may_be_left_out_where_one_is_implied(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--normalize --model m");
    assert_float_equal(run.values.normalize, 1, 0);
    parse(&run, "--model m -n");
    assert_float_equal(run.values.normalize, 1, 0);
    parse(&run, "--model m --normalize -0.5");
    assert_float_equal(run.values.normalize, -0.5, 0);
}

static void given_options_are_told_from_defaults(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--model m --dropout 0.1");
    const struct cli_command command = {.options = options, .given = run.given};
    assert_true(cli_was_given(&command, "dropout"));
    assert_true(cli_was_given(&command, "model"));
    assert_false(cli_was_given(&command, "task"));
}

static void environment_is_below_the_command_line(void **state) {
    (void)state;
    struct run run;
    setenv(TEST_ENV, "llvmpipe", 1);
    parse(&run, "--model m");
    assert_string_equal(run.values.device, "llvmpipe");
    assert_true(run.given[0]);
    parse(&run, "--model m --device 2");
    assert_string_equal(run.values.device, "2");
    unsetenv(TEST_ENV);
    parse(&run, "--model m");
    assert_false(run.given[0]);
}

static void unknown_option_names_the_nearest(void **state) {
    (void)state;
    assert_rejected("--mini-bach-words 4", "vkseq train: unknown option '--mini-bach-words'; did "
                                           "you mean '--mini-batch-words'?\n");
    assert_rejected("--sed=4", "vkseq train: unknown option '--sed'; did you mean '--seed'?\n");
    assert_rejected("--mini", "vkseq train: unknown option '--mini'; did you mean "
                              "'--mini-batch-words'?\n");
    assert_rejected("--hlep", "vkseq train: unknown option '--hlep'; did you mean '--help'?\n");
    assert_rejected("-x", "vkseq train: unknown option '-x'; 'vkseq train --help' lists all\n");
}

static void value_out_of_range_is_rejected(void **state) {
    (void)state;
    assert_rejected("--mini-batch-words 0", "vkseq train: option '--mini-batch-words': '0' is not "
                                            "a whole number from 1 to 65536\n");
    assert_rejected("--dropout=nan",
                    "vkseq train: option '--dropout': 'nan' is not a number from 0 to 0.9\n");
    assert_rejected("--normalize 1e60",
                    "vkseq train: option '--normalize': '1e60' is not a number\n");
    assert_rejected("--seed -1",
                    "vkseq train: option '--seed': '-1' is not a whole number of at least 0\n");
    assert_rejected("--seed 18446744073709551616",
                    "vkseq train: option '--seed': '18446744073709551616' is not a whole number "
                    "of at least 0\n");
    assert_rejected("--mini-batch-words 12x", "vkseq train: option '--mini-batch-words': '12x' is "
                                              "not a whole number from 1 to 65536\n");
    assert_rejected("--task huge", "vkseq train: option '--task': 'huge' is not one of tiny, "
                                   "demo, transformer-base\n");
    assert_rejected("--max-time 5x", "vkseq train: option '--max-time': '5x' is not a duration "
                                     "such as 90s, 5m or 1h30m\n");
    assert_rejected("--after 5z", "vkseq train: option '--after': '5z' is not a limit such as "
                                  "10e, 20Ku or 10Gt\n");
    assert_rejected("--quiet=maybe",
                    "vkseq train: option '--quiet': 'maybe' is not true or false\n");
}

static void missing_value_is_rejected(void **state) {
    (void)state;
    assert_rejected("--model", "vkseq train: option '--model' needs a value\n");
    assert_rejected("--model --quiet", "vkseq train: option '--model' needs a value\n");
    assert_rejected("--train-sets --quiet",
                    "vkseq train: option '--train-sets' needs at least one value\n");
}

static void missing_option_is_rejected(void **state) {
    (void)state;
    assert_rejected("--quiet", "vkseq train: option '--model' is required; 'vkseq train --help' "
                               "explains it\n");
}

static void stray_word_is_rejected(void **state) {
    (void)state;
    assert_rejected("--quiet file", "vkseq train: unexpected word 'file'; 'vkseq train --help' "
                                    "lists the options\n");
}

static void help_is_aligned_and_narrow(void **state) {
    (void)state;
    struct run run;
    parse(&run, "--help --no-such-option");
    assert_int_equal(run.result, CLI_HELP);
    assert_non_null(strstr(run.out, "Usage: vkseq train [OPTIONS]\nTrains a model.\n\nGeneral:\n"));
    assert_non_null(strstr(run.out, "\n  -m, --model DIR                   Model directory. "
                                    "(required)\n"));
    assert_non_null(strstr(run.out, "\n      --mini-batch-words N          Most target tokens"));
    assert_non_null(strstr(run.out, "(default: 2048)\n"));
    assert_non_null(strstr(run.out, "Preset. One of: tiny, demo, transformer-base. "
                                    "(default: demo)\n"));
    assert_non_null(strstr(run.out, "(environment: " TEST_ENV ")"));
    for (const char *line = run.out; *line;) {
        size_t num_chars = strcspn(line, "\n");
        assert_true(num_chars <= 100);
        line += num_chars + (line[num_chars] == '\n');
    }
}

static void durations_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90s", 90},    {"5m", 300},    {"1h", 3600}, {"1h30m", 5400},
                {"2d", 172800}, {"0.5h", 1800}, {"45", 45},   {"0", 0}};
    static const char *const bad[] = {"",    "m",   "-5m",   "5x",   "5mm",   "1h30",
                                      "5 m", "inf", "1e999", "1e3s", "0x10s", "0s5"};
    double seconds = -1;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(cli_parse_duration(good[i].text, &seconds));
        assert_float_equal(seconds, good[i].seconds, 1e-9);
    }
    seconds = -1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_duration(bad[i], &seconds));
    assert_float_equal(seconds, -1, 0);
}

static void limits_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct cli_limit limit;
    } good[] = {{"10e", {10, CLI_EPOCHS}},
                {"20Ku", {20000, CLI_UPDATES}},
                {"10Gt", {10000000000, CLI_TARGET_TOKENS}},
                {"3M", {3000000, CLI_UPDATES}},
                {"0", {0, CLI_UPDATES}}};
    static const char *const bad[] = {"",
                                      "e",
                                      "10x",
                                      "10ee",
                                      "-1u",
                                      "1.5e",
                                      "10uK",
                                      "1 u",
                                      "99999999999999999999u",
                                      "18446744073709552Ku"};
    struct cli_limit limit = {7, CLI_EPOCHS};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_limit(bad[i], &limit));
    assert_int_equal(limit.num, 7);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(cli_parse_limit(good[i].text, &limit));
        assert_true(limit.num == good[i].limit.num);
        assert_int_equal(limit.unit, good[i].limit.unit);
    }
}

static void nearest_of_none_is_null(void **state) {
    (void)state;
    assert_null(cli_nearest("train", NULL, 0));
    static const char *const verbs[] = {"train", "translate", "score"};
    assert_string_equal(cli_nearest("trian", verbs, 3), "train");
    assert_string_equal(cli_nearest("transl", verbs, 3), "translate");
}

static void progress_says_share_rate_and_time_left(void **state) {
    (void)state;
    char text[160];
    struct progress progress = {
        .label = "translate", .unit = "lines", .num_total = 5000, .num_done = 1250};
    progress_format(&progress, 20, false, text, sizeof text);
    assert_string_equal(text, "translate: 1,250 of 5,000 lines, 25 %, 62.5 lines/s, 1m00s left");
    progress.num_done = 5000;
    progress_format(&progress, 3725, true, text, sizeof text);
    assert_string_equal(text, "translate: 5,000 of 5,000 lines, 100 %, 1.3 lines/s, in 1h02m");
    progress = (struct progress){.label = "read", .unit = "tokens", .num_done = 1234567};
    progress_format(&progress, 10, false, text, sizeof text);
    assert_string_equal(text, "read: 1,234,567 tokens, 123457 tokens/s");
    progress.num_done = 0;
    progress_format(&progress, 0, false, text, sizeof text);
    assert_string_equal(text, "read: 0 tokens, 0.0 tokens/s");
}

static void progress_in_a_file_is_whole_lines(void **state) {
    (void)state;
    char text[1024];
    FILE *file = text_stream_open();
    struct progress progress;
    progress_begin(&progress, file, "copy", "files", 3);
    for (uint64_t i = 1; i <= 3; i++)
        progress_update(&progress, i);
    progress_clear(&progress);
    progress_end(&progress);
    text_stream_close(file, text, sizeof text);
    assert_ptr_equal(strstr(text, "copy: 3 of 3 files, 100 %"), text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\r'));
    progress_begin(&progress, NULL, "copy", "files", 3);
    progress_update(&progress, 3);
    progress_end(&progress);
}

static void operands_are_taken_in_order_among_options(void **state) {
    (void)state;
    struct paths {
        const char *from, *to;
        bool quiet;
    } values = {0};
    // clang-format off
    static const struct cli_option own[] = {
        {"FROM", 0, CLI_STRING, offsetof(struct paths, from), .required = true,
         .is_operand = true, .help = "Here."},
        {"TO", 0, CLI_STRING, offsetof(struct paths, to), .required = true, .is_operand = true,
         .help = "There."},
        {"quiet", 'q', CLI_FLAG, offsetof(struct paths, quiet), .help = "Print errors only."},
        {0},
    };
    // clang-format on
    bool given[sizeof own / sizeof *own];
    char text[1024];
    FILE *err = text_stream_open();
    const struct cli_command command = {
        .name = "copy", .options = own, .values = &values, .given = given, .err = err};
    char *words[] = {"copy", "a", "-q", "-", "b"};
    assert_int_equal(cli_parse(&command, 4, words), CLI_OK);
    assert_string_equal(values.from, "a");
    assert_string_equal(values.to, "-");
    assert_true(values.quiet);
    assert_int_equal(cli_parse(&command, 2, words), CLI_ERROR);
    assert_int_equal(cli_parse(&command, 5, words), CLI_ERROR);
    text_stream_close(err, text, sizeof text);
    assert_string_equal(text, "copy: TO is missing; 'copy --help' explains it\n"
                              "copy: unexpected word 'b'; 'copy --help' lists the options\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_are_taken_in_order_among_options),
        cmocka_unit_test(defaults_are_set),
        cmocka_unit_test(values_follow_or_are_attached),
        cmocka_unit_test(last_of_two_wins),
        cmocka_unit_test(list_takes_words_up_to_next_option),
        cmocka_unit_test(value_may_be_left_out_where_one_is_implied),
        cmocka_unit_test(given_options_are_told_from_defaults),
        cmocka_unit_test(environment_is_below_the_command_line),
        cmocka_unit_test(unknown_option_names_the_nearest),
        cmocka_unit_test(value_out_of_range_is_rejected),
        cmocka_unit_test(missing_value_is_rejected),
        cmocka_unit_test(missing_option_is_rejected),
        cmocka_unit_test(stray_word_is_rejected),
        cmocka_unit_test(help_is_aligned_and_narrow),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(nearest_of_none_is_null),
        cmocka_unit_test(progress_says_share_rate_and_time_left),
        cmocka_unit_test(progress_in_a_file_is_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
