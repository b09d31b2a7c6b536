// A model without its tokenizer, for comparing it with other programs by ids.
//
//   model_ids DIR logits [float16|bfloat16] < LINES > FLOATS
//     LINES: source ids | decoder inputs. FLOATS: float32 [decoder inputs, V] of one line after the
//     other.
//   model_ids DIR search BEAM FACTOR < LINES
//     LINES: source ids. Prints the best translation's ids without </s>, and its score.
//   model_ids DIR save OUTPUT
//
// FACTOR is --max-length-factor; BEAM 0 is the model's. Exit code 77 without a device.
#include "base/check.h"
#include "decode/search.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "support/gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 16, MAX_IDS = 4096, MAX_LINES = 4096 };

// Reads a line's ids up to its end or a bar; the rest after the bar, or NULL.
static char *parse_ids(char *text, uint32_t *ids, uint32_t *num) {
    char *bar = strchr(text, '|');
    if (bar)
        *bar = '\0';
    *num = 0;
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
        CHECK(*num < MAX_IDS);
        ids[(*num)++] = (uint32_t)strtoul(word, NULL, 10);
    }
    return bar ? bar + 1 : NULL;
}

static bool write_logits(struct vks_model *model, enum vks_precision precision) {
    static char line[MAX_LINE];
    static uint32_t source[MAX_IDS], target[MAX_IDS], labels[MAX_IDS];
    const struct loss_params params = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {.num_src = 512, .num_tgt = 512, .num_sequences = 1},
        .element = precision_element(precision),
        .with_logits = true,
        .program = {.num_slots = 1}};
    struct loss_program loss;
    if (loss_program_init(model->device, &params, &loss) != VKS_OK)
        return false;
    bool is_done = true;
    while (is_done && fgets(line, sizeof line, stdin)) {
        uint32_t offsets[2][2] = {{0}};
        double total;
        char *rest = parse_ids(line, source, &offsets[0][1]);
        CHECK(rest);
        parse_ids(rest, target, &offsets[1][1]);
        for (uint32_t i = 0; i < offsets[1][1]; i++)
            labels[i] = model->config.eos_id;
        const struct loss_batch batch = {
            .source = {source, offsets[0], 1}, .target = {target, offsets[1], 1}, .labels = labels};
        is_done = loss_program_submit(&loss, 0, &batch, &(struct loss_step){0}) == VKS_OK &&
                  loss_program_wait(&loss, 0, &total) == VKS_OK;
        const float *logits = program_output(loss.program, 0, loss.logits);
        for (uint32_t i = 0; i < offsets[1][1] && is_done; i++)
            fwrite(logits + (size_t)i * loss.logits->stride, sizeof(float),
                   model->config.target_vocab, stdout);
    }
    loss_program_finish(&loss);
    return is_done;
}

static void print_best(const struct vks_translation *translation) {
    const struct vks_hypothesis *best = &translation->hypotheses[0];
    for (size_t i = 0; i < best->num_ids; i++)
        printf("%u ", best->ids[i]);
    printf("| %.9g\n", (double)best->score);
}

static bool search_lines(struct vks_model *model, uint32_t beam_size, float factor) {
    static char line[MAX_LINE];
    static uint32_t ids[MAX_IDS];
    static struct sentence sentences[MAX_LINES];
    static struct vks_translation translations[MAX_LINES];
    struct vks_translator_params translator = {
        .beam_size = beam_size, .max_length_factor = factor, .log = &gpu_log};
    size_t num = 0;
    while (fgets(line, sizeof line, stdin)) {
        CHECK(num < MAX_LINES);
        struct sentence *sentence = &sentences[num++];
        parse_ids(line, ids, &sentence->num_ids);
        sentence->ids = malloc(sentence->num_ids * sizeof *ids);
        CHECK(sentence->ids);
        memcpy(sentence->ids, ids, sentence->num_ids * sizeof *ids);
    }
    const struct search_params params = {
        .models = &model, .num_models = 1, .translator = &translator};
    struct search search;
    bool is_done = search_complete_params(&model->config, &translator) == VKS_OK &&
                   search_init(&params, &search) == VKS_OK;
    if (is_done)
        is_done = search_run(&search, sentences, num, translations) == VKS_OK;
    for (size_t i = 0; i < num && is_done; i++)
        print_best(&translations[i]);
    search_finish(&search);
    return is_done;
}

int main(int argc, char **argv) {
    struct vks_device *device;
    struct vks_model *model = NULL;
    CHECK(argc >= 3);
    enum vks_status status = vks_device_create(NULL, &gpu_log, &device);
    if (status == VKS_ERR_NO_DEVICE)
        return 77;
    bool is_done = status == VKS_OK && vks_model_load(device, argv[1], &model) == VKS_OK;
    if (is_done && strcmp(argv[2], "logits") == 0)
        is_done = write_logits(model, argc == 3                    ? VKS_FLOAT32
                                      : strcmp(argv[3], "float16") ? VKS_BFLOAT16
                                                                   : VKS_FLOAT16);
    else if (is_done && strcmp(argv[2], "search") == 0 && argc == 5)
        is_done = search_lines(model, (uint32_t)strtoul(argv[3], NULL, 10), strtof(argv[4], NULL));
    else if (is_done)
        is_done =
            strcmp(argv[2], "save") == 0 && argc == 4 && vks_model_save(model, argv[3]) == VKS_OK;
    vks_model_destroy(&model);
    vks_device_destroy(&device);
    return is_done ? 0 : 1;
}
