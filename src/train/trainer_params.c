// What a trainer is asked for: its defaults, and what must hold.
#include "base/log.h"
#include "text/placeholders.h"
#include "text/tokenizer_frame.h"
#include "train/trainer_object.h"

#include <stdio.h>
#include <string.h>

void vks_trainer_defaults(struct vks_trainer_params *params) {
    *params = (struct vks_trainer_params){
        .mini_batch_words = 1536,
        .maxi_batch_pairs = 4000,
        .max_length = 100,
        .learn_rate = 1e-3f,
        .beta1 = 0.9f,
        .beta2 = 0.98f,
        .eps = 1e-9f,
        .lr_decay_strategy = VKS_LR_DECAY_EPOCH_STALLED,
        .lr_decay_start = {10, 1},
        .lr_decay_freq = 50000,
        .lr_report = true,
        .clip_norm = 1.0f,
        .label_smoothing = 0.1f,
        .dropout = 0.1f,
        .guided_alignment_weight = 0.1f,
        .disp_freq = 100,
        .valid_freq = 1000,
        .save_freq = 1000,
        .keep_last = 2,
        .seed = 1,
        .shuffle_bytes = (uint64_t)256 << 20,
    };
}

static bool is_share(float value) {
    return value >= 0 && value < 1;
}

// Whether the vocabulary's own symbol is a piece of each side's model.
static bool has_placeholders(const struct vks_tokenizer *tokenizer) {
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++) {
        for (uint32_t i = 0; i < PLACEHOLDERS_MAX; i++) {
            char symbol[PLACEHOLDERS_MAX_SYMBOL_BYTES + 1];
            uint32_t *ids, last = UINT32_MAX;
            size_t num_ids;
            size_t num_bytes = (size_t)snprintf(symbol, sizeof symbol, "<ph%u>", (unsigned)i);
            if (vks_tokenizer_encode(tokenizer, (enum vks_side)side, symbol, num_bytes, &ids,
                                     &num_ids) != VKS_OK)
                return false;
            if (num_ids > 0)
                last = ids[num_ids - 1];
            vks_free(ids);
            const char *piece = vks_tokenizer_piece(tokenizer, (enum vks_side)side, last);
            if (!piece || strcmp(piece, symbol) != 0)
                return false;
        }
    }
    return true;
}

enum vks_status vks_trainer_check_text(const struct vks_text_set *sets, uint32_t num_sets,
                                       const struct vks_log *log, uint64_t *num_lines) {
    uint64_t num = 0;
    for (uint32_t i = 0; i < num_sets; i++) {
        struct text_count count = {0};
        if (!vks_is_stdin(sets[i].source))
            TRY(text_set_count(&sets[i], log, &count));
        num += count.num_pairs;
    }
    *num_lines = num;
    return VKS_OK;
}

// Each of these: what is wrong, or NULL.

static const char *fault_of_batches(const struct vks_trainer_params *p) {
    bool may_be_any = p->mini_batch_fit && p->mini_batch_words == 0;
    if (!p->model_dir || !training_data_is_named(p))
        return "a model directory and a training text for both sides are needed";
    if (!p->valid_source != !p->valid_target)
        return "a validation text is needed for both sides, or for none";
    if (p->mini_batch_words < 2 && !may_be_any)
        return "a batch must hold 2 words or more";
    if (p->max_length == 0 || (p->max_length >= p->mini_batch_words && !may_be_any))
        return "the longest sentence must be shorter than a batch (mini-batch-words)";
    if (p->shuffle > VKS_SHUFFLE_NONE || p->maxi_batch_sort > VKS_SORT_NONE)
        return "text is shuffled and sorted in one of the known ways";
    return NULL;
}

static const char *fault_of_updates(const struct vks_trainer_params *p) {
    const struct vks_cost_scaling *scaling = &p->cost_scaling;
    if (!is_share(p->dropout) || !is_share(p->dropout_attention) || !is_share(p->dropout_ffn) ||
        !is_share(p->dropout_src) || !is_share(p->dropout_trg) || !is_share(p->label_smoothing))
        return "dropout and label smoothing are from 0 to under 1";
    if (!(p->learn_rate > 0) || !(p->clip_norm >= 0) || !(p->weight_decay >= 0))
        return "the learning rate must be above 0, clipping and decay 0 or more";
    if (p->optimizer > VKS_SGD)
        return "the optimiser must be Adam, AdamW or SGD";
    if (!(p->lr_decay >= 0 && p->lr_decay <= 1) ||
        !(p->exponential_smoothing >= 0 && p->exponential_smoothing < 1))
        return "the decay of the learning rate is from 0 to 1, smoothing from 0 to under 1";
    if (p->lr_decay_strategy > VKS_LR_DECAY_EPOCH_STALLED)
        return "there is no such strategy of the decay of the learning rate";
    if (p->schedule > VKS_SCHEDULE_CONSTANT)
        return "the schedule must be inverse square root, linear, cosine or constant";
    if (p->precision > VKS_BFLOAT16)
        return "the precision must be float32, float16 or bfloat16";
    if (!(scaling->factor >= 0) ||
        (scaling->factor > 0 && (!(scaling->multiplier >= 1) || !(scaling->minimum > 0) ||
                                 scaling->factor < scaling->minimum)))
        return "the costs' scale is at least its minimum, above 0, its multiplier 1 or more";
    return NULL;
}

static const char *fault_of_pieces(const struct vks_trainer_params *p,
                                   const struct vks_tokenizer *tokenizer) {
    if (!(p->sentencepiece_alphas[VKS_SOURCE] >= 0) || !(p->sentencepiece_alphas[VKS_TARGET] >= 0))
        return "the powers of SentencePiece's probabilities are 0 or more";
    if (p->weighs_words && p->sentencepiece_alphas[VKS_TARGET] > 0)
        return "weights of words need the same words in each epoch (no SentencePiece sampling)";
    if (!(p->mask_placeholders >= 0 && p->mask_placeholders <= 1))
        return "the probability of masking placeholders is from 0 to 1";
    if (p->mask_placeholders > 0 && (p->weighs_words || training_data_has_alignments(p)))
        return "weights of words and alignments need the same words in each epoch (no masking of "
               "placeholders)";
    if (p->mask_placeholders > 0 && !has_placeholders(tokenizer))
        return "masking placeholders needs a vocabulary with <ph0> to <ph15>";
    return NULL;
}

static const char *fault_of_vocabulary(const struct vks_model_config *config,
                                       const struct vks_tokenizer *tokenizer) {
    if (!tokenizer_fits(tokenizer, VKS_SOURCE, config->source_vocab) ||
        !tokenizer_fits(tokenizer, VKS_TARGET, config->target_vocab))
        return "the vocabulary and the model do not belong together";
    if (config->pad_id != vks_tokenizer_pad_id(tokenizer, VKS_TARGET) ||
        config->eos_id != vks_tokenizer_eos_id(tokenizer, VKS_TARGET))
        return "the model's <pad> and </s> are not the vocabulary's";
    return NULL;
}

enum vks_status trainer_check_params(const struct vks_trainer_params *p,
                                     const struct vks_model_config *config,
                                     const struct vks_tokenizer *tokenizer) {
    const char *wrong = fault_of_batches(p);
    if (!wrong)
        wrong = fault_of_updates(p);
    if (!wrong)
        wrong = fault_of_pieces(p, tokenizer);
    if (!wrong)
        wrong = fault_of_vocabulary(config, tokenizer);
    if (!wrong)
        return VKS_OK;
    log_error(p->log, "training: %s (model: vocabularies of %u and %u; tokenizer: %u and %u)",
              wrong, config->source_vocab, config->target_vocab,
              vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE),
              vks_tokenizer_vocab_size(tokenizer, VKS_TARGET));
    return VKS_ERR_ARGUMENT;
}
