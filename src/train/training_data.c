#include "train/training_data.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/hash64.h"
#include "text/tokenizer_frame.h"

#include <string.h>

// The same choices, for the public interface and for batches.
_Static_assert((int)SHUFFLE_BATCHES == VKS_SHUFFLE_BATCHES && (int)SHUFFLE_NONE == VKS_SHUFFLE_NONE,
               "order of vks_shuffle");
_Static_assert((int)SORT_TARGET == VKS_SORT_TARGET && (int)SORT_SOURCE == VKS_SORT_SOURCE &&
                   (int)SORT_NONE == VKS_SORT_NONE,
               "order of vks_maxi_batch_sort");

const struct vks_text_set *training_data_sets(const struct vks_trainer_params *params,
                                              struct vks_text_set *set, uint32_t *num_sets) {
    *set = (struct vks_text_set){.source = params->train_source,
                                 .target = params->train_target,
                                 .alignments = params->guided_alignment};
    *num_sets = params->num_train_sets ? params->num_train_sets : 1;
    return params->num_train_sets ? params->train_sets : set;
}

bool training_data_is_named(const struct vks_trainer_params *params) {
    struct vks_text_set single;
    uint32_t num_sets;
    const struct vks_text_set *sets = training_data_sets(params, &single, &num_sets);
    bool is_named = true;
    for (uint32_t i = 0; i < num_sets; i++)
        is_named &= sets[i].source && !sets[i].target == (sets[i].num_fields >= 2);
    return is_named;
}

bool training_data_is_streamed(const struct vks_trainer_params *params) {
    struct vks_text_set single;
    uint32_t num_sets;
    const struct vks_text_set *sets = training_data_sets(params, &single, &num_sets);
    bool is_streamed = params->temp_dir || params->sentencepiece_alphas[VKS_SOURCE] > 0 ||
                       params->sentencepiece_alphas[VKS_TARGET] > 0;
    for (uint32_t i = 0; i < num_sets; i++)
        is_streamed |= vks_is_stdin(sets[i].source);
    return is_streamed;
}

bool training_data_has_weights(const struct vks_trainer_params *params) {
    struct vks_text_set single;
    struct encoder_params encoder = {0};
    encoder.sets = training_data_sets(params, &single, &encoder.num_sets);
    return encoder_has_weights(&encoder);
}

bool training_data_has_alignments(const struct vks_trainer_params *params) {
    struct vks_text_set single;
    struct encoder_params encoder = {0};
    encoder.sets = training_data_sets(params, &single, &encoder.num_sets);
    return encoder_has_alignments(&encoder);
}

enum vks_status training_data_frames(const struct vks_trainer_params *params,
                                     const struct vks_tokenizer *tokenizer,
                                     struct token_frame frames[NUM_SIDES]) {
    struct vks_sequence_params sequence = {.source_language = params->source_language,
                                           .target_language = params->target_language};
    for (int side = 0; side < NUM_SIDES; side++) {
        sequence.side = side;
        TRY(tokenizer_frame(tokenizer, &sequence, params->log, &frames[side]));
    }
    return VKS_OK;
}

static enum vks_status open_corpus(struct training_data *data, uint32_t seed) {
    const struct encoder_params *encoder = &data->encoder;
    TRY(corpus_load(encoder, &data->corpus));
    uint64_t *num_pairs = memory_calloc(encoder->num_sets, sizeof *num_pairs);
    if (!num_pairs) {
        log_error(encoder->log, "out of memory for %u corpora", encoder->num_sets);
        return VKS_ERR_OOM;
    }
    for (uint32_t i = 0; i < encoder->num_sets; i++)
        num_pairs[i] = corpus_set_pairs(data->corpus, i);
    enum vks_status status = mixture_init(encoder->sets, num_pairs, encoder->num_sets, seed,
                                          encoder->log, &data->mixture);
    free(num_pairs);
    data->num_pairs = corpus_num_pairs(data->corpus);
    return status;
}

static enum vks_status open_stream(struct training_data *data,
                                   const struct vks_trainer_params *trainer) {
    const struct pair_stream_params params = {
        .sets = data->encoder.sets,
        .num_sets = data->encoder.num_sets,
        .seed = trainer->seed,
        .shuffle = trainer->shuffle == VKS_SHUFFLE_DATA,
        .folder = trainer->temp_dir,
        .memory_bytes = trainer->shuffle_bytes,
        .log = trainer->log,
    };
    TRY(pair_stream_open(&params, &data->stream));
    data->num_pairs = pair_stream_num_pairs(data->stream);
    return VKS_OK;
}

// What batches follow from beside the numbers of a training state.
static uint64_t hash_of(const struct training_data *data) {
    const struct encoder_params *encoder = &data->encoder;
    const struct mixture *mixture =
        data->corpus ? &data->mixture : pair_stream_mixture(data->stream);
    struct hash64 hash;
    hash64_init(&hash);
    hash64_update(&hash, encoder->sampling_alphas, sizeof encoder->sampling_alphas);
    hash64_update(&hash, &encoder->crop, sizeof encoder->crop);
    if (encoder->mask_placeholders != 0.0f)
        hash64_update(&hash, &encoder->mask_placeholders, sizeof encoder->mask_placeholders);
    for (int side = 0; side < NUM_SIDES; side++) {
        const struct token_frame *frame = &encoder->frames[side];
        if (token_frame_size(frame) == 1)
            continue; // </s>, as in every text without languages
        hash64_update(&hash, &side, sizeof side);
        hash64_update(&hash, frame->before, frame->num_before * sizeof *frame->before);
        hash64_update(&hash, frame->after, frame->num_after * sizeof *frame->after);
    }
    for (uint32_t i = 0; i < mixture->num_parts; i++) {
        const struct mixture_part *part = &mixture->parts[i];
        const uint64_t numbers[] = {part->num_pairs, part->pairs_per_epoch};
        hash64_update(&hash, numbers, sizeof numbers);
    }
    return hash64_value(&hash) >> 11;
}

static struct batcher_params batcher_params(const struct training_data_params *params,
                                            const struct training_data *data) {
    const struct vks_trainer_params *p = params->trainer;
    return (struct batcher_params){
        .corpus = data->corpus,
        .mixture = data->mixture.has_ratios ? &data->mixture : NULL,
        .stream = data->stream,
        .encoder = &data->encoder,
        .seed = p->seed,
        .max_src_tokens = params->max_words,
        .max_tgt_tokens = params->max_words,
        .max_pairs_per_batch = p->mini_batch,
        .pool_pairs = p->maxi_batch_pairs,
        .shuffle = (enum epoch_shuffle)p->shuffle,
        .sort = (enum pool_sort)p->maxi_batch_sort,
        .start_id = params->start_id,
        .link_words = params->link_words,
        .log = p->log,
    };
}

enum vks_status training_data_open(const struct training_data_params *params,
                                   struct training_data *data) {
    const struct vks_trainer_params *p = params->trainer;
    struct vks_text_set single;
    uint32_t num_sets;
    const struct vks_text_set *sets = training_data_sets(p, &single, &num_sets);
    *data = (struct training_data){.sets = memory_calloc(num_sets, sizeof *sets)};
    if (!data->sets) {
        log_error(p->log, "out of memory for %u corpora", num_sets);
        return VKS_ERR_OOM;
    }
    memcpy(data->sets, sets, num_sets * sizeof *sets);
    data->encoder = (struct encoder_params){
        .tokenizer = params->tokenizer,
        .sets = data->sets,
        .num_sets = num_sets,
        .max_length = params->max_length,
        .crop = p->max_length_crop,
        .weighs_words = p->weighs_words,
        .num_threads = p->data_threads,
        .sampling_alphas = {p->sentencepiece_alphas[VKS_SOURCE],
                            p->sentencepiece_alphas[VKS_TARGET]},
        .mask_placeholders = p->mask_placeholders,
        .seed = p->seed,
        .log = p->log,
    };
    TRY(training_data_frames(p, params->tokenizer, data->encoder.frames));
    TRY(training_data_is_streamed(p) ? open_stream(data, p) : open_corpus(data, p->seed));
    data->hash = hash_of(data);
    const struct batcher_params batcher = batcher_params(params, data);
    TRY(batcher_create(&batcher, &data->batcher));
    if (data->stream)
        return batcher_estimate(&batcher, &data->num_batches, &data->num_tokens);
    data->num_batches = batcher_num_batches(data->batcher, 0);
    data->num_tokens = (double)corpus_num_tokens(data->corpus, VKS_TARGET);
    return VKS_OK;
}

void training_data_close(struct training_data *data) {
    batcher_destroy(&data->batcher);
    pair_stream_close(&data->stream);
    mixture_finish(&data->mixture);
    corpus_destroy(&data->corpus);
    free(data->sets);
    *data = (struct training_data){0};
}
