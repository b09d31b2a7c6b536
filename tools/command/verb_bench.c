// vkseq bench: speed on random data, in the figures by which other programs are compared.
#include "bench_shape.h"
#include "verb_bench_data.h"
#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHAPES 16
#define LAYER_SHAPES "1024x1024x1024,2048x512x512,2048x2048x512,2048x512x2048,32x512x512"

struct values {
    const char *device, *shapes;
    struct bench_shape shape;
    bool json;
    struct vks_bench_params params;
};

// clang-format off
static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct values, json),
     .help = "Print one JSON object, in the last line.", .group = "General"},
    {"warmup", 0, CLI_U32, offsetof(struct values, params.warmup), .default_text = "3", .min = 1,
     .max = 1e6, .help = "Steps before the measurement."},
    {"steps", 0, CLI_U32, offsetof(struct values, params.steps), .default_text = "15", .min = 1,
     .max = 1e6, .help = "Steps measured; the median counts."},
    {"seed", 0, CLI_U32, offsetof(struct values, params.seed), .default_text = "1",
     .help = "Seed of the random data."},
    OPTION_DEVICE(values),
    {"shapes", 0, CLI_STRING, offsetof(struct values, shapes), "MxNxK,...",
     .help = "Rows of A, rows of B, and columns of both, in A B^T. Without it those of a "
             "Transformer's layers.",
     .group = "gemm"},
    OPTIONS_SHAPE(values, "attention, train and translate", "translate", "train"),
    {0},
};
// clang-format on

// One verb's work. result holds the last measurement; gflops those of all shapes.
struct bench {
    struct values *values;
    struct console *console;
    struct vks_device *device;
    struct vks_model_config config;
    struct vks_bench_result result;
    uint32_t shapes[MAX_SHAPES][3];
    double gflops[MAX_SHAPES];
    size_t num_shapes;
};

static bool parse_shapes(struct bench *bench) {
    const char *text = bench->values->shapes;
    int num_chars = 0;
    for (bench->num_shapes = 0; bench->num_shapes < MAX_SHAPES; text += num_chars + 1) {
        uint32_t *shape = bench->shapes[bench->num_shapes++];
        if (sscanf(text, "%" SCNu32 "x%" SCNu32 "x%" SCNu32 "%n", &shape[0], &shape[1], &shape[2],
                   &num_chars) != 3 ||
            !shape[0] || !shape[1] || !shape[2])
            return false;
        if (!text[num_chars])
            return true;
        if (text[num_chars] != ',')
            return false;
    }
    return false;
}

static enum vks_status run_gemm(struct bench *bench) {
    for (size_t i = 0; i < bench->num_shapes; i++) {
        const uint32_t *shape = bench->shapes[i];
        bench->result = (struct vks_bench_result){0};
        enum vks_status status = vks_bench_gemm(bench->device, shape[0], shape[1], shape[2],
                                                &bench->values->params, &bench->result);
        if (status != VKS_OK)
            return status;
        bench->gflops[i] = bench->result.gflops;
    }
    return VKS_OK;
}

static enum vks_status run_attention(struct bench *bench) {
    return vks_bench_attention(bench->device, bench->config.width, bench->config.num_heads,
                               &bench->values->params, &bench->result);
}

static enum vks_status run_train(struct bench *bench) {
    struct vks_bench_params *params = &bench->values->params;
    enum vks_status status = bench_shape_lengths(&bench->values->shape, bench->console, params);
    return status == VKS_OK ? vks_bench_train(bench->device, &bench->config, params, &bench->result)
                            : status;
}

static enum vks_status run_translate(struct bench *bench) {
    return vks_bench_translate(bench->device, &bench->config, &bench->values->params,
                               &bench->result);
}

static const struct kind {
    const char *name, *step_key;
    enum vks_status (*run)(struct bench *bench);
    uint32_t sentences;
} kinds[] = {
    {"gemm", NULL, run_gemm, 0},
    {"attention", "step_ms_median", run_attention, 64},
    {"train", "step_ms_median", run_train, 32},
    {"translate", "batch_ms_median", run_translate, 64},
};

enum { NUM_KINDS = sizeof kinds / sizeof *kinds };

static void print_busy(const struct vks_bench_result *result) {
    if (result->device_ms >= 0)
        printf("  the device was busy %.1f %% of the time; it waited %.2f ms a step\n",
               100 * result->device_ms / result->wall_ms, result->wall_ms - result->device_ms);
    else
        puts("  the device has no timestamps that tell how busy it was");
    printf("  the host prepared and submitted for %.2f ms a step, and waited %.2f ms\n",
           result->host_ms, result->wall_ms - result->host_ms);
}

static void print_text(const struct bench *bench, const struct kind *kind) {
    const struct vks_bench_result *result = &bench->result;
    printf("%s on %s\n", kind->name, vks_device_info(bench->device)->name);
    for (size_t i = 0; i < bench->num_shapes; i++) {
        const uint32_t *shape = bench->shapes[i];
        printf("  %5u x %5u x %5u %10.1f GFLOP/s\n", shape[0], shape[1], shape[2],
               bench->gflops[i]);
    }
    if (bench->num_shapes)
        return;
    printf("  %s: %.2f ms a step (%.2f to %.2f)\n", bench->values->shape.task,
           result->step_ms_median, result->step_ms_min, result->step_ms_max);
    if (result->target_tokens_per_s > 0)
        printf("  %.0f target tokens/s\n", result->target_tokens_per_s);
    if (result->sentences_per_s > 0)
        printf("  %.2f sentences/s\n", result->sentences_per_s);
    if (result->num_parameters)
        printf("  %" PRIu64 " parameters\n", result->num_parameters);
    if (result->peak_device_bytes)
        printf("  %.1f MiB of device memory at most\n", (double)result->peak_device_bytes / 0x1p20);
    if (result->wall_ms > 0)
        print_busy(result);
}

static void print_json(const struct bench *bench, const struct kind *kind) {
    const struct vks_bench_result *result = &bench->result;
    printf("{\"what\": \"%s\", \"config\": \"%s\", \"device\": ", kind->name,
           bench->values->shape.task);
    print_json_string(stdout, vks_device_info(bench->device)->name);
    printf(", \"driver\": ");
    print_json_string(stdout, vks_device_info(bench->device)->driver);
    printf(", \"dtype\": \"fp32\", \"vkseq\": \"" VKS_VERSION_STRING "\"");
    if (bench->num_shapes) {
        printf(", \"gflops\": {");
        for (size_t i = 0; i < bench->num_shapes; i++)
            printf("%s\"%ux%ux%u\": %.3f", i ? ", " : "", bench->shapes[i][0], bench->shapes[i][1],
                   bench->shapes[i][2], bench->gflops[i]);
        printf("}");
    } else {
        printf(", \"parameters\": %" PRIu64 ", \"%s\": %.4f, \"target_tokens_per_s\": %.2f",
               result->num_parameters, kind->step_key, result->step_ms_median,
               result->target_tokens_per_s);
    }
    if (result->sentences_per_s > 0)
        printf(", \"sentences_per_s\": %.4f", result->sentences_per_s);
    if (result->wall_ms > 0) {
        printf(", \"host_ms\": %.4f, \"device_busy\": ", result->host_ms);
        if (result->device_ms >= 0)
            printf("%.4f", result->device_ms / result->wall_ms);
        else
            fputs("null", stdout);
    }
    printf(", \"peak_device_bytes\": %" PRIu64 "}\n", result->peak_device_bytes);
}

static int run_kind(const struct kind *kind, struct values *values, struct console *console) {
    struct bench bench = {.values = values, .console = console};
    values->params.log = &console->log;
    if (!values->params.sentences)
        values->params.sentences = kind->sentences;
    if (kind->run == run_gemm && !parse_shapes(&bench)) {
        console_error(console, "option '--shapes': '%s' is not up to %d shapes such as 64x64x64",
                      values->shapes, MAX_SHAPES);
        return EXIT_USAGE;
    }
    enum vks_status status = bench_shape_config(&values->shape, &bench.config);
    if (status == VKS_OK)
        status = device_open(console, values->device, &bench.device);
    if (status == VKS_OK)
        status = kind->run(&bench);
    if (status == VKS_OK)
        (values->json ? print_json : print_text)(&bench, kind);
    int exit_code = exit_code_of(console, status);
    vks_device_destroy(&bench.device);
    bench_shape_finish(&values->shape);
    return exit_code;
}

static const char usage[] =
    "Usage: vkseq bench gemm|attention|train|translate|data [OPTIONS]\n"
    "Measures speed on random data: matrix products; multi-head attention, forward;\n"
    "training steps; decoding. `vkseq bench train --help` lists the options.\n"
    "data: how fast text becomes batches, with the options of `vkseq train`.\n";

static const struct kind *find_kind(const char *name) {
    const char *names[NUM_KINDS];
    for (int i = 0; i < NUM_KINDS; i++) {
        names[i] = kinds[i].name;
        if (!strcmp(name, kinds[i].name))
            return &kinds[i];
    }
    fprintf(stderr, "vkseq bench: cannot measure '%s'; did you mean '%s'?\n", name,
            cli_nearest(name, names, NUM_KINDS));
    return NULL;
}

int verb_bench(const char *program, int argc, char **argv) {
    (void)program;
    bool is_help = argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"));
    if (argc < 2 || is_help) {
        fputs(usage, is_help ? stdout : stderr);
        return is_help ? EXIT_OK : EXIT_USAGE;
    }
    if (!strcmp(argv[1], "data"))
        return bench_data(argc - 1, argv + 1);
    const struct kind *kind = find_kind(argv[1]);
    if (!kind)
        return EXIT_USAGE;

    char name[64];
    struct values values = {.shapes = LAYER_SHAPES};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = name,
        .summary = "Measures speed on random data.",
        .options = options,
        .values = &values,
        .given = given,
    };
    snprintf(name, sizeof name, "vkseq bench %s", kind->name);
    enum cli_result parsed = cli_parse(&command, argc - 1, argv + 1);
    if (parsed != CLI_OK)
        return exit_code_of_options(parsed);
    struct console console;
    console_init(&console, name, false, false);
    int exit_code = run_kind(kind, &values, &console);
    console_finish(&console);
    return exit_code;
}
