// Which model translates on which device: the two choosers, and opening what is chosen.
#ifndef DESKTOP_SETUP_H
#define DESKTOP_SETUP_H

#include "chooser.h"
#include "live.h"
#include "notices.h"
#include "settings.h"

struct setup_params {
    GtkBuilder *builder;       // all borrowed
    struct settings *settings; // kept up to date
    struct worker *worker;
    struct live *live;
    struct notices *notices;
    void (*changed)(void *user); // opening began or ended
    void *user;
};

struct setup;

struct setup *setup_create(const struct setup_params *params);
void setup_destroy(struct setup **setup);

// Looks for models and devices, and opens what was chosen last, or the first.
void setup_start(struct setup *setup);

// Takes a folder that was dropped or chosen: a model, or one with models in it.
void setup_add_model(struct setup *setup, const char *path);
void setup_ask_model(struct setup *setup);

// Takes a model that translates back, if there is one.
void setup_turn_around(struct setup *setup);

bool setup_is_opening(const struct setup *setup);
bool setup_is_ready(const struct setup *setup);
// Names for people, of what is open or is being opened; "" if there is none.
const char *setup_model_name(const struct setup *setup);
const char *setup_device_name(const struct setup *setup);

#endif
