#include "decode/beam.h"

#include "ops/decoding.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void beam_init(const struct beam_params *params, uint32_t max_steps, struct beam *beam) {
    CHECK(params->beam_size >= 1 && params->beam_size <= BEAM_MAX_SIZE && max_steps > 0);
    memset(beam, 0, sizeof *beam);
    beam->params = params;
    beam->max_steps = max_steps;
    beam->alive[0].node = BEAM_NO_NODE;
    beam->num_alive = 1;
}

void beam_finish(struct beam *beam) {
    free(beam->nodes);
    beam->nodes = NULL;
}

uint32_t beam_token(const struct beam *beam, uint32_t hypothesis_idx, uint32_t start_id) {
    int32_t node = beam->alive[hypothesis_idx].node;
    return node == BEAM_NO_NODE ? start_id : beam->nodes[node].token;
}

struct candidate {
    double log_prob;
    uint32_t hypothesis, token;
};

static float as_float(uint32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

// log(sum(exp(logit))) of a row, from its stretches in order.
static double log_sum_exp(const struct top_k_rows *rows, const uint32_t *row) {
    uint32_t step = TOP_K_HEAD + 2 * rows->k;
    double highest = -INFINITY, sum = 0;
    for (uint32_t i = 0; i < rows->num_stretches; i++)
        highest = fmax(highest, (double)as_float(row[i * step]));
    for (uint32_t i = 0; i < rows->num_stretches; i++)
        sum += (double)as_float(row[i * step + 1]) * exp((double)as_float(row[i * step]) - highest);
    return highest + log(sum);
}

static bool is_better(const struct candidate *a, const struct candidate *b) {
    if (a->log_prob != b->log_prob)
        return a->log_prob > b->log_prob;
    if (a->hypothesis != b->hypothesis)
        return a->hypothesis < b->hypothesis;
    return a->token < b->token;
}

// The best candidates so far, best first, at most `capacity`.
struct candidate_list {
    struct candidate items[BEAM_MAX_SIZE];
    uint32_t num, capacity;
};

// False when the candidate is not among the best.
static bool insert(struct candidate_list *list, const struct candidate *candidate) {
    if (list->num == list->capacity && !is_better(candidate, &list->items[list->num - 1]))
        return false;
    uint32_t i = list->num < list->capacity ? list->num++ : list->num - 1;
    for (; i > 0 && is_better(candidate, &list->items[i - 1]); i--)
        list->items[i] = list->items[i - 1];
    list->items[i] = *candidate;
    return true;
}

// Candidates that continue a hypothesis. A stretch's tokens come best first.
static void insert_row(const struct beam *beam, const struct top_k_rows *rows, const uint32_t *row,
                       uint32_t hypothesis, struct candidate_list *list) {
    double before = beam->alive[hypothesis].log_prob - log_sum_exp(rows, row);
    for (uint32_t stretch = 0; stretch < rows->num_stretches; stretch++) {
        const uint32_t *pairs = row + stretch * (TOP_K_HEAD + 2 * rows->k) + TOP_K_HEAD;
        for (uint32_t i = 0; i < rows->k && pairs[2 * i + 1] != UINT32_MAX; i++) {
            const struct candidate candidate = {before + (double)as_float(pairs[2 * i]), hypothesis,
                                                pairs[2 * i + 1]};
            if (!isfinite(candidate.log_prob) || !insert(list, &candidate))
                break;
        }
    }
}

static enum vks_status add_node(struct beam *beam, uint32_t token, int32_t *node) {
    if (beam->num_nodes == beam->nodes_capacity) {
        size_t capacity = beam->nodes_capacity ? 2 * beam->nodes_capacity : 64;
        struct beam_node *grown = memory_realloc(beam->nodes, capacity * sizeof *grown);
        if (!grown)
            return VKS_ERR_OOM;
        beam->nodes = grown;
        beam->nodes_capacity = capacity;
    }
    beam->nodes[beam->num_nodes] = (struct beam_node){token, *node};
    *node = (int32_t)beam->num_nodes++;
    return VKS_OK;
}

static void end_all(struct beam *beam) {
    for (uint32_t i = 0; i < beam->num_alive; i++)
        beam->finished[beam->num_finished++] = beam->alive[i];
    beam->num_alive = 0;
}

enum vks_status beam_advance(struct beam *beam, const struct top_k_rows *rows, uint32_t first_row) {
    struct candidate_list list = {.capacity = beam->params->beam_size - beam->num_finished};
    for (uint32_t i = 0; i < beam->num_alive; i++)
        insert_row(beam, rows, rows->words + (size_t)(first_row + i) * rows->stride, i, &list);
    if (list.num == 0)
        return VKS_ERR_DIVERGED;
    struct hypothesis next[BEAM_MAX_SIZE];
    uint32_t num_next = 0;
    for (uint32_t i = 0; i < list.num; i++) {
        const struct candidate *candidate = &list.items[i];
        const struct hypothesis *parent = &beam->alive[candidate->hypothesis];
        struct hypothesis hypothesis = {candidate->log_prob, parent->node, candidate->hypothesis,
                                        parent->length + 1};
        if (candidate->token == beam->params->eos_id) {
            beam->finished[beam->num_finished++] = hypothesis;
            continue;
        }
        TRY(add_node(beam, candidate->token, &hypothesis.node));
        next[num_next++] = hypothesis;
    }
    memcpy(beam->alive, next, num_next * sizeof *next);
    beam->num_alive = num_next;
    if (++beam->num_steps == beam->max_steps)
        end_all(beam);
    return VKS_OK;
}

static double score(const struct beam_params *params, const struct hypothesis *hypothesis) {
    double penalized = hypothesis->log_prob - (double)params->word_penalty * hypothesis->length;
    return penalized / pow(hypothesis->length, (double)params->normalize);
}

static enum vks_status copy_ids(const struct beam *beam, const struct hypothesis *hypothesis,
                                struct vks_hypothesis *result) {
    size_t num = 0;
    for (int32_t node = hypothesis->node; node != BEAM_NO_NODE; node = beam->nodes[node].parent)
        num++;
    result->ids = memory_malloc((num ? num : 1) * sizeof *result->ids);
    if (!result->ids)
        return VKS_ERR_OOM;
    result->num_ids = num;
    for (int32_t node = hypothesis->node; node != BEAM_NO_NODE; node = beam->nodes[node].parent)
        result->ids[--num] = beam->nodes[node].token;
    return VKS_OK;
}

enum vks_status beam_results(const struct beam *beam, struct vks_translation *translation) {
    uint32_t order[BEAM_MAX_SIZE];
    double scores[BEAM_MAX_SIZE];
    for (uint32_t i = 0; i < beam->num_finished; i++) {
        scores[i] = score(beam->params, &beam->finished[i]);
        uint32_t place = i;
        for (; place > 0 && scores[i] > scores[order[place - 1]]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    uint32_t num = min_u32(beam->params->n_best, beam->num_finished);
    struct vks_translation made = {memory_calloc(num, sizeof *made.hypotheses), num};
    if (!made.hypotheses)
        return VKS_ERR_OOM;
    for (uint32_t i = 0; i < num; i++) {
        const struct hypothesis *hypothesis = &beam->finished[order[i]];
        made.hypotheses[i].log_prob = (float)hypothesis->log_prob;
        made.hypotheses[i].score = (float)scores[order[i]];
        if (copy_ids(beam, hypothesis, &made.hypotheses[i]) != VKS_OK) {
            while (i-- > 0)
                free(made.hypotheses[i].ids);
            free(made.hypotheses);
            return VKS_ERR_OOM;
        }
    }
    *translation = made;
    return VKS_OK;
}
