// Models as vkseq and transformers keep them, and the way to Marian's files.
#include "base/log.h"
#include "convert/marian_export.h"
#include "io/files.h"
#include "model/config.h"
#include "model/model_object.h"
#include "model/weights_write.h"
#include "vkseq/convert.h"

#include <stdlib.h>

static const float CLASS_EPS = 1e-5f;

// Whether transformers has a class for the model, or what to take instead.
static enum vks_status check_class(const struct vks_model_config *config,
                                   const struct config_form *form, const struct vks_log *log) {
    const char *why = NULL;
    if (config_expressed_by(config, form, &why) != VKS_CLASS_OWN)
        return VKS_OK;
    log_error(log,
              "no class of transformers computes what this model does: %s; take the format ct2, "
              "or marian for a model trained with --positions fairseq",
              why);
    return VKS_ERR_UNSUPPORTED;
}

// The rows of position tables that the format needs: those that transformers would not work out.
static uint32_t num_positions(const struct vks_model_config *config,
                              const struct vks_export_params *params) {
    // Pegasus looks for a table in any case.
    bool is_pegasus = config->model_class == VKS_CLASS_PEGASUS ||
                      (config->model_class == VKS_CLASS_OWN && config->pre_norm);
    bool is_other =
        config->model_class == VKS_CLASS_OWN && config->positions == VKS_POSITIONS_FAIRSEQ;
    bool has_tables = config->positions != VKS_POSITIONS_LEARNED && config->position_offset == 0;
    return params->format == VKS_EXPORT_HF && has_tables && (is_pegasus || is_other)
               ? config->max_positions
               : 0;
}

// The configuration as a class of transformers has it: all add the same number to variances, where
// Marian adds another one, and nobody minds.
static struct vks_model_config config_of(const struct vks_model *model,
                                         const struct vks_export_params *params) {
    struct vks_model_config config = model->config;
    if (params->format != VKS_EXPORT_HF || config.norm_eps == CLASS_EPS)
        return config;
    log_warn(params->log, "norms of this model add %g to variances, those of transformers %g",
             (double)config.norm_eps, (double)CLASS_EPS);
    config.norm_eps = CLASS_EPS;
    return config;
}

static enum vks_status export_hf(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                                 const struct vks_export_params *params, const char *dir) {
    const struct vks_model_config own_config = config_of(model, params), *config = &own_config;
    const struct weights_write_params write_params = {
        .part = PART_VALUE,
        .is_half = params->is_half,
        .num_positions = num_positions(config, params),
        .config = config,
        .log = params->log,
    };
    const struct config_form form = {.has_positions = write_params.num_positions > 0,
                                     .is_half = params->is_half};
    if (params->format == VKS_EXPORT_HF)
        TRY(check_class(config, &form, params->log));
    TRY(directory_create(dir, params->log));
    char *path = path_join(dir, "model.safetensors");
    enum vks_status status =
        path ? weights_write(&model->weights, &write_params, path) : VKS_ERR_OOM;
    free(path);
    if (status == VKS_OK)
        status = config_write(config, &form, dir, params->log);
    return status == VKS_OK ? vks_tokenizer_save(tokenizer, dir) : status;
}

enum vks_status vks_model_export(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                                 const struct vks_export_params *params, const char *dir) {
    struct vks_export_params with_log = *params;
    if (!with_log.log)
        with_log.log = model->device->log;
    bool is_marian = params->format == VKS_EXPORT_MARIAN || params->format == VKS_EXPORT_CT2;
    return is_marian ? marian_export(model, tokenizer, &with_log, dir)
                     : export_hf(model, tokenizer, &with_log, dir);
}
