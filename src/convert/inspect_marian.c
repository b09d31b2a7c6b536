#include "convert/inspect_marian.h"

#include "base/check.h"
#include "convert/inspect_directory.h"
#include "io/marian_folder.h"
#include "model/marian_config.h"
#include "model/marian_weights.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LISTED = 5, PROBLEM_BYTES = 256 };

static void list_arrays(const struct marian_file *file, struct vks_inspection *inspection) {
    uint64_t dims[MARIAN_MAX_DIMS];
    double num_values = 0;
    size_t num = 0;
    for (size_t i = 0; i < marian_file_num(file); i++) {
        const struct marian_item *item = marian_file_at(file, i);
        if (strncmp(item->name, "special:", strlen("special:")) == 0)
            continue;
        for (uint32_t d = 0; d < item->num_dims; d++)
            dims[d] = item->dims[d];
        inspection_tensor(inspection, item->name, item->type_name, item->num_dims, dims);
        num_values += (double)item->num_elements;
        num++;
    }
    inspection_number(inspection, "tensors", (double)num);
    inspection_number(inspection, "values", num_values);
}

// Arrays that the options ask for and that are not there.
static void compare_arrays(const struct marian_file *file, const struct vks_model_config *config,
                           struct vks_inspection *inspection) {
    struct weights weights = {0};
    struct marian_place place;
    char text[PROBLEM_BYTES];
    size_t num = 0;
    if (weights_init(NULL, config, NULL, 0, &weights) != VKS_OK) {
        inspection->is_whole = false;
        return;
    }
    for (size_t i = 0; i < weights.num_named; i++) {
        bool is_there = marian_place_of(config, weights.named[i].name, &place) &&
                        (place.may_lack || marian_file_find(file, place.name) ||
                         strcmp(place.name, "decoder_ff_logit_out_Wt") == 0);
        snprintf(text, sizeof text, "array '%s' is missing, which the options ask for", place.name);
        if (!is_there && num++ < MAX_LISTED)
            inspection_problem(inspection, text);
    }
    weights_finish(&weights);
    snprintf(text, sizeof text, "and %zu more arrays", num - MAX_LISTED);
    if (num > MAX_LISTED)
        inspection_problem(inspection, text);
}

void inspect_marian_file(const struct marian_file *file, const char *path,
                         struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct vks_model_config config;
    float gate;
    list_arrays(file, inspection);
    if (marian_config_read(file, path, &log, &config, &gate) != VKS_OK)
        return;
    inspect_add_config(&config, inspection);
    compare_arrays(file, &config, inspection);
}

void inspect_marian_folder(const char *dir, struct vks_inspection *inspection) {
    const struct vks_log log = inspection_log(inspection);
    struct marian_folder folder = {0};
    struct marian_file *file = NULL;
    inspection_text(inspection, "format", "directory of a Marian model");
    if (marian_folder_open(dir, &log, &folder) == VKS_OK) {
        inspection_text(inspection, "model", folder.model);
        if (folder.shortlist)
            inspection_text(inspection, "shortlist", folder.shortlist);
        if (marian_file_open(folder.model, &log, &file) == VKS_OK)
            inspect_marian_file(file, folder.model, inspection);
        inspect_vocabularies(dir, NULL, inspection);
    }
    marian_file_close(&file);
    marian_folder_finish(&folder);
}
