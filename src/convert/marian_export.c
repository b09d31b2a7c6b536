#include "convert/marian_export.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "convert/marian_options.h"
#include "io/files.h"
#include "io/npz_write.h"
#include "model/marian_weights.h"
#include "model/weights_write.h"
#include "text/peer_files.h"
#include "text/tokenizer_spm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_POSITIONS = 1024 };

static const char output_bias[] = "decoder_ff_logit_out_b";

struct marian_writer {
    struct vks_model *model;
    const struct vks_export_params *params;
    const char *path;
    struct npz_writer npz;
    float *values, *turned; // owned, of the present array
    uint16_t *halves;       // owned
};

static enum vks_status refuse(const struct vks_log *log, const char *what, const char *instead) {
    log_error(log, "the format cannot have what this model has: %s; %s", what, instead);
    return VKS_ERR_UNSUPPORTED;
}

static enum vks_status check_positions(const struct vks_model_config *config, bool is_ct2,
                                       const struct vks_log *log) {
    bool is_marians = config->positions == VKS_POSITIONS_FAIRSEQ && config->position_offset == 0;
    if (!is_ct2 && !is_marians)
        return refuse(log,
                      "other positions than Marian's sines, and it does not take them from a file",
                      "take the format ct2 or hf, or train with --positions fairseq");
    if (config->positions == VKS_POSITIONS_LEARNED && !config->shared_positions)
        return refuse(log, "learned positions for the encoder and others for the decoder",
                      "take the format hf and ct2-transformers-converter");
    if (config->no_embedding_scale)
        return refuse(log, "embeddings that are not multiplied by the root of the width",
                      "take the format hf");
    return VKS_OK;
}

// What CTranslate2's converter does not read of Marian's models, or otherwise.
static enum vks_status check_ct2(const struct vks_model_config *config, const struct vks_log *log) {
    if (config->activation == VKS_GELU)
        return refuse(log, "the activation gelu, which ct2-marian-converter approximates",
                      "take the format hf and ct2-transformers-converter");
    if (config->decoder_cell != VKS_CELL_ATTENTION || config->no_final_norm)
        return refuse(log, "a decoder that ct2-marian-converter does not read",
                      "CTranslate2 has none such");
    for (uint32_t i = 0; i < VKS_MAX_LAYERS; i++)
        if (config->tied_layers[i])
            return refuse(log,
                          "layers that share weights, which ct2-marian-converter does not read",
                          "take another toolkit");
    return VKS_OK;
}

static enum vks_status check_model(const struct vks_model_config *config,
                                   const struct vks_export_params *params) {
    const struct vks_log *log = params->log;
    bool is_ct2 = params->format == VKS_EXPORT_CT2;
    TRY(check_positions(config, is_ct2, log));
    if (config->start_id != config->pad_id)
        return refuse(log, "a decoder that starts with another token than <pad>",
                      "take the format hf");
    if (config->num_heads != config->decoder_heads)
        return refuse(log, "an encoder and a decoder with different numbers of heads",
                      "take the format hf");
    if (!is_ct2 && config->pre_norm && config->decoder_cell == VKS_CELL_ATTENTION)
        log_warn(log, "Marian 1.12 scores models that normalise before each block right, but "
                      "translates wrong with them; take the format ct2 or hf");
    return is_ct2 ? check_ct2(config, log) : VKS_OK;
}

// Marian has no <pad>: rows of the last id are left out.
static enum vks_status check_vocabularies(const struct vks_model_config *config,
                                          const struct vks_tokenizer *tokenizer,
                                          const struct vks_log *log) {
    if (config->pad_id == config->target_vocab - 1 &&
        vks_tokenizer_pad_id(tokenizer, VKS_SOURCE) == config->source_vocab - 1)
        return VKS_OK;
    return refuse(log, "a <pad> that is not the last piece of the vocabulary",
                  "take the format hf");
}

static enum vks_status write_array(struct marian_writer *writer, const char *name,
                                   const float *values, uint64_t rows, uint64_t cols) {
    size_t size = (size_t)(rows * cols);
    struct npz_array array = {.name = name,
                              .type = writer->params->is_half ? NPZ_FLOAT16 : NPZ_FLOAT32,
                              .num_dims = 2,
                              .dims = {rows, cols},
                              .data = values};
    if (writer->params->is_half) {
        uint16_t *halves = memory_realloc(writer->halves, size * sizeof *halves);
        if (!halves)
            return VKS_ERR_OOM;
        writer->halves = halves;
        TRY(weights_halve(values, size, name, writer->path, writer->params->log, halves));
        array.data = halves;
    }
    return npz_writer_add(&writer->npz, &array);
}

// Room for an array and the same turned.
static enum vks_status reserve(struct marian_writer *writer, uint64_t size) {
    float *values = memory_realloc(writer->values, (size_t)size * sizeof *values);
    if (values)
        writer->values = values;
    float *turned = memory_realloc(writer->turned, (size_t)size * sizeof *turned);
    if (turned)
        writer->turned = turned;
    return values && turned ? VKS_OK : VKS_ERR_OOM;
}

static void transpose(const float *from, uint32_t rows, uint32_t cols, float *to) {
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t col = 0; col < cols; col++)
            to[(size_t)col * rows + row] = from[(size_t)row * cols + col];
}

// The row of <pad>, with which the decoder begins: Marian begins with zeros.
static enum vks_status check_start(const struct marian_writer *writer, const char *name,
                                   const float *row) {
    for (uint32_t i = 0; i < writer->model->config.width && strstr(name, "Wemb"); i++)
        if (row[i] != 0.0f)
            return refuse(writer->params->log, "an embedding of <pad> that is not zero",
                          "take the format hf");
    return VKS_OK;
}

static enum vks_status write_weight(struct marian_writer *writer,
                                    const struct named_weight *weight) {
    const struct vks_model_config *config = &writer->model->config;
    struct marian_place place;
    uint32_t rows = weight->num, cols = weight->parameter.cols;
    if (!marian_place_of(config, weight->name, &place)) {
        log_error(writer->params->log, "%s: a Marian model has no place for the tensor '%s'",
                  writer->path, weight->name);
        return VKS_ERR_UNSUPPORTED;
    }
    TRY(reserve(writer, named_weight_size(weight)));
    TRY(named_weight_read(&writer->model->weights, PART_VALUE, weight, writer->values));
    if (place.is_transposed) {
        transpose(writer->values, rows, cols, writer->turned);
        return write_array(writer, place.name, writer->turned, cols, rows);
    }
    if (weight->num_dims == 1)
        return write_array(writer, place.name, writer->values, 1, rows);
    if (strcmp(place.name, output_bias) == 0)
        return write_array(writer, place.name, writer->values, 1, cols - 1);
    if (strcmp(place.name, "Wpos") == 0)
        return write_array(writer, place.name, writer->values, rows, cols);
    TRY(check_start(writer, place.name, writer->values + (size_t)(rows - 1) * cols));
    return write_array(writer, place.name, writer->values, rows - 1, cols);
}

// The positions that the model was trained with, as CTranslate2's converter looks for them.
static enum vks_status write_positions(struct marian_writer *writer) {
    const struct vks_model_config *config = &writer->model->config;
    uint32_t offset = config->position_offset;
    uint32_t rows = max_u32(config->max_positions, MIN_POSITIONS);
    TRY(reserve(writer, (uint64_t)(rows + offset) * config->width));
    weights_fill_positions(config, rows + offset, writer->values);
    return write_array(writer, "Wpos", writer->values + (size_t)offset * config->width, rows,
                       config->width);
}

static enum vks_status write_output_bias(struct marian_writer *writer) {
    uint32_t size = writer->model->config.target_vocab - 1;
    TRY(reserve(writer, size));
    memset(writer->values, 0, size * sizeof *writer->values);
    return write_array(writer, output_bias, writer->values, 1, size);
}

// The options end with one NUL.
static enum vks_status write_options(struct marian_writer *writer) {
    char *text = marian_model_options(&writer->model->config);
    if (!text)
        return VKS_ERR_OOM;
    const struct npz_array array = {.name = "special:model.yml",
                                    .type = NPZ_INT8,
                                    .num_dims = 1,
                                    .dims = {strlen(text) + 1},
                                    .data = text};
    enum vks_status status = npz_writer_add(&writer->npz, &array);
    free(text);
    return status;
}

static enum vks_status write_arrays(struct marian_writer *writer) {
    const struct weights *weights = &writer->model->weights;
    for (size_t i = 0; i < weights->num_named; i++)
        TRY(write_weight(writer, &weights->named[i]));
    bool has_sines = writer->model->config.positions != VKS_POSITIONS_LEARNED;
    if (writer->params->format == VKS_EXPORT_CT2 && has_sines)
        TRY(write_positions(writer));
    if (!writer->model->config.output_bias)
        TRY(write_output_bias(writer));
    return write_options(writer);
}

static enum vks_status write_model(struct vks_model *model, const struct vks_export_params *params,
                                   const char *dir) {
    char *path = path_join(dir, "model.npz");
    if (!path)
        return VKS_ERR_OOM;
    struct marian_writer writer = {.model = model, .params = params, .path = path};
    enum vks_status status = npz_writer_open(&writer.npz, path, params->log);
    if (status == VKS_OK)
        status = write_arrays(&writer);
    if (status == VKS_OK)
        status = npz_writer_commit(&writer.npz);
    npz_writer_abort(&writer.npz);
    free(writer.values);
    free(writer.turned);
    free(writer.halves);
    free(path);
    return status;
}

// Whether ids are those of the SentencePiece model, which Marian takes them from then.
static bool has_ids_of_spm(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    const struct spm *spm = tokenizer_spm(tokenizer, side);
    uint32_t num = spm_num_pieces(spm);
    for (uint32_t id = 0; id < num; id++) {
        const char *piece = vks_tokenizer_piece(tokenizer, side, id);
        if (!piece || strcmp(piece, spm_piece(spm, id)) != 0)
            return false;
    }
    return num + 1 == vks_tokenizer_vocab_size(tokenizer, side);
}

static enum vks_status write_vocabulary(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                        uint32_t size, const char *const names[2], const char *dir,
                                        const struct vks_log *log) {
    size_t num_bytes;
    const void *bytes = spm_model(tokenizer_spm(tokenizer, side), &num_bytes);
    char *spm_path = path_join(dir, names[0]), *yaml_path = path_join(dir, names[1]);
    enum vks_status status = spm_path && yaml_path ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = file_replace(spm_path, bytes, num_bytes, log);
    if (status == VKS_OK)
        status = peer_files_write_yaml(tokenizer, side, size, yaml_path, log);
    free(spm_path);
    free(yaml_path);
    return status;
}

static enum vks_status write_decoder(const struct vks_model_config *config,
                                     const struct vks_tokenizer *tokenizer,
                                     const char *const names[2][2], const char *dir,
                                     const struct vks_log *log) {
    const char *vocabs[2];
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++)
        vocabs[side] = names[side][has_ids_of_spm(tokenizer, (enum vks_side)side) ? 0 : 1];
    char *path = path_join(dir, "decoder.yml"), *text = marian_decoder_options(config, vocabs);
    enum vks_status status =
        path && text ? file_replace(path, text, strlen(text), log) : VKS_ERR_OOM;
    free(path);
    free(text);
    return status;
}

enum vks_status marian_export(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                              const struct vks_export_params *params, const char *dir) {
    static const char *const names[2][2] = {{"source.spm", "source.yml"},
                                            {"target.spm", "target.yml"}};
    const struct vks_model_config *config = &model->config;
    const uint32_t sizes[] = {config->source_vocab - 1, config->target_vocab - 1};
    TRY(check_model(config, params));
    TRY(check_vocabularies(config, tokenizer, params->log));
    TRY(directory_create(dir, params->log));
    TRY(write_model(model, params, dir));
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++)
        TRY(write_vocabulary(tokenizer, (enum vks_side)side, sizes[side], names[side], dir,
                             params->log));
    return params->format == VKS_EXPORT_MARIAN
               ? write_decoder(config, tokenizer, names, dir, params->log)
               : VKS_OK;
}
