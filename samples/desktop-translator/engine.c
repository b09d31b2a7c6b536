#include "engine.h"

#include "worker.h"

#include <math.h>
#include <string.h>

enum { MAX_TRIES = 3, NUM_ALTERNATIVES = 16 };

struct engine {
    struct engine_choice choice;
    struct vks_device *device;
    struct vks_tokenizer *tokenizer;
    struct vks_model *model;
    struct vks_translator *translator;
    struct vks_log log;
    GMutex lock;
    GString *messages; // under lock: vkseq's threads write, too
    unsigned num_losses;
    const struct job *job; // that is translating; NULL: none
};

static void write_message(void *user, enum vks_log_level level, const char *text) {
    struct engine *engine = user;
    (void)level;
    g_mutex_lock(&engine->lock);
    g_string_append_printf(engine->messages, "%s%s", engine->messages->len ? "\n" : "", text);
    g_mutex_unlock(&engine->lock);
}

struct engine *engine_create(void) {
    struct engine *engine = g_new0(struct engine, 1);
    g_mutex_init(&engine->lock);
    engine->messages = g_string_new(NULL);
    engine->log = (struct vks_log){.write = write_message, .user = engine, .level = VKS_LOG_WARN};
    return engine;
}

static void close_model(struct engine *engine) {
    vks_translator_destroy(&engine->translator);
    vks_model_destroy(&engine->model);
    vks_tokenizer_destroy(&engine->tokenizer);
}

static void close_device(struct engine *engine) {
    close_model(engine);
    vks_device_destroy(&engine->device);
}

static void set_choice(struct engine *engine, const struct engine_choice *choice) {
    struct engine_choice copy = {g_strdup(choice->model_dir), choice->device};
    g_free(engine->choice.model_dir);
    engine->choice = copy;
}

void engine_destroy(struct engine **engine) {
    if (!*engine)
        return;
    close_device(*engine);
    set_choice(*engine, &(struct engine_choice){0});
    g_string_free((*engine)->messages, TRUE);
    g_mutex_clear(&(*engine)->lock);
    g_clear_pointer(engine, g_free);
}

static bool observe(void *user, const struct vks_progress *progress) {
    const struct engine *engine = user;
    (void)progress;
    return !job_is_cancelled(engine->job);
}

// What the command does without options.
static enum vks_status create_translator(struct engine *engine) {
    const struct vks_translator_params params = {.alignment = true,
                                                 .word_scores = true,
                                                 .observe = observe,
                                                 .observe_user = engine,
                                                 .log = &engine->log};
    return vks_translator_create(engine->model, engine->tokenizer, &params, &engine->translator);
}

static enum vks_status open_chosen(struct engine *engine) {
    const char *dir = engine->choice.model_dir;
    enum vks_status status = VKS_OK;
    close_model(engine);
    if (!engine->device) {
        char *index = g_strdup_printf("%u", engine->choice.device);
        status = vks_device_create(index, &engine->log, &engine->device);
        g_free(index);
    }
    if (status == VKS_OK)
        status = vks_tokenizer_load(dir, &engine->log, &engine->tokenizer);
    if (status == VKS_OK)
        status = vks_model_load(engine->device, dir, &engine->model);
    if (status == VKS_OK)
        status = create_translator(engine);
    if (status != VKS_OK)
        close_device(engine);
    return status;
}

// Opens the same again after a device was lost.
static enum vks_status open_again(struct engine *engine) {
    engine->num_losses++;
    close_device(engine);
    return open_chosen(engine);
}

enum vks_status engine_open(struct engine *engine, const struct engine_choice *choice) {
    if (choice->device != engine->choice.device)
        close_device(engine);
    set_choice(engine, choice);
    enum vks_status status = open_chosen(engine);
    for (int i = 1; status == VKS_ERR_DEVICE_LOST && i < MAX_TRIES; i++)
        status = open_again(engine);
    return status;
}

const struct vks_device_info *engine_device(const struct engine *engine) {
    return engine->device ? vks_device_info(engine->device) : NULL;
}

unsigned engine_num_losses(const struct engine *engine) {
    return engine->num_losses;
}

static enum vks_status translate_once(struct engine *engine, const struct engine_lines *lines,
                                      struct sentence **sentences) {
    struct vks_translation *translations;
    if (!engine->translator)
        return VKS_ERR_ARGUMENT;
    enum vks_status status = vks_translate_from(engine->translator, lines->lines, lines->prefixes,
                                                lines->num, &translations);
    if (status != VKS_OK)
        return status;
    for (size_t i = 0; i < lines->num; i++)
        sentences[i] = sentence_create(engine->tokenizer, lines->lines[i], &translations[i],
                                       &translations[i].hypotheses[0]);
    vks_translations_free(translations, lines->num);
    return VKS_OK;
}

enum vks_status engine_translate(struct engine *engine, const struct job *job,
                                 const struct engine_lines *lines, struct sentence **sentences) {
    if (job_is_cancelled(job))
        return VKS_ERR_CANCELLED;
    engine->job = job;
    enum vks_status status = translate_once(engine, lines, sentences);
    for (int i = 1; status == VKS_ERR_DEVICE_LOST && i < MAX_TRIES; i++) {
        status = open_again(engine);
        if (status == VKS_OK)
            status = translate_once(engine, lines, sentences);
    }
    return status;
}

static struct alternative alternative_of(const struct engine *engine, const char *line,
                                         const struct vks_translation *translation,
                                         const struct vks_hypothesis *hypothesis, size_t position) {
    struct alternative alternative = {
        .sentence = sentence_create(engine->tokenizer, line, translation, hypothesis),
        .probability =
            position < hypothesis->num_word_scores ? expf(hypothesis->word_scores[position]) : 0};
    alternative.start = position < hypothesis->num_ids
                            ? alternative.sentence->target_spans[position].start
                            : (int)g_utf8_strlen(hypothesis->text, -1);
    return alternative;
}

static enum vks_status find_alternatives(struct engine *engine, const char *line,
                                         const char *prefix, struct alternative **alternatives,
                                         size_t *num) {
    struct vks_translation *translation;
    size_t position;
    if (!engine->translator)
        return VKS_ERR_ARGUMENT;
    enum vks_status status = vks_translate_alternatives(engine->translator, line, prefix,
                                                        NUM_ALTERNATIVES, &translation, &position);
    if (status != VKS_OK)
        return status;
    size_t num_found = translation->num_hypotheses;
    struct alternative *found = g_new0(struct alternative, num_found + 1);
    for (size_t i = 0; i < num_found; i++)
        found[i] = alternative_of(engine, line, translation, &translation->hypotheses[i], position);
    vks_translations_free(translation, 1);
    *alternatives = found;
    *num = num_found;
    return VKS_OK;
}

enum vks_status engine_alternatives(struct engine *engine, const char *line, const char *prefix,
                                    struct alternative **alternatives, size_t *num) {
    enum vks_status status = find_alternatives(engine, line, prefix, alternatives, num);
    for (int i = 1; status == VKS_ERR_DEVICE_LOST && i < MAX_TRIES; i++) {
        status = open_again(engine);
        if (status == VKS_OK)
            status = find_alternatives(engine, line, prefix, alternatives, num);
    }
    return status;
}

void alternatives_free(struct alternative *alternatives, size_t num) {
    for (size_t i = 0; i < num; i++)
        sentence_unref(alternatives[i].sentence);
    g_free(alternatives);
}

const struct vks_log *engine_log(struct engine *engine) {
    return &engine->log;
}

char *engine_take_messages(struct engine *engine) {
    g_mutex_lock(&engine->lock);
    char *text = g_strdup(engine->messages->str);
    g_string_set_size(engine->messages, 0);
    g_mutex_unlock(&engine->lock);
    return text;
}
