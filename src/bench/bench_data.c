// How fast training text becomes batches, without a device.
#include "base/platform.h"
#include "train/training_data.h"
#include "vkseq/bench.h"

static void count(const struct batch *batch, struct vks_bench_data_result *result) {
    result->num_batches++;
    result->num_pairs += batch->num_sequences;
    result->num_source_tokens += batch->num_src;
    result->num_target_tokens += batch->num_tgt;
}

enum vks_status vks_bench_data(const struct vks_trainer_params *params,
                               const struct vks_tokenizer *tokenizer,
                               struct vks_bench_data_result *result) {
    const struct training_data_params data_params = {
        .trainer = params,
        .tokenizer = tokenizer,
        .max_words = params->mini_batch_words,
        .max_length = params->max_length,
        .start_id = vks_tokenizer_pad_id(tokenizer, VKS_TARGET),
    };
    struct vks_bench_data_result measured = {0};
    struct training_data data;
    double begin_s = platform_now_s();
    enum vks_status status = training_data_open(&data_params, &data);
    measured.open_s = platform_now_s() - begin_s;
    measured.num_lines = data.num_pairs;
    const struct batch *batch = NULL;
    begin_s = platform_now_s();
    if (status == VKS_OK) {
        do {
            batch = batcher_next(data.batcher);
            if (batch)
                count(batch, &measured);
        } while (batch && !batch->last_of_epoch);
        status = batcher_status(data.batcher);
    }
    measured.epoch_s = platform_now_s() - begin_s;
    training_data_close(&data);
    if (status == VKS_OK)
        *result = measured;
    return status;
}
