#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/wide_characters.h"
#include "text/tokenizer_frame.h"
#include "text/tokenizer_object.h"
#include "text/tokenizer_parts.h"
#include "text/trim.h"
#include "vkseq/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

static const char blank_piece[] = "\xe2\x96\x81"; // U+2581

enum { BLANK_BYTES = sizeof blank_piece - 1 };

static enum vks_status out_of_memory(const struct vks_log *log) {
    log_error(log, "out of memory for text");
    return VKS_ERR_OOM;
}

// A text that is being cut.
struct cutting {
    const struct vks_tokenizer *tokenizer;
    enum vks_side side;
    struct spm_sampling sampling;
    uint32_t *ids;
    size_t num, capacity;
    bool ends_with_blank; // the last piece is a blank alone
    size_t wanted;        // of which id the text is kept; SIZE_MAX: none
    char *wanted_text;    // owned; NULL: there is no such id
};

static enum vks_status reserve_ids(struct cutting *cutting, size_t capacity) {
    size_t num_bytes;
    uint32_t *ids = size_mul(capacity, sizeof *ids, &num_bytes)
                        ? memory_realloc(cutting->ids, num_bytes)
                        : NULL;
    if (!ids)
        return out_of_memory(cutting->tokenizer->log);
    cutting->ids = ids;
    cutting->capacity = capacity;
    return VKS_OK;
}

static enum vks_status append_id(struct cutting *cutting, uint32_t id, const char *text,
                                 size_t text_bytes) {
    if (cutting->num == cutting->capacity)
        TRY(reserve_ids(cutting, 2 * cutting->capacity));
    if (cutting->num == cutting->wanted) {
        free(cutting->wanted_text);
        cutting->wanted_text = memory_calloc(text_bytes + 1, 1);
        if (!cutting->wanted_text)
            return out_of_memory(cutting->tokenizer->log);
        memcpy(cutting->wanted_text, text, text_bytes);
    }
    cutting->ids[cutting->num++] = id;
    return VKS_OK;
}

// A text that spells out </s> or <pad> does not mean it.
static enum vks_status append_piece(void *user, const char *piece, size_t piece_bytes) {
    struct cutting *cutting = user;
    const struct vocab *vocab = cutting->tokenizer->vocab[cutting->side];
    uint32_t id = vocab_find(vocab, piece, piece_bytes);
    if (cutting->tokenizer->keeps_blanks) {
        // Several blanks are one.
        bool is_blank = piece_bytes >= BLANK_BYTES && !memcmp(piece, blank_piece, BLANK_BYTES);
        cutting->num -= is_blank && cutting->ends_with_blank;
        cutting->ends_with_blank = is_blank && piece_bytes == BLANK_BYTES;
    }
    id = id == vocab->eos_id || id == vocab->pad_id ? vocab->unk_id : id;
    return append_id(cutting, id, piece, piece_bytes);
}

// A text without added tokens.
static enum vks_status cut_plain(struct cutting *cutting, const char *text, size_t text_bytes) {
    const struct vks_tokenizer *t = cutting->tokenizer;
    size_t num_code = tokenizer_code_bytes(t, text, text_bytes);
    if (num_code > 0)
        TRY(append_id(cutting, vocab_find(t->vocab[cutting->side], text, num_code), text,
                      num_code));
    cutting->ends_with_blank = false;
    return spm_encode(t->spm[cutting->side], &cutting->sampling, text + num_code,
                      text_bytes - num_code, append_piece, cutting);
}

// The longest added token that a text begins with, or NULL.
static const struct added_token *added_at(const struct vks_tokenizer *tokenizer, const char *text,
                                          size_t text_bytes) {
    const struct added_token *found = NULL;
    size_t found_bytes = 0;
    for (size_t i = 0; i < tokenizer->num_text_tokens; i++) {
        const struct added_token *token = &tokenizer->text_tokens[i];
        size_t num_bytes = strlen(token->text);
        if (num_bytes > found_bytes && num_bytes <= text_bytes &&
            memcmp(text, token->text, num_bytes) == 0) {
            found = token;
            found_bytes = num_bytes;
        }
    }
    return found;
}

static enum vks_status cut(struct cutting *cutting, const char *text, size_t text_bytes) {
    const struct vks_tokenizer *t = cutting->tokenizer;
    size_t begin = 0, at = 0;
    while (t->num_text_tokens > 0 && at < text_bytes) {
        const struct added_token *token = added_at(t, text + at, text_bytes - at);
        if (!token) {
            at++;
            continue;
        }
        size_t num = at - begin;
        if (token->strips_left)
            num -= trim_right_bytes(text + begin, num);
        if (num > 0)
            TRY(cut_plain(cutting, text + begin, num));
        TRY(append_id(cutting, token->id, token->text, strlen(token->text)));
        at += strlen(token->text);
        if (token->strips_right)
            at += trim_left_bytes(text + at, text_bytes - at);
        begin = at;
    }
    return begin < text_bytes || begin == 0 ? cut_plain(cutting, text + begin, text_bytes - begin)
                                            : VKS_OK;
}

enum vks_status vks_tokenizer_encode(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const char *text, size_t text_bytes, uint32_t **ids,
                                     size_t *num_ids) {
    return vks_tokenizer_sample(tokenizer, &(struct vks_piece_sampling){.side = side}, text,
                                text_bytes, ids, num_ids);
}

enum vks_status vks_tokenizer_sample(const struct vks_tokenizer *tokenizer,
                                     const struct vks_piece_sampling *sampling, const char *text,
                                     size_t text_bytes, uint32_t **ids, size_t *num_ids) {
    struct cutting cutting = {.tokenizer = tokenizer,
                              .side = sampling->side,
                              .sampling = {sampling->alpha, sampling->seed},
                              .wanted = SIZE_MAX};
    TRY(reserve_ids(&cutting, text_bytes / 4 + 8));
    enum vks_status status = cut(&cutting, text, text_bytes);
    if (status != VKS_OK) {
        free(cutting.ids);
        return status;
    }
    *ids = cutting.ids;
    *num_ids = cutting.num;
    return VKS_OK;
}

enum vks_status tokenizer_token_text(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const char *text, size_t idx, char **token_text) {
    struct cutting cutting = {.tokenizer = tokenizer, .side = side, .wanted = idx};
    TRY(reserve_ids(&cutting, idx + 8));
    enum vks_status status = cut(&cutting, text, strlen(text));
    free(cutting.ids);
    if (status == VKS_OK && !cutting.wanted_text)
        cutting.wanted_text = memory_calloc(1, 1);
    if (status == VKS_OK && !cutting.wanted_text)
        status = out_of_memory(tokenizer->log);
    if (status != VKS_OK)
        free(cutting.wanted_text);
    else
        *token_text = cutting.wanted_text;
    return status;
}

// Whether a blank is expected in front of a text that begins so.
static bool needs_blank(const char *text, size_t text_bytes) {
    UChar32 c;
    int32_t i = 0;
    U8_NEXT((const uint8_t *)text, i,
            text_bytes < U8_MAX_LENGTH ? (int32_t)text_bytes : U8_MAX_LENGTH, c);
    return u_isalnum(c) && !character_is_wide(c);
}

enum vks_status tokenizer_encode_behind(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                        const char *text, size_t text_bytes, uint32_t **ids,
                                        size_t *num_ids) {
    const struct vocab *vocab = tokenizer->vocab[side];
    uint32_t *made;
    size_t num;
    TRY(vks_tokenizer_encode(tokenizer, side, text, text_bytes, &made, &num));
    const char *first = num > 0 ? vks_tokenizer_piece(tokenizer, side, made[0]) : NULL;
    bool has_blank = first && !strncmp(first, blank_piece, BLANK_BYTES);
    if (has_blank && first[BLANK_BYTES] == '\0')
        memmove(made, made + 1, --num * sizeof *made);
    else if (has_blank)
        made[0] = vocab_find(vocab, first + BLANK_BYTES, strlen(first) - BLANK_BYTES);
    if (num > 0 && (made[0] == vocab->unk_id || needs_blank(text, text_bytes)))
        num = 0;
    *ids = made;
    *num_ids = num;
    return VKS_OK;
}

enum vks_status vks_tokenizer_encode_sequence(const struct vks_tokenizer *tokenizer,
                                              const struct vks_sequence_params *params,
                                              const char *text, size_t text_bytes, uint32_t **ids,
                                              size_t *num_ids) {
    struct token_frame frame;
    uint32_t *made;
    size_t num;
    TRY(tokenizer_frame(tokenizer, params, tokenizer->log, &frame));
    TRY(vks_tokenizer_encode(tokenizer, params->side, text, text_bytes, &made, &num));
    if (!token_frame_add(&frame, num, &made, &num)) {
        free(made);
        return out_of_memory(tokenizer->log);
    }
    *ids = made;
    *num_ids = num;
    return VKS_OK;
}

// transformers leaves byte-pair encodings alone, as NLLB's is.
static bool cleans_up(const struct vks_tokenizer *tokenizer) {
    return tokenizer->settings.cleans_up && tokenizer->family != TOKENIZER_NLLB;
}

// Takes blanks out before marks of punctuation, in place.
// Source: PreTrainedTokenizerBase.clean_up_tokenization in transformers.
static void clean_up(char *text) {
    static const struct {
        const char *from, *to;
    } rules[] = {{" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
                 {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        size_t from_bytes = strlen(rules[i].from), to_bytes = strlen(rules[i].to);
        char *to = text;
        for (const char *from = text; *from;) {
            bool is_it = strncmp(from, rules[i].from, from_bytes) == 0;
            memmove(to, is_it ? rules[i].to : from, is_it ? to_bytes : 1);
            to += is_it ? to_bytes : 1;
            from += is_it ? from_bytes : 1;
        }
        *to = '\0';
    }
}

// Makes blanks of U+2581: SentencePiece leaves it in pieces that are not its own.
static void show_blanks(char *text) {
    char *to = text;
    for (const char *from = text; *from; to++) {
        bool is_blank = strncmp(from, blank_piece, BLANK_BYTES) == 0;
        *to = is_blank ? ' ' : *from;
        from += is_blank ? BLANK_BYTES : 1;
    }
    *to = '\0';
}

// What transformers does to a text that SentencePiece has put together.
static void finish_text(const struct vks_tokenizer *tokenizer, char *text) {
    if (tokenizer->family == TOKENIZER_MARIAN && tokenizer->settings.is_there)
        show_blanks(text);
    if (tokenizer->strips) {
        size_t num_bytes = strlen(text), left = trim_left_bytes(text, num_bytes);
        size_t right = left < num_bytes ? trim_right_bytes(text, num_bytes) : 0;
        memmove(text, text + left, num_bytes - left - right);
        text[num_bytes - left - right] = '\0';
    }
    if (cleans_up(tokenizer))
        clean_up(text);
}

// The text of ids as SentencePiece puts it together. instead: [num_ids], other texts; may be NULL.
static enum vks_status decode(const struct vks_tokenizer *tokenizer, enum vks_side side,
                              const uint32_t *ids, const char *const *instead, size_t num_ids,
                              char **text) {
    size_t num_bytes, num_pieces = 0;
    const char **pieces =
        size_mul(num_ids, sizeof *pieces, &num_bytes) ? memory_malloc(num_bytes + 1) : NULL;
    if (!pieces)
        return out_of_memory(tokenizer->log);
    for (size_t i = 0; i < num_ids; i++) {
        const char *piece = vks_tokenizer_piece(tokenizer, side, ids[i]);
        if (instead && instead[i])
            pieces[num_pieces++] = instead[i];
        else if (piece && !tokenizer->is_hidden[side][ids[i]])
            pieces[num_pieces++] = piece;
    }
    // As transformers does it: either side's pieces are the source's if there is one vocabulary.
    bool is_source = tokenizer->settings.is_there && vks_tokenizer_is_joint(tokenizer);
    enum vks_status status =
        spm_decode(tokenizer->spm[is_source ? VKS_SOURCE : side], pieces, num_pieces, text);
    free(pieces);
    return status;
}

enum vks_status vks_tokenizer_decode(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const uint32_t *ids, size_t num_ids, char **text) {
    return tokenizer_decode_with(tokenizer, side, ids, NULL, num_ids, text);
}

enum vks_status tokenizer_decode_with(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                      const uint32_t *ids, const char *const *instead,
                                      size_t num_ids, char **text) {
    TRY(decode(tokenizer, side, ids, instead, num_ids, text));
    finish_text(tokenizer, *text);
    return VKS_OK;
}

// Bytes before the last blank, from which on a mark that follows may take blanks out.
static size_t bytes_before_blank(const char *text) {
    const char *blank = strrchr(text, ' ');
    size_t num_bytes = blank ? (size_t)(blank - text) : 0;
    while (num_bytes >= 2 && memcmp(text + num_bytes - 2, " '", 2) == 0)
        num_bytes -= 2;
    return num_bytes;
}

enum vks_status tokenizer_decode_settled(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                         const uint32_t *ids, size_t num_ids, char **text) {
    // What stands for bytes of a character that have not all come.
    static const char replacement[] = "\xEF\xBF\xBD";
    TRY(decode(tokenizer, side, ids, NULL, num_ids, text));
    size_t num_bytes = strlen(*text);
    while (num_bytes >= 3 && memcmp(*text + num_bytes - 3, replacement, 3) == 0)
        num_bytes -= 3;
    (*text)[num_bytes] = '\0';
    if (cleans_up(tokenizer))
        (*text)[bytes_before_blank(*text)] = '\0';
    finish_text(tokenizer, *text);
    return VKS_OK;
}
