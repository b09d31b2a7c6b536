// vkseq tune: which kernels are fastest on this device.
#include "bench_shape.h"
#include "command.h"

struct values {
    const char *model, *device;
    struct bench_shape shape;
    uint32_t mini_batch_words;
    bool json;
};

// clang-format off
static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct values, json), .help = "Print a JSON array."},
    OPTION_DEVICE(values),
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR",
     .is_model = true,
     .help = "Model directory, or a model's name, whose shapes count; without it those of --task."},
    {"task", 0, CLI_CHOICE, offsetof(struct values, shape.task), .default_text = "small",
     .choices = bench_tasks, .help = "Shape of the model; base and big are transformer-base and "
     "transformer-big."},
    {"vocab-size", 0, CLI_U32, offsetof(struct values, shape.vocab_size), .min = 20, .max = 1e6,
     .help = "Vocabulary; by the task: 8000, 16000 (base) or 32000 (big)."},
    {"mini-batch-words", 0, CLI_U32, offsetof(struct values, mini_batch_words),
     .default_text = "2048", .min = 1, .max = 1e6,
     .help = "Most tokens of a side of a batch in training."},
    {0},
};
// clang-format on

static void print_choice(const struct vks_tile_choice *choice, bool is_json, bool is_first) {
    if (is_json)
        printf("%s{\"layout\": \"%s\", \"rows\": %u, \"cols\": %u, \"n\": %u, \"tile\": \"%s\"}",
               is_first ? "" : ",\n ", choice->layout, choice->rows, choice->cols, choice->n,
               choice->tile);
    else
        printf("%-7s %6u %6u %6u  %s\n", choice->layout, choice->rows, choice->cols, choice->n,
               choice->tile);
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct vks_device *device = NULL;
    struct vks_model *model = NULL;
    struct vks_model_config config;
    struct vks_tile_choice *choices = NULL;
    size_t num = 0;
    enum vks_status status = values->model ? model_folder_check(console, values->model) : VKS_OK;
    if (status == VKS_OK)
        status = device_open(console, values->device, &device);
    if (status == VKS_OK && values->model)
        status = vks_model_load(device, values->model, &model);
    if (status == VKS_OK && !values->model) {
        status = bench_shape_config(&values->shape, &config);
        if (status == VKS_OK)
            status = vks_model_create(device, &config, 1, &model);
    }
    if (status == VKS_OK)
        status = vks_tune(model, values->mini_batch_words, &choices, &num);
    if (status == VKS_OK && values->json)
        putchar('[');
    else if (status == VKS_OK)
        printf("%-7s %6s %6s %6s  %s\n", "product", "rows", "of A", "of C", "tile");
    for (size_t i = 0; i < num; i++)
        print_choice(&choices[i], values->json, i == 0);
    if (status == VKS_OK && values->json)
        puts("]");
    vks_free(choices);
    vks_model_destroy(&model);
    vks_device_destroy(&device);
    return exit_code_of(console, status);
}

int verb_tune(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq tune",
        .summary =
            "Times the tiles of a model's matrix products on a device, and keeps the fastest "
            "for later\nruns. What is computed does not depend on it. GPUs need not be asked: "
            "there it is done\nwhen a shape is met first.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
