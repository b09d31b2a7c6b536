#include "train/guided_alignment.h"

#include "base/log.h"
#include "ops/alignment.h"

enum vks_status guided_alignment_init(const struct vks_trainer_params *params,
                                      const struct vks_model_config *config,
                                      struct guided_alignment *guided) {
    static const uint32_t costs[] = {ALIGNMENT_COST_CE, ALIGNMENT_COST_MSE, ALIGNMENT_COST_MULT};
    uint32_t layer = params->guided_alignment_layer;
    if (!params->guided_alignment)
        return VKS_OK;
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
    guided->loss =
        (struct loss_alignment){.layer_idx = (layer ? layer : config->decoder_layers) - 1,
                                .max_source = params->max_length + 1,
                                .is_guided = true,
                                .cost = costs[params->guided_alignment_cost],
                                .weight = params->guided_alignment_weight};
    return VKS_OK;
}

enum vks_status guided_alignment_load(const struct vks_trainer_params *params,
                                      const struct corpus *corpus,
                                      struct guided_alignment *guided) {
    if (!guided->loss.is_guided)
        return VKS_OK;
    return alignments_load(params->guided_alignment, corpus, params->max_length_crop, params->log,
                           &guided->alignments);
}

void guided_alignment_close(struct guided_alignment *guided) {
    alignments_destroy(&guided->alignments);
}

void guided_alignment_feed(const struct guided_alignment *guided, const struct batch *batch,
                           struct loss_program *loss, uint32_t slot) {
    loss_program_clear_links(loss, slot);
    for (uint32_t i = 0; i < batch->num_sequences; i++) {
        size_t num;
        const struct alignment_link *links =
            alignments_get(guided->alignments, batch->pairs[i], &num);
        for (size_t j = 0; j < num; j++)
            loss_program_add_link(loss, slot, batch->tgt_offsets[i] + links[j].target,
                                  links[j].source);
    }
}
