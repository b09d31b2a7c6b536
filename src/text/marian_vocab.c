#include "text/marian_vocab.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/marian_file.h"
#include "io/marian_folder.h"
#include "io/yaml.h"
#include "text/spm_words.h"
#include "vkseq/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_YAML_BYTES = 1 << 28 };
#define MAX_SPM_BYTES ((size_t)1 << 29)

static bool is_yaml(const char *path) {
    size_t length = strlen(path);
    return length < 4 || strcmp(path + length - 4, ".spm") != 0;
}

static enum vks_status read_id(const struct yaml_node *node, const char *name,
                               const struct vks_log *log, uint32_t *id) {
    char *end = NULL;
    unsigned long value = node->text ? strtoul(node->text, &end, 10) : 0;
    if (!end || end == node->text || *end || node->text[0] == '-' || value >= VOCAB_MAX_SIZE) {
        log_error(log,
                  "%s, line %u: the id of '%s' is '%.60s': expected a whole number from 0 to "
                  "%d",
                  name, node->line, node->key, node->text ? node->text : "a list",
                  VOCAB_MAX_SIZE - 1);
        return VKS_ERR_FORMAT;
    }
    *id = (uint32_t)value;
    return VKS_OK;
}

// Nematus's names, which Marian takes for these where there are none of its own.
static const char *piece_of(const struct yaml_node *root, const char *key, uint32_t id) {
    if (id == 0 && strcmp(key, "eos") == 0 && !yaml_find(root, "</s>"))
        return "</s>";
    if (id == 1 && strcmp(key, "UNK") == 0 && !yaml_find(root, "<unk>"))
        return "<unk>";
    return key;
}

static bool is_special(const char *piece) {
    return strcmp(piece, "</s>") == 0 || strcmp(piece, "<unk>") == 0;
}

// The pieces by id, and <pad> as the last.
static enum vks_status list_pieces(const struct yaml_node *root, const struct vocab_text *text,
                                   bool is_words, const struct vks_log *log, struct arena *arena,
                                   struct vocab_entries *entries) {
    size_t num = 1;
    uint32_t highest = 0, id;
    for (const struct yaml_node *node = root->first; node; node = node->next)
        num++;
    entries->items = ARENA_NEW(arena, struct vocab_entry, num);
    if (!entries->items)
        return VKS_ERR_OOM;
    for (const struct yaml_node *node = root->first; node; node = node->next) {
        TRY(read_id(node, text->name, log, &id));
        const char *piece = piece_of(root, node->key, id);
        if (is_words && !is_special(piece)) {
            size_t bytes = sizeof SPM_WORD_MARK + strlen(piece);
            char *marked = arena_alloc(arena, 1, bytes);
            if (!marked)
                return VKS_ERR_OOM;
            memcpy(marked, SPM_WORD_MARK, sizeof SPM_WORD_MARK - 1);
            memcpy(marked + sizeof SPM_WORD_MARK - 1, piece, strlen(piece));
            piece = marked;
        }
        entries->items[entries->num++] = (struct vocab_entry){piece, id};
        highest = max_u32(highest, id);
    }
    entries->size = highest + 1;
    return VKS_OK;
}

enum vks_status marian_vocab_parse(const struct vocab_text *text, uint32_t num_rows, bool is_words,
                                   const struct vks_log *log, struct vocab **vocab) {
    struct arena arena = {0};
    struct yaml_node *root;
    struct vocab_entries entries = {0};
    enum vks_status status =
        yaml_parse(text->bytes, text->num_bytes, text->name, log, &arena, &root);
    if (status == VKS_OK && (root->kind != YAML_MAP || !root->first)) {
        log_error(log, "%s: expected a map of words and their ids", text->name);
        status = VKS_ERR_FORMAT;
    }
    if (status == VKS_OK) {
        status = list_pieces(root, text, is_words, log, &arena, &entries);
        if (status == VKS_ERR_OOM)
            log_error(log, "%s: out of memory", text->name);
    }
    if (status == VKS_OK) {
        // Rows of the model that no word has come before <pad>.
        entries.size = max_u32(entries.size, num_rows);
        entries.items[entries.num++] = (struct vocab_entry){"<pad>", entries.size++};
        status = vocab_from_entries(&entries, text->name, log, vocab);
    }
    arena_finish(&arena);
    return status;
}

static enum vks_status load_spm(const char *path, const struct vks_log *log, struct spm **spm) {
    unsigned char *data;
    size_t num_bytes;
    TRY(file_read(path, MAX_SPM_BYTES, log, &data, &num_bytes));
    enum vks_status status = spm_load(data, num_bytes, path, log, spm);
    free(data);
    return status;
}

// Text is cut at blanks, into the vocabulary's words.
static enum vks_status make_words_spm(const struct vocab *vocab, const char *path,
                                      const struct vks_log *log, struct spm **spm) {
    enum { MARK_BYTES = sizeof SPM_WORD_MARK - 1 };
    const char **words = memory_calloc(vocab->size, sizeof *words);
    void *model = NULL;
    size_t num_bytes;
    for (uint32_t id = 0; words && id < vocab->size; id++)
        if (vocab->pieces[id] && strncmp(vocab->pieces[id], SPM_WORD_MARK, MARK_BYTES) == 0)
            words[id] = vocab->pieces[id] + MARK_BYTES;
    enum vks_status status =
        words ? spm_words_model(words, vocab->size, &model, &num_bytes) : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = spm_load(model, num_bytes, path, log, spm);
    else
        log_error(log, "%s: out of memory for the vocabulary", path);
    free(words);
    free(model);
    return status;
}

static enum vks_status load_yaml_side(const struct marian_folder *folder, int side,
                                      uint32_t num_rows, const struct vks_log *log,
                                      struct marian_side *result) {
    const char *path = folder->vocabs[side];
    struct vocab_text text = {.name = path};
    unsigned char *bytes;
    bool is_words = !folder->pieces[side];
    TRY(file_read(path, MAX_YAML_BYTES, log, &bytes, &text.num_bytes));
    text.bytes = (const char *)bytes;
    enum vks_status status = marian_vocab_parse(&text, num_rows, is_words, log, &result->vocab);
    free(bytes);
    TRY(status);
    return is_words ? make_words_spm(result->vocab, path, log, &result->spm)
                    : load_spm(folder->pieces[side], log, &result->spm);
}

static enum vks_status load_side(const struct marian_folder *folder, int side, uint32_t num_rows,
                                 const struct vks_log *log, struct marian_side *result) {
    const char *path = folder->vocabs[side];
    if (is_yaml(path))
        return load_yaml_side(folder, side, num_rows, log, result);
    TRY(load_spm(path, log, &result->spm));
    enum vks_status status = vocab_from_spm(result->spm, path, log, &result->vocab);
    return status == VKS_ERR_ARGUMENT ? VKS_ERR_FORMAT : status;
}

// Rows of the embeddings.
static enum vks_status read_rows(const struct marian_folder *folder, const struct vks_log *log,
                                 uint32_t num_rows[2]) {
    static const char *const names[] = {"encoder_Wemb", "decoder_Wemb"};
    struct marian_file *file;
    TRY(marian_file_open(folder->model, log, &file));
    for (int side = 0; side < 2; side++) {
        const struct marian_item *item = marian_file_find(file, "Wemb");
        if (!item)
            item = marian_file_find(file, names[side]);
        num_rows[side] = item ? marian_item_rows(item) : 0;
    }
    marian_file_close(&file);
    return VKS_OK;
}

static enum vks_status load(const struct marian_folder *folder, const char *path,
                            const struct vks_log *log, struct marian_side sides[2]) {
    uint32_t num_rows[2];
    if (!folder->vocabs[0]) {
        log_error(log,
                  "%s: there is no vocabulary: expected decoder.yml that names two, or *.spm "
                  "or *vocab*.yml beside the model",
                  path);
        return VKS_ERR_ARGUMENT;
    }
    TRY(read_rows(folder, log, num_rows));
    for (int side = 0; side < 2; side++)
        TRY(load_side(folder, side, num_rows[side], log, &sides[side]));
    if (strcmp(folder->vocabs[VKS_SOURCE], folder->vocabs[VKS_TARGET]) == 0)
        vocab_destroy(&sides[VKS_TARGET].vocab);
    return VKS_OK;
}

enum vks_status marian_vocab_load(const char *path, const struct vks_log *log,
                                  struct marian_side sides[2]) {
    struct marian_folder folder;
    struct marian_side loaded[2] = {{0}};
    TRY(marian_folder_open(path, log, &folder));
    enum vks_status status = load(&folder, path, log, loaded);
    marian_folder_finish(&folder);
    for (int side = 0; side < 2 && status != VKS_OK; side++) {
        spm_destroy(&loaded[side].spm);
        vocab_destroy(&loaded[side].vocab);
    }
    if (status == VKS_OK)
        memcpy(sides, loaded, sizeof loaded);
    return status;
}
