#include "document_jobs.h"

static void end(struct outcome *outcome, struct engine *engine, enum vks_status status) {
    outcome->status = status;
    outcome->messages = engine_take_messages(engine);
}

static void read_document(struct job *user, struct engine *engine) {
    struct read_job *job = (struct read_job *)user;
    enum vks_status status =
        vks_document_open(job->path, VKS_DOCUMENT_AUTO, engine_log(engine), &job->document);
    if (status == VKS_OK) {
        GString *text = g_string_new(NULL);
        job->num_segments = vks_document_num_segments(job->document);
        for (size_t i = 0; i < job->num_segments; i++)
            g_string_append_printf(text, "%s%s", i ? "\n" : "",
                                   vks_document_segment(job->document, i));
        job->text = g_string_free(text, FALSE);
    }
    end(&job->outcome, engine, status);
}

static void destroy_read(struct job *user) {
    struct read_job *job = (struct read_job *)user;
    vks_document_close(&job->document);
    g_free(job->path);
    g_free(job->text);
    g_free(job->outcome.messages);
    g_free(job);
}

struct read_job *read_job_create(const char *path) {
    struct read_job *job = g_new0(struct read_job, 1);
    job->job = (struct job){.run = read_document, .destroy = destroy_read};
    job->path = g_strdup(path);
    return job;
}

static enum vks_status write_document(struct write_job *job) {
    enum vks_status status = VKS_OK;
    for (size_t i = 0; status == VKS_OK && i < job->num; i++)
        status = vks_document_set_translation(job->document, i, job->translations[i]);
    if (status == VKS_OK)
        status = vks_document_save(job->document, job->path);
    vks_document_count(job->document, &job->counts);
    job->unit = vks_document_unit(job->document);
    return status;
}

static void write_to_disk(struct job *user, struct engine *engine) {
    struct write_job *job = (struct write_job *)user;
    GError *error = NULL;
    if (job->document) {
        end(&job->outcome, engine, write_document(job));
    } else if (!g_file_set_contents(job->path, job->text, -1, &error)) {
        job->outcome = (struct outcome){VKS_ERR_IO, g_strdup(error->message)};
        g_error_free(error);
    }
}

static void destroy_write(struct job *user) {
    struct write_job *job = (struct write_job *)user;
    for (size_t i = 0; job->translations && i < job->num; i++)
        g_free(job->translations[i]);
    g_free(job->translations);
    g_free(job->path);
    g_free(job->text);
    g_free(job->outcome.messages);
    g_free(job);
}

struct write_job *write_job_create(const char *path, struct vks_document *document,
                                   char **translations, size_t num) {
    struct write_job *job = g_new0(struct write_job, 1);
    job->job = (struct job){.run = write_to_disk, .destroy = destroy_write};
    job->path = g_strdup(path);
    job->document = document;
    job->translations = translations;
    job->num = num;
    return job;
}

struct write_job *write_text_job_create(const char *path, const char *text) {
    struct write_job *job = write_job_create(path, NULL, NULL, 0);
    job->text = g_strconcat(text, "\n", NULL);
    return job;
}

struct close_job {
    struct job job;
    struct vks_document *document;
};

static void close_document(struct job *user, struct engine *engine) {
    (void)engine;
    vks_document_close(&((struct close_job *)user)->document);
}

static void destroy_close(struct job *user) {
    vks_document_close(&((struct close_job *)user)->document);
    g_free(user);
}

struct job *close_job_create(struct vks_document *document) {
    struct close_job *job = g_new0(struct close_job, 1);
    job->job = (struct job){.run = close_document, .destroy = destroy_close};
    job->document = document;
    return &job->job;
}
