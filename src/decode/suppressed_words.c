#include "decode/suppressed_words.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

// Takes the ids.
static void add(struct suppressed_words *words, uint32_t *ids, size_t num_ids) {
    if (num_ids > 0)
        words->items[words->num++] = (struct token_list){ids, (uint32_t)num_ids};
    else
        free(ids);
}

static enum vks_status encode(const struct vks_tokenizer *tokenizer, const char *word,
                              const struct vks_log *log, struct suppressed_words *words) {
    uint32_t *ids, unk_id = vks_tokenizer_unk_id(tokenizer, VKS_TARGET);
    size_t num_ids, num_bytes = strlen(word);
    const char *unk = vks_tokenizer_piece(tokenizer, VKS_TARGET, unk_id);
    if (!vks_utf8_is_valid(word, num_bytes)) {
        log_error(log, "a suppressed word is not UTF-8");
        return VKS_ERR_FORMAT;
    }
    TRY(vks_tokenizer_encode(tokenizer, VKS_TARGET, word, num_bytes, &ids, &num_ids));
    bool is_unk = unk && strcmp(word, unk) == 0 && num_ids > 0; // it has no text of its own
    if (is_unk) {
        ids[0] = unk_id;
        num_ids = 1;
    }
    add(words, ids, num_ids);
    if (num_ids == 0) {
        log_error(log, "the suppressed word '%s' has no tokens", word);
        return VKS_ERR_ARGUMENT;
    }
    if (is_unk)
        return VKS_OK;
    TRY(tokenizer_encode_behind(tokenizer, VKS_TARGET, word, num_bytes, &ids, &num_ids));
    add(words, ids, num_ids);
    return VKS_OK;
}

enum vks_status suppressed_words_init(const struct vks_tokenizer *tokenizer,
                                      const char *const *words, size_t num_words,
                                      const struct vks_log *log, struct suppressed_words *result) {
    *result =
        (struct suppressed_words){.items = memory_calloc(2 * num_words + 1, sizeof *result->items)};
    if (!result->items)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num_words; i++)
        TRY(encode(tokenizer, words[i], log, result));
    return VKS_OK;
}

void suppressed_words_finish(struct suppressed_words *words) {
    for (uint32_t i = 0; i < words->num; i++)
        free((void *)words->items[i].ids);
    free(words->items);
    *words = (struct suppressed_words){0};
}
