// vkseq train: trains a model, or goes on with it, until a limit or a signal.
#include "cli/folders.h"
#include "stop_signal.h"
#include "train_model.h"
#include "train_score.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// The command as it could be typed, allocated (free); NULL when there is no memory.
static char *quote_command(const char *program, int argc, char **argv) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=:,+@%";
    size_t max_bytes = 1;
    for (int i = -1; i < argc; i++)
        max_bytes += 4 * strlen(i < 0 ? program : argv[i]) + sizeof " ''";
    char *text = malloc(max_bytes), *end = text;
    if (!text)
        return NULL;
    for (int i = -1; i < argc; i++) {
        const char *word = i < 0 ? program : argv[i];
        bool is_plain = *word && strspn(word, plain) == strlen(word);
        const char *separator = i < 0 ? "" : " ", *quote = is_plain ? "" : "'";
        end += sprintf(end, "%s%s", separator, quote);
        for (; *word; word++)
            end += sprintf(end, "%s%c", *word == '\'' ? "'\\'" : "", *word);
        end += sprintf(end, "%s", quote);
    }
    return text;
}

struct run {
    const char *program, *command_text;
    struct train_options options;
    struct console console;
    struct vks_model_lock *lock;
    struct loaded_model loaded;
    struct vks_trainer *trainer;
    struct train_score score;
    uint64_t first_update, update;
    bool has_progress;
};

static bool on_update(void *user, const struct vks_train_progress *progress) {
    struct run *run = user;
    if (!run->has_progress) {
        uint64_t planned = progress->planned_updates;
        console_begin_progress(&run->console, "train", "updates",
                               planned > run->first_update ? planned - run->first_update : 0,
                               false);
        run->has_progress = true;
    }
    run->update = progress->update;
    console_update_progress(&run->console, progress->update - run->first_update);
    return !stop_signal();
}

static enum vks_status on_score(void *user, const char *metric, double *value) {
    struct run *run = user;
    return train_score_get(&run->score, run->update, metric, value);
}

// Reads a corpus, unless it could not be read again.
static enum vks_status check_set(const struct vks_text_set *set, struct console *console) {
    uint64_t num_lines;
    if (vks_is_stdin(set->source) || is_stream(set->source) ||
        (set->target && is_stream(set->target)) || (set->weights && is_stream(set->weights)) ||
        (set->alignments && is_stream(set->alignments)))
        return VKS_OK;
    enum vks_status status = vks_trainer_check_text(set, 1, &console->log, &num_lines);
    if (status != VKS_OK || num_lines > 0)
        return status;
    console_error(console, "%s is empty: expected a sentence a line", set->source);
    return VKS_ERR_FORMAT;
}

// All that can be found wrong before anything is learned.
static enum vks_status check_files(const struct train_options *options, struct console *console) {
    const struct vks_trainer_params *trainer = &options->trainer;
    enum vks_status status = VKS_OK;
    for (uint32_t i = 0; i < trainer->num_train_sets && status == VKS_OK; i++)
        status = check_set(&trainer->train_sets[i], console);
    if (status == VKS_OK && trainer->valid_set)
        status = check_set(trainer->valid_set, console);
    return status;
}

static enum vks_status prepare(struct run *run) {
    const struct train_options *options = &run->options;
    struct console *console = &run->console;
    enum vks_status status = check_files(options, console);
    if (status == VKS_OK)
        status = device_open(console, options->device, &run->loaded.device);
    if (status == VKS_OK)
        status = train_model_prepare(options, console, &run->lock);
    if (status != VKS_OK)
        return status;
    const struct vks_device_info *info = vks_device_info(run->loaded.device);
    console_info(console, "vkseq " VKS_VERSION_STRING " on %s, %s", info->name, info->driver);
    status = train_model_open(options, console, &run->loaded);
    if (status != VKS_OK)
        return status;
    const struct vks_model_config *config = vks_model_config(run->loaded.model);
    console_info(console,
                 "Model of %" PRIu64 " parameters: width %u, feed-forward %u, %u heads, %u+%u "
                 "layers, %s, vocabulary %u",
                 vks_model_num_parameters(run->loaded.model), config->width, config->ffn_width,
                 config->num_heads, config->encoder_layers, config->decoder_layers,
                 config->pre_norm ? "pre-norm" : "post-norm", config->target_vocab);
    return VKS_OK;
}

// What vkseq report tells about the run. Errors: VKS_ERR_IO, reported.
static enum vks_status write_run(struct run *run) {
    const struct vks_device_info *info = vks_device_info(run->loaded.device);
    struct line_output output;
    char *path = path_append(run->options.model, "training_run.json");
    if (!path)
        return VKS_ERR_OOM;
    enum vks_status status = line_output_open(&output, path, &run->console);
    if (status == VKS_OK) {
        const char *const texts[][2] = {{"device", info->name},
                                        {"driver", info->driver},
                                        {"vkseq", VKS_VERSION_STRING},
                                        {"command", run->command_text ? run->command_text : ""}};
        fprintf(output.file, "{\"parameters\": %" PRIu64,
                vks_model_num_parameters(run->loaded.model));
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            fprintf(output.file, ",\n \"%s\": ", texts[i][0]);
            print_json_string(output.file, texts[i][1]);
        }
        fprintf(output.file, "}\n");
        status = line_output_close(&output, VKS_OK);
    }
    free(path);
    return status;
}

static enum vks_status train(struct run *run) {
    struct vks_trainer_params params = run->options.trainer;
    params.lock = run->lock;
    params.on_update = on_update;
    params.user = run;
    params.log = &run->console.log;
    enum vks_status status = VKS_OK;
    if (train_score_is_needed(&run->options)) {
        params.on_score = on_score;
        status = train_score_open(&run->score, &run->console, &run->options, &run->loaded);
    }
    if (status != VKS_OK)
        return status;
    status = vks_trainer_create(&params, run->loaded.model, run->loaded.tokenizer, &run->trainer);
    if (status != VKS_OK)
        return status;
    if (vks_trainer_is_resumed(run->trainer, &run->first_update))
        console_info(&run->console, "Going on after update %" PRIu64, run->first_update);
    else
        run->first_update = 0;
    run->update = run->first_update;
    status = write_run(run);
    if (status != VKS_OK)
        return status;
    stop_signal_catch();
    console_info(&run->console, "Training started");
    status = vks_trainer_run(run->trainer);
    console_end_progress(&run->console);
    return status;
}

static void print_next_steps(struct run *run) {
    const char *dir = run->options.model;
    if (stop_signal())
        console_info(&run->console, "Training stopped, and saved in %s. To go on: %s", dir,
                     run->command_text ? run->command_text : "the same command");
    else
        console_info(&run->console, "Training finished, and saved in %s", dir);
    char *words[] = {"translate", "--model", (char *)dir};
    char *translate_text = quote_command(run->program, 3, words);
    if (translate_text)
        console_info(&run->console, "To translate: %s < FILE", translate_text);
    free(translate_text);
}

static enum vks_status run_all(struct run *run) {
    if (run->options.log && !console_open_file(&run->console, run->options.log))
        return VKS_ERR_IO;
    enum vks_status status = prepare(run);
    if (status == VKS_OK && run->options.init_only) {
        console_info(&run->console, "Initial model saved in %s", run->options.model);
        return VKS_OK;
    }
    if (status == VKS_OK)
        status = train(run);
    if (status == VKS_OK)
        print_next_steps(run);
    return status;
}

int verb_train(const char *program, int argc, char **argv) {
    char *command_text = quote_command(program, argc, argv);
    struct run run = {.program = program, .command_text = command_text};
    enum cli_result parsed = train_options_read(&run.options, argc, argv);
    if (parsed != CLI_OK) {
        train_options_free(&run.options);
        free(command_text);
        return exit_code_of_options(parsed);
    }
    console_init(&run.console, "vkseq train", true, run.options.quiet);
    int exit_code = exit_code_of(&run.console, run_all(&run));
    vks_trainer_destroy(&run.trainer);
    train_score_close(&run.score);
    loaded_model_close(&run.loaded);
    vks_model_lock_destroy(&run.lock);
    console_finish(&run.console);
    train_options_free(&run.options);
    free(command_text);
    return exit_code;
}
