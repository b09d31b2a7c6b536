#include "train_model.h"

#include "cli/system.h"
#include "folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum vks_status train_model_prepare(const struct train_options *options, struct console *console,
                                    struct vks_model_lock **lock) {
    if (folder_create(options->model) && system_is_writable(options->model))
        return vks_model_lock_create(options->model, &console->log, lock);
    console_error(console, "%s: cannot be made or written: %s", options->model, strerror(errno));
    return VKS_ERR_IO;
}

// Vocabulary

static bool is_same_side(const struct vks_tokenizer *a, const struct vks_tokenizer *b,
                         enum vks_side side) {
    uint32_t size = vks_tokenizer_vocab_size(a, side);
    if (size != vks_tokenizer_vocab_size(b, side))
        return false;
    for (uint32_t id = 0; id < size; id++)
        if (strcmp(vks_tokenizer_piece(a, side, id), vks_tokenizer_piece(b, side, id)))
            return false;
    return true;
}

// The vocabulary of --vocabs.
static enum vks_status load_wanted(const struct train_options *options, struct console *console,
                                   struct vks_tokenizer **wanted) {
    const struct cli_strings *paths = &options->vocabs;
    if (paths->num == 1 && folder_exists(paths->items[0]))
        return vks_tokenizer_load(paths->items[0], &console->log, wanted);
    return vks_tokenizer_load_spm(paths->items[0], paths->num == 2 ? paths->items[1] : NULL,
                                  &console->log, wanted);
}

// The vocabulary that was found has to be the one of --vocabs.
static enum vks_status check_taken(const struct train_options *options, struct console *console,
                                   const struct vks_tokenizer *found) {
    struct vks_tokenizer *wanted;
    enum vks_status status = load_wanted(options, console, &wanted);
    if (status != VKS_OK)
        return status;
    if (vks_tokenizer_is_joint(found) != vks_tokenizer_is_joint(wanted) ||
        !is_same_side(found, wanted, VKS_SOURCE) || !is_same_side(found, wanted, VKS_TARGET)) {
        console_error(console, "the vocabulary in %s differs from that in %s (--vocabs)",
                      options->model, options->vocabs.items[0]);
        status = VKS_ERR_ARGUMENT;
    }
    vks_tokenizer_destroy(&wanted);
    return status;
}

// The vocabulary that was found has to be of the kind that would be learned.
static enum vks_status check_learned(const struct train_options *options, struct console *console,
                                     const struct vks_tokenizer *found) {
    const struct train_given *given = &options->given;
    bool is_joint = vks_tokenizer_is_joint(found);
    uint32_t size = vks_tokenizer_vocab_size(found, VKS_TARGET);
    if (given->separate_vocabs && options->separate_vocabs == is_joint) {
        console_error(console, "%s has %s, which is not what --separate-vocabs asks for",
                      options->model, is_joint ? "a joint vocabulary" : "two vocabularies");
        return VKS_ERR_ARGUMENT;
    }
    // A text may give fewer pieces than were asked for.
    if (given->vocab_size && size < options->vocab_size)
        console_info(console, "%s has a vocabulary of %u pieces, fewer than --vocab-size asks for",
                     options->model, size);
    if (given->vocab_size && size > options->vocab_size) {
        console_error(console, "%s has a vocabulary of %u pieces, --vocab-size asks for %u",
                      options->model, size, options->vocab_size);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

static enum vks_status find_vocabulary(const struct train_options *options, struct console *console,
                                       struct vks_tokenizer **tokenizer) {
    enum vks_status status = vks_tokenizer_load(options->model, &console->log, tokenizer);
    if (status != VKS_OK)
        return status;
    return options->vocabs.num ? check_taken(options, console, *tokenizer)
                               : check_learned(options, console, *tokenizer);
}

static enum vks_status learn_from(const struct train_options *options, const char **sources,
                                  const char **targets, struct console *console,
                                  struct vks_tokenizer **tokenizer) {
    const struct vks_trainer_params *trainer = &options->trainer;
    bool has_fields = options->data.tsv;
    for (uint32_t i = 0; i < trainer->num_train_sets; i++) {
        const struct vks_text_set *set = &trainer->train_sets[i];
        sources[i] = set->source;
        targets[i] = has_fields ? set->source : set->target;
        if (vks_is_stdin(set->source)) {
            console_error(console, "a vocabulary cannot be learned from standard input, which is "
                                   "read once: give --vocabs");
            return VKS_ERR_ARGUMENT;
        }
    }
    const struct vks_tokenizer_train_params params = {
        .source_paths = sources,
        .num_source_paths = trainer->num_train_sets,
        .target_paths = targets,
        .num_target_paths = trainer->num_train_sets,
        .fields = has_fields,
        .vocab_size = options->vocab_size,
        .separate_vocabularies = options->separate_vocabs,
        .options = options->sentencepiece_options,
        .seed = trainer->seed,
        .log = &console->log,
    };
    console_info(console, "Learning %s of %u pieces",
                 options->separate_vocabs ? "two vocabularies" : "a vocabulary",
                 options->vocab_size);
    double begin_s = system_now_s();
    enum vks_status status = vks_tokenizer_train(&params, tokenizer);
    if (status == VKS_OK)
        console_info(console, "Vocabulary learned in %.1f s", system_now_s() - begin_s);
    return status;
}

static enum vks_status learn_vocabulary(const struct train_options *options,
                                        struct console *console, struct vks_tokenizer **tokenizer) {
    size_t num_sets = options->trainer.num_train_sets;
    const char **paths = calloc(2 * num_sets, sizeof *paths);
    if (!paths)
        return VKS_ERR_OOM;
    enum vks_status status = learn_from(options, paths, paths + num_sets, console, tokenizer);
    free(paths);
    return status;
}

static enum vks_status open_vocabulary(const struct train_options *options, struct console *console,
                                       struct vks_tokenizer **tokenizer) {
    if (folder_has(options->model, "vocab.json"))
        return find_vocabulary(options, console, tokenizer);
    enum vks_status status = options->vocabs.num ? load_wanted(options, console, tokenizer)
                                                 : learn_vocabulary(options, console, tokenizer);
    if (status == VKS_OK)
        status = vks_tokenizer_save(*tokenizer, options->model);
    return status;
}

// Model

// What the options ask for has to be what the saved model is.
static enum vks_status check_config(const struct train_options *options, struct console *console,
                                    const struct vks_model_config *found,
                                    const struct vks_model_config *wanted) {
    const struct {
        const char *option;
        uint32_t found, wanted;
    } fields[] = {
        {"dim-emb", found->width, wanted->width},
        {"transformer-dim-ffn", found->ffn_width, wanted->ffn_width},
        {"transformer-heads", found->num_heads, wanted->num_heads},
        {"enc-depth", found->encoder_layers, wanted->encoder_layers},
        {"dec-depth", found->decoder_layers, wanted->decoder_layers},
    };
    const struct {
        const char *text;
        bool differs;
    } kinds[] = {
        {"activation (--transformer-ffn-activation)", found->activation != wanted->activation},
        {"kind of positions (--positions)", found->positions != wanted->positions},
        {"place of normalisation (--transformer-preprocess, --transformer-postprocess)",
         found->pre_norm != wanted->pre_norm},
        {"tying of embeddings (--tied-embeddings-all, --tied-embeddings)",
         found->tying != wanted->tying},
    };
    bool differs = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].found != fields[i].wanted) {
            console_error(console, "the model in %s has --%s %u, but %u is asked for (--task %s)",
                          options->model, fields[i].option, fields[i].found, fields[i].wanted,
                          options->task);
            differs = true;
        }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].differs) {
            console_error(console, "the model in %s has another %s than asked for", options->model,
                          kinds[i].text);
            differs = true;
        }
    return differs ? VKS_ERR_ARGUMENT : VKS_OK;
}

static enum vks_status check_vocabulary_fits(const struct train_options *options,
                                             struct console *console,
                                             const struct vks_model_config *found,
                                             const struct vks_model_config *wanted) {
    if (found->source_vocab == wanted->source_vocab && found->target_vocab == wanted->target_vocab)
        return VKS_OK;
    console_error(console,
                  "%s: the model is for vocabularies of %u and %u pieces, but those beside it have "
                  "%u and %u",
                  options->model, found->source_vocab, found->target_vocab, wanted->source_vocab,
                  wanted->target_vocab);
    return VKS_ERR_FORMAT;
}

static enum vks_status open_model(const struct train_options *options, struct console *console,
                                  struct loaded_model *loaded) {
    struct vks_model_config wanted;
    enum vks_status status = train_options_config(options, loaded->tokenizer, console, &wanted);
    if (status != VKS_OK)
        return status;
    if (!folder_has(options->model, "config.json"))
        return vks_model_create(loaded->device, &wanted, options->trainer.seed, &loaded->model);
    if (options->init_only) {
        console_error(console, "%s has a model already: there is nothing to make for --init-only",
                      options->model);
        return VKS_ERR_ARGUMENT;
    }
    status = vks_model_load(loaded->device, options->model, &loaded->model);
    if (status != VKS_OK)
        return status;
    const struct vks_model_config *found = vks_model_config(loaded->model);
    status = check_vocabulary_fits(options, console, found, &wanted);
    if (status == VKS_OK && options->given.shape)
        status = check_config(options, console, found, &wanted);
    return status;
}

enum vks_status train_model_open(const struct train_options *options, struct console *console,
                                 struct loaded_model *loaded) {
    enum vks_status status = open_vocabulary(options, console, &loaded->tokenizer);
    if (status == VKS_OK)
        status = open_model(options, console, loaded);
    if (status == VKS_OK && options->init_only)
        status = vks_model_save(loaded->model, options->model);
    return status;
}
