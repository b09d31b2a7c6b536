#include "setup.h"

#include "models.h"

#include "cli/model_folders.h"

#include <stdlib.h>
#include <string.h>

struct setup {
    struct setup_params params;
    struct chooser *model_chooser, *device_chooser;
    GPtrArray *models; // paths
    struct vks_device_info *devices;
    size_t num_devices;
    struct devices_job *listing; // borrowed from the worker
    struct open_job *opening;
    char *model_name, *device_name;
    char *wanted_model, *wanted_device; // folder and name that were asked for last; may be NULL
    guint open_model, open_device;      // that worked last; GTK_INVALID_LIST_POSITION: none
    bool is_ready;
    bool is_falling_back; // to these, after another choice has failed
    GtkFileChooserNative *dialog;
};

static void open_chosen(struct setup *setup);

// Takes the name.
static void set_name(char **place, char *name) {
    g_free(*place);
    *place = name;
}

static guint index_of_model(const struct setup *setup, const char *path) {
    guint idx;
    bool is_there =
        path && g_ptr_array_find_with_equal_func(setup->models, path, g_str_equal, &idx);
    return is_there ? idx : GTK_INVALID_LIST_POSITION;
}

static guint num_devices_named(const struct setup *setup, const char *name) {
    guint num = 0;
    for (size_t i = 0; i < setup->num_devices; i++)
        num += strcmp(setup->devices[i].name, name) == 0;
    return num;
}

// By its number, too, where a name is not enough, as in `vkseq devices`.
static char *device_label(const struct setup *setup, const struct vks_device_info *info) {
    return num_devices_named(setup, info->name) == 1
               ? g_strdup(info->name)
               : g_strdup_printf("%u: %s", info->index, info->name);
}

// What is remembered of a device: several drivers may drive the same one.
static char *device_identity(const struct vks_device_info *info) {
    char *identity = g_strdup_printf("%s / %s", info->name, info->driver);
    return g_strdelimit(identity, "\n", ' ');
}

// The device that is remembered; with another version of its driver, if it is the only one then.
static guint index_of_device(const struct setup *setup, const char *identity) {
    guint same_name = GTK_INVALID_LIST_POSITION;
    for (guint i = 0; identity && i < setup->num_devices; i++) {
        const struct vks_device_info *info = &setup->devices[i];
        char *other = device_identity(info);
        bool is_same = strcmp(other, identity) == 0;
        size_t name_bytes = strlen(info->name);
        g_free(other);
        if (info->unusable[0])
            continue;
        if (is_same)
            return i;
        if (g_str_has_prefix(identity, info->name) &&
            g_str_has_prefix(identity + name_bytes, " / ") &&
            num_devices_named(setup, info->name) == 1)
            same_name = i;
    }
    return same_name;
}

static void fill_models(struct setup *setup, const char *path) {
    g_clear_pointer(&setup->models, g_ptr_array_unref);
    setup->models = models_find((const char *const *)setup->params.settings->more_models);
    guint num = setup->models->len;
    char **names = g_new0(char *, num + 1), **details = g_new0(char *, num + 1);
    for (guint i = 0; i < num; i++) {
        char *folder = g_path_get_dirname(setup->models->pdata[i]);
        size_t home_bytes = strlen(g_get_home_dir());
        bool is_home = g_str_has_prefix(folder, g_get_home_dir()) && folder[home_bytes] == '/';
        names[i] = model_name(setup->models->pdata[i]);
        details[i] = is_home ? g_strconcat("~", folder + home_bytes, NULL) : g_strdup(folder);
        g_free(folder);
    }
    chooser_fill(setup->model_chooser, (const char *const *)names, (const char *const *)details,
                 num);
    guint idx = index_of_model(setup, path);
    chooser_select(setup->model_chooser, idx == GTK_INVALID_LIST_POSITION && num ? 0 : idx);
    setup->open_model = GTK_INVALID_LIST_POSITION;
    g_strfreev(names);
    g_strfreev(details);
}

static void fill_devices(struct setup *setup) {
    char **names = g_new0(char *, setup->num_devices + 1);
    char **details = g_new0(char *, setup->num_devices + 1);
    for (size_t i = 0; i < setup->num_devices; i++) {
        const struct vks_device_info *info = &setup->devices[i];
        names[i] = device_label(setup, info);
        details[i] = info->unusable[0]
                         ? g_strdup_printf("cannot be used: %s", info->unusable)
                         : g_strdup_printf("%s, %.1f GiB, %s", vks_device_type_name(info->type),
                                           (double)info->memory_bytes / 0x1p30, info->driver);
        g_strdelimit(details[i], "\n", ' ');
    }
    chooser_fill(setup->device_chooser, (const char *const *)names, (const char *const *)details,
                 (guint)setup->num_devices);
    setup->open_device = GTK_INVALID_LIST_POSITION;
    g_strfreev(names);
    g_strfreev(details);
}

// The device that vkseq takes by itself; if that cannot be opened now, the first that could be.
static guint index_of_best(const struct setup *setup, const struct devices_job *job) {
    guint best = GTK_INVALID_LIST_POSITION;
    for (guint i = 0; i < setup->num_devices; i++) {
        if (job->has_default && setup->devices[i].index == job->default_index)
            return i;
        if (best == GTK_INVALID_LIST_POSITION && !setup->devices[i].unusable[0])
            best = i;
    }
    return best;
}

static void take_devices(struct job *user) {
    struct devices_job *job = (struct devices_job *)user;
    struct setup *setup = job->job.owner;
    setup->listing = NULL;
    vks_free(setup->devices);
    setup->devices = job->infos;
    setup->num_devices = job->num_infos;
    job->infos = NULL;
    fill_devices(setup);
    guint wanted = index_of_device(setup, setup->wanted_device);
    if (wanted == GTK_INVALID_LIST_POSITION)
        wanted = index_of_best(setup, job);
    chooser_select(setup->device_chooser, wanted);
    if (job->outcome.status != VKS_OK)
        notices_show_no_device(setup->params.notices, &job->outcome);
    else
        open_chosen(setup);
    setup->params.changed(setup->params.user);
}

void setup_start(struct setup *setup) {
    if (setup->listing)
        return;
    notices_hide(setup->params.notices);
    fill_models(setup, setup->wanted_model);
    setup->is_falling_back = false;
    setup->listing = devices_job_create();
    setup->listing->job.owner = setup;
    setup->listing->job.done = take_devices;
    worker_push(setup->params.worker, &setup->listing->job);
    setup->params.changed(setup->params.user);
}

static void remember(struct setup *setup, const struct open_job *job) {
    enum notice_kind kind = notices_kind(setup->params.notices);
    set_name(&setup->params.settings->device, device_identity(&job->device));
    setup->open_model = chooser_selected(setup->model_chooser);
    setup->open_device = chooser_selected(setup->device_chooser);
    settings_set_text(&setup->params.settings->model, job->choice.model_dir);
    settings_save(setup->params.settings);
    if (!setup->is_falling_back && (kind == NOTICE_SETUP || kind == NOTICE_TRANSLATION))
        notices_hide(setup->params.notices);
    setup->is_falling_back = false;
}

// Goes back to what worked before, if anything did.
static void fall_back(struct setup *setup) {
    bool has_other = setup->open_model != GTK_INVALID_LIST_POSITION &&
                     setup->open_device != GTK_INVALID_LIST_POSITION;
    bool is_same = setup->open_model == chooser_selected(setup->model_chooser) &&
                   setup->open_device == chooser_selected(setup->device_chooser);
    if (!has_other || is_same || setup->is_falling_back)
        return;
    setup->is_falling_back = true;
    chooser_select(setup->model_chooser, setup->open_model);
    chooser_select(setup->device_chooser, setup->open_device);
    open_chosen(setup);
}

static void end_opening(struct job *user) {
    struct open_job *job = (struct open_job *)user;
    struct setup *setup = job->job.owner;
    setup->opening = NULL;
    setup->is_ready = job->outcome.status == VKS_OK;
    if (setup->is_ready) {
        remember(setup, job);
        live_set_ready(setup->params.live, true);
    } else {
        notices_show_open_failed(setup->params.notices, setup->model_name, setup->device_name,
                                 &job->outcome);
        fall_back(setup);
    }
    setup->params.changed(setup->params.user);
}

static void drop_opening(struct setup *setup) {
    if (!setup->opening)
        return;
    job_cancel(&setup->opening->job);
    setup->opening->job.done = NULL;
    setup->opening = NULL;
}

static void push_opening(struct setup *setup, const char *model_dir, uint32_t device) {
    drop_opening(setup);
    live_set_ready(setup->params.live, false);
    setup->is_ready = false;
    setup->opening = open_job_create(model_dir, device);
    setup->opening->job.owner = setup;
    setup->opening->job.done = end_opening;
    worker_push(setup->params.worker, &setup->opening->job);
    setup->params.changed(setup->params.user);
}

static void open_chosen(struct setup *setup) {
    guint model = chooser_selected(setup->model_chooser);
    guint device = chooser_selected(setup->device_chooser);
    if (setup->num_devices == 0)
        return;
    if (device == GTK_INVALID_LIST_POSITION) {
        // None was chosen, and none can be used.
        notices_show_unusable(setup->params.notices, setup->devices[0].name,
                              setup->devices[0].unusable);
        return;
    }
    if (model == GTK_INVALID_LIST_POSITION) {
        char *folder = model_folder_of_user();
        notices_show_no_model(setup->params.notices,
                              folder ? folder : "a folder of VKSEQ_MODEL_PATH");
        free(folder);
        return;
    }
    set_name(&setup->model_name, model_name(setup->models->pdata[model]));
    const struct vks_device_info *info = &setup->devices[device];
    if (info->unusable[0]) {
        notices_show_unusable(setup->params.notices, info->name, info->unusable);
        chooser_select(setup->device_chooser, setup->open_device);
        return;
    }
    set_name(&setup->device_name, device_label(setup, info));
    push_opening(setup, setup->models->pdata[model], info->index);
}

static void take_choice(void *user, guint idx) {
    struct setup *setup = user;
    guint model = chooser_selected(setup->model_chooser);
    guint device = chooser_selected(setup->device_chooser);
    (void)idx;
    if (model != GTK_INVALID_LIST_POSITION)
        settings_set_text(&setup->wanted_model, setup->models->pdata[model]);
    if (device != GTK_INVALID_LIST_POSITION)
        set_name(&setup->wanted_device, device_identity(&setup->devices[device]));
    setup->is_falling_back = false;
    if (notices_kind(setup->params.notices) == NOTICE_FOLDER)
        notices_hide(setup->params.notices);
    open_chosen(setup);
}

// Chooses a model of the list.
static void choose_model(struct setup *setup, const char *path) {
    guint idx = index_of_model(setup, path);
    if (idx != GTK_INVALID_LIST_POSITION) {
        chooser_select(setup->model_chooser, idx);
        take_choice(setup, idx);
    }
}

// The first model of those that lie in a folder; NULL: none. All of them are added to the settings.
static char *add_models_in(struct setup *setup, const char *folder) {
    char *first = NULL;
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        char *path = g_build_filename(folder, name, NULL);
        if (model_is_folder(path)) {
            settings_add_model(setup->params.settings, path);
            if (!first || strcmp(path, first) < 0)
                set_name(&first, g_strdup(path));
        }
        g_free(path);
    }
    g_clear_pointer(&dir, g_dir_close);
    return first;
}

void setup_add_model(struct setup *setup, const char *path) {
    char *canonical = g_canonicalize_filename(path, NULL), *chosen = NULL;
    if (model_is_folder(canonical)) {
        settings_add_model(setup->params.settings, canonical);
        chosen = g_strdup(canonical);
    } else {
        chosen = add_models_in(setup, canonical);
    }
    if (chosen) {
        guint model = setup->open_model;
        char *open =
            model == GTK_INVALID_LIST_POSITION ? NULL : g_strdup(setup->models->pdata[model]);
        settings_save(setup->params.settings);
        fill_models(setup, chosen);
        setup->open_model = index_of_model(setup, open);
        choose_model(setup, chosen);
        g_free(open);
    } else {
        notices_show_not_a_model(setup->params.notices, canonical);
    }
    g_free(chosen);
    g_free(canonical);
}

static void answer(GtkNativeDialog *dialog, int response, struct setup *setup) {
    GFile *file = response == GTK_RESPONSE_ACCEPT
                      ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                      : NULL;
    char *path = file ? g_file_get_path(file) : NULL;
    g_clear_object(&setup->dialog);
    if (path)
        setup_add_model(setup, path);
    g_free(path);
    g_clear_object(&file);
}

void setup_ask_model(struct setup *setup) {
    GObject *window = gtk_builder_get_object(setup->params.builder, "window");
    g_clear_object(&setup->dialog);
    setup->dialog =
        gtk_file_chooser_native_new("Choose a Model's Folder", GTK_WINDOW(window),
                                    GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, "_Choose", "_Cancel");
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(setup->dialog), TRUE);
    g_signal_connect(setup->dialog, "response", G_CALLBACK(answer), setup);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(setup->dialog));
}

void setup_turn_around(struct setup *setup) {
    guint model = chooser_selected(setup->model_chooser);
    if (model == GTK_INVALID_LIST_POSITION)
        return;
    const char *other = model_of_other_direction(setup->models, setup->models->pdata[model]);
    if (other)
        choose_model(setup, other);
}

bool setup_is_opening(const struct setup *setup) {
    return setup->opening || setup->listing;
}

bool setup_is_ready(const struct setup *setup) {
    return setup->is_ready;
}

const char *setup_model_name(const struct setup *setup) {
    return setup->model_name ? setup->model_name : "";
}

const char *setup_device_name(const struct setup *setup) {
    return setup->device_name ? setup->device_name : "";
}

struct setup *setup_create(const struct setup_params *params) {
    struct setup *setup = g_new0(struct setup, 1);
    setup->params = *params;
    setup->models = g_ptr_array_new_with_free_func(g_free);
    setup->open_model = setup->open_device = GTK_INVALID_LIST_POSITION;
    setup->wanted_model = g_strdup(params->settings->model);
    setup->wanted_device = g_strdup(params->settings->device);
    setup->model_chooser =
        chooser_create(GTK_DROP_DOWN(gtk_builder_get_object(params->builder, "model")), "Model",
                       take_choice, setup);
    setup->device_chooser =
        chooser_create(GTK_DROP_DOWN(gtk_builder_get_object(params->builder, "device")), "Device",
                       take_choice, setup);
    return setup;
}

void setup_destroy(struct setup **setup) {
    if (!*setup)
        return;
    drop_opening(*setup);
    if ((*setup)->listing)
        (*setup)->listing->job.done = NULL;
    chooser_destroy(&(*setup)->model_chooser);
    chooser_destroy(&(*setup)->device_chooser);
    g_ptr_array_unref((*setup)->models);
    vks_free((*setup)->devices);
    g_free((*setup)->model_name);
    g_free((*setup)->device_name);
    g_free((*setup)->wanted_model);
    g_free((*setup)->wanted_device);
    g_clear_object(&(*setup)->dialog);
    g_clear_pointer(setup, g_free);
}
