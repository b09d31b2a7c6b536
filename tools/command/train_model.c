#include "train_model.h"

#include "cli/system.h"
#include "cli/folders.h"

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

// A vocabulary, and what messages call it.
struct named_vocabulary {
    const struct vks_tokenizer *tokenizer;
    const char *name;
};

// The first id below both sizes whose pieces differ, else the smaller size.
static uint32_t first_difference(const struct vks_tokenizer *a, const struct vks_tokenizer *b,
                                 enum vks_side side) {
    uint32_t id = 0;
    while (id < vks_tokenizer_vocab_size(a, side) && id < vks_tokenizer_vocab_size(b, side) &&
           !strcmp(vks_tokenizer_piece(a, side, id), vks_tokenizer_piece(b, side, id)))
        id++;
    return id;
}

static const char *piece_text(const struct vks_tokenizer *tokenizer, enum vks_side side,
                              uint32_t id) {
    return id < vks_tokenizer_vocab_size(tokenizer, side) ? vks_tokenizer_piece(tokenizer, side, id)
                                                          : "(none)";
}

// Two vocabularies must be one and the same. Errors: VKS_ERR_ARGUMENT; what differs is reported.
static enum vks_status check_same(struct console *console, const struct named_vocabulary *x,
                                  const struct named_vocabulary *y) {
    static const char *const names[] = {[VKS_SOURCE] = "source", [VKS_TARGET] = "target"};
    const struct vks_tokenizer *a = x->tokenizer, *b = y->tokenizer;
    bool is_joint = vks_tokenizer_is_joint(a);
    if (is_joint != vks_tokenizer_is_joint(b)) {
        console_error(console, "%s has %s, %s has %s", x->name,
                      is_joint ? "a joint vocabulary" : "two vocabularies", y->name,
                      is_joint ? "two" : "a joint one");
        return VKS_ERR_ARGUMENT;
    }
    for (int i = 0; i < 2; i++) {
        enum vks_side side = i ? VKS_TARGET : VKS_SOURCE;
        uint32_t size = vks_tokenizer_vocab_size(a, side);
        uint32_t other_size = vks_tokenizer_vocab_size(b, side);
        uint32_t id = first_difference(a, b, side);
        if (id == size && id == other_size)
            continue;
        console_error(console,
                      "the %s vocabulary in %s has %u pieces, that in %s %u; the first that differ "
                      "have id %u: '%s' and '%s'",
                      names[side], x->name, size, y->name, other_size, id, piece_text(a, side, id),
                      piece_text(b, side, id));
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
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
    status = check_same(console, &(struct named_vocabulary){found, options->model},
                        &(struct named_vocabulary){wanted, options->vocabs.items[0]});
    vks_tokenizer_destroy(&wanted);
    return status;
}

// The vocabulary that was found has to be of the kind that would be learned.
static enum vks_status check_learned(const struct train_options *options, const char *dir,
                                     struct console *console, const struct vks_tokenizer *found) {
    const struct train_given *given = &options->given;
    bool is_joint = vks_tokenizer_is_joint(found);
    uint32_t size = vks_tokenizer_vocab_size(found, VKS_TARGET);
    if (given->separate_vocabs && options->separate_vocabs == is_joint) {
        console_error(console, "%s has %s, which is not what --separate-vocabs asks for", dir,
                      is_joint ? "a joint vocabulary" : "two vocabularies");
        return VKS_ERR_ARGUMENT;
    }
    // A text may give fewer pieces than were asked for.
    if (given->vocab_size && size < options->vocab_size)
        console_info(console, "%s has a vocabulary of %u pieces, fewer than --vocab-size asks for",
                     dir, size);
    if (given->vocab_size && size > options->vocab_size) {
        console_error(console, "%s has a vocabulary of %u pieces, --vocab-size asks for %u", dir,
                      size, options->vocab_size);
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
                               : check_learned(options, options->model, console, *tokenizer);
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

// Whether there is no model yet, and the first one is another directory's.
static bool begins_with_pretrained(const struct train_options *options) {
    return options->pretrained && !folder_has(options->model, "config.json");
}

// The vocabulary of the model that is begun with, which has to be the one that is there already, or
// asked for.
static enum vks_status open_pretrained_vocabulary(const struct train_options *options,
                                                  struct console *console,
                                                  struct vks_tokenizer **tokenizer) {
    const struct cli_strings *vocabs = &options->vocabs;
    bool is_there = vks_tokenizer_exists(options->model);
    struct vks_tokenizer *pretrained, *other = NULL;
    enum vks_status status = vks_tokenizer_load(options->pretrained, &console->log, &pretrained);
    if (status != VKS_OK)
        return status;
    if (is_there)
        status = vks_tokenizer_load(options->model, &console->log, &other);
    else if (vocabs->num)
        status = load_wanted(options, console, &other);
    else
        status = check_learned(options, options->pretrained, console, pretrained);
    if (status == VKS_OK && other)
        status = check_same(
            console, &(struct named_vocabulary){pretrained, options->pretrained},
            &(struct named_vocabulary){other, is_there ? options->model : vocabs->items[0]});
    if (status == VKS_OK && !is_there)
        status = vks_tokenizer_save(pretrained, options->model);
    vks_tokenizer_destroy(&other);
    if (status == VKS_OK)
        *tokenizer = pretrained;
    else
        vks_tokenizer_destroy(&pretrained);
    return status;
}

static enum vks_status open_vocabulary(const struct train_options *options, struct console *console,
                                       struct vks_tokenizer **tokenizer) {
    if (begins_with_pretrained(options))
        return open_pretrained_vocabulary(options, console, tokenizer);
    if (vks_tokenizer_exists(options->model))
        return find_vocabulary(options, console, tokenizer);
    enum vks_status status = options->vocabs.num ? load_wanted(options, console, tokenizer)
                                                 : learn_vocabulary(options, console, tokenizer);
    if (status == VKS_OK)
        status = vks_tokenizer_save(*tokenizer, options->model);
    return status;
}

// Model

// What the options ask for has to be what the model in a folder is.
static enum vks_status check_config(const struct train_options *options, const char *dir,
                                    struct console *console, const struct vks_model_config *found,
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
    static const char *const norms[] = {"post-norm", "pre-norm"};
    static const char *const tyings[] = {"source, target and output", "target and output", "none",
                                         "source and target"};
    const struct {
        const char *what, *found, *wanted;
    } kinds[] = {
        {"--transformer-ffn-activation", train_activations[found->activation],
         train_activations[wanted->activation]},
        {"--positions", train_positions[found->positions], train_positions[wanted->positions]},
        {"--transformer-decoder-autoreg", train_autoregs[found->decoder_cell],
         train_autoregs[wanted->decoder_cell]},
        {"layers (--transformer-preprocess, --transformer-postprocess)", norms[found->pre_norm],
         norms[wanted->pre_norm]},
        {"tied embeddings (--tied-embeddings-all, --tied-embeddings):", tyings[found->tying],
         tyings[wanted->tying]},
    };
    bool differs = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].found != fields[i].wanted) {
            console_error(console, "the model in %s has --%s %u, but %u is asked for (--task %s)",
                          dir, fields[i].option, fields[i].found, fields[i].wanted, options->task);
            differs = true;
        }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].found, kinds[i].wanted) != 0) {
            console_error(console, "the model in %s has %s %s, but %s is asked for", dir,
                          kinds[i].what, kinds[i].found, kinds[i].wanted);
            differs = true;
        }
    return differs ? VKS_ERR_ARGUMENT : VKS_OK;
}

static enum vks_status check_vocabulary_fits(const char *dir, struct console *console,
                                             const struct vks_model_config *found,
                                             const struct vks_model_config *wanted) {
    if (found->source_vocab == wanted->source_vocab && found->target_vocab == wanted->target_vocab)
        return VKS_OK;
    console_error(console,
                  "%s: the model is for vocabularies of %u and %u pieces, but those beside it have "
                  "%u and %u",
                  dir, found->source_vocab, found->target_vocab, wanted->source_vocab,
                  wanted->target_vocab);
    return VKS_ERR_FORMAT;
}

static enum vks_status open_model(const struct train_options *options, struct console *console,
                                  struct loaded_model *loaded) {
    struct vks_model_config wanted;
    enum vks_status status = train_options_config(options, loaded->tokenizer, console, &wanted);
    if (status != VKS_OK)
        return status;
    bool is_there = folder_has(options->model, "config.json");
    const char *dir = is_there ? options->model : options->pretrained;
    if (!dir)
        return vks_model_create(loaded->device, &wanted, options->trainer.seed, &loaded->model);
    if (options->init_only && is_there) {
        console_error(console, "%s has a model already: there is nothing to make for --init-only",
                      options->model);
        return VKS_ERR_ARGUMENT;
    }
    status = vks_model_load(loaded->device, dir, &loaded->model);
    if (status != VKS_OK)
        return status;
    if (!is_there)
        console_info(console, "Beginning with the weights in %s", dir);
    const struct vks_model_config *found = vks_model_config(loaded->model);
    status = check_vocabulary_fits(dir, console, found, &wanted);
    if (status == VKS_OK && options->given.shape)
        status = check_config(options, dir, console, found, &wanted);
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
