#include "jobs.h"

#include "cli/environment.h"

enum { FIRST_BLOCK_LINES = 4, BLOCK_LINES = 64 };

static void end(struct outcome *outcome, struct engine *engine, enum vks_status status) {
    outcome->status = status;
    outcome->messages = engine_take_messages(engine);
}

static void list_devices(struct job *user, struct engine *engine) {
    struct devices_job *job = (struct devices_job *)user;
    struct vks_device *device;
    enum vks_status status = vks_devices_list(engine_log(engine), &job->infos, &job->num_infos);
    if (status == VKS_OK && vks_device_create(NULL, NULL, &device) == VKS_OK) {
        job->has_default = true;
        job->default_index = vks_device_info(device)->index;
        vks_device_destroy(&device);
    } else if (status == VKS_OK) {
        environment_narrow_vectors();
    }
    end(&job->outcome, engine, status);
}

static void destroy_devices(struct job *user) {
    struct devices_job *job = (struct devices_job *)user;
    vks_free(job->infos);
    g_free(job->outcome.messages);
    g_free(job);
}

struct devices_job *devices_job_create(void) {
    struct devices_job *job = g_new0(struct devices_job, 1);
    job->job = (struct job){.run = list_devices, .destroy = destroy_devices};
    return job;
}

static void open_choice(struct job *user, struct engine *engine) {
    struct open_job *job = (struct open_job *)user;
    // Whoever cancels it has pushed the next choice already.
    enum vks_status status =
        job_is_cancelled(user) ? VKS_ERR_CANCELLED : engine_open(engine, &job->choice);
    if (status == VKS_OK)
        job->device = *engine_device(engine);
    end(&job->outcome, engine, status);
}

static void destroy_open(struct job *user) {
    struct open_job *job = (struct open_job *)user;
    g_free(job->choice.model_dir);
    g_free(job->outcome.messages);
    g_free(job);
}

struct open_job *open_job_create(const char *model_dir, uint32_t device) {
    struct open_job *job = g_new0(struct open_job, 1);
    job->job = (struct job){.run = open_choice, .destroy = destroy_open};
    job->choice = (struct engine_choice){g_strdup(model_dir), device};
    return job;
}

struct advance {
    struct translate_job *job;
    size_t num_done;
};

static gboolean tell_advance(void *user) {
    struct advance *advance = user;
    advance->job->num_done = advance->num_done;
    if (advance->job->advanced)
        advance->job->advanced(advance->job);
    return G_SOURCE_REMOVE;
}

static void report_advance(struct translate_job *job, size_t num_done) {
    struct advance *advance = g_new(struct advance, 1);
    *advance = (struct advance){job, num_done};
    job_report(tell_advance, advance, g_free);
}

// Blocks grow, so that the first lines are there soon and later ones share batches.
static void translate(struct job *user, struct engine *engine) {
    struct translate_job *job = (struct translate_job *)user;
    enum vks_status status = VKS_OK;
    unsigned num_losses = engine_num_losses(engine);
    size_t num_done = 0, num_block = FIRST_BLOCK_LINES;
    while (status == VKS_OK && num_done < job->num) {
        size_t num = MIN(num_block, job->num - num_done);
        const struct engine_lines block = {
            (const char *const *)job->lines + num_done,
            job->prefixes ? (const char *const *)job->prefixes + num_done : NULL, num};
        gint64 start = g_get_monotonic_time();
        status = engine_translate(engine, user, &block, job->sentences + num_done);
        if (status != VKS_OK)
            break;
        job->seconds += (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
        for (size_t i = num_done; i < num_done + num; i++)
            job->num_tokens += job->sentences[i]->num_target;
        num_done += num;
        num_block = MIN(2 * num_block, BLOCK_LINES);
        report_advance(job, num_done);
    }
    job->was_lost = engine_num_losses(engine) != num_losses;
    end(&job->outcome, engine, status);
}

static void destroy_translate(struct job *user) {
    struct translate_job *job = (struct translate_job *)user;
    for (size_t i = 0; i < job->num; i++)
        sentence_unref(job->sentences[i]);
    g_free(job->sentences);
    g_strfreev(job->lines);
    g_strfreev(job->prefixes);
    g_free(job->outcome.messages);
    g_free(job);
}

struct translate_job *translate_job_create(char **lines, char **prefixes) {
    struct translate_job *job = g_new0(struct translate_job, 1);
    job->job = (struct job){.run = translate, .destroy = destroy_translate};
    job->lines = lines;
    job->prefixes = prefixes;
    job->num = g_strv_length(lines);
    job->sentences = g_new0(struct sentence *, job->num + 1);
    return job;
}

static void find_alternatives(struct job *user, struct engine *engine) {
    struct alternatives_job *job = (struct alternatives_job *)user;
    enum vks_status status = VKS_ERR_CANCELLED;
    if (!job_is_cancelled(user))
        status = engine_alternatives(engine, job->line, job->prefix, &job->alternatives, &job->num);
    end(&job->outcome, engine, status);
}

static void destroy_alternatives(struct job *user) {
    struct alternatives_job *job = (struct alternatives_job *)user;
    alternatives_free(job->alternatives, job->num);
    g_free(job->line);
    g_free(job->prefix);
    g_free(job->outcome.messages);
    g_free(job);
}

struct alternatives_job *alternatives_job_create(const char *line, const char *prefix) {
    struct alternatives_job *job = g_new0(struct alternatives_job, 1);
    job->job = (struct job){.run = find_alternatives, .destroy = destroy_alternatives};
    job->line = g_strdup(line);
    job->prefix = g_strdup(prefix);
    return job;
}
