#include "verb_bench_data.h"
#include "train_options.h"

#include <inttypes.h>

static void print(const struct vks_bench_data_result *r) {
    double seconds = r->open_s + r->epoch_s;
    printf("data\n");
    printf("  %" PRIu64 " pairs, %" PRIu64 " source and %" PRIu64 " target tokens, %" PRIu64
           " batches\n",
           r->num_pairs, r->num_source_tokens, r->num_target_tokens, r->num_batches);
    printf("  %.3f s to open, %.3f s for an epoch\n", r->open_s, r->epoch_s);
    printf("  %.0f lines/s\n", (double)(r->num_lines ? r->num_lines : r->num_pairs) / seconds);
}

static enum vks_status measure(const struct train_options *options, struct console *console) {
    struct vks_trainer_params params = options->trainer;
    struct vks_bench_data_result result;
    struct vks_tokenizer *tokenizer = NULL;
    params.log = &console->log;
    enum vks_status status = vks_tokenizer_load(options->model, &console->log, &tokenizer);
    if (status == VKS_OK)
        status = vks_bench_data(&params, tokenizer, &result);
    if (status == VKS_OK)
        print(&result);
    vks_tokenizer_destroy(&tokenizer);
    return status;
}

int bench_data(int argc, char **argv) {
    struct train_options options;
    enum cli_result parsed = train_options_read(&options, argc, argv);
    if (parsed != CLI_OK) {
        train_options_free(&options);
        return exit_code_of_options(parsed);
    }
    struct console console;
    console_init(&console, "vkseq bench data", false, options.quiet);
    int exit_code = exit_code_of(&console, measure(&options, &console));
    console_finish(&console);
    train_options_free(&options);
    return exit_code;
}
