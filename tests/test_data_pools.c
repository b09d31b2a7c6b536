// Batches of streams: the pairs of an epoch once, the same from any position on and with any number
// of threads; and what a corpus with ratios or weights makes of them.
#include "scratch.h"

#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/rng.h"
#include "data/batcher.h"
#include "number_tokenizer.h"

enum { NUM_PAIRS = 3000, EOS = 1, START = 99, MAX_LENGTH = 20, POOL_PAIRS = 400 };

static const struct vks_tokenizer tokenizer = {.eos_id = EOS};

// A text of random lengths, with pairs that will be left out, and what makes batches of it.
struct fixture {
    struct scratch *scratch;
    struct vks_text_set sets[2];
    uint32_t num_sets;
    struct encoder_params encoder;
    struct pair_stream *stream;
    struct batcher *batcher;
};

static char *write_side(struct scratch *scratch, const char *name, uint32_t num_pairs,
                        struct rng *rng) {
    char *path = scratch_path(scratch, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (uint32_t i = 0; i < num_pairs; i++) {
        fprintf(file, "%u", i + 100);
        for (uint32_t n = rng_below(rng, MAX_LENGTH + 2); n > 0; n--)
            fprintf(file, " %u", 2 + rng_below(rng, 50));
        fprintf(file, "\n");
    }
    fclose(file);
    return path;
}

static struct fixture make(struct scratch *scratch, uint32_t num_pairs) {
    struct rng rng = {.seed = 5};
    struct fixture f = {.scratch = scratch, .num_sets = 1};
    f.sets[0] = (struct vks_text_set){.source = write_side(scratch, "src", num_pairs, &rng),
                                      .target = write_side(scratch, "tgt", num_pairs, &rng)};
    f.encoder = (struct encoder_params){
        .tokenizer = &tokenizer, .num_sets = 1, .max_length = MAX_LENGTH, .log = &scratch->log};
    return f;
}

static void open_batcher(struct fixture *f, bool shuffle, uint64_t memory_bytes) {
    const struct pair_stream_params params = {.sets = f->sets,
                                              .num_sets = f->num_sets,
                                              .seed = 7,
                                              .shuffle = shuffle,
                                              .folder = f->scratch->dir,
                                              .memory_bytes = memory_bytes,
                                              .log = &f->scratch->log};
    f->encoder.sets = f->sets;
    f->encoder.num_sets = f->num_sets;
    assert_int_equal(pair_stream_open(&params, &f->stream), VKS_OK);
    const struct batcher_params batcher = {.stream = f->stream,
                                           .encoder = &f->encoder,
                                           .seed = 7,
                                           .max_src_tokens = 200,
                                           .max_tgt_tokens = 180,
                                           .pool_pairs = POOL_PAIRS,
                                           .start_id = START,
                                           .log = &f->scratch->log};
    assert_int_equal(batcher_create(&batcher, &f->batcher), VKS_OK);
}

static void close_batcher(struct fixture *f) {
    batcher_destroy(&f->batcher);
    pair_stream_close(&f->stream);
}

static void finish(struct fixture *f) {
    for (uint32_t i = 0; i < f->num_sets; i++) {
        free((char *)f->sets[i].source);
        free((char *)f->sets[i].target);
    }
}

static uint64_t hash_batch(const struct batch *batch) {
    struct hash64 hash;
    hash64_init(&hash);
    const uint64_t numbers[] = {batch->epoch, batch->pool_idx, batch->batch_idx,
                                batch->last_of_epoch, batch->num_sequences};
    hash64_update(&hash, numbers, sizeof numbers);
    hash64_update(&hash, batch->src, batch->num_src * sizeof(uint32_t));
    hash64_update(&hash, batch->tgt_in, batch->num_tgt * sizeof(uint32_t));
    hash64_update(&hash, batch->tgt_out, batch->num_tgt * sizeof(uint32_t));
    return hash64_value(&hash);
}

// A batch as it was walked by.
struct walked {
    uint64_t hash, epoch, pool_idx, batch_idx;
};

static size_t walk(struct batcher *batcher, uint64_t end_epoch, struct walked *walked,
                   size_t max_batches) {
    size_t num = 0;
    for (;;) {
        const struct batch *batch = batcher_next(batcher);
        assert_non_null(batch);
        assert_true(num < max_batches);
        walked[num++] =
            (struct walked){hash_batch(batch), batch->epoch, batch->pool_idx, batch->batch_idx};
        if (batch->last_of_epoch && batch->epoch + 1 == end_epoch)
            return num;
    }
}

static void every_pair_comes_once_an_epoch(void **state) {
    struct fixture f = make(*state, NUM_PAIRS);
    struct corpus *corpus;
    f.encoder.sets = f.sets;
    assert_int_equal(corpus_load(&f.encoder, &corpus), VKS_OK);
    open_batcher(&f, true, 32 << 10);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        static bool seen[NUM_PAIRS];
        memset(seen, 0, sizeof seen);
        uint32_t num_seen = 0;
        for (bool is_last = false; !is_last;) {
            const struct batch *batch = batcher_next(f.batcher);
            assert_non_null(batch);
            assert_true(batch->epoch == epoch);
            for (uint32_t i = 0; i < batch->num_sequences; i++, num_seen++) {
                uint32_t pair_idx = batch->src[batch->src_offsets[i]] - 100;
                assert_false(seen[pair_idx]);
                seen[pair_idx] = true;
                assert_int_equal(batch->places[i].line, pair_idx + 1);
                assert_int_equal(batch->tgt_out[batch->tgt_offsets[i]], pair_idx + 100);
            }
            is_last = batch->last_of_epoch;
        }
        assert_int_equal(num_seen, corpus_num_pairs(corpus));
        assert_true(num_seen < NUM_PAIRS); // some were left out
    }
    close_batcher(&f);
    corpus_destroy(&corpus);
    finish(&f);
}

static void threads_and_memory_do_not_change_batches(void **state) {
    struct fixture f = make(*state, NUM_PAIRS);
    static const uint64_t memories[] = {0, 32 << 10, 1 << 20};
    static struct walked expected[2000], found[2000];
    size_t num_expected = 0;
    f.encoder.sampling_alphas[VKS_SOURCE] = 0.5f;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        f.encoder.num_threads = threads;
        open_batcher(&f, true, memories[threads - 1]);
        size_t num = walk(f.batcher, 2, threads == 1 ? expected : found, 2000);
        if (threads == 1)
            num_expected = num;
        assert_int_equal(num, num_expected);
        if (threads > 1)
            assert_memory_equal(found, expected, num * sizeof *found);
        close_batcher(&f);
    }
    finish(&f);
}

static void seeking_equals_walking(void **state) {
    struct fixture f = make(*state, NUM_PAIRS);
    static struct walked walked[4000];
    struct rng rng = {.seed = 2};
    f.encoder.sampling_alphas[VKS_TARGET] = 0.5f;
    for (int is_shuffled = 0; is_shuffled < 2; is_shuffled++) {
        open_batcher(&f, is_shuffled, 64 << 10);
        size_t num = walk(f.batcher, 3, walked, 4000);
        for (int i = 0; i < 25; i++) {
            // Behind a batch, as a training state has it, or at one.
            size_t at = rng_below(&rng, (uint32_t)num - 8);
            const struct walked *from = &walked[at];
            bool is_behind = i % 2;
            assert_true(
                batcher_seek(f.batcher, from->epoch, from->pool_idx, from->batch_idx + is_behind));
            for (size_t n = at + is_behind; n < at + 6; n++)
                assert_true(hash_batch(batcher_next(f.batcher)) == walked[n].hash);
        }
        close_batcher(&f);
    }
    finish(&f);
}

// Drawn pieces are other ones in each epoch, the same ones for the same epoch.
static void epochs_are_drawn_anew(void **state) {
    struct fixture f = make(*state, NUM_PAIRS);
    uint32_t num_drawn = 0, num_same = 0;
    f.encoder.sampling_alphas[VKS_SOURCE] = 0.5f;
    open_batcher(&f, false, 0);
    static uint32_t first_ids[2][NUM_PAIRS + 1];
    for (int epoch = 0; epoch < 2; epoch++)
        for (bool is_last = false; !is_last;) {
            const struct batch *batch = batcher_next(f.batcher);
            for (uint32_t i = 0; i < batch->num_sequences; i++)
                first_ids[epoch][batch->places[i].line] = batch->src[batch->src_offsets[i]];
            is_last = batch->last_of_epoch;
        }
    for (uint32_t line = 1; line <= NUM_PAIRS; line++) {
        num_drawn += first_ids[0][line] != 0;
        num_same += first_ids[0][line] != 0 && first_ids[0][line] == first_ids[1][line];
    }
    // The tokenizer adds 0 or 1: half are the same.
    assert_in_range(num_same, num_drawn * 2 / 5, num_drawn * 3 / 5);
    close_batcher(&f);
    finish(&f);
}

static void text_without_pairs_ends_in_an_error(void **state) {
    struct scratch *scratch = *state;
    struct fixture f = make(scratch, 10);
    scratch_put(scratch, "src", "1\n\n", 3);
    scratch_put(scratch, "tgt", "\n1\n", 3);
    open_batcher(&f, true, 0);
    assert_null(batcher_next(f.batcher));
    assert_int_equal(batcher_status(f.batcher), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "no pair to use"));
    assert_null(batcher_next(f.batcher));
    close_batcher(&f);
    finish(&f);
}

static void batcher_is_destroyed_at_any_moment(void **state) {
    struct fixture f = make(*state, NUM_PAIRS);
    for (unsigned i = 0; i < 40; i++) {
        open_batcher(&f, i % 2, 32 << 10);
        for (unsigned n = 0; n < i % 5; n++)
            assert_non_null(batcher_next(f.batcher));
        if (i % 3 == 0)
            assert_true(batcher_seek(f.batcher, i, i % 4, 0));
        close_batcher(&f);
    }
    finish(&f);
}

// Takes some batches, as far as it goes; the first failure.
static enum vks_status take_batches(struct fixture *f) {
    const struct pair_stream_params params = {.sets = f->sets,
                                              .num_sets = 1,
                                              .shuffle = true,
                                              .folder = f->scratch->dir,
                                              .memory_bytes = 8 << 10,
                                              .log = &f->scratch->log};
    f->encoder.sets = f->sets;
    TRY(pair_stream_open(&params, &f->stream));
    const struct batcher_params batcher = {.stream = f->stream,
                                           .encoder = &f->encoder,
                                           .max_src_tokens = 200,
                                           .max_tgt_tokens = 180,
                                           .pool_pairs = 40,
                                           .log = &f->scratch->log};
    TRY(batcher_create(&batcher, &f->batcher));
    for (int i = 0; i < 10; i++)
        if (!batcher_next(f->batcher))
            return batcher_status(f->batcher);
    return VKS_OK;
}

static void failed_allocations_and_writes_are_told(void **state) {
    static const char *const faults[] = {"alloc:%u", "write:%u:ENOSPC"};
    static const enum vks_status statuses[] = {VKS_ERR_OOM, VKS_ERR_IO};
    struct scratch *scratch = *state;
    struct fixture f = make(scratch, 200);
    for (size_t kind = 0; kind < COUNT_OF(faults); kind++) {
        unsigned num_failed = 0;
        uint32_t num_done = 1;
        for (unsigned at = 1; num_done; at += at < 40 ? 1 : 17) {
            char list[64];
            snprintf(list, sizeof list, faults[kind], at);
            scratch->num_messages = 0;
            assert_true(inject_set(list));
            enum vks_status status = take_batches(&f);
            num_done = inject_num_done();
            close_batcher(&f);
            inject_set(NULL);
            // What fails ahead of the batches that are taken here need not show.
            assert_true(status == VKS_OK || status == statuses[kind]);
            assert_true(status == VKS_OK || scratch->num_messages > 0);
            num_failed += status != VKS_OK;
        }
        assert_true(num_failed > 5);
    }
    finish(&f);
}

// In memory, too, an epoch has exactly as many pairs of each corpus as its ratio gives it.
static void ratios_hold_in_memory(void **state) {
    struct scratch *scratch = *state;
    struct rng rng = {.seed = 6};
    struct fixture f = make(scratch, 900);
    f.num_sets = f.encoder.num_sets = 2;
    f.sets[1] = (struct vks_text_set){.source = write_side(scratch, "src2", 300, &rng),
                                      .target = write_side(scratch, "tgt2", 300, &rng),
                                      .ratio = 1};
    f.sets[0].ratio = 1;
    f.encoder.sets = f.sets;
    f.encoder.max_length = 0;
    struct corpus *corpus;
    struct mixture mixture;
    assert_int_equal(corpus_load(&f.encoder, &corpus), VKS_OK);
    const uint64_t num_pairs[2] = {corpus_set_pairs(corpus, 0), corpus_set_pairs(corpus, 1)};
    assert_int_equal(num_pairs[0], 900);
    assert_int_equal(mixture_init(f.sets, num_pairs, 2, 7, &scratch->log, &mixture), VKS_OK);
    const struct batcher_params params = {.corpus = corpus,
                                          .mixture = &mixture,
                                          .seed = 7,
                                          .max_src_tokens = 200,
                                          .max_tgt_tokens = 180,
                                          .pool_pairs = 300,
                                          .start_id = START,
                                          .log = &scratch->log};
    assert_int_equal(batcher_create(&params, &f.batcher), VKS_OK);
    for (int epoch = 0; epoch < 3; epoch++) {
        unsigned counts[2] = {0}, first_lines = 0;
        for (bool is_last = false; !is_last;) {
            const struct batch *batch = batcher_next(f.batcher);
            for (uint32_t i = 0; i < batch->num_sequences; i++) {
                counts[batch->places[i].set_idx]++;
                first_lines += batch->places[i].set_idx == 1 && batch->places[i].line == 1;
            }
            is_last = batch->last_of_epoch;
        }
        assert_int_equal(counts[0], 600);
        assert_int_equal(counts[1], 600);
        assert_int_equal(first_lines, 2); // 300 pairs, each twice
    }
    batcher_destroy(&f.batcher);
    mixture_finish(&mixture);
    corpus_destroy(&corpus);
    finish(&f);
}

static void expect_weights(struct fixture *f, uint32_t line, const float *expected, uint32_t num) {
    for (bool is_last = false; !is_last;) {
        const struct batch *batch = batcher_next(f->batcher);
        assert_non_null(batch);
        for (uint32_t i = 0; i < batch->num_sequences; i++) {
            if (batch->places[i].line != line)
                continue;
            assert_int_equal(batch->tgt_offsets[i + 1] - batch->tgt_offsets[i], num);
            for (uint32_t t = 0; t < num; t++)
                assert_true(batch->weights[batch->tgt_offsets[i] + t] == expected[t]);
        }
        is_last = batch->last_of_epoch;
    }
}

static void weights_go_with_their_pairs(void **state) {
    struct scratch *scratch = *state;
    struct fixture f = make(scratch, 10);
    char *weights = scratch_path(scratch, "weights");
    scratch_put(scratch, "src", "1\n1 2\n1 2 3\n", 12);
    scratch_put(scratch, "tgt", "1\n1 2\n1 2 3\n", 12);
    scratch_put(scratch, "weights", "0.5\n2\n0\n", 8);
    f.sets[0].weights = weights;
    open_batcher(&f, true, 0);
    expect_weights(&f, 1, (const float[]){0.5f, 0.5f}, 2);
    expect_weights(&f, 2, (const float[]){2, 2, 2}, 3);
    expect_weights(&f, 3, (const float[]){0, 0, 0, 0}, 4);
    close_batcher(&f);
    scratch_put(scratch, "weights", "0.5\n2 3\n0 1 2 7 \n", 17);
    f.encoder.weighs_words = true;
    open_batcher(&f, true, 0);
    expect_weights(&f, 1, (const float[]){0.5f, 1}, 2);
    expect_weights(&f, 2, (const float[]){2, 3, 1}, 3);
    expect_weights(&f, 3, (const float[]){0, 1, 2, 7}, 4);
    close_batcher(&f);
    f.encoder.crop = true;
    f.encoder.max_length = 2;
    open_batcher(&f, true, 0);
    expect_weights(&f, 3, (const float[]){0, 1, 7}, 3);
    close_batcher(&f);
    free(weights);
    finish(&f);
}

static void wrong_weights_are_named_by_their_line(void **state) {
    static const char *const wrong[] = {"", "x", "1 2", "-1", "nan", "1e99", "1x"};
    static const char *const wrong_words[] = {"", "1", "1 2 3 4", "1 x 2", "1 -2"};
    struct scratch *scratch = *state;
    struct fixture f = make(scratch, 10);
    char *weights = scratch_path(scratch, "weights"), text[64];
    f.sets[0].weights = weights;
    f.encoder.sets = f.sets;
    scratch_put(scratch, "src", "1\n1 2\n", 6);
    scratch_put(scratch, "tgt", "1\n1 2\n", 6);
    for (int weighs_words = 0; weighs_words < 2; weighs_words++) {
        f.encoder.weighs_words = weighs_words;
        size_t num = weighs_words ? COUNT_OF(wrong_words) : COUNT_OF(wrong);
        for (size_t i = 0; i < num; i++) {
            struct corpus *corpus;
            int num_chars =
                snprintf(text, sizeof text, "1\n%s\n", weighs_words ? wrong_words[i] : wrong[i]);
            scratch_put(scratch, "weights", text, (size_t)num_chars);
            assert_int_equal(corpus_load(&f.encoder, &corpus), VKS_ERR_FORMAT);
            assert_non_null(strstr(scratch->text, "weights:2: '"));
        }
    }
    free(weights);
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_pair_comes_once_an_epoch),
        SCRATCH_TEST(threads_and_memory_do_not_change_batches),
        SCRATCH_TEST(seeking_equals_walking),
        SCRATCH_TEST(epochs_are_drawn_anew),
        SCRATCH_TEST(text_without_pairs_ends_in_an_error),
        SCRATCH_TEST(batcher_is_destroyed_at_any_moment),
        SCRATCH_TEST(failed_allocations_and_writes_are_told),
        SCRATCH_TEST(ratios_hold_in_memory),
        SCRATCH_TEST(weights_go_with_their_pairs),
        SCRATCH_TEST(wrong_weights_are_named_by_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
