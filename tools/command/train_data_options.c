#include "train_data_options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "vkseq train"

const char *const train_shuffles[] = {"data", "batches", "none", NULL};
const char *const train_sorts[] = {"longer", "trg", "src", "none", NULL};
const char *const train_weightings[] = {"sentence", "word", NULL};

// Index of a choice in its list.
static uint32_t index_of(const char *choice, const char *const *choices) {
    uint32_t idx = 0;
    while (strcmp(choice, choices[idx]))
        idx++;
    return idx;
}

static bool read_number(const char *name, const char *word, double *number) {
    char *end;
    *number = strtod(word, &end);
    if (end != word && !*end && isfinite(*number) && *number >= 0)
        return true;
    fprintf(stderr, NAME ": option '--%s': '%s' is not a number of at least 0\n", name, word);
    return false;
}

// Files into corpora: two for each, or one with fields.
static bool set_files(const struct train_data_options *options, const char *name,
                      const struct cli_strings *files, struct vks_text_set *sets) {
    size_t num_files = options->tsv ? 1 : 2;
    size_t max_files = files == &options->valid_sets ? num_files : files->num;
    if (files->num < num_files || files->num % num_files != 0 || files->num > max_files) {
        fprintf(stderr, NAME ": option '--%s' has %zu files: expected %s\n", name, files->num,
                options->tsv ? "one with fields" : "source and target");
        return false;
    }
    for (size_t i = 0; i < files->num / num_files; i++)
        sets[i] = (struct vks_text_set){.source = files->items[num_files * i],
                                        .target = options->tsv ? NULL : files->items[2 * i + 1],
                                        .num_fields = options->tsv ? options->num_fields : 0};
    return true;
}

static bool set_ratios(struct train_data_options *options, uint32_t num_sets) {
    double sum = 0;
    if (options->ratios.num && options->ratios.num != num_sets) {
        fprintf(stderr, NAME ": option '--train-ratios' has %zu numbers for %u corpora\n",
                options->ratios.num, num_sets);
        return false;
    }
    for (size_t i = 0; i < options->ratios.num; i++) {
        if (!read_number("train-ratios", options->ratios.items[i], &options->sets[i].ratio))
            return false;
        sum += options->sets[i].ratio;
    }
    if (options->ratios.num == 0 || sum > 0)
        return true;
    fprintf(stderr, NAME ": option '--train-ratios': all are 0\n");
    return false;
}

// The field that an option's only word is, if there are fields.
static bool read_field(const struct train_data_options *options, const struct cli_strings *words,
                       uint32_t *field) {
    if (!options->tsv || words->num != 1 ||
        strspn(words->items[0], "0123456789") != strlen(words->items[0]))
        return false;
    *field = (uint32_t)strtoul(words->items[0], NULL, 10);
    return true;
}

// What an option gives for each line: *field is the field that it names, or 0 if the words are
// files, one for each corpus.
static bool read_lines(const struct train_data_options *options, const char *name,
                       const struct cli_strings *words, uint32_t num_sets, uint32_t *field) {
    *field = 0;
    bool is_field = read_field(options, words, field);
    if (is_field && (*field < 2 || (options->num_fields && *field >= options->num_fields))) {
        fprintf(stderr,
                NAME ": option '--%s': field %u; expected one behind source (0) and target (1), of "
                     "those that --tsv-fields counts\n",
                name, *field);
        return false;
    }
    if (is_field || words->num == num_sets)
        return true;
    fprintf(stderr, NAME ": option '--%s' has %zu files for %u corpora\n", name, words->num,
            num_sets);
    return false;
}

static bool set_weights(struct train_data_options *options, uint32_t num_sets) {
    const struct cli_strings *words = &options->weighting;
    uint32_t field;
    if (words->num == 0)
        return true;
    if (!read_lines(options, "data-weighting", words, num_sets, &field))
        return false;
    for (uint32_t i = 0; i < num_sets; i++) {
        options->sets[i].weights = field ? NULL : words->items[i];
        options->sets[i].weights_field = field;
    }
    return true;
}

static bool set_alignments(struct train_data_options *options, uint32_t num_sets) {
    const struct cli_strings *words = &options->alignments;
    uint32_t field;
    if (words->num == 0)
        return true;
    if (!read_lines(options, "guided-alignment", words, num_sets, &field))
        return false;
    for (uint32_t i = 0; i < num_sets; i++) {
        options->sets[i].alignments = field ? NULL : words->items[i];
        options->sets[i].alignments_field = field;
    }
    return true;
}

static bool set_alphas(const struct train_data_options *options,
                       struct vks_trainer_params *trainer) {
    if (options->alphas.num > 2) {
        fprintf(stderr,
                NAME ": option '--sentencepiece-alphas' has %zu numbers: expected one for both "
                     "sides, or source and target\n",
                options->alphas.num);
        return false;
    }
    for (size_t i = 0; i < options->alphas.num; i++) {
        double alpha;
        if (!read_number("sentencepiece-alphas", options->alphas.items[i], &alpha))
            return false;
        for (size_t side = i; side < 2; side++)
            trainer->sentencepiece_alphas[side] = (float)alpha;
    }
    return true;
}

static bool check_stdin(const struct train_data_options *options,
                        const struct vks_trainer_params *trainer) {
    for (uint32_t i = 0; i < trainer->num_train_sets; i++) {
        const struct vks_text_set *set = &options->sets[i];
        bool is_stdin = vks_is_stdin(set->source);
        if ((set->target && vks_is_stdin(set->target)) ||
            (set->weights && vks_is_stdin(set->weights)) ||
            (set->alignments && vks_is_stdin(set->alignments)) || (is_stdin && !options->tsv)) {
            fprintf(stderr,
                    NAME ": standard input is one file: give both sides in it, with --tsv\n");
            return false;
        }
        if (is_stdin && trainer->shuffle == VKS_SHUFFLE_DATA) {
            fprintf(stderr, NAME ": text on standard input cannot be shuffled as a whole: give "
                                 "--shuffle batches, or none\n");
            return false;
        }
    }
    if (!options->valid_sets.num || !vks_is_stdin(options->valid.source))
        return true;
    fprintf(stderr, NAME ": --valid-sets cannot be on standard input: it is read repeatedly\n");
    return false;
}

// How many fields lines have when nothing says so: those that are used.
static void count_fields(struct train_data_options *options) {
    const struct cli_strings *const others[] = {&options->weighting, &options->alignments};
    uint32_t last = 1, field;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (read_field(options, others[i], &field) && field > last)
            last = field;
    if (options->num_fields == 0)
        options->num_fields = last + 1;
}

bool train_data_options_set(struct train_data_options *options,
                            struct vks_trainer_params *trainer) {
    options->sets = calloc(options->train_sets.num + 1, sizeof *options->sets);
    if (!options->sets)
        return false;
    trainer->train_sets = options->sets;
    trainer->num_train_sets = (uint32_t)(options->train_sets.num / (options->tsv ? 1 : 2));
    trainer->shuffle = options->no_shuffle
                           ? VKS_SHUFFLE_NONE
                           : (enum vks_shuffle)index_of(options->shuffle, train_shuffles);
    trainer->maxi_batch_sort = (enum vks_maxi_batch_sort)index_of(options->sort, train_sorts);
    trainer->weighs_words = index_of(options->weighting_type, train_weightings) == 1;
    trainer->shuffle_bytes = (uint64_t)options->shuffle_mebibytes << 20;
    if (options->num_fields && !options->tsv) {
        fprintf(stderr, NAME ": --tsv-fields needs --tsv\n");
        return false;
    }
    if (options->tsv)
        count_fields(options);
    if (!set_files(options, "train-sets", &options->train_sets, options->sets) ||
        !set_ratios(options, trainer->num_train_sets) ||
        !set_weights(options, trainer->num_train_sets) ||
        !set_alignments(options, trainer->num_train_sets) || !set_alphas(options, trainer))
        return false;
    if (options->valid_sets.num) {
        if (!set_files(options, "valid-sets", &options->valid_sets, &options->valid))
            return false;
        trainer->valid_set = &options->valid;
    }
    return check_stdin(options, trainer);
}

void train_data_options_free(struct train_data_options *options) {
    free(options->sets);
    options->sets = NULL;
}
