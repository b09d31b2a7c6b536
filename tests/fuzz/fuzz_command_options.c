// The command line of `vkseq train`, whose words stand on lines: what is taken is in range.
#include "fuzz.h"

#include "command/train_options.h"

#include <math.h>

enum { MAX_WORDS = 64 };

// The library's, without the trainer that it is a part of.
void vks_trainer_defaults(struct vks_trainer_params *params) {
    *params = (struct vks_trainer_params){0};
}

static bool is_in(float value, float min, float max) {
    return value >= min && value <= max;
}

static void check_options(const struct train_options *options) {
    const struct vks_trainer_params *trainer = &options->trainer;
    CHECK(options->model && options->task && options->activation && options->positions);
    for (uint32_t i = 0; i < trainer->num_train_sets; i++) {
        const struct vks_text_set *set = &trainer->train_sets[i];
        CHECK(set->source && !set->target == (set->num_fields >= 2) && set->ratio >= 0);
        CHECK(!set->weights_field || set->weights_field < set->num_fields);
        CHECK(!set->alignments_field || set->alignments_field < set->num_fields);
    }
    CHECK(trainer->num_train_sets > 0);
    CHECK(!options->data.valid_sets.num == !trainer->valid_set);
    CHECK(options->vocab_size >= 20 && options->vocab_size <= 1000000);
    CHECK(trainer->mini_batch_words >= 1 && trainer->mini_batch_words <= 1000000);
    CHECK(trainer->max_length >= 1 && trainer->max_length <= 65535);
    CHECK(is_in(trainer->learn_rate, 0, 100) && is_in(trainer->clip_norm, 0, 1e9f));
    CHECK(is_in(trainer->label_smoothing, 0, 0.99f) && is_in(trainer->dropout, 0, 0.99f));
    CHECK(isfinite(trainer->beta1) && isfinite(trainer->beta2) && isfinite(trainer->eps));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    char *text = fuzz_text(data, num_bytes), *words[MAX_WORDS] = {"vkseq"};
    int num_words = 1;
    for (char *word = text; num_words < MAX_WORDS && word;) {
        char *end = strchr(word, '\n');
        if (end)
            *end = 0;
        words[num_words++] = word;
        word = end ? end + 1 : NULL;
    }
    struct train_options options;
    if (train_options_read(&options, num_words, words) == CLI_OK)
        check_options(&options);
    train_options_free(&options);
    free(text);
    return 0;
}
