#include "decode/beam.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/beam_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void beam_length_terms(float normalize, float word_penalty, uint32_t num_tokens, float terms[2]) {
    terms[0] = (float)((double)word_penalty * num_tokens);
    terms[1] = num_tokens ? (float)pow(num_tokens, -(double)normalize) : 1.0f;
}

static float score(const struct beam_params *params, float log_prob, uint32_t num_tokens) {
    float terms[2];
    beam_length_terms(params->normalize, params->word_penalty, num_tokens, terms);
    float penalized = log_prob - terms[0];
    return penalized * terms[1];
}

void beam_init(const struct beam_params *params, uint32_t num_alive, struct beam *beam) {
    CHECK(params->beam_size >= 1 && params->beam_size <= BEAM_MAX_SIZE);
    CHECK(num_alive >= 1 && num_alive <= params->beam_size);
    memset(beam, 0, sizeof *beam);
    beam->params = params;
    for (uint32_t i = 0; i < num_alive; i++)
        beam->alive[i].node = BEAM_NO_NODE;
    beam->num_alive = num_alive;
}

void beam_finish(struct beam *beam) {
    free(beam->nodes);
    beam->nodes = NULL;
}

uint32_t beam_max_alive(const struct beam *beam, uint32_t num_steps) {
    if (num_steps == 0 || beam->num_alive == 0)
        return beam->num_alive;
    return beam->params->beam_size - (beam->params->shrinks ? beam->num_ended : 0);
}

static float as_float(uint32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static enum vks_status add_node(struct beam *beam, uint32_t token, float log_prob, int32_t *node) {
    if (beam->num_nodes == beam->nodes_capacity) {
        size_t capacity = beam->nodes_capacity ? 2 * beam->nodes_capacity : 64;
        struct beam_node *grown = memory_realloc(beam->nodes, capacity * sizeof *grown);
        if (!grown)
            return VKS_ERR_OOM;
        beam->nodes = grown;
        beam->nodes_capacity = capacity;
    }
    beam->nodes[beam->num_nodes] = (struct beam_node){token, *node, log_prob};
    *node = (int32_t)beam->num_nodes++;
    return VKS_OK;
}

// Keeps the best K that have ended.
static void end(struct beam *beam, struct hypothesis hypothesis) {
    hypothesis.score = score(beam->params, hypothesis.log_prob, hypothesis.length);
    uint32_t place = beam->num_ended;
    while (place > 0 && beam->ended[place - 1].score < hypothesis.score)
        place--;
    if (place == beam->params->beam_size)
        return;
    if (beam->num_ended < beam->params->beam_size)
        beam->num_ended++;
    memmove(&beam->ended[place + 1], &beam->ended[place],
            (beam->num_ended - place - 1) * sizeof *beam->ended);
    beam->ended[place] = hypothesis;
}

enum vks_status beam_apply(struct beam *beam, const struct beam_events *events) {
    const uint32_t *words = events->words;
    struct hypothesis next[BEAM_MAX_SIZE];
    uint32_t num_next = 0;
    if (beam->num_alive == 0)
        return VKS_OK;
    if (words[EVENTS_OUTCOME] == OUTCOME_DIVERGED)
        return VKS_ERR_DIVERGED;
    beam->num_parts = events->num_parts;
    for (uint32_t i = 0; i < words[EVENTS_NUM]; i++) {
        const uint32_t *event = words + EVENTS_HEAD + EVENT_WORDS * i;
        uint32_t token = event[EVENT_TOKEN];
        float log_prob = as_float(event[EVENT_LOG_PROB]);
        CHECK(event[EVENT_PARENT] < beam->num_alive);
        struct hypothesis hypothesis = beam->alive[event[EVENT_PARENT]];
        hypothesis.log_prob = as_float(event[EVENT_SUM]);
        for (uint32_t j = 0; j < events->num_parts; j++)
            if (hypothesis.length >= beam->params->num_given)
                hypothesis.parts[j] += events->parts[j][i];
        if (token == BEAM_NO_TOKEN) {
            end(beam, hypothesis);
            continue;
        }
        hypothesis.length++;
        hypothesis.has_eos = token == beam->params->eos_id;
        hypothesis.eos_log_prob = log_prob;
        if (hypothesis.has_eos) {
            end(beam, hypothesis);
            continue;
        }
        TRY(add_node(beam, token, log_prob, &hypothesis.node));
        CHECK(num_next < BEAM_MAX_SIZE);
        next[num_next++] = hypothesis;
    }
    if (words[EVENTS_OUTCOME] == OUTCOME_OUT_OF_STEPS)
        for (uint32_t i = 0; i < num_next; i++)
            end(beam, next[i]);
    if (words[EVENTS_OUTCOME] != OUTCOME_GOES_ON)
        num_next = 0;
    CHECK(num_next == words[EVENTS_ALIVE]);
    memcpy(beam->alive, next, num_next * sizeof *next);
    beam->num_alive = num_next;
    return VKS_OK;
}

static uint32_t num_tokens(const struct hypothesis *hypothesis) {
    return hypothesis->length - hypothesis->has_eos;
}

uint32_t beam_tokens(const struct beam *beam, const struct hypothesis *hypothesis, uint32_t *ids,
                     uint32_t capacity) {
    uint32_t num = num_tokens(hypothesis), i = num;
    for (int32_t node = hypothesis->node; i-- > 0; node = beam->nodes[node].parent)
        if (i < capacity)
            ids[i] = beam->nodes[node].token;
    return num;
}

static enum vks_status copy_word_scores(const struct beam *beam,
                                        const struct hypothesis *hypothesis,
                                        struct vks_hypothesis *result) {
    uint32_t i = num_tokens(hypothesis);
    result->word_scores = memory_calloc(hypothesis->length + 1, sizeof *result->word_scores);
    if (!result->word_scores)
        return VKS_ERR_OOM;
    result->num_word_scores = hypothesis->length;
    if (hypothesis->has_eos)
        result->word_scores[i] = hypothesis->eos_log_prob;
    for (int32_t node = hypothesis->node; i-- > 0; node = beam->nodes[node].parent)
        result->word_scores[i] = beam->nodes[node].log_prob;
    return VKS_OK;
}

static enum vks_status copy_hypothesis(const struct beam *beam, const struct hypothesis *from,
                                       struct vks_hypothesis *to) {
    uint32_t num = num_tokens(from);
    to->ids = memory_calloc(num + 1, sizeof *to->ids);
    if (!to->ids)
        return VKS_ERR_OOM;
    to->num_ids = beam_tokens(beam, from, to->ids, num);
    to->log_prob = from->log_prob;
    to->score = from->score;
    if (beam->num_parts > 0) {
        to->model_log_probs = memory_calloc(beam->num_parts, sizeof *to->model_log_probs);
        if (!to->model_log_probs)
            return VKS_ERR_OOM;
        to->num_models = beam->num_parts;
        memcpy(to->model_log_probs, from->parts, beam->num_parts * sizeof *from->parts);
    }
    return beam->params->word_scores ? copy_word_scores(beam, from, to) : VKS_OK;
}

enum vks_status beam_results(const struct beam *beam, struct vks_translation *translation) {
    uint32_t num = min_u32(beam->params->n_best, beam->num_ended);
    struct vks_translation made = {.hypotheses = memory_calloc(num + 1, sizeof *made.hypotheses),
                                   .num_hypotheses = num};
    if (!made.hypotheses)
        return VKS_ERR_OOM;
    enum vks_status status = VKS_OK;
    for (uint32_t i = 0; i < num && status == VKS_OK; i++)
        status = copy_hypothesis(beam, &beam->ended[i], &made.hypotheses[i]);
    if (status == VKS_OK) {
        *translation = made;
        return VKS_OK;
    }
    for (uint32_t i = 0; i < num; i++) {
        free(made.hypotheses[i].ids);
        free(made.hypotheses[i].word_scores);
        free(made.hypotheses[i].model_log_probs);
    }
    free(made.hypotheses);
    return status;
}
