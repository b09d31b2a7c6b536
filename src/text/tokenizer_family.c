#include "text/tokenizer_family.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "text/language_codes.h"
#include "text/tokenizer_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES ((size_t)1 << 29)

enum { NUM_FAIRSEQ_SPECIALS = 4, NUM_SPM_SPECIALS = 3, PEGASUS_SPECIALS = 2, MAX_OFFSET = 4096 };

static const char pegasus_name[] = "spiece.model", fairseq_name[] = "sentencepiece.bpe.model";
static const char vocab_name[] = "vocab.json", json_name[] = "tokenizer.json";

// Appended to a model, it sets remove_extra_whitespaces of its normaliser to false: a message in
// protobuf's wire format is merged with what came before (sentencepiece_model.proto: field 3 of
// ModelProto, field 4 of NormalizerSpec). The tokenizers library, which the classes of transformers
// for Pegasus, NLLB and mBART use, does not remove a blank at a text's end.
static const unsigned char keeps_blanks_setting[] = {0x1a, 0x02, 0x20, 0x00};

// The pieces of a vocabulary by their ids.
struct names {
    const char **items; // [num], in the arena
    uint32_t num, capacity;
    uint32_t num_pieces; // of the files; what comes behind was added
    struct arena arena;
};

static enum vks_status out_of_memory(const struct vks_tokenizer *tokenizer) {
    log_error(tokenizer->log, "out of memory for a vocabulary");
    return VKS_ERR_OOM;
}

static bool begins_with(const char *text, const char *start) {
    return text && strncmp(text, start, strlen(start)) == 0;
}

static enum vks_status refuse_class(const char *model_dir, const struct vks_tokenizer *tokenizer) {
    const char *name = tokenizer->settings.tokenizer_class;
    log_error(tokenizer->log,
              "%s: a vocabulary of '%.60s' is not supported; MarianTokenizer, PegasusTokenizer, "
              "M2M100Tokenizer, NllbTokenizer and MBart50Tokenizer are",
              model_dir, name ? name : "no class that is named");
    return VKS_ERR_FORMAT;
}

// What a directory with sentencepiece.bpe.model is, or with tokenizer.json alone.
static enum vks_status find_fairseq(const char *model_dir, bool has_model,
                                    struct vks_tokenizer *tokenizer) {
    const struct tokenizer_settings *s = &tokenizer->settings;
    const char *name = s->tokenizer_class, *type = s->model_type;
    bool has_vocab = has_model && directory_has(model_dir, vocab_name);
    if (has_model && (name ? begins_with(name, "M2M100Tokenizer") : has_vocab))
        tokenizer->family = TOKENIZER_M2M100;
    else if (name ? begins_with(name, "NllbTokenizer") : begins_with(type, "m2m_100"))
        tokenizer->family = TOKENIZER_NLLB;
    else if (name ? begins_with(name, "MBart50Tokenizer") : begins_with(type, "mbart"))
        tokenizer->family = TOKENIZER_MBART50;
    else if (!has_model && begins_with(name ? name : type, name ? "Pegasus" : "pegasus"))
        tokenizer->family = TOKENIZER_PEGASUS;
    else
        return refuse_class(model_dir, tokenizer);
    return VKS_OK;
}

enum vks_status tokenizer_family_find(const char *model_dir, struct vks_tokenizer *tokenizer) {
    struct tokenizer_settings *s = &tokenizer->settings;
    bool has_fairseq = directory_has(model_dir, fairseq_name);
    bool has_pegasus = directory_has(model_dir, pegasus_name);
    bool has_json = !directory_has(model_dir, vocab_name) && directory_has(model_dir, json_name);
    if (directory_has(model_dir, "source.spm") || (!has_fairseq && !has_pegasus && !has_json))
        return tokenizer_settings_read(model_dir, SETTINGS_ADDED_TOKENS, tokenizer->log, s);
    TRY(tokenizer_settings_read(model_dir, SETTINGS_CONFIG, tokenizer->log, s));
    if (has_fairseq || !has_pegasus)
        return find_fairseq(model_dir, has_fairseq, tokenizer);
    tokenizer->family = TOKENIZER_PEGASUS;
    if (s->tokenizer_class && !begins_with(s->tokenizer_class, "Pegasus"))
        return refuse_class(model_dir, tokenizer);
    return VKS_OK;
}

static enum vks_status set_name(struct names *names, uint32_t id, const char *text,
                                const struct vks_tokenizer *tokenizer) {
    if (id >= VOCAB_MAX_SIZE) {
        log_error(tokenizer->log, "the id %u of '%.60s': expected one below %d", id, text,
                  VOCAB_MAX_SIZE);
        return VKS_ERR_FORMAT;
    }
    if (id >= names->capacity) {
        uint32_t capacity = max_u32(2 * names->capacity, max_u32(id + 1, 1024));
        const char **grown = ARENA_NEW(&names->arena, const char *, capacity);
        if (!grown)
            return out_of_memory(tokenizer);
        if (names->num > 0)
            memcpy(grown, names->items, names->num * sizeof *grown);
        names->items = grown;
        names->capacity = capacity;
    }
    names->items[id] = text;
    names->num = max_u32(names->num, id + 1);
    return VKS_OK;
}

static enum vks_status add_name(struct names *names, const char *text,
                                const struct vks_tokenizer *tokenizer) {
    return set_name(names, names->num, text, tokenizer);
}

// Adds words that blanks part, with something before and behind each.
static enum vks_status add_codes(struct names *names, const char *codes, const char *around,
                                 const struct vks_tokenizer *tokenizer) {
    while (*codes) {
        size_t num_bytes = strcspn(codes, " "), around_bytes = strlen(around);
        char *name = arena_alloc(&names->arena, num_bytes + 2 * around_bytes + 1, 1);
        if (!name)
            return out_of_memory(tokenizer);
        memcpy(name, around, around_bytes);
        memcpy(name + around_bytes, codes, num_bytes);
        memcpy(name + around_bytes + num_bytes, around, around_bytes);
        TRY(add_name(names, name, tokenizer));
        codes += num_bytes + (codes[num_bytes] == ' ');
    }
    return VKS_OK;
}

// The pieces of a model from `first` on. Those before have to be specials.
static enum vks_status add_pieces(struct names *names, const char *const *specials, uint32_t first,
                                  const struct vks_tokenizer *tokenizer) {
    const struct spm *spm = tokenizer->spm[VKS_SOURCE];
    for (uint32_t i = 0; i < first; i++) {
        const char *piece = i < spm_num_pieces(spm) ? spm_piece(spm, i) : "missing";
        if (strcmp(piece, specials[i]) == 0)
            continue;
        log_error(tokenizer->log, "the SentencePiece model's piece %u is '%.60s': expected '%s'", i,
                  piece, specials[i]);
        return VKS_ERR_FORMAT;
    }
    for (uint32_t i = first; i < spm_num_pieces(spm); i++)
        TRY(add_name(names, spm_piece(spm, i), tokenizer));
    return VKS_OK;
}

// Pegasus: <pad>, </s>, two masks, <unk_2> to <unk_OFFSET-1>, then pieces, <unk> first.
static enum vks_status name_pegasus(struct names *names, const struct vks_tokenizer *tokenizer) {
    static const char *const specials[] = {"<pad>", "</s>"};
    uint32_t offset = tokenizer->settings.offset;
    if (offset > MAX_OFFSET || offset == 1) {
        log_error(tokenizer->log, "'offset' is %u: expected 0, or 2 to %d", offset, MAX_OFFSET);
        return VKS_ERR_FORMAT;
    }
    for (uint32_t i = 0; i < PEGASUS_SPECIALS; i++)
        TRY(add_name(names, specials[i], tokenizer));
    for (uint32_t i = 0; i < offset; i++) {
        char *name = arena_alloc(&names->arena, 32, 1);
        if (!name)
            return out_of_memory(tokenizer);
        snprintf(name, 32, i < 2 ? "<mask_%u>" : "<unk_%u>", i < 2 ? i + 1 : i);
        TRY(add_name(names, name, tokenizer));
    }
    TRY(add_pieces(names, specials, PEGASUS_SPECIALS, tokenizer));
    names->num_pieces = names->num;
    return VKS_OK;
}

// NLLB and mBART: fairseq's specials in place of the model's, then pieces; languages and <mask>
// behind them, unless the settings have them.
static enum vks_status name_fairseq(struct names *names, const struct vks_tokenizer *tokenizer) {
    static const char *const specials[NUM_FAIRSEQ_SPECIALS] = {"<s>", "<pad>", "</s>", "<unk>"};
    static const char *const of_model[NUM_SPM_SPECIALS] = {"<unk>", "<s>", "</s>"};
    const struct tokenizer_settings *s = &tokenizer->settings;
    for (uint32_t i = 0; i < NUM_FAIRSEQ_SPECIALS; i++)
        TRY(add_name(names, specials[i], tokenizer));
    TRY(add_pieces(names, of_model, NUM_SPM_SPECIALS, tokenizer));
    names->num_pieces = names->num;
    for (size_t i = 0; i < s->num_added; i++)
        if (s->added[i].id == names->num)
            return VKS_OK;
    TRY(add_codes(
        names, tokenizer->family == TOKENIZER_NLLB ? language_codes_nllb : language_codes_mbart50,
        "", tokenizer));
    return add_name(names, "<mask>", tokenizer);
}

// M2M100: vocab.json's, then languages.
static enum vks_status name_m2m100(struct names *names, const struct vocab *vocab,
                                   const struct vks_tokenizer *tokenizer) {
    const char *codes = tokenizer->settings.language_codes;
    bool is_wmt = codes && strcmp(codes, "wmt21") == 0;
    if (codes && !is_wmt && strcmp(codes, "m2m100") != 0) {
        log_error(tokenizer->log, "'language_codes' is '%.60s': expected m2m100 or wmt21", codes);
        return VKS_ERR_FORMAT;
    }
    for (uint32_t id = 0; id < vocab->size; id++)
        TRY(set_name(names, id, vocab->pieces[id], tokenizer));
    names->num_pieces = names->num;
    return add_codes(names, is_wmt ? language_codes_wmt21 : language_codes_m2m100, "__", tokenizer);
}

// The bytes of a model that a directory has only as tokenizer.json.
static enum vks_status read_json(const char *path, struct vks_tokenizer *tokenizer,
                                 unsigned char **model, size_t *model_bytes) {
    const struct spm_layout fairseq = {.pieces = {"<unk>", "<s>", "</s>"},
                                       .unk = 0,
                                       .bos = 1,
                                       .eos = 2,
                                       .pad = -1,
                                       .first_id = NUM_FAIRSEQ_SPECIALS};
    const struct spm_layout pegasus = {.pieces = {"<pad>", "</s>", "<unk>"},
                                       .unk = 2,
                                       .bos = -1,
                                       .eos = 1,
                                       .pad = 0,
                                       .first_id = tokenizer->settings.offset + 3};
    unsigned char *data = NULL;
    size_t num_bytes = 0;
    TRY(file_read(path, MAX_FILE_BYTES, tokenizer->log, &data, &num_bytes));
    const struct tokenizer_json json = {
        .json = (const char *)data,
        .num_bytes = num_bytes,
        .name = path,
        .log = tokenizer->log,
        .layout = tokenizer->family == TOKENIZER_PEGASUS ? &pegasus : &fairseq,
    };
    enum vks_status status = tokenizer_json_to_spm(&json, &tokenizer->settings, model, model_bytes);
    free(data);
    return status;
}

// The one model of both sides.
static enum vks_status load_model(const char *path, bool is_json, struct vks_tokenizer *tokenizer) {
    unsigned char *data = NULL;
    size_t num_bytes = 0, setting_bytes = tokenizer->keeps_blanks ? sizeof keeps_blanks_setting : 0;
    if (is_json)
        TRY(read_json(path, tokenizer, &data, &num_bytes));
    else
        TRY(file_read(path, MAX_FILE_BYTES, tokenizer->log, &data, &num_bytes));
    enum vks_status status = VKS_OK;
    unsigned char *grown = memory_realloc(data, num_bytes + sizeof keeps_blanks_setting);
    if (!grown) {
        status = out_of_memory(tokenizer);
    } else {
        data = grown;
        memcpy(data + num_bytes, keeps_blanks_setting, setting_bytes);
        status = spm_load(data, num_bytes + setting_bytes, path, tokenizer->log,
                          &tokenizer->spm[VKS_SOURCE]);
    }
    free(data);
    tokenizer->spm[VKS_TARGET] = tokenizer->spm[VKS_SOURCE];
    return status;
}

static enum vks_status make_vocab(const struct names *names, const char *name,
                                  struct vks_tokenizer *tokenizer) {
    struct vocab *vocab;
    TRY(vocab_from_pieces(names->items, names->num, name, tokenizer->log, &vocab));
    if (vks_tokenizer_is_joint(tokenizer))
        tokenizer->vocab[VKS_TARGET] = vocab;
    vocab_destroy(&tokenizer->vocab[VKS_SOURCE]);
    tokenizer->vocab[VKS_SOURCE] = vocab;
    return VKS_OK;
}

static enum vks_status load_vocab(const char *path, struct vks_tokenizer *tokenizer) {
    unsigned char *data = NULL;
    size_t num_bytes = 0;
    TRY(file_read(path, MAX_FILE_BYTES, tokenizer->log, &data, &num_bytes));
    enum vks_status status = vocab_parse((const char *)data, num_bytes, path, tokenizer->log,
                                         &tokenizer->vocab[VKS_SOURCE]);
    free(data);
    tokenizer->vocab[VKS_TARGET] = tokenizer->vocab[VKS_SOURCE];
    return status;
}

// Names the pieces of the files at these paths.
static enum vks_status name_pieces(struct names *names, const char *vocab_path,
                                   struct vks_tokenizer *tokenizer) {
    if (tokenizer->family == TOKENIZER_PEGASUS)
        return name_pegasus(names, tokenizer);
    if (tokenizer->family != TOKENIZER_M2M100)
        return name_fairseq(names, tokenizer);
    TRY(load_vocab(vocab_path, tokenizer));
    return name_m2m100(names, tokenizer->vocab[VKS_SOURCE], tokenizer);
}

enum vks_status tokenizer_family_load(const char *model_dir, struct vks_tokenizer *tokenizer) {
    const char *name = tokenizer->family == TOKENIZER_PEGASUS ? pegasus_name : fairseq_name;
    bool is_json = !directory_has(model_dir, name);
    char *path = path_join(model_dir, is_json ? json_name : name);
    char *vocab_path = path_join(model_dir, vocab_name);
    struct names names = {0};
    tokenizer->keeps_blanks = tokenizer->family != TOKENIZER_M2M100;
    tokenizer->strips = !tokenizer->keeps_blanks;
    enum vks_status status = path && vocab_path ? VKS_OK : out_of_memory(tokenizer);
    if (status == VKS_OK)
        status = load_model(path, is_json, tokenizer);
    if (status == VKS_OK)
        status = name_pieces(&names, vocab_path, tokenizer);
    if (status == VKS_OK)
        status = make_vocab(&names, path, tokenizer);
    tokenizer->num_pieces = names.num_pieces;
    arena_finish(&names.arena);
    free(path);
    free(vocab_path);
    return status;
}

// Gives added tokens their ids, where these are not taken by the same piece. Vocabularies that are
// separate have them already.
static enum vks_status add_tokens(struct vks_tokenizer *tokenizer) {
    const struct vocab *vocab = tokenizer->vocab[VKS_SOURCE];
    const struct tokenizer_settings *s = &tokenizer->settings;
    struct names names = {0};
    enum vks_status status = VKS_OK;
    size_t num_new = 0;
    if (!vks_tokenizer_is_joint(tokenizer))
        return VKS_OK;
    for (uint32_t id = 0; id < vocab->size && s->num_added > 0 && status == VKS_OK; id++)
        status = set_name(&names, id, vocab->pieces[id], tokenizer);
    for (size_t i = 0; i < s->num_added && status == VKS_OK; i++) {
        const struct added_token *token = &s->added[i];
        const char *piece = token->id < vocab->size ? vocab->pieces[token->id] : NULL;
        if (piece && strcmp(piece, token->text) == 0)
            continue;
        num_new++;
        status = set_name(&names, token->id, token->text, tokenizer);
    }
    if (status == VKS_OK && num_new > 0)
        status = make_vocab(&names, "the added tokens", tokenizer);
    arena_finish(&names.arena);
    return status;
}

// Whether a piece is a language's token, and which bytes of it are the code.
static bool is_language(enum tokenizer_family family, const char *piece, size_t *first,
                        size_t *num_bytes) {
    size_t num = strlen(piece), mark = strcspn(piece, "_");
    bool has_angles = num > 4 && memcmp(piece, ">>", 2) == 0 && strcmp(piece + num - 2, "<<") == 0;
    bool has_bars = num > 4 && memcmp(piece, "__", 2) == 0 && strcmp(piece + num - 2, "__") == 0;
    bool has_parts = num <= 8 && mark >= 2 && mark <= 3 && mark + 2 < num && *piece >= 'a' &&
                     *piece <= 'z' && piece[mark + 1] >= 'A' && piece[mark + 1] <= 'Z';
    *first = family == TOKENIZER_MARIAN || family == TOKENIZER_M2M100 ? 2 : 0;
    *num_bytes = num - 2 * *first;
    return family == TOKENIZER_MARIAN    ? has_angles
           : family == TOKENIZER_M2M100  ? has_bars
           : family == TOKENIZER_PEGASUS ? false
                                         : has_parts;
}

// Languages are pieces that look like it; but for Marian's, only added ones.
static enum vks_status list_languages(struct vks_tokenizer *tokenizer) {
    const struct vocab *vocab = tokenizer->vocab[VKS_SOURCE];
    uint32_t first_id = tokenizer->family == TOKENIZER_MARIAN ? 0 : tokenizer->num_pieces;
    for (uint32_t id = first_id; id < vocab->size; id++) {
        size_t first, num_bytes;
        const char *piece = vocab->pieces[id];
        if (!piece || !is_language(tokenizer->family, piece, &first, &num_bytes))
            continue;
        if (!languages_add(&tokenizer->languages, piece + first, num_bytes, id,
                           &tokenizer->settings.arena))
            return out_of_memory(tokenizer);
    }
    int64_t forced = tokenizer->settings.first_id;
    uint32_t i = forced < 0 ? tokenizer->languages.num
                            : languages_find_id(&tokenizer->languages, (uint32_t)forced);
    if (i < tokenizer->languages.num && !tokenizer->settings.languages[VKS_TARGET])
        tokenizer->settings.languages[VKS_TARGET] = tokenizer->languages.items[i].code;
    return VKS_OK;
}

static bool is_named(const char *piece, const char *const *names, size_t num) {
    for (size_t i = 0; i < num; i++)
        if (strcmp(piece, names[i]) == 0)
            return true;
    return false;
}

static bool is_usual_special(const char *piece) {
    static const char *const names[] = {"<s>", "</s>", "<pad>", "<unk>", "<mask>"};
    return is_named(piece, names, COUNT_OF(names)) || begins_with(piece, "<mask_") ||
           begins_with(piece, "<unk_");
}

// Keeps of the added tokens those that stand for themselves in texts: not special tokens and
// languages, which a text that spells them does not mean, nor what the model cuts out itself.
static void list_text_tokens(struct vks_tokenizer *tokenizer) {
    struct tokenizer_settings *s = &tokenizer->settings;
    size_t num = 0;
    for (size_t i = 0; i < s->num_added; i++) {
        const struct added_token token = s->added[i];
        if (token.id < tokenizer->num_pieces || is_usual_special(token.text) ||
            languages_find_id(&tokenizer->languages, token.id) < tokenizer->languages.num)
            continue;
        s->added[num++] = token;
    }
    tokenizer->text_tokens = s->added;
    tokenizer->num_text_tokens = num;
}

static enum vks_status hide(struct vks_tokenizer *tokenizer, enum vks_side side) {
    const struct vocab *vocab = tokenizer->vocab[side];
    bool *is_hidden = ARENA_NEW(&tokenizer->settings.arena, bool, vocab->size);
    if (!is_hidden)
        return out_of_memory(tokenizer);
    bool is_foreign = tokenizer->family != TOKENIZER_MARIAN || tokenizer->settings.is_there;
    for (uint32_t id = 0; is_foreign && id < vocab->size; id++)
        is_hidden[id] = vocab->pieces[id] && is_usual_special(vocab->pieces[id]);
    for (uint32_t i = 0; tokenizer->family != TOKENIZER_MARIAN && i < tokenizer->languages.num; i++)
        is_hidden[tokenizer->languages.items[i].id] = true;
    for (size_t i = 0; i < tokenizer->num_text_tokens; i++)
        if (tokenizer->text_tokens[i].is_special && tokenizer->text_tokens[i].id < vocab->size)
            is_hidden[tokenizer->text_tokens[i].id] = true;
    is_hidden[vocab->eos_id] = is_hidden[vocab->pad_id] = true;
    tokenizer->is_hidden[side] = is_hidden;
    return VKS_OK;
}

enum vks_status tokenizer_family_complete(struct vks_tokenizer *tokenizer) {
    bool is_marian = tokenizer->family == TOKENIZER_MARIAN;
    if (is_marian)
        tokenizer->num_pieces = tokenizer->vocab[VKS_SOURCE]->size;
    TRY(add_tokens(tokenizer));
    TRY(list_languages(tokenizer));
    list_text_tokens(tokenizer);
    TRY(hide(tokenizer, VKS_SOURCE));
    TRY(hide(tokenizer, VKS_TARGET));
    tokenizer->leads_with_code =
        is_marian && (tokenizer->settings.is_there || tokenizer->languages.num > 0);
    tokenizer->strips |= is_marian && tokenizer->settings.is_there;
    return VKS_OK;
}

static enum vks_status keep_file(const char *model_dir, const char *name,
                                 struct vks_tokenizer *tokenizer) {
    struct kept_file *kept = &tokenizer->kept[tokenizer->num_kept];
    char *path = path_join(model_dir, name);
    enum vks_status status = path ? VKS_OK : out_of_memory(tokenizer);
    if (status == VKS_OK && file_exists(path)) {
        CHECK(tokenizer->num_kept < TOKENIZER_MAX_KEPT);
        kept->name = name;
        status = file_read(path, MAX_FILE_BYTES, tokenizer->log, &kept->data, &kept->num_bytes);
        tokenizer->num_kept += status == VKS_OK;
    }
    free(path);
    return status;
}

enum vks_status tokenizer_family_keep(const char *model_dir, struct vks_tokenizer *tokenizer) {
    static const char *const names[] = {"special_tokens_map.json",
                                        "added_tokens.json",
                                        "tokenizer_config.json",
                                        "tokenizer.json",
                                        pegasus_name,
                                        fairseq_name,
                                        vocab_name};
    size_t num = tokenizer->family == TOKENIZER_MARIAN ? 3 : COUNT_OF(names);
    for (size_t i = 0; i < num; i++)
        TRY(keep_file(model_dir, names[i], tokenizer));
    return VKS_OK;
}
