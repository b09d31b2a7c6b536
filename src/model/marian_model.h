// Loading a Marian model.
#ifndef MODEL_MARIAN_MODEL_H
#define MODEL_MARIAN_MODEL_H

#include "io/marian_file.h"
#include "io/marian_folder.h"
#include "vkseq/model.h"

// A model that is found, with its configuration. Zero-initialised is none.
struct marian_model {
    struct marian_folder folder;
    struct marian_file *file;
    struct vks_model_config config; // complete
    float gate;                     // marian_config_read's
};

// path: marian_folder_is. To be finished also after a failure. Errors: those of marian_folder_open,
// marian_file_open, marian_config_read and marian_specials_find.
VKS_MUST_CHECK enum vks_status marian_model_open(const char *path, const struct vks_log *log,
                                                 struct marian_model *model);
void marian_model_finish(struct marian_model *model);

#endif
