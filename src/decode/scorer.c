#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/batch.h"
#include "decode/sentences.h"
#include "model/loss.h"
#include "vkseq/translator.h"

#include <stdlib.h>
#include <string.h>

// Tokens of a side and sentences scored at once; longer lines ask for more. Attention takes time
// with the square of a line's tokens, so that there is an end to them.
enum { BATCH_TOKENS = 2048, BATCH_SENTENCES = 512, MIN_TOKENS = 64, MAX_TOKENS = 4096 };

struct vks_scorer {
    struct vks_model *model;               // borrowed
    const struct vks_tokenizer *tokenizer; // borrowed
    struct vks_scorer_params params;       // what it points to is borrowed
    struct loss_program loss;
    struct feed_capacity capacity; // of the program; zero: there is none
    uint32_t position_rows;        // of the model's table when it was built
    uint64_t num_lines;            // scored so far
};

enum vks_status vks_scorer_create(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                                  const struct vks_scorer_params *params,
                                  struct vks_scorer **result) {
    TRY(sentences_check_vocabulary(&model->config, tokenizer, params->log));
    struct vks_scorer *scorer = memory_calloc(1, sizeof *scorer);
    if (!scorer)
        return VKS_ERR_OOM;
    scorer->model = model;
    scorer->tokenizer = tokenizer;
    scorer->params = *params;
    *result = scorer;
    return VKS_OK;
}

// The source and target of every line.
struct pairs {
    struct sentence *sources, *targets; // owned
    size_t num;
    uint32_t num_given; // tokens that targets begin with and that are not scored
};

// What stands around the tokens of a side.
static enum vks_status find_frame(const struct vks_scorer *scorer, enum vks_side side,
                                  struct token_frame *frame) {
    const struct vks_sequence_params params = {side, scorer->params.source_language,
                                               scorer->params.target_language};
    return tokenizer_frame(scorer->tokenizer, &params, scorer->params.log, frame);
}

static enum vks_status encode(const struct vks_scorer *scorer, const char *const *sources,
                              const char *const *targets, struct pairs *pairs) {
    const struct vks_model_config *config = &scorer->model->config;
    struct sentences_params params = {
        .tokenizer = scorer->tokenizer,
        .side = VKS_SOURCE,
        .max_tokens = config->positions == VKS_POSITIONS_LEARNED
                          ? min_u32(config->max_positions, MAX_TOKENS)
                          : MAX_TOKENS,
        .first_line = scorer->num_lines,
        .log = scorer->params.log,
    };
    struct token_frame target;
    TRY(find_frame(scorer, VKS_SOURCE, &params.frame));
    TRY(find_frame(scorer, VKS_TARGET, &target));
    TRY(sentences_encode(&params, sources, pairs->num, &pairs->sources));
    params.side = VKS_TARGET;
    params.frame = target;
    pairs->num_given = target.num_before;
    return sentences_encode(&params, targets, pairs->num, &pairs->targets);
}

// Tokens that the program should hold of a side: all, but no more than a batch or the longest
// sentence has; a power of two, so that it is seldom built anew.
static uint32_t wanted_tokens(const struct sentence *sentences, size_t num, uint32_t *longest) {
    uint64_t total = 0;
    for (size_t i = 0; i < num; i++) {
        total += sentences[i].num_ids;
        *longest = max_u32(*longest, sentences[i].num_ids);
    }
    uint32_t wanted = max_u32(total < BATCH_TOKENS ? (uint32_t)total : BATCH_TOKENS, *longest);
    uint32_t power = MIN_TOKENS;
    while (power < wanted)
        power *= 2;
    return power;
}

static enum vks_status reserve(struct vks_scorer *scorer, const struct pairs *pairs) {
    struct vks_model *model = scorer->model;
    uint32_t longest = 0;
    const struct feed_capacity *now = &scorer->capacity;
    uint32_t num_src = wanted_tokens(pairs->sources, pairs->num, &longest);
    uint32_t num_tgt = wanted_tokens(pairs->targets, pairs->num, &longest);
    const struct feed_capacity next = {.num_src = max_u32(now->num_src, num_src),
                                       .num_tgt = max_u32(now->num_tgt, num_tgt),
                                       .num_sequences = BATCH_SENTENCES};
    TRY(weights_reserve_positions(&model->weights, &model->config, longest));
    if (next.num_src == now->num_src && next.num_tgt == now->num_tgt &&
        scorer->position_rows == model->weights.encoder.positions.rows)
        return VKS_OK;
    loss_program_finish(&scorer->loss);
    scorer->capacity = (struct feed_capacity){0};
    const struct loss_params params = {.config = &model->config,
                                       .weights = &model->weights,
                                       .capacity = next,
                                       .element = precision_element(scorer->params.precision),
                                       .with_row_losses = true,
                                       .program = {.num_slots = 1}};
    TRY(loss_program_init(model->device, &params, &scorer->loss));
    scorer->capacity = next;
    scorer->position_rows = model->weights.encoder.positions.rows;
    return VKS_OK;
}

// Scores a batch and empties it; log_probs [sequences of the batch].
static enum vks_status score_batch(struct vks_scorer *scorer, struct batch *batch,
                                   uint32_t num_given, float *log_probs) {
    const struct loss_batch fed = {
        .source = {batch->src, batch->src_offsets, batch->num_sequences},
        .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
        .labels = batch->tgt_out,
    };
    double total;
    TRY(loss_program_submit(&scorer->loss, 0, &fed, &(struct loss_step){0}));
    TRY(loss_program_wait(&scorer->loss, 0, &total));
    const float *losses = program_output(scorer->loss.program, 0, scorer->loss.row_losses);
    for (uint32_t i = 0; i < batch->num_sequences; i++) {
        double sum = 0;
        for (uint32_t row = batch->tgt_offsets[i] + num_given; row < batch->tgt_offsets[i + 1];
             row++)
            sum += (double)losses[row];
        log_probs[i] = (float)-sum;
    }
    batch_clear(batch);
    return VKS_OK;
}

static bool add_pair(const struct vks_scorer *scorer, const struct pairs *pairs, size_t i,
                     struct batch *batch) {
    return batch_add_pair(batch, pairs->sources[i].ids, pairs->sources[i].num_ids,
                          pairs->targets[i].ids, pairs->targets[i].num_ids,
                          scorer->model->config.start_id);
}

static enum vks_status score_pairs(struct vks_scorer *scorer, const struct pairs *pairs,
                                   float *log_probs) {
    TRY(reserve(scorer, pairs));
    const struct batch_capacity capacity = {.num_sequences = scorer->capacity.num_sequences,
                                            .num_src_tokens = scorer->capacity.num_src,
                                            .num_tgt_tokens = scorer->capacity.num_tgt};
    struct batch *batch;
    TRY(batch_create(&capacity, false, 0, scorer->params.log, &batch));
    enum vks_status status = VKS_OK;
    for (size_t first = 0, end = 0; first < pairs->num && status == VKS_OK; first = end) {
        while (end < pairs->num && add_pair(scorer, pairs, end, batch))
            end++;
        CHECK(end > first);
        status = score_batch(scorer, batch, pairs->num_given, log_probs + first);
    }
    batch_destroy(&batch);
    return status;
}

enum vks_status vks_score(struct vks_scorer *scorer, const char *const *sources,
                          const char *const *targets, size_t num_lines, float *log_probs,
                          uint32_t *num_tokens) {
    struct pairs pairs = {.num = num_lines};
    enum vks_status status = VKS_ERR_OOM;
    float *scores = memory_calloc(num_lines + 1, sizeof *scores);
    if (!scores)
        goto done;
    TRY_GOTO(status, encode(scorer, sources, targets, &pairs), done);
    scorer->num_lines += num_lines;
    TRY_GOTO(status, score_pairs(scorer, &pairs, scores), done);
    for (size_t i = 0; i < num_lines; i++) {
        log_probs[i] = scores[i];
        if (num_tokens)
            num_tokens[i] = pairs.targets[i].num_ids - pairs.num_given;
    }
done:
    sentences_free(pairs.sources, num_lines);
    sentences_free(pairs.targets, num_lines);
    free(scores);
    return status;
}

void vks_scorer_destroy(struct vks_scorer **scorer_ref) {
    struct vks_scorer *scorer = *scorer_ref;
    if (!scorer)
        return;
    loss_program_finish(&scorer->loss);
    free(scorer);
    *scorer_ref = NULL;
}
