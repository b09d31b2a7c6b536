// Training steps on random sentences of given lengths.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/rng.h"
#include "bench/timing.h"
#include "data/batch.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "train/updater.h"

#include <stdlib.h>

enum { FIXED_SENTENCES = 32, FIRST_WORD = 4, NUM_SLOTS = 2, MAX_SENTENCE = 4096 };

struct bench {
    struct vks_bench_params params;
    const struct vks_model_config *config;
    struct batch *batch[NUM_SLOTS];
    struct rng rng;
    size_t next_length;
    uint32_t words; // of a side of a batch, at most
    uint32_t ids[2][MAX_SENTENCE];
};

// The next sentence's lengths, </s> not counted.
static void lengths(struct bench *bench, uint32_t *src, uint32_t *tgt) {
    const struct vks_bench_params *p = &bench->params;
    *src = *tgt = p->source_length;
    if (p->num_lengths) {
        *src = p->lengths[bench->next_length][0];
        *tgt = p->lengths[bench->next_length][1];
    }
}

static void random_ids(struct bench *bench, uint32_t *ids, uint32_t num, uint32_t vocab) {
    for (uint32_t i = 0; i < num; i++)
        ids[i] = FIRST_WORD + rng_below(&bench->rng, vocab - FIRST_WORD - 1);
    ids[num] = bench->config->eos_id;
}

// A batch of as many sentences as fit, in the order of the lengths.
static void fill_batch(struct bench *bench, struct batch *batch) {
    uint32_t most = bench->params.num_lengths ? UINT32_MAX : FIXED_SENTENCES;
    batch_clear(batch);
    while (batch->num_sequences < most) {
        uint32_t src, tgt;
        lengths(bench, &src, &tgt);
        random_ids(bench, bench->ids[0], src, bench->config->source_vocab);
        random_ids(bench, bench->ids[1], tgt, bench->config->target_vocab);
        if (!batch_add_pair(batch, bench->ids[0], src + 1, bench->ids[1], tgt + 1,
                            bench->config->pad_id))
            break;
        if (bench->params.num_lengths)
            bench->next_length = (bench->next_length + 1) % bench->params.num_lengths;
    }
}

static enum vks_status submit(struct bench *bench, struct loss_program *loss,
                              struct updater *updater, uint32_t step) {
    uint32_t slot = step % NUM_SLOTS;
    struct batch *batch = bench->batch[slot];
    fill_batch(bench, batch);
    const struct loss_batch fed = {
        .source = {batch->src, batch->src_offsets, batch->num_sequences},
        .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
        .labels = batch->tgt_out};
    TRY(loss_program_submit(loss, slot, &fed, &(struct loss_step){.seed = 1, .step = step}));
    return updater_submit(updater, slot,
                          &(struct update_step){.rate = 1e-4f,
                                                .gradient_scale = 1.0f / (float)batch->num_tgt,
                                                .clip = 1.0f});
}

static enum vks_status wait(struct loss_program *loss, struct updater *updater, uint32_t step) {
    double total;
    struct update_report report;
    TRY(loss_program_wait(loss, step % NUM_SLOTS, &total));
    return updater_wait(updater, step % NUM_SLOTS, &report);
}

// Time in which the device worked on a step.
static double busy_ms(struct loss_program *loss, struct updater *updater, uint32_t step,
                      uint64_t *end_tick) {
    uint32_t slot = step % NUM_SLOTS;
    return (recording_busy_ns(program_recording(loss->program, slot), end_tick) +
            recording_busy_ns(program_recording(updater->program, slot), end_tick)) *
           1e-6;
}

// Steps overlap as they do in training: the host prepares the next while the device works.
static enum vks_status measure(struct bench *bench, struct loss_program *loss,
                               struct updater *updater, struct vks_bench_result *result) {
    const struct vks_bench_params *p = &bench->params;
    uint32_t num = p->warmup + p->steps;
    double *ms = memory_calloc(p->steps, sizeof *ms), begin = 0, all = 0, host = 0, device = 0;
    uint64_t tokens = 0, end_tick = 0;
    enum vks_status status = ms ? VKS_OK : VKS_ERR_OOM;
    for (uint32_t step = 0; step <= num && status == VKS_OK; step++) {
        double submitting = platform_now_s();
        if (step < num)
            status = submit(bench, loss, updater, step);
        submitting = platform_now_s() - submitting;
        if (step == 0 || status != VKS_OK)
            continue;
        status = wait(loss, updater, step - 1);
        double now = platform_now_s(), busy = 0;
        if (status == VKS_OK)
            busy = busy_ms(loss, updater, step - 1, &end_tick);
        if (step > p->warmup) {
            host += submitting;
            device += busy;
            ms[step - 1 - p->warmup] = (now - begin) * 1e3;
            all += now - begin;
            tokens += bench->batch[(step - 1) % NUM_SLOTS]->num_tgt;
        }
        begin = now;
    }
    if (status == VKS_OK) {
        timing_summarize(ms, p->steps, result);
        result->target_tokens_per_s = (double)tokens / all;
        result->wall_ms = all * 1e3 / p->steps;
        result->host_ms = host * 1e3 / p->steps;
        result->device_ms = updater->device->info.timestamps ? device / p->steps : -1;
    }
    free(ms);
    return status;
}

// A training under way.
struct training {
    struct loss_program loss;
    struct updater updater;
};

static void finish_training(struct training *training) {
    updater_finish(&training->updater);
    loss_program_finish(&training->loss);
}

static enum vks_status begin_training(const struct bench *bench, struct vks_model *model,
                                      const struct program_params *program,
                                      struct training *training) {
    uint32_t words = bench->words;
    const struct loss_params loss = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {words, words, words},
        .label_smoothing = 0.1f,
        .dropout = 0.1f,
        .with_gradient = true,
        .program = *program,
    };
    const struct optimizer_params optimizer = {
        .kind = UPDATE_ADAM, .beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-9f};
    TRY(loss_program_init(model->device, &loss, &training->loss));
    enum vks_status status =
        updater_init_as(&model->weights.store, &optimizer, program, &training->updater);
    if (status != VKS_OK)
        loss_program_finish(&training->loss);
    return status;
}

// The second of two steps: the first one has kernels compiled, and memory touched.
static enum vks_status profile(struct bench *bench, struct vks_model *model,
                               struct vks_bench_result *result) {
    struct training training;
    TRY(begin_training(bench, model, &(struct program_params){.profile = true}, &training));
    enum vks_status status = VKS_OK;
    for (uint32_t step = 0; step <= NUM_SLOTS && status == VKS_OK; step += NUM_SLOTS) {
        status = submit(bench, &training.loss, &training.updater, step);
        if (status == VKS_OK)
            status = wait(&training.loss, &training.updater, step);
    }
    if (status == VKS_OK)
        status = timing_add_profile(training.loss.program, result);
    if (status == VKS_OK)
        status = timing_add_profile(training.updater.program, result);
    finish_training(&training);
    result->profiled_ms = result->step_ms_median;
    return status;
}

static enum vks_status run(struct bench *bench, struct vks_model *model,
                           struct vks_bench_result *result) {
    struct training training;
    bench->words = bench->params.mini_batch_words;
    if (bench->params.num_lengths == 0)
        bench->words = FIXED_SENTENCES * (bench->params.source_length + 1);
    const struct batch_capacity capacity = {bench->words, bench->words, bench->words};
    for (int i = 0; i < NUM_SLOTS; i++)
        TRY(batch_create(&capacity, false, 0, bench->params.log, &bench->batch[i]));
    TRY(model_prepare_training(model, PARTS_ADAM));
    TRY(begin_training(bench, model, &(struct program_params){.timed = true}, &training));
    enum vks_status status = measure(bench, &training.loss, &training.updater, result);
    finish_training(&training);
    return status == VKS_OK && bench->params.profile ? profile(bench, model, result) : status;
}

enum vks_status vks_bench_train(struct vks_device *device, const struct vks_model_config *config,
                                const struct vks_bench_params *params,
                                struct vks_bench_result *result) {
    struct vks_model *model;
    struct bench *bench = memory_calloc(1, sizeof *bench);
    if (!bench)
        return VKS_ERR_OOM;
    bench->params = timing_defaults(params);
    bench->rng = (struct rng){.seed = params->seed};
    struct vks_bench_result measured = {0};
    enum vks_status status = vks_model_create(device, config, 1, &model);
    if (status == VKS_OK) {
        uint64_t now;
        bench->config = &model->config;
        status = run(bench, model, &measured);
        measured.num_parameters = vks_model_num_parameters(model);
        vks_device_memory(device, &now, &measured.peak_device_bytes);
        vks_model_destroy(&model);
    }
    for (int i = 0; i < NUM_SLOTS; i++)
        batch_destroy(&bench->batch[i]);
    free(bench);
    if (status == VKS_OK)
        *result = measured;
    else
        free(measured.kernels);
    return status;
}
