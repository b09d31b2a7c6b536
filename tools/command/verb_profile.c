// vkseq profile: where the time of a training step and of a decoding step goes.
#include "bench_shape.h"
#include "command.h"

#include <inttypes.h>

struct values {
    const char *device;
    struct bench_shape shape;
    bool json;
    struct vks_bench_params params;
};

// clang-format off
static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct values, json),
     .help = "Print one JSON object, in the last line.", .group = "General"},
    {"warmup", 0, CLI_U32, offsetof(struct values, params.warmup), .default_text = "2", .min = 1,
     .max = 1e6, .help = "Steps before the measurement."},
    {"steps", 0, CLI_U32, offsetof(struct values, params.steps), .default_text = "5", .min = 1,
     .max = 1e6, .help = "Steps measured; the median counts. One more is profiled."},
    {"seed", 0, CLI_U32, offsetof(struct values, params.seed), .default_text = "1",
     .help = "Seed of the random data."},
    OPTION_DEVICE(values),
    OPTIONS_SHAPE(values, "Model and sentences", "Decoding", "Training"),
    {0},
};
// clang-format on

// Edge of the product that shows what the device reaches.
enum { SOFTWARE_EDGE = 1024, GPU_EDGE = 4096 };

// A profile under way.
struct profile {
    struct values *values;
    struct vks_device *device;
    struct vks_model_config config;
    uint32_t edge;
    double gemm_gflops, copy_gbytes; // what the device reaches, a second
};

// A step, and what follows from its kernels.
struct step {
    const char *name;
    struct vks_bench_result result;
    double ms; // of the profiled one; negative without timestamps
    double flops, bytes;
    double floor_ms;
};

static void sum_up(const struct profile *profile, struct step *step) {
    for (size_t i = 0; i < step->result.num_kernels; i++) {
        const struct vks_bench_kernel *kernel = &step->result.kernels[i];
        step->ms += kernel->ms;
        step->flops += kernel->flops;
        step->bytes += kernel->bytes;
    }
    step->floor_ms =
        1e-6 * (step->flops / profile->gemm_gflops + step->bytes / profile->copy_gbytes);
}

static void print_row(const char *op, const struct vks_bench_kernel *kernel, double all_ms) {
    printf("  %-24s %-26s %5u", op, kernel->name, kernel->num_dispatches);
    if (kernel->ms < 0)
        printf(" %10s %7s %9s %8s", "-", "-", "-", "-");
    else
        printf(" %10.3f %5.1f %% %9.1f %8.2f", kernel->ms,
               all_ms > 0 ? 100 * kernel->ms / all_ms : 0,
               kernel->ms > 0 ? kernel->flops / kernel->ms * 1e-6 : 0,
               kernel->ms > 0 ? kernel->bytes / kernel->ms * 1e-6 : 0);
    printf(" %9.3f %9.2f\n", kernel->flops * 1e-9, kernel->bytes * 1e-6);
}

static void print_text(const struct profile *profile, const struct step *step) {
    struct vks_bench_kernel all = {
        .name = "", .ms = step->ms, .flops = step->flops, .bytes = step->bytes};
    printf("%s step of %s\n\n", step->name, profile->values->shape.task);
    printf("  %-24s %-26s %5s %10s %7s %9s %8s %9s %9s\n", "operator", "kernel", "times", "ms",
           "share", "GFLOP/s", "GB/s", "GFLOP", "MB");
    for (size_t i = 0; i < step->result.num_kernels; i++) {
        print_row(step->result.kernels[i].op, &step->result.kernels[i], step->ms);
        all.num_dispatches += step->result.kernels[i].num_dispatches;
    }
    print_row("all", &all, step->ms);
    printf("\n  measured   %10.3f ms a step, not profiled\n", step->result.profiled_ms);
    printf("  its floor  %10.3f ms: %.3f ms for the products, %.3f ms for the bytes\n\n",
           step->floor_ms, 1e-6 * step->flops / profile->gemm_gflops,
           1e-6 * step->bytes / profile->copy_gbytes);
}

static void print_rate(const char *key, double amount, double ms) {
    if (ms > 0)
        printf(", \"%s\": %.3f", key, amount / ms * 1e-6);
    else
        printf(", \"%s\": null", key);
}

static void print_json_step(const struct step *step, bool is_first) {
    printf("%s{\"what\": \"%s\", \"step_ms\": %.4f, \"floor_ms\": %.4f, \"flops\": %.0f, "
           "\"bytes\": %.0f, \"kernels\": [",
           is_first ? "" : ", ", step->name, step->result.profiled_ms, step->floor_ms, step->flops,
           step->bytes);
    for (size_t i = 0; i < step->result.num_kernels; i++) {
        const struct vks_bench_kernel *kernel = &step->result.kernels[i];
        printf("%s{\"operator\": \"%s\", \"kernel\": \"%s\", \"dispatches\": %u, ", i ? ", " : "",
               kernel->op, kernel->name, kernel->num_dispatches);
        if (kernel->ms < 0)
            printf("\"ms\": null, \"share\": null");
        else
            printf("\"ms\": %.4f, \"share\": %.4f", kernel->ms,
                   step->ms > 0 ? kernel->ms / step->ms : 0);
        printf(", \"flops\": %.0f, \"bytes\": %.0f", kernel->flops, kernel->bytes);
        print_rate("gflops", kernel->flops, kernel->ms);
        print_rate("gbytes_per_s", kernel->bytes, kernel->ms);
        putchar('}');
    }
    fputs("]}", stdout);
}

static void print_head(const struct profile *profile) {
    const struct vks_device_info *info = vks_device_info(profile->device);
    if (!profile->values->json) {
        printf("%s\n%.1f GFLOP/s in a product of %u x %u x %u, %.1f GB/s read and written by "
               "copies\n",
               info->name, profile->gemm_gflops, profile->edge, profile->edge, profile->edge,
               profile->copy_gbytes);
        if (!info->timestamps)
            puts("This device has no timestamps: what an operator takes is not known.");
        putchar('\n');
        return;
    }
    printf("{\"vkseq\": \"" VKS_VERSION_STRING "\", \"config\": \"%s\", \"device\": ",
           profile->values->shape.task);
    print_json_string(stdout, info->name);
    fputs(", \"driver\": ", stdout);
    print_json_string(stdout, info->driver);
    printf(", \"dtype\": \"fp32\", \"gemm_gflops\": %.3f, \"copy_gbytes_per_s\": %.3f, "
           "\"steps\": [",
           profile->gemm_gflops, profile->copy_gbytes);
}

static enum vks_status measure_rates(struct profile *profile) {
    struct vks_bench_params params = profile->values->params;
    struct vks_bench_result gemm;
    bool is_cpu = vks_device_info(profile->device)->type == VKS_DEVICE_CPU;
    profile->edge = is_cpu ? SOFTWARE_EDGE : GPU_EDGE;
    params.profile = false;
    enum vks_status status = vks_bench_gemm(profile->device, profile->edge, profile->edge,
                                            profile->edge, &params, &gemm);
    if (status == VKS_OK)
        status = vks_bench_copy(profile->device, &params, &profile->copy_gbytes);
    if (status == VKS_OK) {
        double edge = profile->edge;
        profile->gemm_gflops = 2 * edge * edge * edge / gemm.step_ms_min * 1e-6;
        profile->copy_gbytes *= 1e-9;
    }
    return status;
}

static enum vks_status profile_steps(struct profile *profile, struct step steps[2]) {
    struct vks_bench_params *params = &profile->values->params;
    enum vks_status status =
        vks_bench_train(profile->device, &profile->config, params, &steps[0].result);
    if (status == VKS_OK)
        status = vks_bench_translate(profile->device, &profile->config, params, &steps[1].result);
    if (status == VKS_OK)
        status = measure_rates(profile);
    if (status != VKS_OK)
        return status;
    print_head(profile);
    for (int i = 0; i < 2; i++) {
        sum_up(profile, &steps[i]);
        if (profile->values->json)
            print_json_step(&steps[i], i == 0);
        else
            print_text(profile, &steps[i]);
    }
    if (profile->values->json)
        puts("]}");
    return VKS_OK;
}

static int run(struct console *console, void *user) {
    struct values *values = user;
    struct profile profile = {.values = values};
    struct step steps[2] = {{.name = "training"}, {.name = "decoding"}};
    values->params.log = &console->log;
    values->params.profile = true;
    enum vks_status status = bench_shape_config(&values->shape, &profile.config);
    if (status == VKS_OK)
        status = bench_shape_lengths(&values->shape, console, &values->params);
    if (status == VKS_OK)
        status = device_open(console, values->device, &profile.device);
    if (status == VKS_OK)
        status = profile_steps(&profile, steps);
    int exit_code = exit_code_of(console, status);
    for (int i = 0; i < 2; i++)
        vks_free(steps[i].result.kernels);
    vks_device_destroy(&profile.device);
    bench_shape_finish(&values->shape);
    return exit_code;
}

int verb_profile(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq profile",
        .summary = "Shows where the time of a training step and of a decoding step goes, and what "
                   "the device\nneeds at least: the products at the rate of a large one, the bytes "
                   "at that of a copy.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
