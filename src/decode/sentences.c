#include "decode/sentences.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum vks_status sentences_check_vocabulary(const struct vks_model_config *config,
                                           const struct vks_tokenizer *tokenizer,
                                           const struct vks_log *log) {
    const struct {
        const char *what;
        uint32_t of_tokenizer, of_model;
        bool fits;
    } checks[] = {
        {"source vocabulary size", vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE),
         config->source_vocab, tokenizer_fits(tokenizer, VKS_SOURCE, config->source_vocab)},
        {"target vocabulary size", vks_tokenizer_vocab_size(tokenizer, VKS_TARGET),
         config->target_vocab, tokenizer_fits(tokenizer, VKS_TARGET, config->target_vocab)},
        {"id of the source's </s>", vks_tokenizer_eos_id(tokenizer, VKS_SOURCE), config->eos_id,
         vks_tokenizer_eos_id(tokenizer, VKS_SOURCE) == config->eos_id},
        {"id of the target's </s>", vks_tokenizer_eos_id(tokenizer, VKS_TARGET), config->eos_id,
         vks_tokenizer_eos_id(tokenizer, VKS_TARGET) == config->eos_id},
        {"id of the target's <pad>", vks_tokenizer_pad_id(tokenizer, VKS_TARGET), config->pad_id,
         vks_tokenizer_pad_id(tokenizer, VKS_TARGET) == config->pad_id},
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        if (checks[i].fits)
            continue;
        log_error(log,
                  "the vocabulary and the model do not belong together: %s is %u in the "
                  "vocabulary and %u in the model's configuration",
                  checks[i].what, checks[i].of_tokenizer, checks[i].of_model);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

static enum vks_status encode(const struct sentences_params *params, const char *line,
                              uint64_t line_number, struct sentence *sentence) {
    uint32_t *ids;
    size_t num_ids;
    const char *side = params->side == VKS_SOURCE ? "source" : "target";
    if (!vks_utf8_is_valid(line, strlen(line))) {
        log_error(params->log, "%s line %" PRIu64 ": not UTF-8", side, line_number);
        return VKS_ERR_FORMAT;
    }
    TRY(vks_tokenizer_encode(params->tokenizer, params->side, line, strlen(line), &ids, &num_ids));
    if (num_ids == 0 && params->keep_empty) {
        free(ids);
        return VKS_OK;
    }
    uint32_t frame_size = token_frame_size(&params->frame);
    size_t most = max_u32(params->max_tokens, frame_size) - frame_size, num_kept = num_ids;
    if (num_ids > most) {
        log_warn(params->log, "%s line %" PRIu64 " has %zu tokens; those after %zu are cut off",
                 side, line_number, num_ids, most);
        num_kept = most;
    }
    if (!token_frame_add(&params->frame, num_kept, &ids, &num_ids)) {
        free(ids);
        return VKS_ERR_OOM;
    }
    *sentence = (struct sentence){.ids = ids, .num_ids = (uint32_t)num_ids, .line = line_number};
    return VKS_OK;
}

enum vks_status sentences_encode(const struct sentences_params *params, const char *const *lines,
                                 size_t num_lines, struct sentence **result) {
    struct sentence *sentences = memory_calloc(num_lines + 1, sizeof *sentences);
    enum vks_status status = sentences ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < num_lines && status == VKS_OK; i++)
        status = encode(params, lines[i],
                        params->line_numbers ? params->line_numbers[i] : params->first_line + i + 1,
                        &sentences[i]);
    if (status != VKS_OK)
        sentences_free(sentences, num_lines);
    else
        *result = sentences;
    return status;
}

void sentences_free(struct sentence *sentences, size_t num_sentences) {
    for (size_t i = 0; sentences && i < num_sentences; i++)
        free(sentences[i].ids);
    free(sentences);
}
