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

static void take_note(struct deviation *worst, double error, double tolerance, const char *what) {
    if (!worst->what || error / tolerance > worst->error / worst->tolerance)
        *worst = (struct deviation){error, tolerance, what};
}

void check_compare(struct check *check, enum check_part part, const char *what,
                   const struct matrix *out, const struct matrix *reference) {
    take_note(&check->parts[part], oracle_error(out, reference, tolerance_floor), tolerances[part],
              what);
}

void check_compare_rounded(struct check *check, enum check_part part, const char *what,
                           const struct matrix *out, const struct matrix *reference) {
    take_note(&check->parts[part], oracle_error(out, reference, tolerance_floor),
              tolerances[part] + roundings[check->element], what);
}

void check_exact(struct check *check, const char *what, bool holds) {
    struct deviation *exact = &check->parts[CHECK_EXACT];
    if (!exact->what || !holds)
        exact->what = what;
    exact->error += !holds;
}
