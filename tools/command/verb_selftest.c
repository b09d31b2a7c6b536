// vkseq selftest: whether this device, with this driver, computes what it should.
#include "cli/system.h"
#include "command.h"

#include <math.h>
#include <stdlib.h>

struct values {
    const char *device;
    bool json, report;
};

// clang-format off
static const struct cli_option options[] = {
    OPTION_DEVICE(values),
    {"json", 0, CLI_FLAG, offsetof(struct values, json), .help = "Print a JSON object."},
    {"report", 0, CLI_FLAG, offsetof(struct values, report),
     .help = "Print also what this is and what it runs on: a text to paste into a bug report."},
    {0},
};
// clang-format on

#if defined(__linux__)
#define SYSTEM "Linux"
#elif defined(__APPLE__)
#define SYSTEM "macOS"
#elif defined(_WIN32)
#define SYSTEM "Windows"
#else
#define SYSTEM "another system"
#endif

#if defined(__x86_64__)
#define PROCESSOR "x86-64"
#elif defined(__aarch64__)
#define PROCESSOR "64-bit Arm"
#else
#define PROCESSOR "another processor"
#endif

// A self-test under way.
struct selftest {
    const struct values *values;
    unsigned num_results, num_failed;
};

// Settings that change what runs.
static void print_environment(void) {
    static const char *const names[] = {"VKSEQ_KERNELS",     "VKSEQ_TILES",
                                        "VKSEQ_COOPERATIVE", "VKSEQ_LIMITS",
                                        "VKSEQ_INJECT",      "LP_NATIVE_VECTOR_WIDTH"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            printf("   %s=%s\n", names[i], getenv(names[i]));
}

static void print_head(const struct values *values, const struct vks_device_info *info) {
    if (values->json) {
        fputs("{\"vkseq\": \"" VKS_VERSION_STRING "\", \"system\": \"" SYSTEM
              "\", \"processor\": \"" PROCESSOR "\",\n \"device\": ",
              stdout);
        print_json_device(info);
        fputs(",\n \"results\": [", stdout);
        return;
    }
    if (values->report) {
        puts("vkseq " VKS_VERSION_STRING ", " SYSTEM ", " PROCESSOR);
        print_device(info);
        printf("   ids        vendor 0x%04x, device 0x%04x, driver version 0x%08x\n",
               info->vendor_id, info->device_id, info->driver_version);
        print_environment();
        putchar('\n');
    } else {
        printf("vkseq " VKS_VERSION_STRING " on %s, kernels %s\n\n", info->name, info->kernels);
    }
    printf("%-25s%-9s %10s %10s\n", "what", "", "error", "tolerance");
    fflush(stdout);
}

static void print_row(const struct vks_selftest_result *result) {
    const char *verdict = result->is_ok ? "ok" : "FAILED";
    printf("%-25s%-9s ", result->name, result->part);
    if (result->status != VKS_OK)
        printf("%10s %10s  %s  %s\n", "-", "-", verdict, vks_status_text(result->status));
    else if (result->tolerance > 0)
        printf("%10.1e %10.1e  %s%s%s\n", result->error, result->tolerance, verdict,
               *result->worst ? "  " : "", result->worst);
    else
        printf("%10.0f %10.0f  %s\n", result->error, result->tolerance, verdict);
}

static void print_json_row(const struct vks_selftest_result *result, bool is_first) {
    printf("%s\n  {\"name\": \"%s\", \"part\": \"%s\", \"worst\": \"%s\", \"error\": ",
           is_first ? "" : ",", result->name, result->part, result->worst);
    if (result->status == VKS_OK && isfinite(result->error))
        printf("%.3e", result->error);
    else
        fputs("null", stdout);
    printf(", \"tolerance\": %.3e, \"status\": ", result->tolerance);
    print_json_string(stdout, vks_status_text(result->status));
    printf(", \"ok\": %s}", result->is_ok ? "true" : "false");
}

// Each row at once: a broken driver may end the process in the next one.
static void add_result(void *user, const struct vks_selftest_result *result) {
    struct selftest *test = user;
    if (test->values->json)
        print_json_row(result, test->num_results == 0);
    else
        print_row(result);
    fflush(stdout);
    test->num_results++;
    test->num_failed += !result->is_ok;
}

static void print_verdict(const struct selftest *test, enum vks_status status, double seconds) {
    bool is_ok = status == VKS_OK && test->num_failed == 0;
    if (test->values->json)
        printf("],\n \"failed\": %u, \"seconds\": %.2f, \"verdict\": \"%s\"}\n", test->num_failed,
               seconds, is_ok ? "ok" : "FAILED");
    else if (is_ok)
        printf("\nok: all %u figures are within their tolerances (%.1f s)\n", test->num_results,
               seconds);
    else if (status != VKS_OK)
        printf("\nFAILED after %u figures: %s\n", test->num_results, vks_status_text(status));
    else
        printf("\nFAILED: %u of %u figures are wrong (%.1f s)\n", test->num_failed,
               test->num_results, seconds);
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct selftest test = {.values = values};
    struct vks_device *device = NULL;
    if (values->json && values->report) {
        console_error(console, "--json and --report exclude each other");
        return EXIT_USAGE;
    }
    enum vks_status status = device_open(console, values->device, &device);
    if (status != VKS_OK)
        return exit_code_of(console, status);
    double begin = system_now_s();
    bool is_ok = false;
    print_head(values, vks_device_info(device));
    const struct vks_selftest_params params = {.on_result = add_result, .user = &test};
    status = vks_selftest_run(device, &params, &is_ok);
    print_verdict(&test, status, system_now_s() - begin);
    int exit_code = exit_code_of(console, status);
    vks_device_destroy(&device);
    return exit_code == EXIT_OK && !is_ok ? EXIT_WRONG : exit_code;
}

int verb_selftest(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq selftest",
        .summary = "Checks that a device computes what it should: every operator, forward and "
                   "backward, against a\nreference in double precision, and a short training "
                   "against known losses. Exit code 4: it does not.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
