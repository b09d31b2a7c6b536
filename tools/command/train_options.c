#include "train_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME "vkseq train"

static const char *const tasks[] = {"tiny", "demo", "small", "transformer-base", "transformer-big",
                                    NULL};
static const char *const activations[] = {"relu", "gelu", "swish", NULL};  // as vks_activation
static const char *const positions[] = {"hf", "fairseq", "learned", NULL}; // as vks_positions
static const char *const schedules[] = {"inv-sqrt", "linear", "cosine", "constant",
                                        NULL};                          // as vks_schedule
static const char *const optimizers[] = {"adam", "adamw", "sgd", NULL}; // as vks_optimizer

#define AT(member) offsetof(struct train_options, member)

// clang-format off
static const struct cli_option table[] = {
    {"model", 'm', CLI_STRING, AT(model), "DIR", .required = true,
     .help = "Model directory. It is made, or gone on with: the same command resumes training.",
     .group = "General"},
    {"log", 0, CLI_STRING, AT(log), "FILE", .help = "Add the log to a file, also when quiet."},
    OPTION_QUIET(train_options),
    OPTION_DEVICE(train_options),
    {"seed", 0, CLI_U32, AT(trainer.seed), .default_text = "1",
     .help = "Seed of initial parameters, order of sentences and dropout."},
    {"init-only", 0, CLI_FLAG, AT(init_only), .help = "Save the initial model and end."},

    {"train-sets", 't', CLI_STRINGS, AT(train_sets), "SRC TGT", .required = true,
     .help = "Training text: source and target, UTF-8, a sentence a line.", .group = "Text"},
    {"valid-sets", 0, CLI_STRINGS, AT(valid_sets), "SRC TGT",
     .help = "Validation text. Without it there is no validation."},
    {"vocabs", 'v', CLI_STRINGS, AT(vocabs), "DIR|SPM [SPM]",
     .help = "Take this vocabulary instead of learning one: a model directory's, a SentencePiece "
             "model's for both sides, or two models' for source and target."},
    {"vocab-size", 0, CLI_U32, AT(vocab_size), .default_text = "8000", .min = 20, .max = 1000000,
     .help = "Size of a learned vocabulary, </s>, <unk>, <pad> and 16 placeholders included."},
    {"separate-vocabs", 0, CLI_FLAG, AT(separate_vocabs),
     .help = "A vocabulary for each side instead of a joint one."},
    {"sentencepiece-options", 0, CLI_STRING, AT(sentencepiece_options), "TEXT",
     .help = "Options of SentencePiece's trainer, such as '--model_type=bpe'."},

    {"task", 0, CLI_CHOICE, AT(task), .default_text = "small", .choices = tasks,
     .help = "Shape of the model, as width/feed-forward width/heads, encoder + decoder layers: "
             "tiny 64/256/4, 2+2; demo 128/512/4, 2+2; small 256/1024/4, 3+3; transformer-base "
             "512/2048/8, 6+6; transformer-big 1024/4096/16, 6+6.", .group = "Model"},
    {"dim-emb", 0, CLI_U32, AT(width), .min = 4, .max = 65536,
     .help = "Width of embeddings and layers instead of the task's."},
    {"enc-depth", 0, CLI_U32, AT(encoder_layers), .min = 1, .max = 1000,
     .help = "Encoder layers instead of the task's."},
    {"dec-depth", 0, CLI_U32, AT(decoder_layers), .min = 1, .max = 1000,
     .help = "Decoder layers instead of the task's."},
    {"transformer-heads", 0, CLI_U32, AT(num_heads), .min = 1, .max = 4096,
     .help = "Attention heads instead of the task's."},
    {"transformer-dim-ffn", 0, CLI_U32, AT(ffn_width), .min = 4, .max = 1048576,
     .help = "Feed-forward width instead of the task's."},
    {"transformer-ffn-activation", 0, CLI_CHOICE, AT(activation), .default_text = "relu",
     .choices = activations, .help = "Feed-forward activation; swish is SiLU."},
    {"transformer-preprocess", 0, CLI_STRING, AT(preprocess), "OPS", .default_text = "",
     .help = "'' for post-norm layers, n for pre-norm ones."},
    {"transformer-postprocess", 0, CLI_STRING, AT(postprocess), "OPS", .default_text = "dan",
     .help = "dan for post-norm layers, da for pre-norm ones."},
    {"positions", 0, CLI_CHOICE, AT(positions), .default_text = "hf", .choices = positions,
     .help = "Positions: sines as Hugging Face's Marian computes them, as fairseq and Marian do, "
             "or learned."},
    {"tied-embeddings-all", 0, CLI_FLAG, AT(tied_all),
     .help = "One matrix for source, target and output embeddings. It is the default with a joint "
             "vocabulary; --tied-embeddings-all=false ends it."},
    {"tied-embeddings", 0, CLI_FLAG, AT(tied_output),
     .help = "One matrix for target and output embeddings, the default with separate "
             "vocabularies; --tied-embeddings=false: three matrices."},

    {"mini-batch-words", 0, CLI_U32, AT(trainer.mini_batch_words), .default_text = "1536",
     .min = 1, .max = 1000000, .help = "Most tokens of a side of a batch.", .group = "Batches"},
    {"mini-batch", 0, CLI_U32, AT(trainer.mini_batch), .default_text = "0",
     .help = "Most sentence pairs of a batch; 0: as many as tokens fit."},
    {"maxi-batch", 0, CLI_U32, AT(trainer.maxi_batch_pairs), .default_text = "4000", .min = 1,
     .max = 4294967295.0, .help = "Sentence pairs sorted by length at a time."},
    {"max-length", 0, CLI_U32, AT(trainer.max_length), .default_text = "100", .min = 1,
     .max = 65535, .help = "Pairs with a longer side are left out, in tokens."},
    {"max-length-crop", 0, CLI_FLAG, AT(trainer.max_length_crop),
     .help = "Cut longer sides instead."},
    {"no-shuffle", 0, CLI_FLAG, AT(trainer.no_shuffle), .help = "Keep the order of the text."},
    {"dump-batches", 0, CLI_STRING, AT(trainer.dump_batches), "FILE",
     .help = "Write the line numbers of each batch, for comparisons."},

    {"optimizer", 'o', CLI_CHOICE, AT(optimizer), .default_text = "adam", .choices = optimizers,
     .help = "Optimiser.", .group = "Optimisation"},
    {"optimizer-params", 0, CLI_STRINGS, AT(optimizer_params), "X...",
     .help = "adam, adamw: beta 1, beta 2, epsilon, weight decay (default: 0.9 0.98 1e-9 0); sgd: "
             "momentum (default: 0)."},
    {"learn-rate", 'l', CLI_FLOAT, AT(trainer.learn_rate), .default_text = "0.001", .min = 0,
     .max = 100, .help = "Peak of the learning rate."},
    {"lr-warmup", 0, CLI_U32, AT(trainer.warmup), .default_text = "0",
     .help = "Updates in which the learning rate rises; 0: the smaller of 2,000 and a tenth of "
             "the planned updates."},
    {"lr-schedule", 0, CLI_CHOICE, AT(schedule), .default_text = "inv-sqrt", .choices = schedules,
     .help = "How it falls then: with 1/sqrt(updates), in a line or half a cosine to 0, or not."},
    {"lr-schedule-updates", 0, CLI_LIMIT, AT(schedule_updates), "UPDATES",
     .help = "Where linear and cosine end. (default: where --after stops)"},
    {"clip-norm", 0, CLI_FLOAT, AT(trainer.clip_norm), .default_text = "1", .min = 0, .max = 1e9,
     .help = "Longest gradient; 0: no clipping."},
    {"label-smoothing", 0, CLI_FLOAT, AT(trainer.label_smoothing), .default_text = "0.1",
     .min = 0, .max = 0.99, .help = "Share of probability spread over all tokens."},
    {"transformer-dropout", 0, CLI_FLOAT, AT(trainer.dropout), .default_text = "0.1", .min = 0,
     .max = 0.99, .help = "Dropout of embeddings and of what each block adds."},

    {"after", 0, CLI_LIMIT, AT(after),
     .help = "Stop after so many epochs (10e), updates (20Ku) or target tokens (10Gt). Without a "
             "limit, Ctrl-C stops.", .group = "Course"},
    {"max-time", 0, CLI_DURATION, AT(trainer.max_seconds), .help = "Stop after this time."},
    {"disp-freq", 0, CLI_LIMIT, AT(disp_freq), "UPDATES", .default_text = "100",
     .help = "Updates between log lines."},
    {"valid-freq", 0, CLI_LIMIT, AT(valid_freq), "UPDATES", .default_text = "1000",
     .help = "Updates between validations."},
    {"save-freq", 0, CLI_LIMIT, AT(save_freq), "UPDATES", .default_text = "1000",
     .help = "Updates between saves."},
    {0},
};
// clang-format on

enum { NUM_OPTIONS = sizeof table / sizeof *table };

// Index of a choice in its list.
static int index_of(const char *choice, const char *const *choices) {
    int idx = 0;
    while (strcmp(choice, choices[idx]))
        idx++;
    return idx;
}

static bool set_pair(const struct cli_strings *sets, const char *name, const char **source,
                     const char **target) {
    if (sets->num != 2) {
        fprintf(stderr, NAME ": option '--%s' has %zu files: expected source and target\n", name,
                sets->num);
        return false;
    }
    *source = sets->items[0];
    *target = sets->items[1];
    return true;
}

static bool set_frequency(const struct cli_limit *limit, const char *name, uint32_t *updates) {
    if (limit->unit != CLI_UPDATES || limit->num == 0 || limit->num > UINT32_MAX) {
        fprintf(stderr, NAME ": option '--%s' takes a number of updates, such as 500 or 5Ku\n",
                name);
        return false;
    }
    *updates = (uint32_t)limit->num;
    return true;
}

static void set_limit(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    uint64_t *const targets[] = {
        [CLI_UPDATES] = &trainer->after_updates,
        [CLI_EPOCHS] = &trainer->after_epochs,
        [CLI_TARGET_TOKENS] = &trainer->after_target_tokens,
    };
    *targets[options->after.unit] = options->after.num;
}

static bool set_optimizer(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const struct cli_strings *words = &options->optimizer_params;
    trainer->optimizer = (enum vks_optimizer)index_of(options->optimizer, optimizers);
    bool is_sgd = trainer->optimizer == VKS_SGD;
    float *const targets[] = {&trainer->beta1, &trainer->beta2, &trainer->eps,
                              &trainer->weight_decay};
    if (is_sgd)
        trainer->beta1 = 0;
    if (words->num > (is_sgd ? 1 : 4)) {
        fprintf(stderr, NAME ": option '--optimizer-params' has %zu numbers: %s takes at most %d\n",
                words->num, options->optimizer, is_sgd ? 1 : 4);
        return false;
    }
    for (size_t i = 0; i < words->num; i++) {
        char *end;
        float number = strtof(words->items[i], &end);
        if (end == words->items[i] || *end || !isfinite(number) || number < 0) {
            fprintf(stderr,
                    NAME ": option '--optimizer-params': '%s' is not a number of at least 0\n",
                    words->items[i]);
            return false;
        }
        *targets[i] = number;
    }
    return true;
}

static bool check_counts(const struct train_options *options) {
    const struct vks_trainer_params *trainer = &options->trainer;
    if (options->vocabs.num > 2) {
        fprintf(stderr,
                NAME ": option '--vocabs' has %zu names: expected a folder, or one or two "
                     "SentencePiece models\n",
                options->vocabs.num);
        return false;
    }
    if (trainer->max_length >= trainer->mini_batch_words) {
        fprintf(stderr,
                NAME ": --mini-batch-words %u with --max-length %u: expected a batch that "
                     "is larger than the longest sentence\n",
                trainer->mini_batch_words, trainer->max_length);
        return false;
    }
    return true;
}

static bool check_norm(const struct train_options *options) {
    const char *pre = options->preprocess, *post = options->postprocess;
    if ((!strcmp(pre, "") && !strcmp(post, "dan")) || (!strcmp(pre, "n") && !strcmp(post, "da")))
        return true;
    fprintf(stderr,
            NAME ": --transformer-preprocess '%s' with --transformer-postprocess '%s' is not "
                 "supported: expected '' with 'dan' (post-norm), or 'n' with 'da' (pre-norm)\n",
            pre, post);
    return false;
}

static bool check_tying(const struct train_options *options) {
    if (!options->separate_vocabs || !options->tied_all)
        return true;
    fprintf(stderr, NAME ": --tied-embeddings-all needs a joint vocabulary, without "
                         "--separate-vocabs\n");
    return false;
}

static void note_given(struct train_options *options, const struct cli_command *command) {
    static const char *const shape_names[] = {"task",
                                              "dim-emb",
                                              "enc-depth",
                                              "dec-depth",
                                              "transformer-heads",
                                              "transformer-dim-ffn",
                                              "transformer-ffn-activation",
                                              "transformer-preprocess",
                                              "transformer-postprocess",
                                              "positions",
                                              "tied-embeddings-all",
                                              "tied-embeddings"};
    options->given = (struct train_given){
        .vocab_size = cli_was_given(command, "vocab-size"),
        .separate_vocabs = cli_was_given(command, "separate-vocabs"),
        .tied_all = cli_was_given(command, "tied-embeddings-all"),
        .tied_output = cli_was_given(command, "tied-embeddings"),
    };
    for (size_t i = 0; i < sizeof shape_names / sizeof *shape_names; i++)
        options->given.shape |= cli_was_given(command, shape_names[i]);
}

static bool set_trainer(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    trainer->model_dir = options->model;
    set_limit(options);
    trainer->schedule = (enum vks_schedule)index_of(options->schedule, schedules);
    return set_pair(&options->train_sets, "train-sets", &trainer->train_source,
                    &trainer->train_target) &&
           (!options->valid_sets.num || set_pair(&options->valid_sets, "valid-sets",
                                                 &trainer->valid_source, &trainer->valid_target)) &&
           (options->schedule_updates.num == 0 ||
            set_frequency(&options->schedule_updates, "lr-schedule-updates",
                          &trainer->schedule_updates)) &&
           set_frequency(&options->disp_freq, "disp-freq", &trainer->disp_freq) &&
           set_frequency(&options->valid_freq, "valid-freq", &trainer->valid_freq) &&
           set_frequency(&options->save_freq, "save-freq", &trainer->save_freq) &&
           set_optimizer(options);
}

enum cli_result train_options_read(struct train_options *options, int argc, char **argv) {
    bool given[NUM_OPTIONS];
    const struct cli_command command = {
        .name = NAME,
        .summary = "Trains a translation model on parallel text. Ctrl-C stops after the update,\n"
                   "and saves; the same command goes on.",
        .options = table,
        .values = options,
        .given = given,
    };
    *options = (struct train_options){0};
    vks_trainer_defaults(&options->trainer);
    enum cli_result result = cli_parse(&command, argc, argv);
    if (result != CLI_OK)
        return result;
    note_given(options, &command);
    bool is_good = set_trainer(options) && check_counts(options) && check_norm(options) &&
                   check_tying(options);
    return is_good ? CLI_OK : CLI_ERROR;
}

static void replace(uint32_t *value, uint32_t wanted) {
    if (wanted)
        *value = wanted;
}

static enum vks_tying choose_tying(const struct train_options *options, bool is_joint) {
    const struct train_given *given = &options->given;
    if (given->tied_all ? options->tied_all : is_joint && !given->tied_output)
        return VKS_TIED_ALL;
    return given->tied_output && !options->tied_output ? VKS_TIED_NONE : VKS_TIED_OUTPUT;
}

enum vks_status train_options_config(const struct train_options *options,
                                     const struct vks_tokenizer *tokenizer, struct console *console,
                                     struct vks_model_config *config) {
    struct vks_model_config shape = {0};
    bool is_joint = vks_tokenizer_is_joint(tokenizer);
    enum vks_status status = vks_model_config_preset(options->task, &shape);
    if (status != VKS_OK)
        return status;
    replace(&shape.width, options->width);
    replace(&shape.ffn_width, options->ffn_width);
    replace(&shape.num_heads, options->num_heads);
    replace(&shape.encoder_layers, options->encoder_layers);
    replace(&shape.decoder_layers, options->decoder_layers);
    shape.activation = (enum vks_activation)index_of(options->activation, activations);
    shape.positions = (enum vks_positions)index_of(options->positions, positions);
    shape.pre_norm = !strcmp(options->preprocess, "n");
    shape.tying = choose_tying(options, is_joint);
    if (shape.tying == VKS_TIED_ALL && !is_joint) {
        console_error(console, "--tied-embeddings-all needs a joint vocabulary: %s has two",
                      options->model);
        return VKS_ERR_ARGUMENT;
    }
    shape.source_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE);
    shape.target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET);
    shape.eos_id = vks_tokenizer_eos_id(tokenizer, VKS_TARGET);
    shape.pad_id = vks_tokenizer_pad_id(tokenizer, VKS_TARGET);
    *config = shape;
    return VKS_OK;
}
