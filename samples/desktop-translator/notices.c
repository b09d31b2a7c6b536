#include "notices.h"

struct notices {
    GtkInfoBar *bar;
    GtkLabel *title, *advice, *details;
    GtkExpander *expander;
    GtkButton *action;
    enum notice_kind kind;
};

// Texts of a notice; those that are NULL are not shown.
struct notice {
    enum notice_kind kind;
    GtkMessageType type;
    const char *advice, *details;
    const char *action, *action_label; // a button
};

static void close_bar(GtkInfoBar *bar, int response, struct notices *notices) {
    (void)bar;
    if (response == GTK_RESPONSE_CLOSE)
        notices_hide(notices);
}

struct notices *notices_create(GtkBuilder *builder) {
    struct notices *notices = g_new0(struct notices, 1);
    notices->bar = GTK_INFO_BAR(gtk_builder_get_object(builder, "notice"));
    notices->title = GTK_LABEL(gtk_builder_get_object(builder, "notice-title"));
    notices->advice = GTK_LABEL(gtk_builder_get_object(builder, "notice-advice"));
    notices->details = GTK_LABEL(gtk_builder_get_object(builder, "notice-details"));
    notices->expander = GTK_EXPANDER(gtk_builder_get_object(builder, "notice-expander"));
    notices->action = GTK_BUTTON(gtk_builder_get_object(builder, "notice-action"));
    g_signal_connect(notices->bar, "response", G_CALLBACK(close_bar), notices);
    return notices;
}

void notices_destroy(struct notices **notices) {
    g_clear_pointer(notices, g_free);
}

void notices_hide(struct notices *notices) {
    notices->kind = NOTICE_NONE;
    gtk_info_bar_set_revealed(notices->bar, FALSE);
}

enum notice_kind notices_kind(const struct notices *notices) {
    return notices->kind;
}

static void set_label(GtkLabel *label, const char *text) {
    gtk_label_set_label(label, text ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(label), text && *text);
}

// Takes the title.
static void show(struct notices *notices, char *title, const struct notice *notice) {
    notices->kind = notice->kind;
    set_label(notices->title, title);
    set_label(notices->advice, notice->advice);
    set_label(notices->details, notice->details);
    gtk_expander_set_expanded(notices->expander, FALSE);
    gtk_widget_set_visible(GTK_WIDGET(notices->expander), notice->details && *notice->details);
    gtk_widget_set_visible(GTK_WIDGET(notices->action), notice->action != NULL);
    if (notice->action) {
        gtk_button_set_label(notices->action, notice->action_label);
        gtk_actionable_set_action_name(GTK_ACTIONABLE(notices->action), notice->action);
    }
    gtk_info_bar_set_message_type(notices->bar, notice->type);
    gtk_info_bar_set_revealed(notices->bar, TRUE);
    // Screen readers say the name of what appears.
    gtk_accessible_update_property(GTK_ACCESSIBLE(notices->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   title, -1);
    g_free(title);
}

void notices_show_no_device(struct notices *notices, const struct outcome *outcome) {
    show(notices, g_strdup("No Vulkan driver was found"),
         &(struct notice){
             .kind = NOTICE_SETUP,
             .type = GTK_MESSAGE_ERROR,
             .advice = "Translating takes a Vulkan driver. Install your graphics card's, or the "
                       "software driver, which needs no graphics card: on Debian, Ubuntu and "
                       "Fedora the package mesa-vulkan-drivers. Then try again.",
             .details = outcome->messages,
             .action = "win.try-again",
             .action_label = "Try Again"});
}

void notices_show_no_model(struct notices *notices, const char *folder) {
    char *advice = g_strdup_printf("Drop a model's folder onto this window, choose one, or put it "
                                   "into %s.",
                                   folder);
    show(notices, g_strdup("There is no model yet"),
         &(struct notice){.kind = NOTICE_SETUP,
                          .type = GTK_MESSAGE_INFO,
                          .advice = advice,
                          .action = "win.add-model",
                          .action_label = "Choose Folder…"});
    g_free(advice);
}

void notices_show_not_a_model(struct notices *notices, const char *path) {
    char *name = g_path_get_basename(path);
    show(notices, g_strdup_printf("“%s” is not a model folder", name),
         &(struct notice){.kind = NOTICE_FOLDER,
                          .type = GTK_MESSAGE_ERROR,
                          .advice = "A model's folder holds config.json, model.safetensors and its "
                                    "vocabulary. Choose the folder in which these files lie.",
                          .details = path,
                          .action = "win.add-model",
                          .action_label = "Choose Folder…"});
    g_free(name);
}

void notices_show_unusable(struct notices *notices, const char *device, const char *reason) {
    show(notices, g_strdup_printf("“%s” cannot be used", device),
         &(struct notice){.kind = NOTICE_SETUP,
                          .type = GTK_MESSAGE_WARNING,
                          .advice = "Choose another device. A newer driver may help.",
                          .details = reason});
}

static bool is_memory(enum vks_status status) {
    return status == VKS_ERR_OOM || status == VKS_ERR_DEVICE_OOM;
}

void notices_show_open_failed(struct notices *notices, const char *model, const char *device,
                              const struct outcome *outcome) {
    struct notice notice = {
        .kind = NOTICE_SETUP, .type = GTK_MESSAGE_ERROR, .details = outcome->messages};
    char *title;
    if (is_memory(outcome->status)) {
        title = g_strdup_printf("Not enough memory for “%s” on %s", model, device);
        notice.advice = "Close programs that use much memory or the graphics card and try again, "
                        "or choose a smaller model or another device.";
        notice.action = "win.try-again";
        notice.action_label = "Try Again";
    } else if (outcome->status == VKS_ERR_NO_DEVICE || outcome->status == VKS_ERR_DEVICE_LOST) {
        title = g_strdup_printf("%s cannot be used", device);
        notice.advice = "Choose another device, or try again after updating its driver.";
        notice.action = "win.try-again";
        notice.action_label = "Try Again";
    } else {
        title = g_strdup_printf("The model “%s” cannot be opened", model);
        notice.advice = outcome->status == VKS_ERR_UNSUPPORTED
                            ? "It is of a kind that vkseq does not translate with. Choose another."
                            : "Its files are damaged or incomplete. Copy or download it again, or "
                              "choose another.";
    }
    show(notices, title, &notice);
}

void notices_show_translate_failed(struct notices *notices, const char *device,
                                   const struct outcome *outcome) {
    struct notice notice = {.kind = NOTICE_TRANSLATION,
                            .type = GTK_MESSAGE_ERROR,
                            .details = outcome->messages,
                            .action = "win.try-again",
                            .action_label = "Try Again"};
    char *title;
    if (is_memory(outcome->status)) {
        title = g_strdup_printf("Not enough memory on %s", device);
        notice.advice = "Close programs that use much memory or the graphics card and try again, "
                        "or choose a smaller model or another device.";
    } else if (outcome->status == VKS_ERR_DEVICE_LOST) {
        title = g_strdup_printf("%s stopped again and again", device);
        notice.advice = "Choose another device, or try again after updating its driver.";
    } else {
        title = g_strdup("The text could not be translated");
        notice.advice = "Try again, or with another model.";
    }
    show(notices, title, &notice);
}

void notices_show_unreadable(struct notices *notices, const char *path, enum vks_status status,
                             const char *why) {
    char *name = g_path_get_basename(path);
    const char *advice = "Check that the file is there, and that you may read it.";
    if (status == VKS_ERR_FORMAT)
        advice = "The file is not what its name says, is damaged, or is not in UTF-8. Save it as "
                 "UTF-8 in the program that made it, and open it again.";
    else if (status == VKS_ERR_UNSUPPORTED)
        advice = "This version of the program cannot open such files.";
    else if (is_memory(status))
        advice = "The file is too large for the memory of this computer.";
    show(notices, g_strdup_printf("“%s” could not be opened", name),
         &(struct notice){.kind = NOTICE_DOCUMENT,
                          .type = GTK_MESSAGE_ERROR,
                          .advice = advice,
                          .details = why,
                          .action = "win.open",
                          .action_label = "Open Another…"});
    g_free(name);
}

void notices_show_unwritable(struct notices *notices, const char *path, const char *why) {
    char *name = g_path_get_basename(path);
    show(notices, g_strdup_printf("“%s” could not be saved", name),
         &(struct notice){.kind = NOTICE_DOCUMENT,
                          .type = GTK_MESSAGE_ERROR,
                          .advice = "Check that there is room, and that you may write there; or "
                                    "save it in another folder.",
                          .details = why,
                          .action = "win.save",
                          .action_label = "Save Elsewhere…"});
    g_free(name);
}

void notices_show_saved(struct notices *notices, const char *path, const char *details) {
    char *name = g_path_get_basename(path);
    show(notices, g_strdup_printf("Saved as “%s”", name),
         &(struct notice){.kind = NOTICE_DOCUMENT, .type = GTK_MESSAGE_INFO, .advice = details});
    g_free(name);
}
