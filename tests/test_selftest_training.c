// The self-test's training. With VKSEQ_WRITE_GOLDEN=FOLDER in the environment it writes the
// untrained model there, for golden/make_selftest.py.
#include "base/check.h"
#include "selftest/training.h"
#include "support/gpu.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void losses_are_those_of_pytorch(void **state) {
    struct training training;
    double losses[TRAINING_UPDATES];
    const char *folder = getenv("VKSEQ_WRITE_GOLDEN");
    assert_int_equal(training_open(*state, 0.0f, &training), VKS_OK);
    if (folder)
        assert_int_equal(vks_model_save(training.model, folder), VKS_OK);
    assert_int_equal(training_run(&training, TRAINING_UPDATES, losses), VKS_OK);
    double worst = 0;
    for (int i = 0; i < TRAINING_UPDATES; i++)
        worst = fmax(worst, fabs(losses[i] / training_known_losses[i] - 1));
    print_message("loss %.7f, then %.7f; largest relative error %.1e\n", losses[0],
                  losses[TRAINING_UPDATES - 1], worst);
    assert_true(folder || worst <= training_tolerance);
    training_close(&training);
}

static void model_learns(void **state) {
    struct training training;
    double losses[TRAINING_UPDATES];
    assert_int_equal(training_open(*state, 0.1f, &training), VKS_OK);
    assert_int_equal(training_run(&training, TRAINING_UPDATES, losses), VKS_OK);
    assert_true(losses[TRAINING_UPDATES - 1] < 0.9 * losses[0]);
    training_close(&training);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_pytorch),
        cmocka_unit_test(model_learns),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
