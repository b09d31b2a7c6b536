#include "convert/marian_export.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "convert/marian_names.h"
#include "io/files.h"
#include "io/npz_write.h"
#include "model/weights_write.h"
#include "text/peer_files.h"
#include "text/tokenizer_spm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_POSITIONS = 1024 };

struct marian_writer {
    struct vks_model *model;
    const struct vks_export_params *params;
    const char *path;
    struct npz_writer npz;
    float *values, *turned; // owned, of the present array
    uint16_t *halves;       // owned
};

static enum vks_status refuse(const struct vks_log *log, const char *what, const char *instead) {
    log_error(log, "a Marian model cannot have what this one has: %s; %s", what, instead);
    return VKS_ERR_UNSUPPORTED;
}

// What Marian, or CTranslate2's converter of Marian's models, computes differently.
static enum vks_status check_parts(const struct vks_model_config *config,
                                   const struct vks_export_params *params) {
    const struct vks_log *log = params->log;
    bool is_ct2 = params->format == VKS_EXPORT_CT2;
    bool is_marians = config->positions == VKS_POSITIONS_FAIRSEQ && config->position_offset == 0;
    if (!is_ct2 && !is_marians)
        return refuse(log,
                      "other positions than Marian's sines, and it does not take them from a file",
                      "take the format ct2 or hf, or train with --positions fairseq");
    if (config->positions == VKS_POSITIONS_LEARNED)
        return refuse(log, "learned positions for the encoder and others for the decoder",
                      "take the format hf and ct2-transformers-converter");
    if (config->activation == VKS_GELU)
        return refuse(log, "the activation gelu, for which an approximation is taken there",
                      is_ct2 ? "take the format hf and ct2-transformers-converter"
                             : "train with another activation, or take the format hf");
    if (config->tying == VKS_TIED_SOURCE || config->embedding_norm)
        return refuse(log, "an output layer that alone is not tied, or normalised embeddings",
                      "take the format hf");
    if (config->num_heads != config->decoder_heads ||
        config->ffn_width != config->decoder_ffn_width)
        return refuse(log, "an encoder and a decoder of different widths", "take the format hf");
    if (config->start_id != config->pad_id || config->pad_in_softmax)
        return refuse(log,
                      "tokens of a class of transformers, where <pad> is predicted or does "
                      "not begin",
                      "take the format hf");
    if (config->no_embedding_scale)
        return refuse(log, "embeddings that are not multiplied by the root of the width",
                      "take the format hf");
    return VKS_OK;
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

static enum vks_status write_weight(struct marian_writer *writer,
                                    const struct named_weight *weight) {
    struct marian_name name;
    uint32_t rows = weight->num, cols = weight->parameter.cols;
    if (!marian_name_of(weight->name, writer->model->config.pre_norm, &name)) {
        log_error(writer->params->log, "%s: a Marian model has no place for the tensor '%s'",
                  writer->path, weight->name);
        return VKS_ERR_UNSUPPORTED;
    }
    TRY(reserve(writer, named_weight_size(weight)));
    TRY(named_weight_read(&writer->model->weights, PART_VALUE, weight, writer->values));
    switch (name.kind) {
    case MARIAN_VECTOR:
        return write_array(writer, name.text, writer->values, 1, rows);
    case MARIAN_EMBEDDING:
        return write_array(writer, name.text, writer->values, rows - 1, cols);
    case MARIAN_MATRIX:
        break;
    }
    transpose(writer->values, rows, cols, writer->turned);
    return write_array(writer, name.text, writer->turned, cols, rows);
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
    return write_array(writer, "decoder_ff_logit_out_b", writer->values, 1, size);
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
    if (writer->params->format == VKS_EXPORT_CT2)
        TRY(write_positions(writer));
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

static enum vks_status write_decoder(const struct vks_tokenizer *tokenizer,
                                     const char *const names[2][2], const char *dir,
                                     const struct vks_log *log) {
    const char *vocabs[2];
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++)
        vocabs[side] = names[side][has_ids_of_spm(tokenizer, (enum vks_side)side) ? 0 : 1];
    char *path = path_join(dir, "decoder.yml"), *text = marian_decoder_options(vocabs);
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
    if (params->format == VKS_EXPORT_MARIAN && config->pre_norm)
        log_warn(params->log, "Marian 1.12 scores models that normalise before each block right, "
                              "but translates wrong with them; take the format ct2 or hf");
    TRY(directory_create(dir, params->log));
    TRY(write_model(model, params, dir));
    for (int side = VKS_SOURCE; side <= VKS_TARGET; side++)
        TRY(write_vocabulary(tokenizer, (enum vks_side)side, sizes[side], names[side], dir,
                             params->log));
    return params->format == VKS_EXPORT_MARIAN ? write_decoder(tokenizer, names, dir, params->log)
                                               : VKS_OK;
}
