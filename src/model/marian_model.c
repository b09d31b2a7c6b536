#include "model/marian_model.h"

#include "base/log.h"
#include "io/marian_specials.h"
#include "model/config.h"
#include "model/marian_config.h"

// What stands beside the model: the ids of </s> and <unk>, and how to translate.
static enum vks_status add_folder(const struct vks_log *log, struct marian_model *model) {
    const struct marian_folder *folder = &model->folder;
    struct vks_model_config *config = &model->config;
    uint32_t unk_id = 1;
    if (folder->vocabs[1])
        TRY(marian_specials_find(folder->vocabs[1], log, &config->eos_id, &unk_id));
    // Marian gives no <unk>.
    config->generation.suppressed[0] = 1;
    config->generation.suppressed[1] = unk_id;
    config->generation.beam_size = folder->beam_size;
    config->generation.normalize = folder->normalize;
    config->generation.word_penalty = folder->word_penalty;
    return config_complete(config, folder->model, log) == VKS_OK ? VKS_OK : VKS_ERR_FORMAT;
}

enum vks_status marian_model_open(const char *path, const struct vks_log *log,
                                  struct marian_model *model) {
    *model = (struct marian_model){0};
    TRY(marian_folder_open(path, log, &model->folder));
    TRY(marian_file_open(model->folder.model, log, &model->file));
    TRY(marian_config_read(model->file, model->folder.model, log, &model->config, &model->gate));
    return add_folder(log, model);
}

void marian_model_finish(struct marian_model *model) {
    marian_file_close(&model->file);
    marian_folder_finish(&model->folder);
}
