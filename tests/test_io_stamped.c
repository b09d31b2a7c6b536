// Data in a file that only those with the same stamp take.
#include "io/stamped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DATA_BYTES = 11, FILE_BYTES = STAMPED_HEAD_BYTES + DATA_BYTES };

static const unsigned char stamp[STAMP_BYTES] = {1, 2, 3}, other_stamp[STAMP_BYTES] = {1, 2, 4};

static void make_file(unsigned char file[FILE_BYTES]) {
    memcpy(file + STAMPED_HEAD_BYTES, "some  bytes", DATA_BYTES);
    stamped_head(stamp, file + STAMPED_HEAD_BYTES, DATA_BYTES, file);
}

static void what_is_written_is_right(void **state) {
    (void)state;
    unsigned char file[FILE_BYTES], empty[STAMPED_HEAD_BYTES];
    make_file(file);
    assert_null(stamped_fault(stamp, file, sizeof file));
    stamped_head(stamp, NULL, 0, empty);
    assert_null(stamped_fault(stamp, empty, sizeof empty));
}

static void other_stamp_is_refused(void **state) {
    (void)state;
    unsigned char file[FILE_BYTES];
    make_file(file);
    assert_string_equal(stamped_fault(other_stamp, file, sizeof file),
                        "it belongs to another device or driver");
}

static void any_damage_is_seen(void **state) {
    (void)state;
    unsigned char file[FILE_BYTES + 1] = {0};
    make_file(file);
    for (size_t size = 0; size <= sizeof file; size++)
        if (size != FILE_BYTES)
            assert_non_null(stamped_fault(stamp, file, size));
    for (size_t bit = 0; bit < 8 * FILE_BYTES; bit++) {
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_non_null(stamped_fault(stamp, file, FILE_BYTES));
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_null(stamped_fault(stamp, file, FILE_BYTES));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_right),
        cmocka_unit_test(other_stamp_is_refused),
        cmocka_unit_test(any_damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
