#include "model/model_object.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "model/config.h"
#include "model/marian_model.h"
#include "model/marian_weights.h"
#include "model/weights_file.h"
#include "model/weights_write.h"

#include <stdlib.h>

static enum vks_status allocate(struct vks_device *device, const struct vks_model_config *config,
                                uint32_t parts, struct vks_model **result) {
    struct vks_model *model = memory_calloc(1, sizeof *model);
    if (!model)
        return VKS_ERR_OOM;
    model->device = device;
    model->config = *config;
    enum vks_status status = config_complete(&model->config, "model", device->log);
    if (status == VKS_OK)
        status = weights_init(device, &model->config, NULL, parts, &model->weights);
    if (status != VKS_OK)
        free(model);
    else
        *result = model;
    return status;
}

enum vks_status vks_model_create(struct vks_device *device, const struct vks_model_config *config,
                                 uint32_t seed, struct vks_model **result) {
    struct vks_model *model;
    TRY(allocate(device, config, PARTS_RUN, &model));
    enum vks_status status = weights_randomize(&model->weights, &model->config, seed);
    if (status != VKS_OK)
        vks_model_destroy(&model);
    else
        *result = model;
    return status;
}

enum vks_status model_prepare_training(struct vks_model *model, uint32_t parts) {
    return parameter_store_allocate(&model->weights.store, parts);
}

enum vks_status model_reopen(struct vks_model *model) {
    uint32_t parts = model->weights.store.parts;
    weights_release(&model->weights);
    TRY(device_reopen(model->device));
    return weights_allocate(&model->weights, &model->config, parts);
}

static enum vks_status load_marian(struct vks_device *device, const char *path,
                                   struct vks_model **result) {
    struct marian_model marian;
    struct vks_model *model = NULL;
    enum vks_status status;
    TRY_GOTO(status, marian_model_open(path, device->log, &marian), done);
    TRY_GOTO(status, allocate(device, &marian.config, 0, &model), done);
    TRY_GOTO(status,
             marian_weights_read(&model->weights, &model->config, marian.gate, marian.file,
                                 marian.folder.model),
             done);
    *result = model;
    model = NULL;
done:
    vks_model_destroy(&model);
    marian_model_finish(&marian);
    return status;
}

enum vks_status vks_model_load(struct vks_device *device, const char *dir,
                               struct vks_model **result) {
    bool is_marian;
    TRY(marian_folder_is(dir, device->log, &is_marian));
    if (is_marian)
        return load_marian(device, dir, result);
    struct vks_model *model = NULL;
    struct vks_model_config config = {0};
    struct tensor_set *set = NULL;
    enum vks_status status;
    TRY(config_read(dir, device->log, &config));
    TRY(tensor_set_open(dir, device->log, &set));
    if (config.model_class != VKS_CLASS_OWN)
        weights_complete_config(set, device->log, &config);
    TRY_GOTO(status, allocate(device, &config, 0, &model), done);
    TRY_GOTO(status, weights_read(&model->weights, PART_VALUE, &model->config, set), done);
    *result = model;
    model = NULL;
done:
    vks_model_destroy(&model);
    tensor_set_close(&set);
    return status;
}

enum vks_status vks_model_save(struct vks_model *model, const char *dir) {
    const struct vks_log *log = model->device->log;
    TRY(directory_create(dir, log));
    char *path = path_join(dir, "model.safetensors");
    if (!path)
        return VKS_ERR_OOM;
    const struct weights_write_params params = {.part = PART_VALUE, .log = log};
    enum vks_status status = weights_write(&model->weights, &params, path);
    free(path);
    return status == VKS_OK ? config_write(&model->config, NULL, dir, log) : status;
}

const struct vks_model_config *vks_model_config(const struct vks_model *model) {
    return &model->config;
}

uint64_t vks_model_num_parameters(const struct vks_model *model) {
    uint64_t num = 0;
    for (size_t i = 0; i < model->weights.num_named; i++)
        num += named_weight_size(&model->weights.named[i]);
    return num;
}

void vks_model_destroy(struct vks_model **model_ref) {
    struct vks_model *model = *model_ref;
    if (!model)
        return;
    weights_finish(&model->weights);
    free(model);
    *model_ref = NULL;
}
