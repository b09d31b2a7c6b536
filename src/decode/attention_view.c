#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/attention_maps.h"
#include "decode/sentences.h"
#include "vkseq/attention_map.h"

#include <stdlib.h>
#include <string.h>

// Attention takes memory with the square of a line's tokens.
enum { MAX_TOKENS = 2048 };

static enum vks_status check_params(const struct vks_model_config *config,
                                    const struct vks_attention_params *p) {
    bool is_encoder = p->kind == VKS_ATTENTION_ENCODER;
    if (p->kind == VKS_ATTENTION_DECODER && config->decoder_cell == VKS_CELL_SSRU) {
        log_error(p->log, "the model's decoder has recurrent cells in the place of attention to "
                          "itself");
        return VKS_ERR_ARGUMENT;
    }
    uint32_t num_layers = is_encoder ? config->encoder_layers : config->decoder_layers;
    if (p->layer >= num_layers) {
        log_error(p->log, "layer %u of the %s; the model has layers 0 to %u", p->layer,
                  is_encoder ? "encoder" : "decoder", num_layers - 1);
        return VKS_ERR_ARGUMENT;
    }
    uint32_t num_heads = is_encoder ? config->num_heads : config->decoder_heads;
    if (p->head >= num_heads && p->head != VKS_ATTENTION_ALL_HEADS) {
        log_error(p->log, "attention head %u; the model has heads 0 to %u", p->head, num_heads - 1);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

static enum vks_status encode(const struct vks_model_config *config,
                              const struct vks_tokenizer *tokenizer,
                              const struct vks_attention_params *p, enum vks_side side,
                              const char *text, struct sentence **sentence) {
    const struct vks_sequence_params sequence = {side, p->source_language, p->target_language};
    struct sentences_params params = {
        .tokenizer = tokenizer, .side = side, .max_tokens = UINT32_MAX, .log = p->log};
    TRY(tokenizer_frame(tokenizer, &sequence, p->log, &params.frame));
    uint32_t most = config->positions == VKS_POSITIONS_LEARNED
                        ? min_u32(config->max_positions, MAX_TOKENS)
                        : MAX_TOKENS;
    struct sentence *made;
    TRY(sentences_encode(&params, &text, 1, &made));
    if (made->num_ids <= most) {
        *sentence = made;
        return VKS_OK;
    }
    log_error(p->log, "a %s of %u tokens; attention is shown for at most %u",
              side == VKS_SOURCE ? "source" : "translation", made->num_ids, most);
    sentences_free(made, 1);
    return VKS_ERR_ARGUMENT;
}

// What stands beside rows or columns; the translation is read one token late.
static uint32_t *copy_ids(const struct sentence *sentence, bool is_late, uint32_t start_id) {
    uint32_t *ids = memory_calloc(sentence->num_ids, sizeof *ids);
    for (uint32_t i = 0; ids && i < sentence->num_ids; i++)
        ids[i] = !is_late ? sentence->ids[i] : i == 0 ? start_id : sentence->ids[i - 1];
    return ids;
}

static enum vks_status compute(struct attention_maps *maps, const struct sentence *source,
                               const struct sentence *target, struct vks_attention_map *map) {
    const struct attention_pair pair = {{source->ids, source->num_ids},
                                        {target->ids, target->num_ids}};
    bool is_encoder = maps->params.kind == VKS_ATTENTION_ENCODER;
    bool is_decoder = maps->params.kind == VKS_ATTENTION_DECODER;
    uint32_t num_rows, num_cols, start_id = maps->model->config.start_id;
    attention_maps_shape(maps, &pair, &num_rows, &num_cols);
    *map = (struct vks_attention_map){
        .row_ids = copy_ids(is_encoder ? source : target, false, start_id),
        .col_ids = copy_ids(is_decoder ? target : source, is_decoder, start_id),
        .weights = memory_calloc((size_t)num_rows * num_cols, sizeof *map->weights),
        .num_rows = num_rows,
        .num_cols = num_cols};
    if (!map->row_ids || !map->col_ids || !map->weights)
        return VKS_ERR_OOM;
    return attention_maps_run(maps, &pair, 1, &map->weights);
}

enum vks_status vks_attention_compute(struct vks_model *model,
                                      const struct vks_tokenizer *tokenizer,
                                      const struct vks_attention_params *params, const char *source,
                                      const char *target, struct vks_attention_map *result) {
    const struct vks_model_config *config = &model->config;
    struct sentence *sources = NULL, *targets = NULL;
    struct vks_attention_map map = {0};
    enum vks_status status;
    TRY(sentences_check_vocabulary(config, tokenizer, params->log));
    TRY(check_params(config, params));
    TRY_GOTO(status, encode(config, tokenizer, params, VKS_SOURCE, source, &sources), done);
    TRY_GOTO(status, encode(config, tokenizer, params, VKS_TARGET, target, &targets), done);
    bool has_all = params->head == VKS_ATTENTION_ALL_HEADS;
    const struct attention_maps_params probe = {.kind = params->kind,
                                                .layer = params->layer,
                                                .first_head = has_all ? 0 : params->head,
                                                .num_mean_heads = has_all ? 0 : 1};
    struct attention_maps maps;
    attention_maps_init(model, &probe, &maps);
    status = compute(&maps, sources, targets, &map);
    attention_maps_finish(&maps);
    if (status == VKS_OK)
        *result = map;
    else
        vks_attention_map_free(&map);
done:
    sentences_free(sources, 1);
    sentences_free(targets, 1);
    return status;
}

void vks_attention_map_free(struct vks_attention_map *map) {
    free(map->row_ids);
    free(map->col_ids);
    free(map->weights);
    *map = (struct vks_attention_map){0};
}
