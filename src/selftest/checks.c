#include "selftest/checks.h"

#include "base/log.h"

enum vks_status check_run(struct check *check, struct harness *h, harness_build *build,
                          void *user) {
    h->element = check->element;
    TRY(check->run(h, build, user));
    check->num_different += h->num_different;
    if (h->num_dirty_pads > 0)
        check_exact(check, "pads", false);
    return VKS_OK;
}

void check_compare(struct check *check, enum check_part part, const char *what,
                   const struct matrix *out, const struct matrix *reference) {
    struct deviation *worst = &check->parts[part];
    double error = oracle_error(out, reference, tolerances[check->element].floor);
    if (!worst->what || error > worst->error)
        *worst = (struct deviation){error, what};
}

void check_exact(struct check *check, const char *what, bool holds) {
    struct deviation *exact = &check->parts[CHECK_EXACT];
    if (!exact->what || !holds)
        exact->what = what;
    exact->error += !holds;
}
