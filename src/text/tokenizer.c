#include "vkseq/tokenizer.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/marian_folder.h"
#include "text/marian_vocab.h"
#include "text/peer_files.h"
#include "text/tokenizer_family.h"
#include "text/tokenizer_spm.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_VOCAB_SIZE = 8000, NUM_SIDES = TOKENIZER_SIDES };
#define MAX_FILE_BYTES ((size_t)1 << 29)

static const char *const spm_names[NUM_SIDES] = {"source.spm", "target.spm"};
static const char *const vocab_names[NUM_SIDES] = {"vocab.json", "target_vocab.json"};

static enum vks_status out_of_memory(const struct vks_log *log) {
    log_error(log, "out of memory for text");
    return VKS_ERR_OOM;
}

static enum vks_status create(const struct vks_log *log, struct vks_tokenizer **out) {
    struct vks_tokenizer *tokenizer = memory_calloc(1, sizeof *tokenizer);
    if (!tokenizer)
        return out_of_memory(log);
    tokenizer->log = log;
    tokenizer_settings_init(&tokenizer->settings);
    *out = tokenizer;
    return VKS_OK;
}

void vks_tokenizer_destroy(struct vks_tokenizer **tokenizer) {
    if (!tokenizer || !*tokenizer)
        return;
    struct vks_tokenizer *t = *tokenizer;
    if (!vks_tokenizer_is_joint(t))
        vocab_destroy(&t->vocab[VKS_TARGET]);
    vocab_destroy(&t->vocab[VKS_SOURCE]);
    if (t->spm[VKS_TARGET] != t->spm[VKS_SOURCE])
        spm_destroy(&t->spm[VKS_TARGET]);
    spm_destroy(&t->spm[VKS_SOURCE]);
    for (size_t i = 0; i < t->num_kept; i++)
        free(t->kept[i].data);
    tokenizer_settings_finish(&t->settings);
    free(t);
    *tokenizer = NULL;
}

static enum vks_status load_spm(const char *path, const struct vks_log *log, struct spm **spm) {
    unsigned char *data = NULL;
    size_t num_bytes = 0;
    TRY(file_read(path, MAX_FILE_BYTES, log, &data, &num_bytes));
    enum vks_status status = spm_load(data, num_bytes, path, log, spm);
    free(data);
    return status;
}

static enum vks_status load_vocab(const char *path, const struct vks_log *log,
                                  struct vocab **vocab) {
    unsigned char *data = NULL;
    size_t num_bytes = 0;
    TRY(file_read(path, MAX_FILE_BYTES, log, &data, &num_bytes));
    enum vks_status status = vocab_parse((const char *)data, num_bytes, path, log, vocab);
    free(data);
    return status;
}

// Some pieces of a model need not have an id, since a vocabulary may be made of a text that lacks
// them; but most have one.
static enum vks_status check_pieces(const struct spm *spm, const struct vocab *vocab,
                                    const char *spm_path, const char *vocab_path,
                                    const struct vks_log *log) {
    uint32_t num = spm_num_pieces(spm), num_found = 0;
    for (uint32_t i = 0; i < num; i++) {
        const char *piece = spm_piece(spm, i);
        num_found += vocab_find(vocab, piece, strlen(piece)) != vocab->unk_id;
    }
    if (num_found >= num / 2)
        return VKS_OK;
    log_error(log, "%s and %s do not belong together: %u of %u pieces have an id", spm_path,
              vocab_path, num_found, num);
    return VKS_ERR_FORMAT;
}

static enum vks_status load_side(const char *model_dir, enum vks_side side,
                                 struct vks_tokenizer *tokenizer) {
    char *spm_path = path_join(model_dir, spm_names[side]);
    char *vocab_path = path_join(model_dir, vocab_names[side]);
    enum vks_status status = VKS_OK;
    if (!spm_path || !vocab_path) {
        status = out_of_memory(tokenizer->log);
        goto finish;
    }
    TRY_GOTO(status, load_spm(spm_path, tokenizer->log, &tokenizer->spm[side]), finish);
    if (side == VKS_TARGET && !file_exists(vocab_path))
        tokenizer->vocab[side] = tokenizer->vocab[VKS_SOURCE];
    else
        TRY_GOTO(status, load_vocab(vocab_path, tokenizer->log, &tokenizer->vocab[side]), finish);
    status = check_pieces(tokenizer->spm[side], tokenizer->vocab[side], spm_path, vocab_path,
                          tokenizer->log);
finish:
    free(spm_path);
    free(vocab_path);
    return status;
}

static enum vks_status load_marian(const char *path, struct vks_tokenizer *tokenizer) {
    struct marian_side sides[NUM_SIDES];
    TRY(marian_vocab_load(path, tokenizer->log, sides));
    for (int side = 0; side < NUM_SIDES; side++) {
        tokenizer->spm[side] = sides[side].spm;
        tokenizer->vocab[side] = sides[side].vocab ? sides[side].vocab : sides[VKS_SOURCE].vocab;
    }
    return VKS_OK;
}

static enum vks_status load_hf(const char *model_dir, struct vks_tokenizer *tokenizer) {
    TRY(tokenizer_family_find(model_dir, tokenizer));
    if (tokenizer->family != TOKENIZER_MARIAN)
        return tokenizer_family_load(model_dir, tokenizer);
    TRY(load_side(model_dir, VKS_SOURCE, tokenizer));
    return load_side(model_dir, VKS_TARGET, tokenizer);
}

enum vks_status vks_tokenizer_load(const char *model_dir, const struct vks_log *log,
                                   struct vks_tokenizer **out) {
    struct vks_tokenizer *tokenizer = NULL;
    TRY(create(log, &tokenizer));
    bool is_marian;
    enum vks_status status = marian_folder_is(model_dir, log, &is_marian);
    if (status == VKS_OK)
        status = is_marian ? load_marian(model_dir, tokenizer) : load_hf(model_dir, tokenizer);
    if (status == VKS_OK)
        status = tokenizer_family_complete(tokenizer);
    if (status == VKS_OK && !is_marian)
        status = tokenizer_family_keep(model_dir, tokenizer);
    if (status != VKS_OK) {
        vks_tokenizer_destroy(&tokenizer);
        return status;
    }
    *out = tokenizer;
    return VKS_OK;
}

static bool is_same_model(const struct spm *a, const struct spm *b) {
    size_t a_bytes, b_bytes;
    const void *a_model = spm_model(a, &a_bytes), *b_model = spm_model(b, &b_bytes);
    return a_bytes == b_bytes && memcmp(a_model, b_model, a_bytes) == 0;
}

// The vocabulary of each side's model, or of both if they are the same.
static enum vks_status add_vocabs(const char *const paths[NUM_SIDES],
                                  struct vks_tokenizer *tokenizer) {
    const struct vks_log *log = tokenizer->log;
    TRY(vocab_from_spm(tokenizer->spm[VKS_SOURCE], paths[VKS_SOURCE], log,
                       &tokenizer->vocab[VKS_SOURCE]));
    const struct vocab *source = tokenizer->vocab[VKS_SOURCE];
    if (is_same_model(tokenizer->spm[VKS_SOURCE], tokenizer->spm[VKS_TARGET])) {
        tokenizer->vocab[VKS_TARGET] = tokenizer->vocab[VKS_SOURCE];
        return VKS_OK;
    }
    TRY(vocab_from_spm(tokenizer->spm[VKS_TARGET], paths[VKS_TARGET], log,
                       &tokenizer->vocab[VKS_TARGET]));
    if (source->eos_id == tokenizer->vocab[VKS_TARGET]->eos_id)
        return VKS_OK;
    log_error(log, "'</s>' has id %u in %s and %u in %s: expected the same", source->eos_id,
              paths[VKS_SOURCE], tokenizer->vocab[VKS_TARGET]->eos_id, paths[VKS_TARGET]);
    return VKS_ERR_ARGUMENT;
}

enum vks_status vks_tokenizer_load_spm(const char *source_path, const char *target_path,
                                       const struct vks_log *log, struct vks_tokenizer **out) {
    const char *const paths[NUM_SIDES] = {source_path, target_path ? target_path : source_path};
    struct vks_tokenizer *tokenizer = NULL;
    TRY(create(log, &tokenizer));
    enum vks_status status = VKS_OK;
    for (int side = 0; side < NUM_SIDES && status == VKS_OK; side++)
        status = load_spm(paths[side], log, &tokenizer->spm[side]);
    if (status == VKS_OK)
        status = add_vocabs(paths, tokenizer);
    if (status == VKS_OK)
        status = tokenizer_family_complete(tokenizer);
    if (status != VKS_OK) {
        vks_tokenizer_destroy(&tokenizer);
        return status;
    }
    *out = tokenizer;
    return VKS_OK;
}

// Texts to learn from, as spm_train_params has them.
struct texts {
    const char **paths;
    uint32_t *fields;
    size_t num;
};

static void add_texts(const struct vks_tokenizer_train_params *params, enum vks_side side,
                      struct texts *texts) {
    bool is_source = side == VKS_SOURCE;
    const char *const *paths = is_source ? params->source_paths : params->target_paths;
    size_t num_paths = is_source ? params->num_source_paths : params->num_target_paths;
    for (size_t i = 0; i < num_paths; i++, texts->num++) {
        texts->paths[texts->num] = paths[i];
        texts->fields[texts->num] = params->fields ? (uint32_t)side + 1 : 0;
    }
}

// A model learnt from texts, with its vocabulary.
static enum vks_status train_side(const struct vks_tokenizer_train_params *params,
                                  const struct texts *texts, enum vks_side side,
                                  struct vks_tokenizer *tokenizer) {
    uint32_t vocab_size = params->vocab_size ? params->vocab_size : DEFAULT_VOCAB_SIZE;
    if (vocab_size < 2 || vocab_size > VOCAB_MAX_SIZE) {
        log_error(params->log, "vocabulary size %u: expected 2 to %d", vocab_size, VOCAB_MAX_SIZE);
        return VKS_ERR_ARGUMENT;
    }
    const struct spm_train_params spm_params = {
        .paths = texts->paths,
        .fields = texts->fields,
        .num_paths = texts->num,
        .num_pieces = vocab_size - 1,
        .options = params->options,
        .seed = params->seed,
        .log = params->log,
    };
    TRY(spm_train(&spm_params, &tokenizer->spm[side]));
    TRY(vocab_from_spm(tokenizer->spm[side], "the learnt vocabulary", params->log,
                       &tokenizer->vocab[side]));
    if (tokenizer->vocab[side]->size != vocab_size)
        log_info(params->log, "the vocabulary has %u pieces, <pad> included, instead of %u",
                 tokenizer->vocab[side]->size, vocab_size);
    return VKS_OK;
}

// One model, learnt from both sides' texts, for both.
static enum vks_status train_joint(const struct vks_tokenizer_train_params *params,
                                   struct texts *texts, struct vks_tokenizer *tokenizer) {
    add_texts(params, VKS_SOURCE, texts);
    add_texts(params, VKS_TARGET, texts);
    TRY(train_side(params, texts, VKS_SOURCE, tokenizer));
    tokenizer->vocab[VKS_TARGET] = tokenizer->vocab[VKS_SOURCE];
    size_t num_bytes;
    const void *model = spm_model(tokenizer->spm[VKS_SOURCE], &num_bytes);
    return spm_load(model, num_bytes, "the learnt vocabulary", params->log,
                    &tokenizer->spm[VKS_TARGET]);
}

static enum vks_status train_separate(const struct vks_tokenizer_train_params *params,
                                      struct texts *texts, struct vks_tokenizer *tokenizer) {
    add_texts(params, VKS_SOURCE, texts);
    TRY(train_side(params, texts, VKS_SOURCE, tokenizer));
    texts->num = 0;
    add_texts(params, VKS_TARGET, texts);
    return train_side(params, texts, VKS_TARGET, tokenizer);
}

enum vks_status vks_tokenizer_train(const struct vks_tokenizer_train_params *params,
                                    struct vks_tokenizer **out) {
    struct vks_tokenizer *tokenizer = NULL;
    size_t num_paths = params->num_source_paths + params->num_target_paths;
    struct texts texts = {.paths = memory_calloc(num_paths + 1, sizeof *texts.paths),
                          .fields = memory_calloc(num_paths + 1, sizeof *texts.fields)};
    enum vks_status status =
        texts.paths && texts.fields ? create(params->log, &tokenizer) : out_of_memory(params->log);
    if (status == VKS_OK)
        status = params->separate_vocabularies ? train_separate(params, &texts, tokenizer)
                                               : train_joint(params, &texts, tokenizer);
    if (status == VKS_OK)
        status = tokenizer_family_complete(tokenizer);
    free(texts.paths);
    free(texts.fields);
    if (status != VKS_OK) {
        vks_tokenizer_destroy(&tokenizer);
        return status;
    }
    *out = tokenizer;
    return VKS_OK;
}

static enum vks_status save_vocab(const struct vocab *vocab, const char *path,
                                  const struct vks_log *log) {
    char *json = NULL;
    TRY(vocab_print(vocab, log, &json));
    enum vks_status status = file_replace(path, json, strlen(json), log);
    free(json);
    return status;
}

static enum vks_status save_side(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                 const char *model_dir) {
    char *spm_path = path_join(model_dir, spm_names[side]);
    char *vocab_path = path_join(model_dir, vocab_names[side]);
    enum vks_status status = VKS_OK;
    if (!spm_path || !vocab_path) {
        status = out_of_memory(tokenizer->log);
        goto finish;
    }
    size_t num_bytes;
    const void *model = spm_model(tokenizer->spm[side], &num_bytes);
    TRY_GOTO(status, file_replace(spm_path, model, num_bytes, tokenizer->log), finish);
    // One left over from before would make the directory's vocabularies separate.
    if (side == VKS_TARGET && vks_tokenizer_is_joint(tokenizer))
        status = file_remove(vocab_path, tokenizer->log);
    else
        status = save_vocab(tokenizer->vocab[side], vocab_path, tokenizer->log);
finish:
    free(spm_path);
    free(vocab_path);
    return status;
}

static enum vks_status save_kept(const struct kept_file *kept, const char *model_dir,
                                 const struct vks_log *log) {
    char *path = path_join(model_dir, kept->name);
    if (!path)
        return out_of_memory(log);
    enum vks_status status = file_replace(path, kept->data, kept->num_bytes, log);
    free(path);
    return status;
}

// Whether the directory's own file is saved that tells transformers about the others.
static bool keeps_settings(const struct vks_tokenizer *tokenizer) {
    for (size_t i = 0; i < tokenizer->num_kept; i++)
        if (strcmp(tokenizer->kept[i].name, "tokenizer_config.json") == 0)
            return true;
    return false;
}

bool vks_tokenizer_exists(const char *model_dir) {
    // In the order in which they are saved, the last files of each family.
    static const char *const names[] = {"vocab.json", "spiece.model", "sentencepiece.bpe.model",
                                        "tokenizer.json"};
    bool exists = false;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        exists |= directory_has(model_dir, names[i]);
    return exists;
}

enum vks_status vks_tokenizer_save(const struct vks_tokenizer *tokenizer, const char *model_dir) {
    for (size_t i = 0; i < tokenizer->num_kept; i++)
        TRY(save_kept(&tokenizer->kept[i], model_dir, tokenizer->log));
    if (tokenizer->family != TOKENIZER_MARIAN)
        return VKS_OK;
    // vocab.json comes last: where it is, the others are.
    if (!keeps_settings(tokenizer))
        TRY(peer_files_write_hf(tokenizer, model_dir, tokenizer->log));
    TRY(save_side(tokenizer, VKS_TARGET, model_dir));
    return save_side(tokenizer, VKS_SOURCE, model_dir);
}

const struct spm *tokenizer_spm(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    return tokenizer->spm[side];
}

uint32_t vks_tokenizer_vocab_size(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    return tokenizer->vocab[side]->size;
}

bool vks_tokenizer_is_joint(const struct vks_tokenizer *tokenizer) {
    return tokenizer->vocab[VKS_SOURCE] == tokenizer->vocab[VKS_TARGET];
}

uint32_t vks_tokenizer_eos_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    return tokenizer->vocab[side]->eos_id;
}

uint32_t vks_tokenizer_unk_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    return tokenizer->vocab[side]->unk_id;
}

uint32_t vks_tokenizer_pad_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    return tokenizer->vocab[side]->pad_id;
}

const char *vks_tokenizer_piece(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                uint32_t id) {
    const struct vocab *vocab = tokenizer->vocab[side];
    return id < vocab->size ? vocab->pieces[id] : NULL;
}

uint32_t vks_tokenizer_num_languages(const struct vks_tokenizer *tokenizer) {
    return tokenizer->languages.num;
}

const char *vks_tokenizer_language(const struct vks_tokenizer *tokenizer, uint32_t i) {
    return i < tokenizer->languages.num ? tokenizer->languages.items[i].code : NULL;
}

const char *vks_tokenizer_default_language(const struct vks_tokenizer *tokenizer,
                                           enum vks_side side) {
    bool has_default = tokenizer->family >= TOKENIZER_M2M100;
    return has_default ? tokenizer->settings.languages[side] : NULL;
}
