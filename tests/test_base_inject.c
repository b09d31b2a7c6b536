// The list of faults is read as it is documented, and each comes exactly when it is due.
#include "base/inject.h"
#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int switch_off(void **state) {
    (void)state;
    inject_set(NULL);
    return 0;
}

static void without_a_list_nothing_fails(void **state) {
    (void)state;
    assert_true(inject_set(NULL));
    assert_false(inject_is_on());
    assert_true(inject_is_valid());
    for (int i = 0; i < 100; i++)
        assert_false(inject_alloc() || inject_device_alloc() || inject_vk("vkQueueSubmit") ||
                     inject_skip() || inject_cut() || inject_lost() || inject_write());
    assert_int_equal(inject_num_done(), 0);
}

static void the_nth_fails_once(void **state) {
    (void)state;
    assert_true(inject_set("alloc:3"));
    assert_true(inject_is_on());
    for (int i = 1; i <= 6; i++) {
        errno = 0;
        assert_int_equal(inject_alloc(), i == 3);
        assert_int_equal(errno, i == 3 ? ENOMEM : 0);
        assert_false(inject_device_alloc());
    }
    assert_int_equal(inject_num_done(), 1);
    assert_int_equal(inject_num_passed(), 6);
}

static void plus_goes_on(void **state) {
    (void)state;
    assert_true(inject_set("device-alloc:2+"));
    assert_false(inject_device_alloc());
    for (int i = 0; i < 4; i++)
        assert_true(inject_device_alloc());
}

static void allocations_give_null(void **state) {
    (void)state;
    assert_true(inject_set("alloc:1+"));
    assert_null(memory_malloc(8));
    assert_null(memory_calloc(1, 8));
    assert_null(memory_realloc(NULL, 8));
    assert_null(memory_strdup("x"));
}

static void vulkan_calls_are_counted_by_name(void **state) {
    (void)state;
    assert_true(inject_set("vk:vkCreateFence:2,vk:*:4"));
    assert_false(inject_vk("vkCreateFence"));
    assert_false(inject_vk("vkCreateBuffer"));
    assert_true(inject_vk("vkCreateFence"));
    assert_true(inject_vk("vkCreateBuffer"));
    assert_false(inject_vk("vkCreateBuffer"));
    assert_int_equal(inject_num_done(), 2);
}

static void lost_device_stays_lost_until_it_is_opened_again(void **state) {
    (void)state;
    assert_true(inject_set("lost:2"));
    assert_false(inject_lost());
    assert_true(inject_lost());
    assert_true(inject_lost());
    inject_reopened();
    assert_false(inject_lost());
    assert_int_equal(inject_num_done(), 1);
}

static void failed_writes_have_their_reason(void **state) {
    (void)state;
    assert_true(inject_set("write:1:ENOSPC,write:2:EROFS,write:3:EIO"));
    static const int errors[] = {ENOSPC, EROFS, EIO};
    for (int i = 0; i < 3; i++) {
        assert_true(inject_write());
        assert_int_equal(errno, errors[i]);
    }
    assert_false(inject_write());
}

static void cuts_follow_from_the_seed(void **state) {
    (void)state;
    uint64_t cuts[3] = {0};
    static const char *const lists[] = {"segments:7", "segments:7", "segments:8"};
    for (int i = 0; i < 3; i++) {
        assert_true(inject_set(lists[i]));
        for (int j = 0; j < 64; j++)
            cuts[i] = cuts[i] << 1 | inject_cut();
    }
    assert_true(cuts[0] == cuts[1]);
    assert_true(cuts[0] != cuts[2]);
    assert_true(cuts[0] != 0 && cuts[0] != UINT64_MAX);
}

static void malformed_lists_are_refused(void **state) {
    (void)state;
    static const char *const lists[] = {
        "alloc",     "alloc:",         "alloc:0",   "alloc:-1",  "alloc:1x",
        "alloc:1:2", "malloc:1",       ":1",        "vk:1",      "vk::1",
        "write:1",   "write:1:ENOENT", "alloc:1,,", "segments:", "alloc:1++",
        "alloc:1 ",  "alloc:1,lost",   "write:1:",  "+:1",
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (inject_set(lists[i]))
            fail_msg("'%s' was accepted", lists[i]);
        assert_false(inject_is_valid());
        assert_false(inject_alloc() || inject_write());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_a_list_nothing_fails, switch_off),
        cmocka_unit_test_teardown(the_nth_fails_once, switch_off),
        cmocka_unit_test_teardown(plus_goes_on, switch_off),
        cmocka_unit_test_teardown(allocations_give_null, switch_off),
        cmocka_unit_test_teardown(vulkan_calls_are_counted_by_name, switch_off),
        cmocka_unit_test_teardown(lost_device_stays_lost_until_it_is_opened_again, switch_off),
        cmocka_unit_test_teardown(failed_writes_have_their_reason, switch_off),
        cmocka_unit_test_teardown(cuts_follow_from_the_seed, switch_off),
        cmocka_unit_test_teardown(malformed_lists_are_refused, switch_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
