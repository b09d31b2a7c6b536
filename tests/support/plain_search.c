#include "support/plain_search.h"

#include "ops/beam_tables.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Sums and products as they stand, each rounded to float32.
static float add(float a, float b) {
    volatile float sum = a + b;
    return sum;
}

static float multiply(float a, float b) {
    volatile float product = a * b;
    return product;
}

static float score(const struct vks_translator_params *p, float log_prob, uint32_t length) {
    float penalty = (float)((double)p->word_penalty * length);
    float factor = length ? (float)pow(length, -(double)p->normalize) : 1.0f;
    return multiply(add(log_prob, -penalty), factor);
}

struct option {
    float sum, logit;
    uint32_t prefix, token;
};

static int better_first(const void *a_ref, const void *b_ref) {
    const struct option *a = a_ref, *b = b_ref;
    if (a->sum != b->sum)
        return a->sum > b->sum ? -1 : 1;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    if (a->logit != b->logit)
        return a->logit > b->logit ? -1 : 1;
    return a->token < b->token ? -1 : 1;
}

static bool has_token(const struct plain_prefix *prefix, uint32_t token) {
    for (uint32_t i = 0; i < prefix->num; i++)
        if (prefix->ids[i] == token)
            return true;
    return false;
}

// Whether the prefix has the n-gram that its end and the token are.
static bool repeats(const struct plain_prefix *prefix, uint32_t token, uint32_t n) {
    for (uint32_t first = 0; n > 0 && first + n <= prefix->num; first++)
        if (prefix->ids[first + n - 1] == token &&
            memcmp(prefix->ids + first, prefix->ids + prefix->num - (n - 1),
                   (n - 1) * sizeof *prefix->ids) == 0)
            return true;
    return false;
}

// Whether the end of the prefix and the token are the list.
static bool ends_list(const struct plain_prefix *prefix, uint32_t token,
                      const struct token_list *list) {
    uint32_t before = list->num_ids - 1;
    return list->ids[before] == token && before <= prefix->num &&
           memcmp(prefix->ids + prefix->num - before, list->ids, before * sizeof *list->ids) == 0;
}

static bool may_follow(const struct plain_search *plain, const struct sentence *source,
                       const struct plain_prefix *prefix, uint32_t token) {
    const struct vks_translator_params *p = &plain->search->params;
    const struct vks_model_config *config = &plain->search->decoder.models[0].model->config;
    if (token == config->pad_id)
        return false;
    if (prefix->num < source->prefix.num_ids)
        return token == source->prefix.ids[prefix->num];
    for (uint32_t i = 0; i < plain->num_suppressed; i++)
        if (ends_list(prefix, token, &plain->suppressed[i]))
            return false;
    if (token == config->eos_id && prefix->num < p->min_length)
        return false;
    return !repeats(prefix, token, p->no_repeat_ngram);
}

// Every token that may follow prefix i. Returns how many there are.
static uint32_t add_options(const struct plain_search *plain, const struct sentence *source,
                            const struct plain_sentence *sentence, uint32_t i,
                            const struct step_log_probs *row, struct option *options) {
    const struct plain_prefix *prefix = &sentence->alive[i];
    uint32_t vocab = plain->search->decoder.models[0].model->config.target_vocab, num = 0;
    for (uint32_t token = 0; token < vocab; token++) {
        if (!may_follow(plain, source, prefix, token))
            continue;
        float logit = row->logits[token], log_sum = row->log_sums[0];
        if (prefix->num >= source->prefix.num_ids && has_token(prefix, token) &&
            plain->search->params.repetition_penalty != 1.0f)
            logit = add(log_sum,
                        multiply(add(logit, -log_sum), plain->search->params.repetition_penalty));
        options[num++] =
            (struct option){add(prefix->log_prob, add(logit, -log_sum)), logit, i, token};
    }
    return num;
}

static void end(const struct plain_search *plain, struct plain_sentence *sentence,
                struct plain_prefix prefix) {
    uint32_t k = plain->search->params.beam_size, place = sentence->num_ended;
    prefix.score = score(&plain->search->params, prefix.log_prob, prefix.length);
    for (; place > 0 && sentence->ended[place - 1].score < prefix.score; place--)
        sentence->ended[place] = sentence->ended[place - 1];
    sentence->ended[place] = prefix;
    sentence->num_ended = sentence->num_ended < k ? sentence->num_ended + 1 : k;
    sentence->num_counted++;
}

// Marian's rule: the best of all, as many as have not ended. The others': the best K that go on.
static void choose(const struct plain_search *plain, struct plain_sentence *sentence,
                   const struct option *options, uint32_t num) {
    const struct search *search = plain->search;
    uint32_t k = search->params.beam_size, eos = search->beam.eos_id, num_next = 0;
    bool shrinks = search->decoder.params.rule.rule == BEAM_RULE_MARIAN;
    uint32_t wanted = shrinks ? k - sentence->num_counted : k;
    struct plain_prefix next[PLAIN_MAX_BEAM];
    for (uint32_t rank = 0; rank < num && (shrinks ? rank : num_next) < wanted; rank++) {
        struct plain_prefix prefix = sentence->alive[options[rank].prefix];
        prefix.log_prob = options[rank].sum;
        prefix.length++;
        if (options[rank].token != eos) {
            prefix.ids[prefix.num++] = options[rank].token;
            next[num_next++] = prefix;
        } else if (rank < k) {
            end(plain, sentence, prefix);
        }
    }
    if (num == 0) // nothing may follow
        for (uint32_t i = 0; i < sentence->num_alive; i++)
            end(plain, sentence, sentence->alive[i]);
    memcpy(sentence->alive, next, num_next * sizeof *next);
    sentence->num_alive = num_next;
}

// Whether the search is over although hypotheses go on.
static bool is_settled(const struct plain_search *plain, const struct plain_sentence *sentence) {
    const struct vks_translator_params *p = &plain->search->params;
    uint32_t rule = plain->search->decoder.params.rule.rule;
    float highest = sentence->alive[0].log_prob, bound = -INFINITY;
    if (rule == BEAM_RULE_HF_EARLY)
        return sentence->num_counted >= p->beam_size;
    if (rule == BEAM_RULE_HF)
        return sentence->num_counted >= p->beam_size &&
               sentence->ended[p->beam_size - 1].score >= score(p, highest, sentence->num_steps);
    if (rule != BEAM_RULE_EXACT || sentence->num_counted < p->n_best)
        return false;
    for (uint32_t length = sentence->num_steps + 1; length <= sentence->max_steps; length++)
        bound = fmaxf(bound, score(p, highest, length));
    return sentence->ended[p->n_best - 1].score >= bound;
}

static void step(struct plain_search *plain, uint32_t idx, struct step_log_probs rows) {
    struct plain_sentence *sentence = &plain->sentences[idx];
    uint32_t vocab = plain->search->decoder.models[0].model->config.target_vocab, num = 0;
    struct option *options = calloc((size_t)PLAIN_MAX_BEAM * vocab, sizeof *options);
    assert_non_null(options);
    for (uint32_t i = 0; i < sentence->num_alive; i++) {
        num += add_options(plain, &plain->sources[idx], sentence, i, &rows, options + num);
        rows.logits += rows.stride;
        rows.log_sums++;
    }
    qsort(options, num, sizeof *options, better_first);
    choose(plain, sentence, options, num);
    free(options);
    sentence->num_steps++;
    if (sentence->num_steps == sentence->max_steps)
        for (uint32_t i = 0; i < sentence->num_alive; i++)
            end(plain, sentence, sentence->alive[i]);
    if (sentence->num_steps == sentence->max_steps ||
        (sentence->num_alive > 0 && is_settled(plain, sentence)))
        sentence->num_alive = 0;
}

// What the search has alive must be what is alive here.
static void check_alive(const struct plain_sentence *sentence, const struct beam *beam) {
    uint32_t ids[PLAIN_MAX_STEPS];
    assert_int_equal(sentence->num_alive, beam->num_alive);
    for (uint32_t i = 0; i < beam->num_alive; i++) {
        const struct plain_prefix *prefix = &sentence->alive[i];
        assert_int_equal(beam_tokens(beam, &beam->alive[i], ids, PLAIN_MAX_STEPS), prefix->num);
        assert_memory_equal(ids, prefix->ids, prefix->num * sizeof *ids);
        assert_memory_equal(&beam->alive[i].log_prob, &prefix->log_prob, sizeof(float));
    }
}

static void observe(void *user, const struct search_step *seen) {
    struct plain_search *plain = user;
    struct step_log_probs rows = seen->log_probs;
    for (uint32_t i = 0; i < seen->num_sentences; i++) {
        uint32_t idx = (uint32_t)seen->sentence_indices[i], num = seen->beams[i]->num_alive;
        check_alive(&plain->sentences[idx], seen->beams[i]);
        if (num > 0)
            step(plain, idx, rows);
        rows.logits += (size_t)num * rows.stride;
        rows.log_sums += num;
    }
}

void plain_search_init(struct search *search, const struct sentence *sources, uint32_t num,
                       struct plain_search *plain) {
    *plain = (struct plain_search){.search = search,
                                   .sources = sources,
                                   .sentences = calloc(num, sizeof *plain->sentences),
                                   .observer = {.observe = observe, .user = plain}};
    assert_non_null(plain->sentences);
    assert_true(search->params.beam_size <= PLAIN_MAX_BEAM);
    for (uint32_t i = 0; i < num; i++) {
        double wanted = fmax(ceil((double)search->params.max_length_factor * sources[i].num_ids),
                             (double)search->params.min_length + 1);
        uint32_t most = search->decoder.max_cache_rows / search->params.beam_size;
        uint32_t max_steps = wanted < 1 ? 1 : wanted < most ? (uint32_t)wanted : most;
        if (max_steps < sources[i].prefix.num_ids + 1)
            max_steps = sources[i].prefix.num_ids + 1;
        assert_true(max_steps <= PLAIN_MAX_STEPS);
        plain->sentences[i].num_alive = 1;
        plain->sentences[i].max_steps = max_steps;
    }
    search->decoder.with_log_probs = true;
    search->observer = &plain->observer;
}

void plain_search_finish(struct plain_search *plain) {
    free(plain->sentences);
    plain->sentences = NULL;
}

void plain_search_check(const struct plain_search *plain, uint32_t sentence_idx,
                        const struct vks_translation *translation) {
    const struct plain_sentence *sentence = &plain->sentences[sentence_idx];
    uint32_t n_best = plain->search->params.n_best;
    assert_int_equal(translation->num_hypotheses,
                     n_best < sentence->num_ended ? n_best : sentence->num_ended);
    for (uint32_t i = 0; i < translation->num_hypotheses; i++) {
        const struct vks_hypothesis *found = &translation->hypotheses[i];
        const struct plain_prefix *expected = &sentence->ended[i];
        assert_int_equal(found->num_ids, expected->num);
        assert_memory_equal(found->ids, expected->ids, expected->num * sizeof *found->ids);
        assert_memory_equal(&found->log_prob, &expected->log_prob, sizeof(float));
        assert_memory_equal(&found->score, &expected->score, sizeof(float));
    }
}
