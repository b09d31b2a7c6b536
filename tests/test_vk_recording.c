// Recording and submitting: where barriers go, indirect counts, timestamps.
#include "base/check.h"
#include "clear_interface.h"
#include "support/gpu.h"
#include "vk/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 16, ROW_BYTES = 256, MATRIX_BYTES = ROWS * ROW_BYTES, NUM_MATRICES = 4 };

// Matrices side by side, and a header with two sets of group counts.
struct fixture {
    struct vks_device *device;
    struct vk_buffer matrices, header;
    struct recording *recording;
};

enum { SOME_GROUPS = HEADER_WORDS, NO_GROUPS = HEADER_WORDS + 4, HEADER_SIZE = HEADER_WORDS + 8 };

static void setup(struct fixture *f, struct vks_device *device,
                  const struct recording_params *params) {
    *f = (struct fixture){.device = device};
    assert_int_equal(buffer_init(device, BUFFER_DEVICE, NUM_MATRICES * MATRIX_BYTES, &f->matrices),
                     VKS_OK);
    assert_int_equal(buffer_init(device, BUFFER_UPLOAD, HEADER_SIZE * sizeof(uint32_t), &f->header),
                     VKS_OK);
    uint32_t *header = f->header.mapped;
    memset(header, 0, HEADER_SIZE * sizeof(uint32_t));
    memcpy(&header[SOME_GROUPS], (uint32_t[]){3, 1, 1}, 12);
    memcpy(&header[NO_GROUPS], (uint32_t[]){0, 1, 1}, 12);
    assert_int_equal(buffer_fill(device, (struct vk_range){&f->matrices, 0, f->matrices.bytes}, 7),
                     VKS_OK);
    assert_int_equal(recording_create(device, params, &f->recording), VKS_OK);
}

static void teardown(struct fixture *f) {
    recording_destroy(&f->recording);
    buffer_finish(f->device, &f->matrices);
    buffer_finish(f->device, &f->header);
}

static struct vk_range matrix(const struct fixture *f, uint32_t idx) {
    return (struct vk_range){&f->matrices, idx * (uint64_t)MATRIX_BYTES, MATRIX_BYTES};
}

// Zeros a matrix.
static void clear(struct fixture *f, uint32_t idx, uint32_t groups) {
    const struct clear_push push = {ROWS, ROW_BYTES / 16, ROW_BYTES / 16};
    const struct dispatch dispatch = {
        .key = {"clear", {ACCUMULATE_NO}, 1},
        .binds = {{{&f->header, 0, HEADER_WORDS * sizeof(uint32_t)}, ACCESS_READ},
                  {matrix(f, idx), ACCESS_WRITE}},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {&f->header, groups * sizeof(uint32_t), 3 * sizeof(uint32_t)}};
    assert_int_equal(recording_dispatch(f->recording, &dispatch), VKS_OK);
}

static void copy(struct fixture *f, uint32_t from, uint32_t to) {
    assert_int_equal(recording_copy(f->recording, matrix(f, from), matrix(f, to)), VKS_OK);
}

static void run(struct fixture *f) {
    assert_int_equal(recording_end(f->recording), VKS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(recording_submit(f->recording), VKS_OK);
        assert_int_equal(recording_wait(f->recording), VKS_OK);
    }
}

static void assert_filled(struct fixture *f, uint32_t idx, uint32_t word) {
    uint32_t words[MATRIX_BYTES / 4];
    assert_int_equal(buffer_read(f->device, matrix(f, idx), words), VKS_OK);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_int_equal(words[i], word);
}

// Barriers since the last call.
static uint32_t new_barriers(const struct fixture *f, uint32_t *seen) {
    uint32_t num = recording_num_barriers(f->recording) - *seen;
    *seen += num;
    return num;
}

static void barriers_stand_where_ranges_overlap(void **state) {
    struct fixture f;
    uint32_t seen = 0;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 1); // a segment begins with one
    clear(&f, 1, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 0); // neighbours do not overlap
    copy(&f, 0, 2);
    assert_int_equal(new_barriers(&f, &seen), 1); // read after write
    copy(&f, 0, 3);
    assert_int_equal(new_barriers(&f, &seen), 0); // read after read
    clear(&f, 1, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 0); // the last barrier has settled that write
    clear(&f, 0, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 1); // write after read
    clear(&f, 0, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 1); // write after write
    run(&f);
    for (uint32_t i = 0; i < NUM_MATRICES; i++)
        assert_filled(&f, i, 0);
    teardown(&f);
}

static void overlap_in_part_is_overlap(void **state) {
    struct fixture f;
    uint32_t seen = 0;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, SOME_GROUPS);
    assert_int_equal(new_barriers(&f, &seen), 1);
    const struct vk_range across = {&f.matrices, MATRIX_BYTES - 4, 8};
    assert_int_equal(recording_fill(f.recording, across, 5), VKS_OK);
    assert_int_equal(new_barriers(&f, &seen), 1);
    const struct vk_range after = {&f.matrices, MATRIX_BYTES + 4, 8};
    assert_int_equal(recording_fill(f.recording, after, 6), VKS_OK);
    assert_int_equal(new_barriers(&f, &seen), 0);
    run(&f);
    uint32_t words[4];
    assert_int_equal(
        buffer_read(f.device, (struct vk_range){&f.matrices, MATRIX_BYTES - 8, 16}, words), VKS_OK);
    assert_memory_equal(words, ((uint32_t[]){0, 5, 5, 6}), 16);
    teardown(&f);
}

static void barriers_everywhere_stand_between_any_two(void **state) {
    struct fixture f;
    setup(&f, *state, &(struct recording_params){.barrier_everywhere = true});
    for (uint32_t i = 0; i < NUM_MATRICES; i++)
        clear(&f, i, SOME_GROUPS);
    assert_int_equal(recording_num_barriers(f.recording), NUM_MATRICES);
    assert_int_equal(recording_num_dispatches(f.recording), NUM_MATRICES);
    run(&f);
    teardown(&f);
}

static void many_accesses_are_kept_apart(void **state) {
    struct fixture f;
    uint32_t seen = 0;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, SOME_GROUPS);
    new_barriers(&f, &seen);
    // More than a recording remembers: a barrier comes in between.
    for (uint32_t i = 0; i < 400; i++)
        assert_int_equal(
            recording_fill(f.recording, (struct vk_range){&f.matrices, MATRIX_BYTES + 4 * i, 4}, i),
            VKS_OK);
    assert_true(new_barriers(&f, &seen) > 0);
    clear(&f, 0, SOME_GROUPS);
    run(&f);
    assert_filled(&f, 0, 0);
    teardown(&f);
}

static void zero_groups_do_nothing(void **state) {
    struct fixture f;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, NO_GROUPS);
    clear(&f, 1, SOME_GROUPS);
    run(&f);
    assert_filled(&f, 0, 7);
    assert_filled(&f, 1, 0);
    teardown(&f);
}

static void counts_are_read_when_it_runs(void **state) {
    struct fixture f;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, SOME_GROUPS);
    assert_int_equal(recording_end(f.recording), VKS_OK);
    uint32_t *header = f.header.mapped;
    header[SOME_GROUPS] = 0; // instead of three
    assert_int_equal(recording_submit(f.recording), VKS_OK);
    assert_int_equal(recording_wait(f.recording), VKS_OK);
    assert_filled(&f, 0, 7);
    teardown(&f);
}

static void every_dispatch_and_copy_is_profiled(void **state) {
    struct fixture f;
    setup(&f, *state, &(struct recording_params){.profile = true});
    for (uint32_t i = 0; i < NUM_MATRICES; i++)
        clear(&f, i, i == 2 ? NO_GROUPS : SOME_GROUPS);
    copy(&f, 0, 1);
    run(&f);
    double ns[8];
    if (!f.device->info.timestamps) {
        assert_int_equal(recording_profile(f.recording, 8, ns), 0);
        teardown(&f);
        return;
    }
    assert_int_equal(recording_profile(f.recording, 8, ns), NUM_MATRICES + 1);
    for (uint32_t i = 0; i < NUM_MATRICES; i++)
        assert_true(ns[i] >= 0 && ns[i] < 60e9);
    assert_int_equal(recording_profile(f.recording, 2, ns), 2);
    teardown(&f);
}

static void unprofiled_recording_has_no_times(void **state) {
    struct fixture f;
    double ns;
    uint64_t end_tick = 0;
    setup(&f, *state, &(struct recording_params){0});
    clear(&f, 0, SOME_GROUPS);
    run(&f);
    assert_int_equal(recording_profile(f.recording, 1, &ns), 0);
    assert_true(recording_busy_ns(f.recording, &end_tick) == 0 && end_tick == 0);
    teardown(&f);
}

static void busy_time_counts_nothing_twice(void **state) {
    struct fixture f;
    uint64_t end_tick = 0, later;
    setup(&f, *state, &(struct recording_params){.timed = true});
    for (uint32_t i = 0; i < NUM_MATRICES; i++)
        copy(&f, i, (i + 1) % NUM_MATRICES);
    run(&f);
    double ns = recording_busy_ns(f.recording, &end_tick);
    later = end_tick;
    assert_true(ns < 60e9 && (ns > 0) == f.device->info.timestamps);
    assert_true(recording_busy_ns(f.recording, &later) == 0 && later == end_tick);
    teardown(&f);
}

static void empty_recording_runs_and_ends_under_way(void **state) {
    struct fixture f;
    setup(&f, *state, &(struct recording_params){0});
    assert_int_equal(recording_end(f.recording), VKS_OK); // an empty recording runs
    assert_int_equal(recording_submit(f.recording), VKS_OK);
    recording_destroy(&f.recording); // also while it is under way
    assert_null(f.recording);
    recording_destroy(&f.recording);
    teardown(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(barriers_stand_where_ranges_overlap),
        cmocka_unit_test(overlap_in_part_is_overlap),
        cmocka_unit_test(barriers_everywhere_stand_between_any_two),
        cmocka_unit_test(many_accesses_are_kept_apart),
        cmocka_unit_test(zero_groups_do_nothing),
        cmocka_unit_test(counts_are_read_when_it_runs),
        cmocka_unit_test(every_dispatch_and_copy_is_profiled),
        cmocka_unit_test(busy_time_counts_nothing_twice),
        cmocka_unit_test(unprofiled_recording_has_no_times),
        cmocka_unit_test(empty_recording_runs_and_ends_under_way),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
