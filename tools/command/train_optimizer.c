#include "train_optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME "vkseq train"

enum { MAX_DELAY = 1000000 };

static bool set_numbers(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const struct cli_strings *words = &options->optimizer_params;
    bool is_sgd = trainer->optimizer == VKS_SGD;
    float *const targets[] = {&trainer->beta1, &trainer->beta2, &trainer->eps,
                              &trainer->weight_decay};
    if (is_sgd)
        trainer->beta1 = 0;
    if (words->num > (is_sgd ? 1 : 4)) {
        fprintf(stderr, NAME ": option '--optimizer-params' has %zu numbers: %s takes at most %d\n",
                words->num, options->optimizer, is_sgd ? 1 : 4);
        return false;
    }
    for (size_t i = 0; i < words->num; i++) {
        char *end;
        float number = strtof(words->items[i], &end);
        if (end == words->items[i] || *end || !isfinite(number) || number < 0) {
            fprintf(stderr,
                    NAME ": option '--optimizer-params': '%s' is not a number of at least 0\n",
                    words->items[i]);
            return false;
        }
        *targets[i] = number;
    }
    if (trainer->beta1 < 1 && trainer->beta2 < 1)
        return true;
    fprintf(stderr,
            NAME ": option '--optimizer-params': %g and %g: expected a momentum, or beta 1 and "
                 "beta 2, under 1\n",
            (double)trainer->beta1, (double)trainer->beta2);
    return false;
}

// "4" and "4u" are batches, "8000w" and "8Kt" target words.
static bool set_delay(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const char *word = options->optimizer_delay;
    char text[32];
    struct cli_limit limit;
    int num = snprintf(text, sizeof text, "%s", word);
    if (num > 0 && num < (int)sizeof text && text[num - 1] == 'w')
        text[num - 1] = 't';
    if (num >= (int)sizeof text || !cli_parse_limit(text, &limit) || limit.unit == CLI_EPOCHS ||
        limit.num == 0 || limit.num > MAX_DELAY) {
        fprintf(stderr,
                NAME ": option '--optimizer-delay': '%s': expected a number of batches, such as 4, "
                     "or of target words, such as 8000w, up to %d\n",
                word, MAX_DELAY);
        return false;
    }
    *(limit.unit == CLI_UPDATES ? &trainer->optimizer_delay : &trainer->optimizer_delay_words) =
        (uint32_t)limit.num;
    return true;
}

static bool set_decay(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const struct cli_strings *words = &options->lr_decay_start;
    bool has_two = trainer->lr_decay_strategy >= VKS_LR_DECAY_EPOCH_BATCHES;
    if (words->num > (has_two ? 2 : 1)) {
        fprintf(stderr,
                NAME ": option '--lr-decay-start' has %zu numbers: the strategy %s takes at most "
                     "%d\n",
                words->num, options->lr_decay_strategy, has_two ? 2 : 1);
        return false;
    }
    for (size_t i = 0; i < words->num; i++) {
        struct cli_limit limit;
        if (!cli_parse_limit(words->items[i], &limit) || limit.unit != CLI_UPDATES ||
            limit.num == 0 || limit.num > UINT32_MAX) {
            fprintf(stderr,
                    NAME ": option '--lr-decay-start': '%s' is not a whole number of at least 1\n",
                    words->items[i]);
            return false;
        }
        trainer->lr_decay_start[i] = (uint32_t)limit.num;
    }
    if (trainer->lr_decay_strategy != VKS_LR_DECAY_STALLED || options->data.valid_sets.num ||
        trainer->lr_decay == 0)
        return true;
    fprintf(stderr, NAME ": --lr-decay-strategy stalled needs --valid-sets\n");
    return false;
}

// Marian's four numbers, of which the later ones may be left out.
static bool set_scaling(struct train_options *options) {
    const struct cli_strings *words = &options->cost_scaling;
    float numbers[4] = {1, 2000, 2, 1};
    if (words->num == 0)
        return true;
    bool is_good = words->num <= 4;
    for (size_t i = 0; i < words->num && is_good; i++) {
        char *end;
        numbers[i] = strtof(words->items[i], &end);
        is_good = end != words->items[i] && (!*end || !strcmp(end, "f")) && isfinite(numbers[i]) &&
                  numbers[i] >= 0;
    }
    if (words->num < 4 && numbers[3] > numbers[0])
        numbers[3] = numbers[0];
    if (numbers[0] == 0)
        numbers[0] = numbers[2] = numbers[3] = 1;
    is_good = is_good && numbers[1] == floorf(numbers[1]) && numbers[1] < 16777216 &&
              numbers[2] >= 1 && numbers[3] > 0 && numbers[3] <= numbers[0];
    if (!is_good) {
        fprintf(stderr, NAME ": option '--cost-scaling': expected a scale, a whole number of "
                             "updates, a multiplier of at least 1, and a minimum above 0 and not "
                             "above the scale, such as 256 2000 2 1\n");
        return false;
    }
    options->trainer.cost_scaling = (struct vks_cost_scaling){
        .factor = numbers[0],
        .frequency = (uint32_t)numbers[1],
        .multiplier = numbers[2],
        .minimum = numbers[3],
    };
    return true;
}

bool train_optimizer_set(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    trainer->freeze = (const char *const *)options->freeze.items;
    trainer->num_freeze = (uint32_t)options->freeze.num;
    return set_numbers(options) && set_delay(options) && set_decay(options) && set_scaling(options);
}
