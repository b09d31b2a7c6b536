// Guided alignment teaches a head where to look, while the model learns to translate.
#include "base/check.h"
#include "base/rng.h"
#include "data/batcher.h"
#include "model/model_object.h"
#include "ops/alignment.h"
#include "scratch.h"
#include "support/gpu.h"
#include "train/guided_alignment.h"
#include "vkseq/trainer.h"

#include <stdio.h>

enum { NUM_LINES = 400, UPDATES = 350, MAX_LENGTH = 10, BATCH_WORDS = 256 };
enum { NUM_COSTS = 20 }; // of the first and of the last updates

struct fixture {
    struct scratch *scratch;
    char *source, *target, *alignment;
    struct vks_tokenizer *tokenizer;
    struct vks_model_config config;
    double first_cost, last_cost; // means
};

// Lines of letters, their reverse, and which letter became which.
static void write_texts(struct fixture *f) {
    FILE *source = fopen(f->source, "w"), *target = fopen(f->target, "w");
    FILE *alignment = fopen(f->alignment, "w");
    struct rng rng = {1, 2, 0};
    assert_true(source && target && alignment);
    for (int i = 0; i < NUM_LINES; i++) {
        uint32_t num = 3 + rng_below(&rng, 6), letters[8];
        for (uint32_t j = 0; j < num; j++)
            letters[j] = rng_below(&rng, 12);
        for (uint32_t j = 0; j < num; j++) {
            fprintf(source, "%c ", 'a' + letters[j]);
            fprintf(target, "%c ", 'a' + letters[num - 1 - j]);
            fprintf(alignment, "%u-%u ", j, num - 1 - j);
        }
        fprintf(source, "\n");
        fprintf(target, "\n");
        fprintf(alignment, "\n");
    }
    assert_int_equal(fclose(source) + fclose(target) + fclose(alignment), 0);
}

static void open_fixture(struct fixture *f) {
    void *state;
    scratch_create(&state);
    *f = (struct fixture){.scratch = state};
    f->source = scratch_path(f->scratch, "source");
    f->target = scratch_path(f->scratch, "target");
    f->alignment = scratch_path(f->scratch, "alignment");
    write_texts(f);
    const struct vks_tokenizer_train_params vocabulary = {
        .source_paths = (const char *const *)&f->source,
        .num_source_paths = 1,
        .vocab_size = 40,
        .options = "--model_type=word --byte_fallback=false --hard_vocab_limit=false",
        .log = &gpu_log};
    assert_int_equal(vks_tokenizer_train(&vocabulary, &f->tokenizer), VKS_OK);
    uint32_t vocab = vks_tokenizer_vocab_size(f->tokenizer, VKS_TARGET);
    f->config = (struct vks_model_config){.source_vocab = vocab,
                                          .target_vocab = vocab,
                                          .width = 32,
                                          .ffn_width = 64,
                                          .num_heads = 2,
                                          .encoder_layers = 2,
                                          .decoder_layers = 2};
}

static void close_fixture(struct fixture *f) {
    void *state = f->scratch;
    vks_tokenizer_destroy(&f->tokenizer);
    free(f->source);
    free(f->target);
    free(f->alignment);
    scratch_destroy(&state);
}

static bool take_cost(void *user, const struct vks_train_progress *progress) {
    struct fixture *f = user;
    if (progress->update <= NUM_COSTS)
        f->first_cost += progress->cost / NUM_COSTS;
    if (progress->update > UPDATES - NUM_COSTS)
        f->last_cost += progress->cost / NUM_COSTS;
    return true;
}

// What is counted over the aligned target tokens: all of them, and those at which the head looks at
// the source token that they are aligned with more than at any other.
struct count {
    uint32_t num, num_right;
};

static void count_pair(const struct batch *batch, uint32_t i, const struct tensor *shape,
                       const float *weights, struct count *count) {
    uint32_t num_source = batch->src_offsets[i + 1] - batch->src_offsets[i];
    for (size_t row_idx = batch->tgt_offsets[i]; row_idx < batch->tgt_offsets[i + 1]; row_idx++) {
        const uint32_t *links = batch->links + row_idx * batch->link_words;
        const float *row = weights + row_idx * shape->stride;
        uint32_t best = 0;
        for (uint32_t s = 1; s < num_source; s++)
            best = row[s] > row[best] ? s : best;
        for (uint32_t s = 0; s < num_source; s++) {
            bool is_linked = links[s / 32] >> s % 32 & 1;
            count->num += is_linked;
            count->num_right += is_linked && best == s;
        }
    }
}

static void count_links(struct vks_model *model, uint32_t layer_idx, struct batcher *batcher,
                        struct count *count) {
    const struct loss_alignment look = {
        .layer_idx = layer_idx, .max_source = MAX_LENGTH + 1, .with_weights = true};
    const struct loss_params params = {.config = &model->config,
                                       .weights = &model->weights,
                                       .capacity = {BATCH_WORDS, BATCH_WORDS, BATCH_WORDS},
                                       .alignment = &look};
    struct loss_program loss;
    double total;
    assert_int_equal(loss_program_init(model->device, &params, &loss), VKS_OK);
    for (uint32_t i = 0; i < batcher_num_batches(batcher, 0); i++) {
        const struct batch *batch = batcher_next(batcher);
        const struct loss_batch fed = {
            .source = {batch->src, batch->src_offsets, batch->num_sequences},
            .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
            .labels = batch->tgt_out};
        assert_int_equal(loss_program_submit(&loss, 0, &fed, &(struct loss_step){0}), VKS_OK);
        assert_int_equal(loss_program_wait(&loss, 0, &total), VKS_OK);
        const float *weights = program_output(loss.program, 0, loss.weights);
        for (uint32_t b = 0; b < batch->num_sequences; b++)
            count_pair(batch, b, loss.weights, weights, count);
    }
    loss_program_finish(&loss);
}

// Share of the given links that the first head of a layer finds.
static double agreement(const struct fixture *f, struct vks_model *model, uint32_t layer_idx) {
    const struct vks_text_set set = {
        .source = f->source, .target = f->target, .alignments = f->alignment};
    const struct encoder_params encoder = {
        .tokenizer = f->tokenizer, .sets = &set, .num_sets = 1, .log = &gpu_log};
    struct corpus *corpus;
    struct batcher *batcher;
    struct count count = {0};
    assert_int_equal(corpus_load(&encoder, &corpus), VKS_OK);
    const struct batcher_params batches = {.corpus = corpus,
                                           .max_src_tokens = BATCH_WORDS,
                                           .max_tgt_tokens = BATCH_WORDS,
                                           .start_id = model->config.pad_id,
                                           .link_words = alignment_link_words(MAX_LENGTH + 1)};
    assert_int_equal(batcher_create(&batches, &batcher), VKS_OK);
    count_links(model, layer_idx, batcher, &count);
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
    assert_true(count.num > NUM_LINES);
    return (double)count.num_right / count.num;
}

// Whether the figures that were kept have the alignment's.
static bool has_alignment_cost(const struct fixture *f) {
    char *path = scratch_path(f->scratch, "history.jsonl");
    unsigned char *text;
    size_t num_bytes;
    assert_int_equal(file_read(path, 1 << 20, &gpu_log, &text, &num_bytes), VKS_OK);
    bool has = strstr((const char *)text, "train/alignment_cost") != NULL;
    free(text);
    free(path);
    return has;
}

// Trains from the same beginning; what the trained head knows then of the given alignment.
static double train(struct vks_device *device, const struct vks_trainer_params *given) {
    struct fixture f;
    struct vks_model *model;
    struct vks_trainer *trainer;
    struct vks_trainer_params params;
    open_fixture(&f);
    assert_int_equal(vks_model_create(device, &f.config, 1, &model), VKS_OK);
    vks_trainer_defaults(&params);
    params.model_dir = f.scratch->dir;
    params.train_source = f.source;
    params.train_target = f.target;
    params.mini_batch_words = BATCH_WORDS;
    params.max_length = MAX_LENGTH;
    params.after_updates = UPDATES;
    params.learn_rate = 5e-3f;
    params.warmup = 50;
    params.guided_alignment = given->guided_alignment ? f.alignment : NULL;
    params.guided_alignment_cost = given->guided_alignment_cost;
    params.guided_alignment_weight = given->guided_alignment_weight;
    params.guided_alignment_layer = given->guided_alignment_layer;
    params.dropout = 0;
    params.dropout_attention = 0.1f;
    params.on_update = take_cost;
    params.user = &f;
    params.log = &gpu_log;
    assert_int_equal(vks_trainer_create(&params, model, f.tokenizer, &trainer), VKS_OK);
    assert_int_equal(vks_trainer_run(trainer), VKS_OK);
    vks_trainer_destroy(&trainer);
    uint32_t layer = given->guided_alignment_layer;
    layer = layer ? layer : f.config.decoder_layers;
    double share = agreement(&f, model, layer - 1);
    assert_int_equal(vks_model_config(model)->alignment_layer, given->guided_alignment ? layer : 0);
    print_message("cost %.3f, then %.3f; %.1f %% of the links\n", f.first_cost, f.last_cost,
                  100 * share);
    assert_true(f.last_cost < 0.7 * f.first_cost);
    assert_int_equal(has_alignment_cost(&f), given->guided_alignment != NULL);
    vks_model_destroy(&model);
    close_fixture(&f);
    return share;
}

static void guided_head_looks_where_it_is_told(void **state) {
    static const struct vks_trainer_params guided = {.guided_alignment = "",
                                                     .guided_alignment_weight = 1};
    assert_true(train(*state, &guided) > 0.95);
}

// With one link a token the product's cost is the cross-entropy.
static void squared_error_guides_another_layer(void **state) {
    static const struct vks_trainer_params squared = {.guided_alignment = "",
                                                      .guided_alignment_cost = VKS_ALIGNMENT_MSE,
                                                      .guided_alignment_weight = 10,
                                                      .guided_alignment_layer = 1};
    assert_true(train(*state, &squared) > 0.95);
}

// Else the tests above would show little.
static void head_without_guidance_looks_elsewhere(void **state) {
    static const struct vks_trainer_params unguided = {.guided_alignment_weight = 1};
    assert_true(train(*state, &unguided) < 0.9);
}

static void layer_that_is_not_there_is_rejected(void **state) {
    const struct vks_trainer_params params = {.guided_alignment = "none",
                                              .guided_alignment_layer = 3};
    const struct vks_model_config config = {.decoder_layers = 2};
    struct loss_alignment alignment = {0};
    (void)state;
    assert_int_equal(guided_alignment_init(&params, &config, &alignment), VKS_ERR_ARGUMENT);
    assert_false(alignment.is_guided);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guided_head_looks_where_it_is_told),
        cmocka_unit_test(squared_error_guides_another_layer),
        cmocka_unit_test(head_without_guidance_looks_elsewhere),
        cmocka_unit_test(layer_that_is_not_there_is_rejected),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
