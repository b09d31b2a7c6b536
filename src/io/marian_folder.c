#include "io/marian_folder.h"

#include "base/check.h"
#include "base/log.h"
#include "io/files.h"
#include "io/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// What finding needs at hand.
struct finder {
    const char *path; // as it was given
    const char *dir;  // the folder
    const struct vks_log *log;
    struct marian_folder *folder;
    char **names; // of the folder's files
    size_t num_names;
    const struct yaml_node *options; // NULL: there are none
    const char *options_path;
    bool is_file; // the path is the model
};

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_model_name(const char *name) {
    return ends_with(name, ".npz") || ends_with(name, ".bin");
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Whether a file of a folder may be a model.
static bool may_be_model(const char *name) {
    return (ends_with(name, ".npz") && !ends_with(name, ".optimizer.npz")) ||
           (ends_with(name, ".bin") && strncmp(name, "model", 5) == 0);
}

enum vks_status marian_folder_is(const char *path, const struct vks_log *log, bool *is_marian) {
    char **names;
    size_t num;
    static const struct vks_log silent = {0};
    *is_marian = is_model_name(path);
    if (*is_marian || directory_has(path, "config.json"))
        return VKS_OK;
    enum vks_status status = directory_list(path, &silent, &names, &num);
    if (status == VKS_ERR_OOM)
        log_error(log, "%s: out of memory for its files' names", path);
    if (status != VKS_OK)
        return status == VKS_ERR_OOM ? status : VKS_OK;
    for (size_t i = 0; i < num; i++)
        *is_marian |= may_be_model(names[i]) || ends_with(names[i], "decoder.yml");
    directory_list_free(&names, num);
    return VKS_OK;
}

static enum vks_status memory_error(const struct finder *finder) {
    log_error(finder->log, "%s: out of memory", finder->path);
    return VKS_ERR_OOM;
}

static enum vks_status keep_joined(const struct finder *finder, const char *name,
                                   const char **path) {
    char *joined = path_join(finder->dir, name);
    *path = joined ? arena_strdup(&finder->folder->arena, joined) : NULL;
    free(joined);
    return *path ? VKS_OK : memory_error(finder);
}

// Where options say that a file is: beside them, or from the current folder, or beside them by its
// name alone.
static enum vks_status locate(const struct finder *finder, const char *said, const char **path) {
    bool is_absolute = said[0] == '/';
    if (!is_absolute) {
        TRY(keep_joined(finder, said, path));
        if (file_exists(*path))
            return VKS_OK;
    }
    if (file_exists(said)) {
        *path = arena_strdup(&finder->folder->arena, said);
        return *path ? VKS_OK : memory_error(finder);
    }
    TRY(keep_joined(finder, base_name(said), path));
    if (file_exists(*path))
        return VKS_OK;
    log_error(finder->log, "%s names '%s', which is not there", finder->options_path, said);
    return VKS_ERR_IO;
}

static enum vks_status option_error(const struct finder *finder, const struct yaml_node *node,
                                    const char *expected) {
    log_error(finder->log, "%s, line %u: '%s': expected %s", finder->options_path, node->line,
              node->key ? node->key : "", expected);
    return VKS_ERR_FORMAT;
}

// The texts of a list, or one text. At most `most`.
static enum vks_status read_texts(const struct finder *finder, const char *key, const char **texts,
                                  uint32_t most, uint32_t *num) {
    const struct yaml_node *node = yaml_find(finder->options, key);
    *num = 0;
    if (!node)
        return VKS_OK;
    const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
    for (; item; item = node->kind == YAML_LIST ? item->next : NULL) {
        if (item->kind != YAML_TEXT)
            return option_error(finder, node, "texts");
        if (*num == most)
            return option_error(finder, node, "fewer values");
        texts[(*num)++] = item->text;
    }
    return VKS_OK;
}

static enum vks_status read_number(const struct finder *finder, const char *key, float *number) {
    const struct yaml_node *node = yaml_find(finder->options, key);
    if (!node)
        return VKS_OK;
    char *end = NULL;
    float value = node->kind == YAML_TEXT ? strtof(node->text, &end) : 0.0f;
    if (!end || end == node->text || *end || !isfinite(value))
        return option_error(finder, node, "a number");
    *number = value;
    return VKS_OK;
}

static enum vks_status read_shortlist(const struct finder *finder) {
    const char *texts[5];
    uint32_t num;
    struct marian_folder *folder = finder->folder;
    TRY(read_texts(finder, "shortlist", texts, COUNT_OF(texts), &num));
    if (num == 0)
        return VKS_OK;
    TRY(locate(finder, texts[0], &folder->shortlist));
    for (uint32_t i = 1; i < num && i < 3; i++) // a binary one has "false" here
        folder->shortlist_numbers[i - 1] = (uint32_t)strtoul(texts[i], NULL, 10);
    if (num > 3)
        folder->shortlist_threshold = strtof(texts[3], NULL);
    return VKS_OK;
}

static enum vks_status read_options(struct finder *finder) {
    struct marian_folder *folder = finder->folder;
    const char *models[8], *vocabs[2];
    uint32_t num_models, num_vocabs;
    float beam_size = 0.0f;
    TRY(read_texts(finder, "models", models, COUNT_OF(models), &num_models));
    TRY(read_texts(finder, "vocabs", vocabs, COUNT_OF(vocabs), &num_vocabs));
    if (!finder->is_file && num_models != 1) {
        log_error(finder->log, "%s names %u models: expected one; several are given one by one",
                  finder->options_path, num_models);
        return VKS_ERR_ARGUMENT;
    }
    if (!finder->is_file)
        TRY(locate(finder, models[0], &folder->model));
    if (num_vocabs == 1)
        return option_error(finder, yaml_find(finder->options, "vocabs"),
                            "a vocabulary of the source and one of the target");
    for (uint32_t i = 0; i < num_vocabs; i++)
        TRY(locate(finder, vocabs[i], &folder->vocabs[i]));
    TRY(read_shortlist(finder));
    TRY(read_number(finder, "normalize", &folder->normalize));
    TRY(read_number(finder, "word-penalty", &folder->word_penalty));
    TRY(read_number(finder, "beam-size", &beam_size));
    if (beam_size < 0.0f || beam_size > 1e6f)
        return option_error(finder, yaml_find(finder->options, "beam-size"), "1 or more");
    folder->beam_size = (uint32_t)beam_size;
    return VKS_OK;
}

// Reads a file of options; leaves finder->options NULL unless it names models.
static enum vks_status try_options(struct finder *finder, const char *name) {
    struct yaml_node *root;
    const char *path;
    TRY(keep_joined(finder, name, &path));
    TRY(yaml_read(path, finder->log, &finder->folder->arena, &root));
    if (!yaml_find(root, "models"))
        return VKS_OK;
    finder->options = root;
    finder->options_path = path;
    return VKS_OK;
}

// Whether the options are those of the model that was given.
static bool names_model(const struct finder *finder) {
    const char *models[8];
    uint32_t num;
    if (read_texts(finder, "models", models, COUNT_OF(models), &num) != VKS_OK)
        return false;
    for (uint32_t i = 0; i < num; i++)
        if (strcmp(base_name(models[i]), base_name(finder->path)) == 0)
            return true;
    return false;
}

// FILE.decoder.yml beside a file; then decoder.yml; then any one that ends with it.
static enum vks_status find_options(struct finder *finder) {
    static const char *const endings[] = {"decoder.yml", ".yml"};
    char own[512];
    if (finder->is_file) {
        snprintf(own, sizeof own, "%s.decoder.yml", base_name(finder->path));
        if (directory_has(finder->dir, own))
            return try_options(finder, own);
    }
    for (size_t e = 0; e < COUNT_OF(endings); e++)
        for (size_t i = 0; i < finder->num_names; i++) {
            const char *name = finder->names[i];
            // Vocabularies are large, and no options.
            if (finder->options || !ends_with(name, endings[e]) || strstr(name, "vocab") ||
                ends_with(name, ".npz.yml") || ends_with(name, "progress.yml"))
                continue;
            TRY(try_options(finder, name));
            if (finder->options && finder->is_file && !names_model(finder))
                finder->options = NULL;
        }
    return VKS_OK;
}

static enum vks_status find_model(struct finder *finder) {
    const char *found = NULL;
    for (size_t i = 0; i < finder->num_names; i++) {
        if (!may_be_model(finder->names[i]))
            continue;
        if (found) {
            log_error(finder->log,
                      "%s has several models, '%s' and '%s': expected one, or its "
                      "path",
                      finder->dir, found, finder->names[i]);
            return VKS_ERR_ARGUMENT;
        }
        found = finder->names[i];
    }
    if (!found) {
        log_error(finder->log, "%s has neither *.npz nor model*.bin", finder->dir);
        return VKS_ERR_ARGUMENT;
    }
    return keep_joined(finder, found, &finder->folder->model);
}

static bool is_vocab_yaml(const char *name) {
    return strstr(name, "vocab") && (ends_with(name, ".yml") || ends_with(name, ".yaml"));
}

static bool is_spm(const char *name) {
    return ends_with(name, ".spm") && strcmp(name, "source.spm") != 0 &&
           strcmp(name, "target.spm") != 0;
}

static bool is_any_spm(const char *name) {
    return ends_with(name, ".spm");
}

// One file is both vocabularies; of two, in the order of their names (source, target; src, trg),
// the first is the source's.
static enum vks_status find_vocabs(struct finder *finder, bool (*fits)(const char *name)) {
    struct marian_folder *folder = finder->folder;
    const char *found[2] = {NULL, NULL};
    size_t num = 0;
    for (size_t i = 0; i < finder->num_names; i++)
        if (fits(finder->names[i]) && num++ < COUNT_OF(found))
            found[num - 1] = finder->names[i];
    if (num == 0 || num > COUNT_OF(found))
        return VKS_OK;
    TRY(keep_joined(finder, found[0], &folder->vocabs[0]));
    return keep_joined(finder, found[num - 1], &folder->vocabs[1]);
}

// What cuts text for vocabularies that are lists of pieces.
static enum vks_status find_pieces(struct finder *finder) {
    struct marian_folder *folder = finder->folder;
    if (!folder->vocabs[0] || ends_with(folder->vocabs[0], ".spm") ||
        !directory_has(finder->dir, "source.spm") || !directory_has(finder->dir, "target.spm"))
        return VKS_OK;
    TRY(keep_joined(finder, "source.spm", &folder->pieces[0]));
    return keep_joined(finder, "target.spm", &folder->pieces[1]);
}

static enum vks_status find_all(struct finder *finder) {
    static bool (*const kinds[])(const char *) = {is_spm, is_vocab_yaml, is_any_spm};
    struct marian_folder *folder = finder->folder;
    TRY(directory_list(finder->dir, finder->log, &finder->names, &finder->num_names));
    TRY(find_options(finder));
    if (finder->is_file)
        folder->model = arena_strdup(&folder->arena, finder->path);
    if (finder->is_file && !folder->model)
        return memory_error(finder);
    if (finder->options)
        TRY(read_options(finder));
    if (!folder->model)
        TRY(find_model(finder));
    for (size_t i = 0; i < COUNT_OF(kinds) && !folder->vocabs[0]; i++)
        TRY(find_vocabs(finder, kinds[i]));
    return find_pieces(finder);
}

enum vks_status marian_folder_open(const char *path, const struct vks_log *log,
                                   struct marian_folder *folder) {
    *folder = (struct marian_folder){0};
    struct finder finder = {
        .path = path, .log = log, .folder = folder, .is_file = is_model_name(path)};
    char *dir = arena_strdup(&folder->arena, path);
    if (!dir) {
        log_error(log, "%s: out of memory", path);
        return VKS_ERR_OOM;
    }
    if (finder.is_file) {
        char *slash = strrchr(dir, '/');
        if (slash)
            slash[slash == dir] = 0;
        finder.dir = slash ? dir : ".";
    } else {
        finder.dir = dir;
    }
    enum vks_status status = find_all(&finder);
    directory_list_free(&finder.names, finder.num_names);
    if (status != VKS_OK)
        marian_folder_finish(folder);
    return status;
}

void marian_folder_finish(struct marian_folder *folder) {
    arena_finish(&folder->arena);
    *folder = (struct marian_folder){0};
}
