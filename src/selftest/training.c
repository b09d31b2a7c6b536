#include "selftest/training.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/search.h"

#include <stdlib.h>
#include <string.h>

// Words are ids 1 .. VOCAB - 2, as </s> is the first and <pad> the last.
enum { VOCAB = 20, BATCH_SENTENCES = 8, MAX_TOKENS = 7, MAX_BATCH = BATCH_SENTENCES * MAX_TOKENS };
enum { EOS_ID = 0, PAD_ID = VOCAB - 1 };
enum { SEED = 1, BEAM = 3 };

static const float RATE = 2e-3f, CLIP_NORM = 1.0f, LABEL_SMOOTHING = 0.1f;

const double training_known_losses[TRAINING_UPDATES] = {
    3.618855681, 3.422972312, 2.907097850, 3.039180758, 2.710116030, 2.870466868, 2.571883183,
    2.759783205, 2.467780340, 2.662514086, 2.463495353, 2.544350894, 2.319575988, 2.488060099,
    2.355194769, 2.359815062, 2.180267532, 2.347750322, 2.195161431, 2.196872455, 2.034194682,
    2.197400449, 2.030495297, 2.018847690, 1.875496925, 2.010767226, 1.822149848, 1.843287415,
    1.706498278, 1.832899950, 1.608611016, 1.645993052, 1.534119779, 1.667354743, 1.431271555,
    1.432346257, 1.371773997, 1.540734444, 1.282019787, 1.256574270,
};

// Rounding grows over the updates. Losses are 2.7e-7 off on lavapipe of Mesa 22.3.6, 25.0.7 and
// 26.2.6 and on SwiftShader; other devices sum in other orders.
const double training_tolerance = 2e-5;

// A batch of sentences end to end, with what their offsets point into.
struct sentences {
    uint32_t source[MAX_BATCH], target[MAX_BATCH], labels[MAX_BATCH];
    uint32_t offsets[BATCH_SENTENCES + 1], num;
};

static uint32_t num_words(uint32_t sentence) {
    return 2 + sentence % (MAX_TOKENS - 2);
}

static uint32_t word(uint32_t sentence, uint32_t i) {
    return 1 + (7 * sentence + 3 * i * i + 5 * i) % (VOCAB - 2);
}

// The target is the source backwards; both sides are equally long.
static void add_sentence(struct sentences *s, uint32_t sentence) {
    uint32_t first = s->offsets[s->num], num = num_words(sentence), end = first + num;
    for (uint32_t i = 0; i < num; i++) {
        s->source[first + i] = word(sentence, i);
        s->labels[first + i] = word(sentence, num - 1 - i);
        s->target[first + i + 1] = s->labels[first + i];
    }
    s->source[end] = s->labels[end] = EOS_ID;
    s->target[first] = PAD_ID;
    s->offsets[++s->num] = end + 1;
}

static void fill_batch(uint32_t batch_idx, struct sentences *s) {
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < BATCH_SENTENCES; i++)
        add_sentence(s, (batch_idx * BATCH_SENTENCES + i) % TRAINING_SENTENCES);
}

static struct loss_batch packed(const struct sentences *s) {
    return (struct loss_batch){.source = {s->source, s->offsets, s->num},
                               .target = {s->target, s->offsets, s->num},
                               .labels = s->labels};
}

static struct loss_params loss_params(const struct training *training) {
    return (struct loss_params){
        .config = &training->model->config,
        .weights = &training->model->weights,
        .capacity = {.num_src = MAX_BATCH, .num_tgt = MAX_BATCH, .num_sequences = BATCH_SENTENCES},
        .label_smoothing = LABEL_SMOOTHING,
    };
}

enum vks_status training_open(struct vks_device *device, float dropout, struct training *training) {
    // The activation is smooth: under ReLU an input near 0 takes its sign from rounding, and the
    // gradient jumps with it (docs/selftest.md).
    const struct vks_model_config config = {.source_vocab = VOCAB,
                                            .target_vocab = VOCAB,
                                            .width = 32,
                                            .ffn_width = 64,
                                            .num_heads = 4,
                                            .encoder_layers = 2,
                                            .decoder_layers = 2,
                                            .activation = VKS_GELU};
    const struct optimizer_params adam = {
        .kind = UPDATE_ADAM, .beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-9f};
    memset(training, 0, sizeof *training);
    training->device = device;
    TRY(vks_model_create(device, &config, SEED, &training->model));
    TRY(model_prepare_training(training->model, PARTS_ADAM));
    struct loss_params params = loss_params(training);
    params.with_gradient = true;
    params.dropout = dropout;
    TRY(loss_program_init(device, &params, &training->loss));
    return updater_init(&training->model->weights.store, &adam, &training->updater);
}

void training_close(struct training *training) {
    updater_finish(&training->updater);
    loss_program_finish(&training->loss);
    vks_model_destroy(&training->model);
}

enum vks_status training_run(struct training *training, uint32_t num_updates, double *losses) {
    for (uint32_t i = 0; i < num_updates; i++) {
        struct sentences sentences;
        struct update_report report;
        uint32_t slot = i % PROGRAM_MAX_SLOTS;
        double total;
        fill_batch(i, &sentences);
        const struct loss_batch batch = packed(&sentences);
        uint32_t num_tokens = sentences.offsets[sentences.num];
        TRY(loss_program_submit(&training->loss, slot, &batch,
                                &(struct loss_step){.seed = SEED, .step = i}));
        TRY(updater_submit(&training->updater, slot,
                           &(struct update_step){.rate = RATE,
                                                 .gradient_scale = 1.0f / (float)num_tokens,
                                                 .clip = CLIP_NORM}));
        TRY(loss_program_wait(&training->loss, slot, &total));
        TRY(updater_wait(&training->updater, slot, &report));
        losses[i] = total / num_tokens;
    }
    return VKS_OK;
}

// The losses of a batch's target tokens.
static enum vks_status score(struct loss_program *loss, const struct sentences *sentences,
                             float *row_losses) {
    const struct loss_batch batch = packed(sentences);
    double total;
    TRY(loss_program_submit(loss, 0, &batch, &(struct loss_step){0}));
    TRY(loss_program_wait(loss, 0, &total));
    memcpy(row_losses, program_output(loss->program, 0, loss->row_losses),
           sentences->offsets[sentences->num] * sizeof *row_losses);
    return VKS_OK;
}

static enum vks_status count_other_scores(struct loss_program *loss, uint64_t *num_different) {
    struct sentences together;
    float losses[MAX_BATCH], alone_losses[MAX_BATCH];
    uint64_t num = 0;
    fill_batch(0, &together);
    TRY(score(loss, &together, losses));
    for (uint32_t i = 0; i < BATCH_SENTENCES; i++) {
        struct sentences alone = {0};
        add_sentence(&alone, i);
        TRY(score(loss, &alone, alone_losses));
        num += memcmp(alone_losses, losses + together.offsets[i],
                      alone.offsets[1] * sizeof *losses) != 0;
    }
    *num_different = num;
    return VKS_OK;
}

enum vks_status training_score_alone(struct training *training, uint64_t *num_different) {
    struct loss_program loss;
    struct loss_params params = loss_params(training);
    params.with_row_losses = true;
    params.program.num_slots = 1;
    TRY(loss_program_init(training->device, &params, &loss));
    enum vks_status status = count_other_scores(&loss, num_different);
    loss_program_finish(&loss);
    return status;
}

static bool same_translation(const struct vks_translation *a, const struct vks_translation *b) {
    const struct vks_hypothesis *x = a->hypotheses, *y = b->hypotheses;
    return x->num_ids == y->num_ids && memcmp(x->ids, y->ids, x->num_ids * sizeof *x->ids) == 0 &&
           memcmp(&x->log_prob, &y->log_prob, sizeof x->log_prob) == 0;
}

static enum vks_status count_other_translations(struct search *search, uint64_t *num_different) {
    struct sentences batch;
    struct sentence sentences[BATCH_SENTENCES];
    struct vks_translation *together = memory_calloc(2 * BATCH_SENTENCES, sizeof *together);
    if (!together)
        return VKS_ERR_OOM;
    struct vks_translation *alone = together + BATCH_SENTENCES;
    fill_batch(0, &batch);
    for (uint32_t i = 0; i < BATCH_SENTENCES; i++)
        sentences[i] = (struct sentence){.ids = batch.source + batch.offsets[i],
                                         .num_ids = batch.offsets[i + 1] - batch.offsets[i]};
    enum vks_status status = search_run(search, sentences, BATCH_SENTENCES, together);
    for (uint32_t i = 0; i < BATCH_SENTENCES && status == VKS_OK; i++)
        status = search_run(search, &sentences[i], 1, &alone[i]);
    uint64_t num = 0;
    for (uint32_t i = 0; i < BATCH_SENTENCES && status == VKS_OK; i++)
        num += !same_translation(&together[i], &alone[i]);
    vks_translations_free(together, 2 * BATCH_SENTENCES);
    if (status == VKS_OK)
        *num_different = num;
    return status;
}

enum vks_status training_translate_alone(struct training *training, uint64_t *num_different) {
    struct vks_translator_params params = {.beam_size = BEAM, .log = training->device->log};
    struct search search;
    TRY(search_complete_params(&training->model->config, &params));
    enum vks_status status = search_init(
        &(struct search_params){.models = &training->model, .num_models = 1, .translator = &params},
        &search);
    if (status == VKS_OK)
        status = count_other_translations(&search, num_different);
    search_finish(&search);
    return status;
}
