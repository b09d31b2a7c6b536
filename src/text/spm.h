// SentencePiece models behind a C interface: no exception and no C++ type leaves it.
#ifndef TEXT_SPM_H
#define TEXT_SPM_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

// Immutable once made; may be used from any thread.
struct spm;

// Makes a model of the bytes of a .spm file, which are copied.
// name: what messages call the model, e.g. the file's path. log: borrowed while the model lives.
// Errors: VKS_ERR_FORMAT if the bytes are no SentencePiece model, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status spm_load(const void *model, size_t num_bytes, const char *name,
                                        const struct vks_log *log, struct spm **spm);

struct spm_train_params {
    const char *const *paths; // as for vks_line_reader_open, a sentence a line
    const uint32_t *fields;   // of each path: which field of its lines, with tabs between them,
                              // counted from 1; 0: the whole line. NULL: all 0
    size_t num_paths;
    uint32_t num_pieces; // at most; fewer if the text does not yield as many
    const char *options; // flags of SentencePiece's trainer, separated by blanks; may be NULL
    uint32_t seed;
    const struct vks_log *log; // borrowed while the model lives
};

// Learns a model: </s> is piece 0, <unk> 1, then <ph0> to <ph15>; options may override all of it
// but where the text comes from and where the model goes. The same texts, options and seed give
// the same bytes.
// Errors: VKS_ERR_IO for an unreadable text, VKS_ERR_ARGUMENT for an option or a number of pieces
// that SentencePiece refuses, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status spm_train(const struct spm_train_params *params, struct spm **spm);

struct spm_sampling {
    float alpha; // the power of their probabilities; 0: the best pieces
    uint32_t seed;
};

// Calls visit for each piece of the text, in order, until it fails. A piece ends with a NUL that
// its length does not count, and lives for the call only. The pieces are a function of model, text
// and sampling; NULL: the best ones.
// Errors: visit's, VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status
spm_encode(const struct spm *spm, const struct spm_sampling *sampling, const char *text,
           size_t text_bytes,
           enum vks_status (*visit)(void *user, const char *piece, size_t piece_bytes), void *user);

// The text of pieces, which need not be the model's own. NUL bytes are left out. *text is
// allocated and owned by the caller (free).
// Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status spm_decode(const struct spm *spm, const char *const *pieces,
                                          size_t num_pieces, char **text);

uint32_t spm_num_pieces(const struct spm *spm);
// The piece with an id below spm_num_pieces; borrowed while the model lives.
const char *spm_piece(const struct spm *spm, uint32_t id);
// The bytes of the .spm file; borrowed while the model lives.
const void *spm_model(const struct spm *spm, size_t *num_bytes);
void spm_destroy(struct spm **spm);

#ifdef __cplusplus
}
#endif
#endif
