#include "train/guided_alignment.h"

#include "base/log.h"
#include "ops/alignment.h"
#include "train/training_data.h"

enum vks_status guided_alignment_init(const struct vks_trainer_params *params,
                                      const struct vks_model_config *config,
                                      struct loss_alignment *alignment) {
    static const uint32_t costs[] = {ALIGNMENT_COST_CE, ALIGNMENT_COST_MSE, ALIGNMENT_COST_MULT};
    uint32_t layer = params->guided_alignment_layer;
    if (!training_data_has_alignments(params))
        return VKS_OK;
    if (params->sentencepiece_alphas[VKS_SOURCE] > 0 ||
        params->sentencepiece_alphas[VKS_TARGET] > 0) {
        log_error(params->log, "guided alignment needs the same pieces in each epoch (no "
                               "SentencePiece sampling)");
        return VKS_ERR_ARGUMENT;
    }
    if (layer > config->decoder_layers) {
        log_error(params->log, "guided alignment: there is no layer %u in a decoder of %u layers",
                  layer, config->decoder_layers);
        return VKS_ERR_ARGUMENT;
    }
    if (params->guided_alignment_cost > VKS_ALIGNMENT_MULT ||
        !(params->guided_alignment_weight >= 0)) {
        log_error(params->log,
                  "guided alignment: expected one of its costs (it is %d), and a "
                  "weight of at least 0 (it is %g)",
                  (int)params->guided_alignment_cost, (double)params->guided_alignment_weight);
        return VKS_ERR_ARGUMENT;
    }
    *alignment = (struct loss_alignment){.layer_idx = (layer ? layer : config->decoder_layers) - 1,
                                         .max_source = params->max_length + 1,
                                         .is_guided = true,
                                         .cost = costs[params->guided_alignment_cost],
                                         .weight = params->guided_alignment_weight};
    return VKS_OK;
}
