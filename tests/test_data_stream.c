// Epochs of pairs out of files: every pair as often as it should come, in an order that follows
// from the seed alone, with no more memory than was allowed.
#include "scratch.h"

#include "base/check.h"
#include "data/mixture.h"
#include "data/pair_stream.h"

enum { NUM_PAIRS = 2000, MEMORY_BYTES = 16 << 10 };

static const atomic_bool goes_on = false;

// A corpus of two files, whose line i has i in it.
static struct vks_text_set make_set(const struct scratch *scratch, const char *name,
                                    unsigned num_pairs) {
    char *paths[2];
    for (int side = 0; side < 2; side++) {
        char file_name[32];
        snprintf(file_name, sizeof file_name, "%s.%d", name, side);
        paths[side] = scratch_path(scratch, file_name);
        FILE *file = fopen(paths[side], "wb");
        assert_non_null(file);
        for (unsigned i = 0; i < num_pairs; i++)
            fprintf(file, "%u %s\n", i, side ? "target" : "a source that is longer");
        fclose(file);
    }
    return (struct vks_text_set){.source = paths[0], .target = paths[1]};
}

static void free_set(struct vks_text_set *set) {
    free((char *)set->source);
    free((char *)set->target);
}

static struct pair_stream *open_stream(struct scratch *scratch,
                                       const struct pair_stream_params *params) {
    struct pair_stream_params own = *params;
    struct pair_stream *stream = NULL;
    own.log = &scratch->log;
    assert_int_equal(pair_stream_open(&own, &stream), VKS_OK);
    return stream;
}

// The pairs of an epoch from one on, as set << 32 | line; returns how many.
static size_t read_epoch(struct pair_stream *stream, uint64_t epoch, uint64_t skip,
                         uint64_t *places, size_t max_places) {
    struct text_block block = {0};
    size_t num = 0;
    assert_int_equal(pair_stream_seek(stream, epoch, skip, &goes_on), VKS_OK);
    do {
        assert_int_equal(pair_stream_read(stream, 77, &block), VKS_OK);
        for (size_t i = 0; i < block.num_pairs; i++) {
            const struct text_pair pair = text_block_get(&block, i);
            assert_int_equal(strtoul(pair.texts[TEXT_SOURCE], NULL, 10), pair.line - 1);
            assert_int_equal(strtoul(pair.texts[TEXT_TARGET], NULL, 10), pair.line - 1);
            assert_true(num < max_places);
            places[num++] = (uint64_t)pair.set_idx << 32 | pair.line;
        }
    } while (block.num_pairs == 77);
    text_block_finish(&block);
    return num;
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void order_does_not_depend_on_memory(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set set = make_set(scratch, "text", NUM_PAIRS);
    struct pair_stream_params params = {.sets = &set, .num_sets = 1, .seed = 3, .shuffle = true};
    static uint64_t in_memory[3][NUM_PAIRS], on_disk[NUM_PAIRS], sorted[NUM_PAIRS];
    struct pair_stream *stream = open_stream(scratch, &params);
    assert_int_equal(pair_stream_num_pairs(stream), NUM_PAIRS);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(read_epoch(stream, epoch, 0, in_memory[epoch], NUM_PAIRS), NUM_PAIRS);
        memcpy(sorted, in_memory[epoch], sizeof sorted);
        qsort(sorted, NUM_PAIRS, sizeof *sorted, compare_u64);
        for (uint64_t i = 0; i < NUM_PAIRS; i++)
            assert_int_equal(sorted[i], i + 1);
    }
    assert_memory_not_equal(in_memory[0], in_memory[1], sizeof in_memory[0]);
    pair_stream_close(&stream);
    params.folder = scratch->dir;
    for (params.memory_bytes = MEMORY_BYTES; params.memory_bytes <= 1 << 20;
         params.memory_bytes *= 4) {
        stream = open_stream(scratch, &params);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            assert_int_equal(read_epoch(stream, epoch, 0, on_disk, NUM_PAIRS), NUM_PAIRS);
            assert_memory_equal(on_disk, in_memory[epoch], sizeof on_disk);
        }
        pair_stream_close(&stream);
    }
    params.seed = 4;
    stream = open_stream(scratch, &params);
    read_epoch(stream, 0, 0, on_disk, NUM_PAIRS);
    assert_memory_not_equal(on_disk, in_memory[0], sizeof on_disk);
    pair_stream_close(&stream);
    free_set(&set);
}

// Neighbours in the text are no nearer to each other than others: of the lags between them, a third
// is expected to be under n (1 - sqrt(2 / 3)), with a standard deviation of about 0.011 for 2,000.
static void neighbours_part(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set set = make_set(scratch, "text", NUM_PAIRS);
    const struct pair_stream_params params = {
        .sets = &set, .num_sets = 1, .seed = 3, .shuffle = true};
    static uint64_t places[NUM_PAIRS];
    static int at[NUM_PAIRS + 1];
    struct pair_stream *stream = open_stream(scratch, &params);
    int num_near = 0;
    read_epoch(stream, 0, 0, places, NUM_PAIRS);
    for (int i = 0; i < NUM_PAIRS; i++)
        at[places[i]] = i;
    for (int i = 1; i < NUM_PAIRS; i++)
        num_near += abs(at[i] - at[i + 1]) < (int)(NUM_PAIRS * 0.18350);
    assert_in_range(num_near, (int)(NUM_PAIRS * 0.28), (int)(NUM_PAIRS * 0.39));
    pair_stream_close(&stream);
    free_set(&set);
}

static void seeking_equals_reading(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set sets[2] = {make_set(scratch, "a", NUM_PAIRS / 2),
                                   make_set(scratch, "b", NUM_PAIRS / 2)};
    static uint64_t whole[NUM_PAIRS], rest[NUM_PAIRS];
    sets[1].ratio = 1;
    sets[0].ratio = 2;
    for (int is_shuffled = 0; is_shuffled < 2; is_shuffled++) {
        const struct pair_stream_params params = {.sets = sets,
                                                  .num_sets = 2,
                                                  .seed = 3,
                                                  .shuffle = is_shuffled,
                                                  .folder = scratch->dir,
                                                  .memory_bytes = MEMORY_BYTES};
        struct pair_stream *stream = open_stream(scratch, &params);
        assert_int_equal(read_epoch(stream, 5, 0, whole, NUM_PAIRS), NUM_PAIRS);
        for (uint64_t skip = 0; skip <= NUM_PAIRS; skip += 250) {
            size_t num = read_epoch(stream, 5, skip, rest, NUM_PAIRS);
            assert_int_equal(num, NUM_PAIRS - skip);
            assert_memory_equal(rest, whole + skip, num * sizeof *rest);
        }
        pair_stream_close(&stream);
    }
    free_set(&sets[0]);
    free_set(&sets[1]);
}

// Ratios are kept exactly in each epoch, and each pair of a corpus comes as often as another, or
// once more.
static void ratios_are_kept_to_the_pair(void **state) {
    struct scratch *scratch = *state;
    enum { NUM_SETS = 3, NUM_EPOCHS = 7 };
    static const unsigned sizes[NUM_SETS] = {100, 700, 33};
    static const double ratios[NUM_SETS] = {3, 1, 0.5};
    // Of 833 pairs 555.33, 185.11 and 92.56.
    static const unsigned expected[NUM_SETS] = {555, 185, 93};
    struct vks_text_set sets[NUM_SETS];
    static uint64_t places[833];
    static unsigned counts[NUM_SETS][701];
    for (int i = 0; i < NUM_SETS; i++) {
        sets[i] = make_set(scratch, (const char *[]){"a", "b", "c"}[i], sizes[i]);
        sets[i].ratio = ratios[i];
    }
    const struct pair_stream_params params = {
        .sets = sets, .num_sets = NUM_SETS, .seed = 9, .shuffle = true};
    struct pair_stream *stream = open_stream(scratch, &params);
    memset(counts, 0, sizeof counts);
    for (unsigned epoch = 0; epoch < NUM_EPOCHS; epoch++) {
        unsigned of_set[NUM_SETS] = {0};
        assert_int_equal(read_epoch(stream, epoch, 0, places, 833), 833);
        for (int i = 0; i < 833; i++) {
            of_set[places[i] >> 32]++;
            counts[places[i] >> 32][(uint32_t)places[i]]++;
        }
        for (int i = 0; i < NUM_SETS; i++) {
            assert_int_equal(of_set[i], expected[i]);
            unsigned least = (epoch + 1) * expected[i] / sizes[i];
            for (unsigned line = 1; line <= sizes[i]; line++)
                assert_in_range(counts[i][line], least,
                                least + ((epoch + 1) * expected[i] % sizes[i] > 0));
        }
    }
    pair_stream_close(&stream);
    for (int i = 0; i < NUM_SETS; i++)
        free_set(&sets[i]);
}

static void impossible_ratios_are_refused(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set sets[2] = {{.source = "a", .ratio = 1}, {.source = "b", .ratio = -1}};
    const uint64_t num_pairs[2] = {5, 0};
    struct mixture mixture;
    assert_int_equal(mixture_init(sets, num_pairs, 2, 1, &scratch->log, &mixture),
                     VKS_ERR_ARGUMENT);
    assert_non_null(strstr(scratch->text, "b: its ratio is -1"));
    sets[1].ratio = 1;
    assert_int_equal(mixture_init(sets, num_pairs, 2, 1, &scratch->log, &mixture),
                     VKS_ERR_ARGUMENT);
    assert_non_null(strstr(scratch->text, "b: it has a ratio of 1, but no pair"));
}

static void fields_become_parts(void **state) {
    struct scratch *scratch = *state;
    static const char text[] = "a b\tc\t\t0.5\n\td\te\t1\n";
    scratch_put(scratch, "text", text, sizeof text - 1);
    char *path = scratch_path(scratch, "text");
    struct vks_text_set set = {.source = path, .num_fields = 4, .weights_field = 3};
    struct pair_reader *reader;
    struct text_pair pair;
    bool is_found;
    assert_int_equal(pair_reader_open(&set, 0, &scratch->log, &reader), VKS_OK);
    assert_int_equal(pair_reader_next(reader, &pair, &is_found), VKS_OK);
    assert_int_equal(pair.num_bytes[TEXT_SOURCE], 3);
    assert_int_equal(pair.num_bytes[TEXT_TARGET], 1);
    assert_memory_equal(pair.texts[TEXT_WEIGHTS], "0.5", pair.num_bytes[TEXT_WEIGHTS]);
    assert_int_equal(pair_reader_next(reader, &pair, &is_found), VKS_OK);
    assert_int_equal(pair.num_bytes[TEXT_SOURCE], 0);
    assert_int_equal(pair_reader_next(reader, &pair, &is_found), VKS_OK);
    assert_false(is_found);
    pair_reader_close(&reader);
    set.num_fields = 5;
    assert_int_equal(pair_reader_open(&set, 0, &scratch->log, &reader), VKS_OK);
    assert_int_equal(pair_reader_next(reader, &pair, &is_found), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "text:1: 4 fields"));
    pair_reader_close(&reader);
    free(path);
}

static void folder_must_be_there(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set set = make_set(scratch, "text", NUM_PAIRS);
    char *folder = scratch_path(scratch, "missing");
    const struct pair_stream_params params = {.sets = &set,
                                              .num_sets = 1,
                                              .shuffle = true,
                                              .folder = folder,
                                              .memory_bytes = MEMORY_BYTES,
                                              .log = &scratch->log};
    struct pair_stream *stream = NULL;
    assert_int_equal(pair_stream_open(&params, &stream), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, "missing/vkseq-shuffle"));
    assert_null(stream);
    free(folder);
    free_set(&set);
}

// The file has no name while it is used: a killed process leaves nothing.
static void nothing_is_seen_in_the_folder(void **state) {
    struct scratch *scratch = *state;
    struct vks_text_set set = make_set(scratch, "text", NUM_PAIRS);
    const struct pair_stream_params params = {.sets = &set,
                                              .num_sets = 1,
                                              .shuffle = true,
                                              .folder = scratch->dir,
                                              .memory_bytes = MEMORY_BYTES};
    struct pair_stream *stream = open_stream(scratch, &params);
    char **names;
    size_t num_names;
    assert_int_equal(pair_stream_seek(stream, 0, 0, &goes_on), VKS_OK);
    assert_int_equal(directory_list(scratch->dir, &scratch->log, &names, &num_names), VKS_OK);
    assert_int_equal(num_names, 2);
    directory_list_free(&names, num_names);
    pair_stream_close(&stream);
    free_set(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(order_does_not_depend_on_memory),
        SCRATCH_TEST(neighbours_part),
        SCRATCH_TEST(seeking_equals_reading),
        SCRATCH_TEST(ratios_are_kept_to_the_pair),
        SCRATCH_TEST(impossible_ratios_are_refused),
        SCRATCH_TEST(fields_become_parts),
        SCRATCH_TEST(folder_must_be_there),
        SCRATCH_TEST(nothing_is_seen_in_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
