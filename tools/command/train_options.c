#include "train_options.h"
#include "cli/option_file.h"
#include "precision_option.h"
#include "train_optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME "vkseq train"

static const char *const tasks[] = {"tiny", "demo", "small", "transformer-base", "transformer-big",
                                    NULL};
static const char *const dumps[] = {"minimal", "full", "expand", NULL};
const char *const train_activations[] = {"relu", "gelu", "swish", NULL};
const char *const train_positions[] = {"hf", "fairseq", "learned", NULL};
const char *const train_autoregs[] = {"self-attention", "rnn", NULL};
static const char *const train_cells[] = {"ssru", NULL};
static const char *const schedules[] = {"inv-sqrt", "linear", "cosine", "constant",
                                        NULL}; // as vks_schedule
static const char *const metrics[] = {"cross-entropy", "ce-mean-words", "perplexity", "bleu",
                                      "chrf",          "translation",   NULL};
static const char *const stopping[] = {"first", "all", "any", NULL}; // as vks_early_stopping_on
static const char *const alignment_costs[] = {"ce", "mse", "mult", NULL}; // as vks_alignment_cost
static const char *const tokenizations[] = {"13a", "intl", "zh", "char", NULL};
static const char *const optimizers[] = {"adam", "adamw", "sgd", NULL}; // as vks_optimizer
static const char *const decays[] = {"epoch",         "batches",       "stalled",
                                     "epoch+batches", "epoch+stalled", NULL}; // as vks_lr_decay

#define AT(member) offsetof(struct train_options, member)

// clang-format off
static const struct cli_option table[] = {
    {"model", 'm', CLI_STRING, AT(model), "DIR", .required = true,
     .help = "Model directory. It is made, or gone on with: the same command resumes training.",
     .group = "General"},
    {"config", 'c', CLI_STRINGS, AT(config), "FILES", .is_about_files = true,
     .help = "Read options from YAML files: a name and a value a line. Those typed count more."},
    {"dump-config", 0, CLI_CHOICE, AT(dump_config), .implicit_text = "full", .choices = dumps,
     .is_about_files = true, .help = "Print the options as such a file, and end: those given, all, "
     "or all with the task's dimensions."},
    {"log", 0, CLI_STRING, AT(log), "FILE", .help = "Add the log to a file, also when quiet."},
    OPTION_QUIET(train_options),
    OPTION_DEVICE(train_options),
    {"seed", 0, CLI_U32, AT(trainer.seed), .default_text = "1",
     .help = "Seed of initial parameters, order of sentences and dropout."},
    {"init-only", 0, CLI_FLAG, AT(init_only), .help = "Save the initial model and end."},

    {"train-sets", 't', CLI_STRINGS, AT(data.train_sets), "SRC TGT...", .required = true,
     .help = "Training text: source and target, UTF-8, a sentence a line, plain or gzip; two more "
             "files for each further corpus.", .group = "Text"},
    {"valid-sets", 0, CLI_STRINGS, AT(data.valid_sets), "SRC TGT",
     .help = "Validation text. Without it there is no validation."},
    {"tsv", 0, CLI_FLAG, AT(data.tsv),
     .help = "Both sides are in one file, as fields with tabs between them: source, target. "
             "--train-sets may then be stdin or '-', standard input."},
    {"tsv-fields", 0, CLI_U32, AT(data.num_fields), .min = 2, .max = 1000,
     .has_other_source = true,
     .help = "Fields of each line. (default: those that are used)"},
    OPTIONS_LANGUAGES(train_options, trainer.source_language, trainer.target_language),
    {"train-ratios", 0, CLI_STRINGS, AT(data.ratios), "X...",
     .help = "How much of an epoch each corpus makes up, as ratios; an epoch is as long as all "
             "corpora together. (default: each sentence once)"},
    {"data-weighting", 0, CLI_STRINGS, AT(data.weighting), "FILES|FIELD",
     .help = "Weights that losses are multiplied with, a line for each sentence: a file for each "
             "corpus, or with --tsv a field, counted from 0."},
    {"data-weighting-type", 0, CLI_CHOICE, AT(data.weighting_type), .default_text = "sentence",
     .choices = train_weightings,
     .help = "Whether a line has one weight, or one for each target token."},
    {"sentencepiece-alphas", 0, CLI_STRINGS, AT(data.alphas), "X [X]",
     .help = "Draw pieces anew in each epoch, with these powers of their probabilities, for source "
             "and target; 0: the best pieces. (default: 0)"},
    {"mask-placeholders", 0, CLI_FLOAT, AT(trainer.mask_placeholders), .default_text = "0",
     .min = 0, .max = 1,
     .help = "Probability that a pair's placeholders (%s, {0}, <b>) are masked by symbols of the "
             "vocabulary, so that the model learns to keep them."},
    {"tempdir", 'T', CLI_STRING, AT(trainer.temp_dir), "DIR",
     .help = "Keep the training text there instead of in memory, and read it anew in each epoch."},
    {"shuffle-memory", 0, CLI_U32, AT(data.shuffle_mebibytes), .default_text = "256", .min = 1,
     .max = 1048576, .help = "Memory that --tempdir takes for shuffling, in MiB."},
    {"data-threads", 0, CLI_U32, AT(trainer.data_threads), .default_text = "0", .max = 64,
     .help = "Threads that cut text into pieces; 0: as many as processors."},
    {"vocabs", 'v', CLI_STRINGS, AT(vocabs), "DIR|SPM [SPM]",
     .help = "Take this vocabulary instead of learning one: a model directory's, a SentencePiece "
             "model's for both sides, or two models' for source and target."},
    {"vocab-size", 0, CLI_U32, AT(vocab_size), .default_text = "8000", .min = 20, .max = 1000000,
     .has_other_source = true,
     .help = "Size of a learned vocabulary, </s>, <unk>, <pad> and 16 placeholders included."},
    {"separate-vocabs", 0, CLI_FLAG, AT(separate_vocabs),
     .has_other_source = true,
     .help = "A vocabulary for each side instead of a joint one."},
    {"sentencepiece-options", 0, CLI_STRING, AT(sentencepiece_options), "TEXT",
     .help = "Options of SentencePiece's trainer, such as '--model_type=bpe'."},

    {"task", 0, CLI_CHOICE, AT(task), .default_text = "small", .choices = tasks,
     .has_other_source = true,
     .help = "Shape of the model, as width/feed-forward width/heads, encoder + decoder layers: "
             "tiny 64/256/4, 2+2; demo 128/512/4, 2+2; small 256/1024/4, 3+3; transformer-base "
             "512/2048/8, 6+6; transformer-big 1024/4096/16, 6+6.", .group = "Model"},
    {"pretrained-model", 0, CLI_STRING, AT(pretrained), "DIR",
     .help = "Begin with the weights, shape and vocabulary of this model directory."},
    {"dim-emb", 0, CLI_U32, AT(width), .min = 4, .max = 65536,
     .has_other_source = true,
     .help = "Width of embeddings and layers instead of the task's."},
    {"enc-depth", 0, CLI_U32, AT(encoder_layers), .min = 1, .max = 1000,
     .has_other_source = true,
     .help = "Encoder layers instead of the task's."},
    {"dec-depth", 0, CLI_U32, AT(decoder_layers), .min = 1, .max = 1000,
     .has_other_source = true,
     .help = "Decoder layers instead of the task's."},
    {"transformer-heads", 0, CLI_U32, AT(num_heads), .min = 1, .max = 4096,
     .has_other_source = true,
     .help = "Attention heads instead of the task's."},
    {"transformer-dim-ffn", 0, CLI_U32, AT(ffn_width), .min = 4, .max = 1048576,
     .has_other_source = true,
     .help = "Feed-forward width instead of the task's."},
    {"transformer-ffn-activation", 0, CLI_CHOICE, AT(activation), .default_text = "relu",
     .choices = train_activations, .has_other_source = true,
     .help = "Feed-forward activation; swish is SiLU."},
    {"transformer-preprocess", 0, CLI_STRING, AT(preprocess), "OPS", .default_text = "",
     .has_other_source = true,
     .help = "'' for post-norm layers, n for pre-norm ones."},
    {"transformer-postprocess", 0, CLI_STRING, AT(postprocess), "OPS", .default_text = "dan",
     .has_other_source = true,
     .help = "dan for post-norm layers, da for pre-norm ones."},
    {"transformer-decoder-autoreg", 0, CLI_CHOICE, AT(autoreg), .default_text = "self-attention",
     .choices = train_autoregs, .has_other_source = true,
     .help = "What the decoder knows the tokens before by."},
    {"dec-cell", 0, CLI_CHOICE, AT(cell), .default_text = "ssru", .choices = train_cells,
     .has_other_source = true,
     .help = "With --transformer-decoder-autoreg rnn."},
    {"positions", 0, CLI_CHOICE, AT(positions), .default_text = "hf", .choices = train_positions,
     .has_other_source = true,
     .help = "Positions: sines as Hugging Face's Marian computes them, as fairseq and Marian do, "
             "or learned."},
    {"tied-embeddings-all", 0, CLI_FLAG, AT(tied_all),
     .has_other_source = true,
     .help = "One matrix for source, target and output embeddings. It is the default with a joint "
             "vocabulary; --tied-embeddings-all=false ends it."},
    {"tied-embeddings", 0, CLI_FLAG, AT(tied_output),
     .has_other_source = true,
     .help = "One matrix for target and output embeddings, the default with separate "
             "vocabularies; --tied-embeddings=false: three matrices."},

    {"mini-batch-words", 0, CLI_U32, AT(trainer.mini_batch_words), .default_text = "1536",
     .max = 1000000, .help = "Most tokens of a side of a batch.", .group = "Batches"},
    {"mini-batch-fit", 0, CLI_FLAG, AT(trainer.mini_batch_fit),
     .help = "Batches as large as the workspace allows, and no larger than --mini-batch-words if "
             "that is given."},
    {"workspace", 'w', CLI_STRING, AT(workspace), "MIB", .default_text = "auto",
     .help = "Device memory for the batches of --mini-batch-fit; auto: nine tenths of what the "
             "device has left."},
    {"mini-batch", 0, CLI_U32, AT(trainer.mini_batch), .default_text = "0",
     .help = "Most sentence pairs of a batch; 0: as many as tokens fit."},
    {"maxi-batch", 0, CLI_U32, AT(trainer.maxi_batch_pairs), .default_text = "4000", .min = 1,
     .max = 4294967295.0, .help = "Sentence pairs sorted by length at a time."},
    {"max-length", 0, CLI_U32, AT(trainer.max_length), .default_text = "100", .min = 1,
     .max = 65535, .help = "Pairs with a longer side are left out, in tokens."},
    {"max-length-crop", 0, CLI_FLAG, AT(trainer.max_length_crop),
     .help = "Cut longer sides instead."},
    {"maxi-batch-sort", 0, CLI_CHOICE, AT(data.sort), .default_text = "longer",
     .choices = train_sorts,
     .help = "What they are sorted by: the longer side's length, one side's, or nothing."},
    {"shuffle", 0, CLI_CHOICE, AT(data.shuffle), .default_text = "data", .choices = train_shuffles,
     .help = "What is shuffled in each epoch: sentences and batches, the batches of --maxi-batch "
             "pairs, or nothing; then nothing is sorted either."},
    {"no-shuffle", 0, CLI_FLAG, AT(data.no_shuffle), .help = "The same as --shuffle none."},
    {"no-restore-corpus", 0, CLI_FLAG, AT(trainer.no_restore_corpus),
     .help = "When training is resumed, begin a new epoch, of any text."},
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
    {"lr-decay", 0, CLI_FLOAT, AT(trainer.lr_decay), .default_text = "0", .min = 0, .max = 1,
     .help = "What the learning rate is multiplied by when it decays; 0: it does not."},
    {"lr-decay-strategy", 0, CLI_CHOICE, AT(lr_decay_strategy), .default_text = "epoch+stalled",
     .choices = decays, .help = "When it decays: before an epoch, after updates, or when "
     "validation has stalled."},
    {"lr-decay-start", 0, CLI_STRINGS, AT(lr_decay_start), "N [N]",
     .help = "The first epoch before which, or update or number of validations in a row without a "
             "new best after which it decays; with two of them in the strategy, a number for each. "
             "(default: 10 1)"},
    {"lr-decay-freq", 0, CLI_U32, AT(trainer.lr_decay_freq), .default_text = "50000", .min = 1,
     .max = 4294967295.0, .help = "Updates between decays, of the strategy batches."},
    {"lr-decay-repeat-warmup", 0, CLI_FLAG, AT(trainer.lr_decay_repeat_warmup),
     .help = "Warm up again after each decay."},
    {"lr-report", 0, CLI_FLAG, AT(trainer.lr_report), .default_text = "true",
     .help = "Say the learning rate in each line of the log. It is the default; --lr-report=false "
             "ends it."},
    {"optimizer-delay", 0, CLI_STRING, AT(optimizer_delay), "N|Nw", .default_text = "1",
     .help = "Batches of an update, whose gradients are added up, or, with w, the target words "
             "that they must reach: 4, 8000w."},
    {"clip-norm", 0, CLI_FLOAT, AT(trainer.clip_norm), .default_text = "1", .min = 0, .max = 1e9,
     .help = "Longest gradient; 0: no clipping."},
    {"precision", 0, CLI_CHOICE, AT(precision), .default_text = "float32",
     .choices = precision_names,
     .help = "Activations, and weights in products. Parameters, gradients and moments are "
             "float32."},
    {"cost-scaling", 0, CLI_STRINGS, AT(cost_scaling), "X [N X X]",
     .help = "What costs are multiplied with so that float16 holds their gradients: at first; good "
             "updates until it rises; what it rises and, after an overflow, falls by; its minimum. "
             "0: none. (default: 256 2000 2 1 with float16)"},
    {"label-smoothing", 0, CLI_FLOAT, AT(trainer.label_smoothing), .default_text = "0.1",
     .min = 0, .max = 0.99, .help = "Share of probability spread over all tokens."},
    {"transformer-dropout", 0, CLI_FLOAT, AT(trainer.dropout), .default_text = "0.1", .min = 0,
     .max = 0.99, .help = "Dropout of embeddings and of what each block adds."},
    {"transformer-dropout-attention", 0, CLI_FLOAT, AT(trainer.dropout_attention),
     .default_text = "0", .min = 0, .max = 0.99, .help = "Dropout of attention weights."},
    {"transformer-dropout-ffn", 0, CLI_FLOAT, AT(trainer.dropout_ffn), .default_text = "0",
     .min = 0, .max = 0.99, .help = "Dropout of what the feed-forward activation gives."},
    {"dropout-src", 0, CLI_FLOAT, AT(trainer.dropout_src), .default_text = "0", .min = 0,
     .max = 0.99, .help = "Dropout of source words."},
    {"dropout-trg", 0, CLI_FLOAT, AT(trainer.dropout_trg), .default_text = "0", .min = 0,
     .max = 0.99, .help = "Dropout of target words, where they are the decoder's input."},
    {"guided-alignment", 0, CLI_STRINGS, AT(data.alignments), "FILES|FIELD",
     .help = "Word alignments of the training text, a line each, as in '0-0 1-2': pieces of source "
             "and target that attention should connect; a file for each corpus, or with --tsv a "
             "field, counted from 0."},
    {"guided-alignment-cost", 0, CLI_CHOICE, AT(guided_alignment_cost), .default_text = "ce",
     .choices = alignment_costs,
     .help = "How it is compared: cross-entropy, mean squared error, or product."},
    {"guided-alignment-weight", 0, CLI_FLOAT, AT(trainer.guided_alignment_weight),
     .default_text = "0.1", .min = 0, .max = 1e6, .help = "Weight of that cost."},
    {"transformer-guided-alignment-layer", 0, CLI_STRING, AT(guided_alignment_layer), "LAYER",
     .default_text = "last",
     .help = "Decoder layer whose first head learns it: last, or from 1 on."},
    {"exponential-smoothing", 0, CLI_FLOAT, AT(trainer.exponential_smoothing), .default_text = "0",
     .implicit_text = "0.0001", .min = 0, .max = 0.99,
     .help = "Validate and save running averages of the parameters, in which new ones have this "
             "share; 0: the parameters themselves."},
    {"freeze", 0, CLI_STRINGS, AT(freeze), "PATTERNS",
     .help = "Leave the parameters of these names as they are; * stands for any characters: "
             "'model.encoder.*'."},

    {"after", 0, CLI_LIMIT, AT(after),
     .help = "Stop after so many epochs (10e), updates (20Ku) or target tokens (10Gt). Without a "
             "limit, Ctrl-C stops.", .group = "Course"},
    {"max-time", 0, CLI_DURATION, AT(trainer.max_seconds), .help = "Stop after this time."},
    {"disp-freq", 0, CLI_LIMIT, AT(disp_freq), "UPDATES", .default_text = "100",
     .help = "Updates between log lines."},
    {"valid-freq", 0, CLI_LIMIT, AT(valid_freq), "UPDATES", .default_text = "1000",
     .help = "Updates between validations."},
    {"keep-last", 0, CLI_U32, AT(trainer.keep_last), .default_text = "2", .min = 1, .max = 10000,
     .help = "Training states kept."},
    {"save-freq", 0, CLI_LIMIT, AT(save_freq), "UPDATES", .default_text = "1000",
     .help = "Updates between saves."},
    {"tensorboard", 0, CLI_STRING, AT(trainer.tensorboard_dir), "DIR",
     .help = "Write TensorBoard's event files there, too."},

    {"valid-metrics", 0, CLI_STRINGS, AT(valid_metrics), "NAMES",
     .help = "What validation computes: cross-entropy (mean of a sentence), ce-mean-words, "
             "perplexity, bleu, chrf, and translation, which only shows some. (default: "
             "ce-mean-words perplexity)", .group = "Validation"},
    {"early-stopping", 0, CLI_U32, AT(trainer.early_stopping), .default_text = "0",
     .help = "Stop after so many validations in a row without a new best; 0: never."},
    {"early-stopping-on", 0, CLI_CHOICE, AT(early_stopping_on), .default_text = "first",
     .choices = stopping, .help = "Metrics that must have stalled: the first, all, or any."},
    {"early-stopping-epsilon", 0, CLI_FLOAT, AT(early_stopping_epsilon), .default_text = "0",
     .min = 0, .max = 1e9, .help = "What a new best must gain."},
    {"keep-best", 0, CLI_FLAG, AT(trainer.keep_best),
     .help = "Save the best model by each metric, as the model directory DIR/best-NAME."},
    {"valid-translation-output", 0, CLI_STRING, AT(valid_translation_output), "FILE",
     .help = "Keep the last translations of the validation text."},
    {"valid-tokenize", 0, CLI_CHOICE, AT(valid_tokenize), .default_text = "13a",
     .choices = tokenizations, .help = "How bleu cuts lines into words."},
    {"beam-size", 'b', CLI_U32, AT(search.beam_size), .default_text = "4", .min = 1, .max = 64,
     .help = "Hypotheses kept at each step of these translations; 1 is greedy search."},
    {"normalize", 'n', CLI_FLOAT, AT(search.normalize), .default_text = "0", .implicit_text = "1",
     .min = 0, .max = 10, .help = "Divide their scores by the length to this power."},
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

static bool set_workspace(struct train_options *options, const struct cli_command *command) {
    struct vks_trainer_params *trainer = &options->trainer;
    bool is_auto = !strcmp(options->workspace, "auto");
    char *end = NULL;
    double mib = is_auto ? 0 : strtod(options->workspace, &end);
    if (!is_auto && (end == options->workspace || *end || !(mib >= 1 && mib <= 1e9))) {
        fprintf(stderr,
                NAME ": option '--workspace': '%s' is neither auto nor a number of MiB from 1 to "
                     "1000000000\n",
                options->workspace);
        return false;
    }
    if (!is_auto && !trainer->mini_batch_fit) {
        fprintf(stderr, NAME ": --workspace needs --mini-batch-fit\n");
        return false;
    }
    trainer->workspace_bytes = (uint64_t)(mib * 0x1p20);
    if (trainer->mini_batch_fit && !cli_was_given(command, "mini-batch-words"))
        trainer->mini_batch_words = 0;
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
    bool may_be_any = trainer->mini_batch_fit && trainer->mini_batch_words == 0;
    if (trainer->max_length >= trainer->mini_batch_words && !may_be_any) {
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
                                              "transformer-decoder-autoreg",
                                              "dec-cell",
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

static bool set_validation(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const struct cli_strings *names = &options->valid_metrics;
    if (names->num && !options->data.valid_sets.num) {
        fprintf(stderr, NAME ": --valid-metrics needs --valid-sets\n");
        return false;
    }
    for (size_t i = 0; i < names->num; i++) {
        size_t known = 0;
        while (metrics[known] && strcmp(names->items[i], metrics[known]))
            known++;
        if (!metrics[known]) {
            fprintf(stderr,
                    NAME ": option '--valid-metrics': unknown metric '%s'; did you mean "
                         "'%s'?\n",
                    names->items[i], cli_nearest(names->items[i], metrics, known));
            return false;
        }
    }
    trainer->valid_metrics = (const char *const *)names->items;
    trainer->num_valid_metrics = (uint32_t)names->num;
    trainer->early_stopping_on =
        (enum vks_early_stopping_on)index_of(options->early_stopping_on, stopping);
    trainer->early_stopping_epsilon = (double)options->early_stopping_epsilon;
    return true;
}

static bool set_guided_alignment(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    const char *text = options->guided_alignment_layer;
    char *end;
    long layer = strcmp(text, "last") ? strtol(text, &end, 10) : 0;
    trainer->guided_alignment_cost =
        (enum vks_alignment_cost)index_of(options->guided_alignment_cost, alignment_costs);
    trainer->guided_alignment_layer = (uint32_t)layer;
    if (!strcmp(text, "last") || (end != text && !*end && layer >= 1 && layer <= 1000))
        return true;
    fprintf(stderr,
            NAME ": option '--transformer-guided-alignment-layer': '%s' is neither last nor a "
                 "layer from 1 to 1000\n",
            text);
    return false;
}

static bool set_trainer(struct train_options *options) {
    struct vks_trainer_params *trainer = &options->trainer;
    trainer->model_dir = options->model;
    set_limit(options);
    trainer->schedule = (enum vks_schedule)index_of(options->schedule, schedules);
    trainer->optimizer = (enum vks_optimizer)index_of(options->optimizer, optimizers);
    trainer->precision = precision_of_name(options->precision);
    trainer->lr_decay_strategy = (enum vks_lr_decay)index_of(options->lr_decay_strategy, decays);
    return train_data_options_set(&options->data, trainer) &&
           (options->schedule_updates.num == 0 ||
            set_frequency(&options->schedule_updates, "lr-schedule-updates",
                          &trainer->schedule_updates)) &&
           set_frequency(&options->disp_freq, "disp-freq", &trainer->disp_freq) &&
           set_frequency(&options->valid_freq, "valid-freq", &trainer->valid_freq) &&
           set_frequency(&options->save_freq, "save-freq", &trainer->save_freq) &&
           train_optimizer_set(options) && set_guided_alignment(options) && set_validation(options);
}

static void replace(uint32_t *value, uint32_t wanted) {
    if (wanted)
        *value = wanted;
}

// Gives an option its value out of the task, unless it was given.
static void expand(const struct cli_command *command, const char *name, uint32_t task_value,
                   uint32_t *value) {
    if (!cli_was_given(command, name))
        *value = task_value;
    cli_set_given(command, name);
}

static enum cli_result dump_options(struct train_options *options,
                                    const struct cli_command *command) {
    struct vks_model_config shape = {0};
    if (!strcmp(options->dump_config, "expand")) {
        if (vks_model_config_preset(options->task, &shape) != VKS_OK)
            return CLI_ERROR;
        expand(command, "dim-emb", shape.width, &options->width);
        expand(command, "transformer-dim-ffn", shape.ffn_width, &options->ffn_width);
        expand(command, "transformer-heads", shape.num_heads, &options->num_heads);
        expand(command, "enc-depth", shape.encoder_layers, &options->encoder_layers);
        expand(command, "dec-depth", shape.decoder_layers, &options->decoder_layers);
    }
    bool all = strcmp(options->dump_config, "minimal") != 0;
    return cli_option_file_write(command, all, stdout) ? CLI_HELP : CLI_ERROR;
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
        .texts = &options->texts,
    };
    *options = (struct train_options){0};
    vks_trainer_defaults(&options->trainer);
    enum cli_result result = cli_parse(&command, argc, argv);
    if (result != CLI_OK)
        return result;
    note_given(options, &command);
    if (!set_trainer(options) || !set_workspace(options, &command) || !check_counts(options) ||
        !check_norm(options) || !check_tying(options))
        return CLI_ERROR;
    return options->dump_config ? dump_options(options, &command) : CLI_OK;
}

void train_options_free(struct train_options *options) {
    train_data_options_free(&options->data);
    cli_texts_free(&options->texts);
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
    shape.activation = (enum vks_activation)index_of(options->activation, train_activations);
    shape.positions = (enum vks_positions)index_of(options->positions, train_positions);
    shape.pre_norm = !strcmp(options->preprocess, "n");
    shape.decoder_cell = (enum vks_decoder_cell)index_of(options->autoreg, train_autoregs);
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
