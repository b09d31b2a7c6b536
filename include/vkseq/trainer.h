// Teacher-forced training on parallel text.
#ifndef VKSEQ_TRAINER_H
#define VKSEQ_TRAINER_H

#include "vkseq/model.h"
#include "vkseq/text.h"
#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_optimizer { VKS_ADAM, VKS_ADAMW, VKS_SGD };

// How the learning rate falls after its warm-up: with the inverse square root of the update, to
// about 0 in a line or half a cosine, or not at all.
enum vks_schedule {
    VKS_SCHEDULE_INVERSE_SQRT,
    VKS_SCHEDULE_LINEAR,
    VKS_SCHEDULE_COSINE,
    VKS_SCHEDULE_CONSTANT,
};

// When the learning rate is multiplied by lr_decay, as Marian does: before each epoch from the
// first of lr_decay_start on; every lr_decay_freq updates from it on; each time the validation
// metrics of early_stopping_on have stalled that many times more. The last two: before epochs, from
// that one on, or once updates, or the most validations that have stalled in a row, have reached
// the second of lr_decay_start.
enum vks_lr_decay {
    VKS_LR_DECAY_EPOCH,
    VKS_LR_DECAY_BATCHES,
    VKS_LR_DECAY_STALLED,
    VKS_LR_DECAY_EPOCH_BATCHES,
    VKS_LR_DECAY_EPOCH_STALLED,
};

// Which validation metrics must have stalled before training stops early.
enum vks_early_stopping_on {
    VKS_EARLY_STOPPING_ON_FIRST,
    VKS_EARLY_STOPPING_ON_ALL,
    VKS_EARLY_STOPPING_ON_ANY,
};

// How the attention of a head, a for each source token, is compared with the shares g of the
// tokens that a target token is aligned with: -sum g log a, sum (a - g)^2 / 2, -log sum a g.
enum vks_alignment_cost { VKS_ALIGNMENT_CE, VKS_ALIGNMENT_MSE, VKS_ALIGNMENT_MULT };
// What is shuffled anew in each epoch: the sentences of the whole text and then batches; only the
// batches of each part of it that is sorted at a time; or nothing, and then nothing is sorted.
enum vks_shuffle { VKS_SHUFFLE_DATA, VKS_SHUFFLE_BATCHES, VKS_SHUFFLE_NONE };

// What sentence pairs are sorted by, before batches are made of them: the longer and then the
// shorter side, one side and then the other one, or nothing.
enum vks_maxi_batch_sort { VKS_SORT_LONGER, VKS_SORT_TARGET, VKS_SORT_SOURCE, VKS_SORT_NONE };

// Gradients are taken of costs times a scale, so that float16 holds them, and divided by it. The
// scale begins as `factor`, is multiplied after `frequency` applied updates (0: never), and divided
// when a gradient is not finite, down to the minimum; below it the learning rate is halved instead.
// Source: Micikevicius et al. 2017, arXiv:1710.03740.
struct vks_cost_scaling {
    float factor; // 0: float16 has {256, 2000, 2, 1}, others no scale
    uint32_t frequency;
    float multiplier, minimum;
};

// What has happened so far. Costs are label-smoothed cross-entropies in nats a target token.
struct vks_train_progress {
    uint64_t epoch;           // 1-based, as in the log
    uint64_t update;          // applied updates
    uint64_t target_tokens;   // seen, </s> included
    uint64_t planned_updates; // 0: not known
    double cost;              // of the last update
    double tokens_per_second; // target tokens, since the last call
    double learn_rate;
};

// Keeps trainers of other processes away from a model directory while it lives.
struct vks_model_lock;

// Makes the directory if need be. Errors: VKS_ERR_IO, also when another process has the lock;
// VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_model_lock_create(const char *model_dir,
                                                             const struct vks_log *log,
                                                             struct vks_model_lock **lock);
VKS_API void vks_model_lock_destroy(struct vks_model_lock **lock);

// Start from vks_trainer_defaults; the values it sets are in parentheses.
struct vks_trainer_params {
    const char *model_dir;             // where the model and the training state are saved
    const struct vks_model_lock *lock; // of model_dir; NULL: the trainer takes it
    const char *train_source, *train_target;
    const struct vks_text_set *train_sets; // one or several corpora instead of those two files
    uint32_t num_train_sets;
    const char *valid_source, *valid_target; // NULL: no validation
    const struct vks_text_set *valid_set;    // instead of those two files
    bool weighs_words;                       // weights are of target tokens (false: of sentences)
    // What both sides of all text are in, by codes of the tokenizer's languages; tokens for it
    // stand in the sequences, as of vks_tokenizer_encode_sequence. NULL: what the model directory
    // says.
    const char *source_language, *target_language;
    float sentencepiece_alphas[2]; // source, target: draw pieces in each epoch (0: the best ones)
    // Probability that a pair's placeholders (%s, {0}, <b>), and some of the names and numbers that
    // both sides have, are masked by the vocabulary's <ph0> to <ph15>. The model is one that masks
    // in translation then (0: never)
    float mask_placeholders;
    const char *temp_dir;   // for text that memory does not hold (NULL: it does)
    uint64_t shuffle_bytes; // of memory to shuffle it with (256 MiB)
    uint32_t data_threads;  // that tokenise (0: as many as processors)

    uint32_t mini_batch_words; // most tokens a side of a batch (1536)
    // Finds mini_batch_words instead: as many as programs can have in workspace_bytes of device
    // memory, and no more than mini_batch_words where that is above 0 (false). What was found is
    // part of the training state, and the same when training goes on. Should device memory fail
    // then, batches are worked through in parts; the bits are others after that, and the log says
    // so.
    bool mini_batch_fit;
    uint64_t workspace_bytes;  // 0: nine tenths of what the device has left (0)
    uint32_t mini_batch;       // most sentence pairs of a batch (0: as many as tokens fit)
    uint32_t maxi_batch_pairs; // sentence pairs sorted by length at a time (4000)
    uint32_t max_length;       // longer sentences are left out, in tokens (100)
    bool max_length_crop;      // ... or cut (false)
    enum vks_shuffle shuffle;  // (VKS_SHUFFLE_DATA)
    enum vks_maxi_batch_sort maxi_batch_sort; // (VKS_SORT_LONGER)
    bool no_restore_corpus; // resume at the begin of a new epoch, also with other text (false)

    enum vks_optimizer optimizer; // (VKS_ADAM)
    float learn_rate;             // peak (1e-3)
    uint32_t warmup;              // updates (0: the smaller of 2,000 and a tenth of the planned)
    enum vks_schedule schedule;   // (VKS_SCHEDULE_INVERSE_SQRT)
    uint32_t schedule_updates;    // where a linear or cosine schedule ends (0: the planned updates)
    float beta1, beta2, eps;      // (0.9, 0.98, 1e-9); beta1 is SGD's momentum
    float weight_decay;           // (0)
    float clip_norm;              // 0: no clipping (1)
    float label_smoothing;        // (0.1)
    float dropout;                // of embeddings and of what blocks add (0.1)
    float dropout_attention;      // of attention weights (0)
    float dropout_ffn;            // of what the feed-forward activation gives (0)
    float dropout_src, dropout_trg; // of source and target words' embeddings as a whole (0)

    // Guided alignment: the first head of a decoder layer learns to attend to the source tokens
    // that a target token is aligned with: a line for each line of the training text, points
    // SOURCE-TARGET between blanks, counted from 0 in the vocabulary's pieces.
    const char *guided_alignment;                  // of train_source and train_target; NULL: none
    enum vks_alignment_cost guided_alignment_cost; // (VKS_ALIGNMENT_CE)
    float guided_alignment_weight;                 // beside the cost of the text (0.1)
    uint32_t guided_alignment_layer;               // from 1 on; 0: the last (0)

    enum vks_precision precision;         // (VKS_FLOAT32)
    struct vks_cost_scaling cost_scaling; // ({0})

    // An update has the gradients of so many batches, or of as many as reach so many target words.
    uint32_t optimizer_delay;       // batches (0: one, or by words)
    uint32_t optimizer_delay_words; // 0: by batches (0)

    float lr_decay;                      // what the rate is multiplied by; 0: never (0)
    enum vks_lr_decay lr_decay_strategy; // (VKS_LR_DECAY_EPOCH_STALLED)
    uint32_t lr_decay_start[2];          // (10, 1)
    uint32_t lr_decay_freq;              // (50000)
    bool lr_decay_repeat_warmup;         // after each decay the rate rises from 0 in a line (false)
    bool lr_report;                      // say the rate in log lines (true)

    // Least share of the parameters in their running averages, which are then validated and
    // exported; 0: no averages (0). Source: Polyak and Juditsky 1992.
    float exponential_smoothing;

    // Patterns of names of parameters that stay as they are: * stands for any characters, ? for
    // one.
    const char *const *freeze;
    uint32_t num_freeze;

    uint64_t after_epochs, after_updates, after_target_tokens; // 0: no such limit (0)
    double max_seconds;                                        // 0: no limit (0)
    uint32_t disp_freq;                                        // updates between log lines (100)
    uint32_t valid_freq; // updates between validations (1000); also at the end
    uint32_t save_freq;  // updates between saves (1000); also at the end
    uint32_t keep_last;  // training states kept (2)
    uint32_t seed;       // (1)

    // Figures of a validation, at most 8: "cross-entropy" (mean of a sentence), "ce-mean-words" and
    // "perplexity" are computed here, any other name by on_score (ce-mean-words and perplexity).
    const char *const *valid_metrics;
    uint32_t num_valid_metrics;
    bool keep_best;          // the best model by each, saved in model_dir/best-NAME (false)
    uint32_t early_stopping; // stop after so many validations without a new best; 0: never (0)
    enum vks_early_stopping_on early_stopping_on; // (VKS_EARLY_STOPPING_ON_FIRST)
    double early_stopping_epsilon;                // what a new best must gain (0)
    const char *tensorboard_dir;                  // for event files; NULL: none

    const char *dump_batches; // file that gets the pair numbers of every batch; NULL: none

    // Called after every batch; false stops training after it, and saves. NULL: never stops.
    bool (*on_update)(void *user, const struct vks_train_progress *progress);
    // Gives a validation metric of the model as it is, such as "bleu"; higher is better, and
    // NaN is no figure. The model may be used meanwhile. A failure ends the training.
    enum vks_status (*on_score)(void *user, const char *metric, double *value);
    void *user;
    const struct vks_log *log; // training log, in Marian's line format, at VKS_LOG_INFO
};

// Reads corpora to their ends, and finds what is wrong with them: unequal numbers of lines, lines
// with another number of fields, and what vks_line_reader_next complains about. Standard input is
// left alone, and counts no line. Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_UNSUPPORTED,
// VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_trainer_check_text(const struct vks_text_set *sets,
                                                              uint32_t num_sets,
                                                              const struct vks_log *log,
                                                              uint64_t *num_lines);

// Fills in the defaults.
VKS_API void vks_trainer_defaults(struct vks_trainer_params *params);

struct vks_trainer;

// Prepares training of a model: reads the corpora, builds the programs, and, when model_dir holds a
// training state, goes on from there (the same bits as if it had not been interrupted).
// model_dir is locked against a second trainer. model, tokenizer, params' lock and strings:
// borrowed while the trainer lives. Errors: VKS_ERR_ARGUMENT, VKS_ERR_IO, VKS_ERR_FORMAT,
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, ...
VKS_API VKS_MUST_CHECK enum vks_status vks_trainer_create(const struct vks_trainer_params *params,
                                                          struct vks_model *model,
                                                          const struct vks_tokenizer *tokenizer,
                                                          struct vks_trainer **trainer);

// Whether a training state was found, and how many updates it had.
VKS_API bool vks_trainer_is_resumed(const struct vks_trainer *trainer, uint64_t *updates);

// Trains until a limit is reached or on_update says stop, then saves. A training state is saved
// before the first update as well. When the device is lost, it is opened again and training goes on
// from the newest state, with the same bits in the end; the model must be all there is on it.
// Errors: VKS_ERR_IO when saving fails (training state and model of the last save stay),
// VKS_ERR_DIVERGED when gradients stay not finite, VKS_ERR_DEVICE_LOST when the device was lost too
// often without a state saved in between, or those of opening it. After a device was lost for good,
// the model and what else is on it can only be destroyed.
VKS_API VKS_MUST_CHECK enum vks_status vks_trainer_run(struct vks_trainer *trainer);

// What was not saved is lost.
VKS_API void vks_trainer_destroy(struct vks_trainer **trainer);

#ifdef __cplusplus
}
#endif
#endif
