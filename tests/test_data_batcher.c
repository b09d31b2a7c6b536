// Batches hold every pair once an epoch, within their capacities, the same for the same seed.
#include "scratch.h"

#include "base/check.h"
#include "base/rng.h"
#include "data/batcher.h"
#include "number_tokenizer.h"

enum { NUM_PAIRS = 1000, MAX_LENGTH = 30, EOS = 1, START = 99 };

static const struct vks_tokenizer tokenizer = {.eos_id = EOS};

// Pair i has i + 100 as the first id of both sides, and random lengths.
static struct corpus *make_corpus(struct scratch *scratch, uint32_t num_pairs) {
    struct rng rng = {.seed = 5};
    char *paths[2] = {scratch_path(scratch, "src"), scratch_path(scratch, "tgt")};
    for (int side = 0; side < 2; side++) {
        FILE *file = fopen(paths[side], "wb");
        assert_non_null(file);
        for (uint32_t i = 0; i < num_pairs; i++) {
            fprintf(file, "%u", i + 100);
            for (uint32_t n = rng_below(&rng, MAX_LENGTH); n > 0; n--)
                fprintf(file, " %u", 2 + rng_below(&rng, 50));
            fprintf(file, "\n");
        }
        fclose(file);
    }
    struct corpus *corpus = NULL;
    const struct vks_text_set set = {.source = paths[VKS_SOURCE], .target = paths[VKS_TARGET]};
    const struct encoder_params params = {
        .tokenizer = &tokenizer, .sets = &set, .num_sets = 1, .log = &scratch->log};
    assert_int_equal(corpus_load(&params, &corpus), VKS_OK);
    free(paths[0]);
    free(paths[1]);
    return corpus;
}

static struct batcher_params default_params(struct scratch *scratch, const struct corpus *corpus) {
    return (struct batcher_params){
        .corpus = corpus,
        .seed = 7,
        .max_src_tokens = 200,
        .max_tgt_tokens = 180,
        .pool_pairs = 300,
        .start_id = START,
        .log = &scratch->log,
    };
}

static struct batcher *make_batcher(const struct batcher_params *params) {
    struct batcher *batcher = NULL;
    assert_int_equal(batcher_create(params, &batcher), VKS_OK);
    return batcher;
}

// The index of the pair that is the batch's i-th sequence.
static uint32_t pair_of(const struct batch *batch, uint32_t i) {
    return batch->src[batch->src_offsets[i]] - 100;
}

// A checksum of everything in a batch.
static uint64_t hash_batch(const struct batch *batch) {
    struct hash64 hash;
    hash64_init(&hash);
    const uint64_t numbers[] = {batch->epoch,   batch->batch_idx, batch->last_of_epoch,
                                batch->num_src, batch->num_tgt,   batch->num_sequences};
    hash64_update(&hash, numbers, sizeof numbers);
    hash64_update(&hash, batch->src, batch->num_src * sizeof(uint32_t));
    hash64_update(&hash, batch->tgt_in, batch->num_tgt * sizeof(uint32_t));
    hash64_update(&hash, batch->tgt_out, batch->num_tgt * sizeof(uint32_t));
    hash64_update(&hash, batch->src_offsets, (batch->num_sequences + 1) * sizeof(uint32_t));
    hash64_update(&hash, batch->tgt_offsets, (batch->num_sequences + 1) * sizeof(uint32_t));
    return hash64_value(&hash);
}

static void check_sequence(const struct batch *batch, uint32_t i, const struct corpus *corpus) {
    uint32_t num_src, num_tgt, pair_idx = pair_of(batch, i);
    const uint32_t *src = corpus_ids(corpus, VKS_SOURCE, pair_idx, &num_src);
    const uint32_t *tgt = corpus_ids(corpus, VKS_TARGET, pair_idx, &num_tgt);
    uint32_t src_begin = batch->src_offsets[i], tgt_begin = batch->tgt_offsets[i];
    assert_int_equal(batch->src_offsets[i + 1] - src_begin, num_src);
    assert_int_equal(batch->tgt_offsets[i + 1] - tgt_begin, num_tgt);
    assert_memory_equal(batch->src + src_begin, src, num_src * sizeof *src);
    assert_memory_equal(batch->tgt_out + tgt_begin, tgt, num_tgt * sizeof *tgt);
    assert_int_equal(batch->src[src_begin + num_src - 1], EOS);
    assert_int_equal(batch->tgt_out[tgt_begin + num_tgt - 1], EOS);
    assert_int_equal(batch->tgt_in[tgt_begin], START);
    for (uint32_t t = 1; t < num_tgt; t++)
        assert_int_equal(batch->tgt_in[tgt_begin + t], tgt[t - 1]);
}

static void sequences_are_packed_with_shifted_input(void **state) {
    struct scratch *scratch = *state;
    const struct batch_capacity capacity = {3, 5, 4};
    static const uint32_t src[] = {5, 6, EOS}, tgt[] = {7, 8, EOS};
    struct batch *batch = NULL;
    assert_int_equal(batch_create(&capacity, true, 0, &scratch->log, &batch), VKS_OK);
    assert_true(batch_add_pair(batch, src, 3, tgt, 3, START));
    assert_false(batch_add_pair(batch, src, 3, tgt + 2, 1, START));
    assert_false(batch_add_pair(batch, src + 1, 2, tgt + 1, 2, START));
    assert_true(batch_add_pair(batch, src + 1, 2, tgt + 2, 1, START));
    static const uint32_t expected_src[] = {5, 6, EOS, 6, EOS},
                          expected_in[] = {START, 7, 8, START};
    static const uint32_t expected_out[] = {7, 8, EOS, EOS}, offsets[] = {0, 3, 5, 0, 3, 4};
    assert_int_equal(batch->num_sequences, 2);
    assert_memory_equal(batch->src, expected_src, sizeof expected_src);
    assert_memory_equal(batch->tgt_in, expected_in, sizeof expected_in);
    assert_memory_equal(batch->tgt_out, expected_out, sizeof expected_out);
    assert_memory_equal(batch->src_offsets, offsets, 12);
    assert_memory_equal(batch->tgt_offsets, offsets + 3, 12);
    batch_clear(batch);
    for (int i = 0; i < 3; i++)
        assert_true(batch_add_pair(batch, src + 2, 1, tgt + 2, 1, START));
    assert_false(batch_add_pair(batch, src + 2, 1, tgt + 2, 1, START));
    batch_destroy(&batch);
    batch_destroy(&batch);
}

// Parts of a batch have its weights and links, pair by pair.
static void parts_have_what_belongs_to_labels(void **state) {
    struct scratch *scratch = *state;
    enum { LINK_WORDS = 2 };
    const struct batch_capacity capacity = {3, 9, 6}, part_capacity = {3, 6, 4};
    static const uint32_t ids[] = {5, 6, EOS};
    struct batch *batch, *part;
    assert_int_equal(batch_create(&capacity, true, LINK_WORDS, &scratch->log, &batch), VKS_OK);
    assert_int_equal(batch_create(&part_capacity, true, LINK_WORDS, &scratch->log, &part), VKS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(batch_add_pair(batch, ids, 3, ids + 2 - i, i + 1, START));
        batch->places[i] = (struct pair_place){i, 10 + i};
    }
    for (uint32_t t = 0; t < batch->num_tgt; t++)
        batch->weights[t] = (float)t;
    for (uint32_t word = 0; word < batch->num_tgt * LINK_WORDS; word++)
        batch->links[word] = 100 + word;
    uint32_t next = 0, num_tgt = 0;
    for (uint32_t expected = 2; expected <= 3; expected++) {
        uint32_t first = next;
        next = batch_take_part(batch, first, part);
        assert_int_equal(next, expected);
        for (uint32_t i = first; i < next; i++)
            assert_int_equal(part->places[i - first].line, 10 + i);
        assert_memory_equal(part->weights, batch->weights + num_tgt, part->num_tgt * sizeof(float));
        assert_memory_equal(part->links, batch->links + num_tgt * LINK_WORDS,
                            part->num_tgt * LINK_WORDS * sizeof(uint32_t));
        num_tgt += part->num_tgt;
    }
    assert_int_equal(num_tgt, batch->num_tgt);
    batch_destroy(&batch);
    batch_destroy(&part);
}

static void every_pair_comes_once_an_epoch(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    static const uint32_t sequence_bounds[][2] = {{0, 0}, {9, 0}, {9, 5}};
    for (size_t c = 0; c < COUNT_OF(sequence_bounds); c++) {
        params.max_sequences = sequence_bounds[c][0];
        params.max_pairs_per_batch = sequence_bounds[c][1];
        uint32_t bound = c == 0 ? UINT32_MAX : c == 1 ? 9 : 5;
        struct batcher *batcher = make_batcher(&params);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            bool seen[NUM_PAIRS] = {false};
            uint32_t num_batches = batcher_num_batches(batcher, epoch), num_seen = 0;
            for (uint32_t b = 0; b < num_batches; b++) {
                const struct batch *batch = batcher_next(batcher);
                assert_true(batch->epoch == epoch && batch->batch_idx == b);
                assert_int_equal(batch->last_of_epoch, b + 1 == num_batches);
                assert_in_range(batch->num_sequences, 1, bound);
                assert_in_range(batch->num_src, 1, params.max_src_tokens);
                assert_in_range(batch->num_tgt, 1, params.max_tgt_tokens);
                assert_int_equal(batch->src_offsets[batch->num_sequences], batch->num_src);
                for (uint32_t i = 0; i < batch->num_sequences; i++, num_seen++) {
                    assert_false(seen[pair_of(batch, i)]);
                    seen[pair_of(batch, i)] = true;
                    check_sequence(batch, i, corpus);
                }
            }
            assert_int_equal(num_seen, NUM_PAIRS);
        }
        batcher_destroy(&batcher);
    }
    corpus_destroy(&corpus);
}

static void batches_hold_pairs_of_like_length(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    struct batcher *batcher = make_batcher(&params);
    uint32_t num_batches = batcher_num_batches(batcher, 0), num_alike = 0;
    for (uint32_t b = 0; b < num_batches; b++) {
        const struct batch *batch = batcher_next(batcher);
        uint32_t previous = 0, shortest = UINT32_MAX;
        for (uint32_t i = 0; i < batch->num_sequences; i++) {
            uint32_t src = batch->src_offsets[i + 1] - batch->src_offsets[i];
            uint32_t tgt = batch->tgt_offsets[i + 1] - batch->tgt_offsets[i];
            uint32_t longer = max_u32(src, tgt);
            assert_true(longer >= previous);
            previous = longer;
            shortest = min_u32(shortest, longer);
        }
        num_alike += previous - shortest <= 6;
    }
    assert_true(num_alike > num_batches * 9 / 10);
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
}

static void unshuffled_batches_follow_the_corpus(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    params.shuffle = SHUFFLE_NONE;
    struct batcher *batcher = make_batcher(&params);
    for (int epoch = 0; epoch < 2; epoch++) {
        uint32_t next = 0;
        for (bool is_last = false; !is_last;) {
            const struct batch *batch = batcher_next(batcher);
            for (uint32_t i = 0; i < batch->num_sequences; i++)
                assert_int_equal(pair_of(batch, i), next++);
            is_last = batch->last_of_epoch;
        }
        assert_int_equal(next, NUM_PAIRS);
    }
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
}

static uint32_t side_length(const struct batch *batch, enum vks_side side, uint32_t i) {
    const uint32_t *offsets = side == VKS_SOURCE ? batch->src_offsets : batch->tgt_offsets;
    return offsets[i + 1] - offsets[i];
}

static void pools_are_sorted_as_asked(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    static const enum pool_sort sorts[] = {SORT_SOURCE, SORT_TARGET, SORT_NONE};
    for (size_t s = 0; s < COUNT_OF(sorts); s++) {
        params.sort = sorts[s];
        struct batcher *batcher = make_batcher(&params);
        uint32_t num_batches = batcher_num_batches(batcher, 0);
        uint32_t num_unsorted[2] = {0}; // batches, by side
        for (uint32_t b = 0; b < num_batches; b++) {
            const struct batch *batch = batcher_next(batcher);
            for (int side = 0; side < 2; side++) {
                bool is_sorted = true;
                for (uint32_t i = 1; i < batch->num_sequences; i++)
                    is_sorted &= side_length(batch, (enum vks_side)side, i - 1) <=
                                 side_length(batch, (enum vks_side)side, i);
                num_unsorted[side] += !is_sorted;
            }
        }
        assert_int_equal(num_unsorted[VKS_SOURCE] == 0, sorts[s] == SORT_SOURCE);
        assert_int_equal(num_unsorted[VKS_TARGET] == 0, sorts[s] == SORT_TARGET);
        batcher_destroy(&batcher);
    }
    corpus_destroy(&corpus);
}

// Shuffling batches keeps each pool of the text together.
static void shuffled_batches_stay_in_their_pool(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    params.shuffle = SHUFFLE_BATCHES;
    struct batcher *batcher = make_batcher(&params);
    uint32_t num_seen = 0, first_pairs[2] = {0};
    for (int epoch = 0; epoch < 2; epoch++) {
        num_seen = 0;
        for (bool is_last = false; !is_last;) {
            const struct batch *batch = batcher_next(batcher);
            for (uint32_t i = 0; i < batch->num_sequences; i++, num_seen++)
                assert_int_equal(pair_of(batch, i) / params.pool_pairs,
                                 num_seen / params.pool_pairs);
            if (batch->batch_idx == 0)
                first_pairs[epoch] = pair_of(batch, 0);
            is_last = batch->last_of_epoch;
        }
        assert_int_equal(num_seen, NUM_PAIRS);
    }
    assert_int_not_equal(first_pairs[0], first_pairs[1]);
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
}

static void seed_and_epoch_fix_the_batches(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    struct batcher *first = make_batcher(&params), *second = make_batcher(&params);
    params.seed = 8;
    struct batcher *other = make_batcher(&params);
    uint32_t num_batches = batcher_num_batches(first, 0) + batcher_num_batches(first, 1);
    uint32_t num_same = 0;
    for (uint32_t b = 0; b < num_batches; b++) {
        uint64_t hash = hash_batch(batcher_next(first));
        assert_true(hash == hash_batch(batcher_next(second)));
        num_same += hash == hash_batch(batcher_next(other));
    }
    assert_int_equal(num_same, 0);
    assert_true(batcher_seek(first, 0, 0, 0) && batcher_seek(second, 1, 0, 0));
    assert_true(pair_of(batcher_next(first), 0) != pair_of(batcher_next(second), 0));
    batcher_destroy(&first);
    batcher_destroy(&second);
    batcher_destroy(&other);
    corpus_destroy(&corpus);
}

static void seeking_equals_walking(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    struct batcher *batcher = make_batcher(&params);
    uint32_t counts[2] = {batcher_num_batches(batcher, 0), batcher_num_batches(batcher, 1)};
    uint32_t num_batches = counts[0] + counts[1];
    uint64_t *hashes = calloc(num_batches + 1, sizeof *hashes);
    assert_non_null(hashes);
    for (uint32_t b = 0; b <= num_batches; b++)
        hashes[b] = hash_batch(batcher_next(batcher));
    struct rng rng = {.seed = 1};
    for (int i = 0; i < 100; i++) {
        uint32_t target = i == 0 ? counts[0] : rng_below(&rng, num_batches);
        bool is_second = target > counts[0];
        assert_true(batcher_seek(batcher, is_second, 0, is_second ? target - counts[0] : target));
        for (uint32_t b = target; b < target + rng_below(&rng, 4) && b <= num_batches; b++)
            assert_true(hash_batch(batcher_next(batcher)) == hashes[b]);
    }
    assert_false(batcher_seek(batcher, 0, 0, counts[0] + 1));
    free(hashes);
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
}

static void two_batches_are_in_use_at_a_time(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, NUM_PAIRS);
    struct batcher_params params = default_params(scratch, corpus);
    struct batcher *batcher = make_batcher(&params);
    const struct batch *previous = batcher_next(batcher);
    uint64_t previous_hash = hash_batch(previous);
    for (uint32_t i = 0; i < 200; i++) {
        if (i % 50 == 49)
            assert_true(batcher_seek(batcher, i, 0, 3));
        const struct batch *batch = batcher_next(batcher);
        uint64_t hash = hash_batch(batch);
        if (i % 20 == 0)
            usleep(2000); // time for the thread to fill what it may
        assert_ptr_not_equal(batch, previous);
        assert_true(hash_batch(previous) == previous_hash);
        previous = batch;
        previous_hash = hash;
    }
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
}

static void pair_that_never_fits_is_refused_with_its_line(void **state) {
    struct scratch *scratch = *state;
    scratch_put(scratch, "src", "100 1\n\n100 1 2 3\n", 17);
    scratch_put(scratch, "tgt", "100\n1\n100 1 2 3\n", 16);
    char *source = scratch_path(scratch, "src"), *target = scratch_path(scratch, "tgt");
    const struct vks_text_set set = {.source = source, .target = target};
    const struct encoder_params corpus_params = {
        .tokenizer = &tokenizer, .sets = &set, .num_sets = 1, .log = &scratch->log};
    struct corpus *corpus = NULL;
    assert_int_equal(corpus_load(&corpus_params, &corpus), VKS_OK);
    struct batcher_params params = default_params(scratch, corpus);
    struct batcher *batcher = NULL;
    params.max_src_tokens = 4;
    assert_int_equal(batcher_create(&params, &batcher), VKS_ERR_ARGUMENT);
    assert_non_null(strstr(scratch->text, "line 3 of corpus 1: 5 source tokens"));
    assert_non_null(strstr(scratch->text, "has room for 4"));
    params.max_src_tokens = 5;
    params.max_tgt_tokens = 4;
    assert_int_equal(batcher_create(&params, &batcher), VKS_ERR_ARGUMENT);
    assert_non_null(strstr(scratch->text, "line 3 of corpus 1: 5 target tokens"));
    params.max_tgt_tokens = 0;
    assert_int_equal(batcher_create(&params, &batcher), VKS_ERR_ARGUMENT);
    params.max_tgt_tokens = 5;
    assert_int_equal(batcher_create(&params, &batcher), VKS_OK);
    assert_int_equal(batcher_num_batches(batcher, 0), 2);
    batcher_destroy(&batcher);
    corpus_destroy(&corpus);
    free(source);
    free(target);
}

static void batcher_is_destroyed_at_any_moment(void **state) {
    struct scratch *scratch = *state;
    struct corpus *corpus = make_corpus(scratch, 50);
    struct batcher_params params = default_params(scratch, corpus);
    params.pool_pairs = 0;
    for (unsigned i = 0; i < 60; i++) {
        struct batcher *batcher = make_batcher(&params);
        for (unsigned n = 0; n < i % 5; n++)
            assert_non_null(batcher_next(batcher));
        if (i % 3 == 0)
            assert_true(batcher_seek(batcher, i, 0, 0));
        batcher_destroy(&batcher);
        batcher_destroy(&batcher);
    }
    corpus_destroy(&corpus);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(sequences_are_packed_with_shifted_input),
        SCRATCH_TEST(parts_have_what_belongs_to_labels),
        SCRATCH_TEST(every_pair_comes_once_an_epoch),
        SCRATCH_TEST(batches_hold_pairs_of_like_length),
        SCRATCH_TEST(unshuffled_batches_follow_the_corpus),
        SCRATCH_TEST(pools_are_sorted_as_asked),
        SCRATCH_TEST(shuffled_batches_stay_in_their_pool),
        SCRATCH_TEST(seed_and_epoch_fix_the_batches),
        SCRATCH_TEST(seeking_equals_walking),
        SCRATCH_TEST(two_batches_are_in_use_at_a_time),
        SCRATCH_TEST(pair_that_never_fits_is_refused_with_its_line),
        SCRATCH_TEST(batcher_is_destroyed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
