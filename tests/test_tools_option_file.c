// Options as YAML files: read, written, and read again.
#include "../tools/cli/option_file.h"
#include "scratch.h"
#include "text_stream.h"

#define MAX_WORDS 16

struct values {
    struct cli_strings config, train_sets;
    const char *model, *note;
    bool quiet;
    uint32_t words, width;
    float rate;
    double max_time_s;
    struct cli_limit after;
};

#define AT(member) offsetof(struct values, member)

// clang-format off
static const struct cli_option options[] = {
    {"config", 'c', CLI_STRINGS, AT(config), .is_about_files = true, .help = "Files."},
    {"model", 'm', CLI_STRING, AT(model), .required = true, .help = "Folder."},
    {"note", 0, CLI_STRING, AT(note), .default_text = "none", .help = "Text."},
    {"quiet", 0, CLI_FLAG, AT(quiet), .help = "Say less."},
    {"words", 0, CLI_U32, AT(words), .default_text = "1536", .min = 1, .max = 9999, .help = "N."},
    {"width", 0, CLI_U32, AT(width), .has_other_source = true, .help = "N."},
    {"rate", 0, CLI_FLOAT, AT(rate), .default_text = "0.001", .help = "X."},
    {"max-time", 0, CLI_DURATION, AT(max_time_s), .help = "Time."},
    {"after", 0, CLI_LIMIT, AT(after), .help = "Limit."},
    {"train-sets", 't', CLI_STRINGS, AT(train_sets), .help = "Text."},
    {0},
};
// clang-format on

struct run {
    struct values values;
    bool given[sizeof options / sizeof *options];
    struct cli_texts texts;
    struct cli_command command;
    char *words[MAX_WORDS];
    char line[512], err[1024], written[4096];
    enum cli_result result;
};

// Parses the words of line, cut at blanks. The run is freed by end().
static void parse(struct run *run, const char *line) {
    int num_words = 1;
    memset(run, 0, sizeof *run);
    run->words[0] = "vkseq train";
    FILE *err = text_stream_open();
    run->command = (struct cli_command){.name = "vkseq train",
                                        .options = options,
                                        .values = &run->values,
                                        .given = run->given,
                                        .err = err,
                                        .texts = &run->texts};
    snprintf(run->line, sizeof run->line, "%s", line);
    for (char *word = strtok(run->line, " "); word && num_words < MAX_WORDS;
         word = strtok(NULL, " "))
        run->words[num_words++] = word;
    run->result = cli_parse(&run->command, num_words, run->words);
    text_stream_close(err, run->err, sizeof run->err);
    run->command.err = NULL;
}

static void write_options(struct run *run, bool all) {
    FILE *file = text_stream_open();
    assert_true(cli_option_file_write(&run->command, all, file));
    text_stream_close(file, run->written, sizeof run->written);
}

static void end(struct run *run) {
    cli_texts_free(&run->texts);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_rejected(const char *text, const char *message) {
    struct run run;
    write_file("bad.yml", text);
    parse(&run, "-m M -c bad.yml");
    assert_int_equal(run.result, CLI_ERROR);
    assert_string_equal(run.err, message);
    end(&run);
}

static void a_file_gives_values_and_lists(void **state) {
    struct run run;
    (void)state;
    write_file("a.yml", "# a comment\nmodel: M\ntrain-sets:\n  - a b.en\n  - \"a.de\"\n"
                        "rate: 2e-4\nquiet: true\nmax-time: 1h30m\nafter: 20Ku\nnote:\n");
    parse(&run, "-c a.yml");
    assert_int_equal(run.result, CLI_OK);
    assert_string_equal(run.values.model, "M");
    assert_int_equal(run.values.train_sets.num, 2);
    assert_string_equal(run.values.train_sets.items[0], "a b.en");
    assert_string_equal(run.values.train_sets.items[1], "a.de");
    assert_true(run.values.rate == 2e-4f && run.values.quiet && run.values.max_time_s == 5400);
    assert_int_equal(run.values.after.num, 20000);
    assert_string_equal(run.values.note, "none");
    assert_int_equal(run.values.words, 1536);
    assert_true(cli_was_given(&run.command, "rate") && !cli_was_given(&run.command, "words"));
    end(&run);
}

static void what_is_typed_counts_more_and_later_files_too(void **state) {
    struct run run;
    (void)state;
    write_file("a.yml", "model: A\nwords: 1\ntrain-sets: [a, b]\nrate: 1");
    write_file("b.yml", "{model: B, words: 2}");
    parse(&run, "--words=3 -c a.yml b.yml --train-sets c");
    assert_int_equal(run.result, CLI_OK);
    assert_string_equal(run.values.model, "B");
    assert_int_equal(run.values.words, 3);
    assert_int_equal(run.values.train_sets.num, 1);
    assert_string_equal(run.values.train_sets.items[0], "c");
    assert_true(run.values.rate == 1);
    end(&run);
}

static void what_is_written_reads_back_the_same(void **state) {
    struct run first, second;
    (void)state;
    for (int all = 0; all < 2; all++) {
        parse(&first, "-m null -t ~ it's - --quiet --rate 0.1 --after 7e --max-time 90s");
        assert_int_equal(first.result, CLI_OK);
        write_options(&first, all);
        write_file("again.yml", first.written);
        parse(&second, "-c again.yml");
        assert_int_equal(second.result, CLI_OK);
        write_options(&second, all);
        assert_string_equal(second.written, first.written);
        assert_string_equal(second.values.model, "null");
        assert_int_equal(second.values.train_sets.num, 3);
        assert_string_equal(second.values.train_sets.items[0], "~");
        assert_true(second.values.rate == 0.1f && second.values.quiet);
        assert_int_equal(second.values.after.unit, CLI_EPOCHS);
        end(&first);
        end(&second);
    }
}

static void a_full_file_leaves_to_others_what_was_not_given(void **state) {
    struct run run;
    (void)state;
    parse(&run, "-m M");
    write_options(&run, true);
    assert_string_equal(run.written,
                        "model: M\nnote: none\nquiet: false\nwords: 1536\nrate: 0.001\n");
    write_options(&run, false);
    assert_string_equal(run.written, "model: M\n");
    end(&run);
}

static void mistakes_are_told_with_file_and_line(void **state) {
    (void)state;
    assert_rejected("words: 2\nwrods: 3\n", "vkseq train: bad.yml, line 2: unknown option "
                                            "'--wrods'; did you mean '--words'?\n");
    assert_rejected("\n\nwords: many", "vkseq train: bad.yml, line 3: option '--words': 'many' is "
                                       "not a whole number from 1 to 9999\n");
    assert_rejected("words: [1, 2]", "vkseq train: bad.yml, line 1: option '--words' takes one "
                                     "value, and the list has 2\n");
    assert_rejected("model: {a: b}",
                    "vkseq train: bad.yml, line 1: expected a value or a list of values\n");
    assert_rejected("- words\n",
                    "vkseq train: bad.yml, line 1: expected lines of the form NAME: VALUE\n");
    assert_rejected("words: 'x\n",
                    "vkseq train: bad.yml, line 2: found unexpected end of stream\n");
    assert_rejected("config: bad.yml\n", "vkseq train: bad.yml, line 1: option '--config' cannot "
                                         "stand in an option file\n");
    assert_rejected("model: *a\n", "vkseq train: bad.yml, line 1: expected a value or a list of "
                                   "values\n");
}

static void a_missing_file_is_an_error(void **state) {
    struct run run;
    (void)state;
    parse(&run, "-m M -c nowhere.yml");
    assert_int_equal(run.result, CLI_ERROR);
    assert_string_equal(run.err, "vkseq train: nowhere.yml: No such file or directory\n");
    end(&run);
}

static int enter_folder(void **state) {
    scratch_create(state);
    return chdir(((struct scratch *)*state)->dir);
}

static int leave_folder(void **state) {
    return chdir("/") || scratch_destroy(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gives_values_and_lists),
        cmocka_unit_test(what_is_typed_counts_more_and_later_files_too),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_full_file_leaves_to_others_what_was_not_given),
        cmocka_unit_test(mistakes_are_told_with_file_and_line),
        cmocka_unit_test(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
