// Text to vocabulary ids and back, by SentencePiece models.
#ifndef VKSEQ_TOKENIZER_H
#define VKSEQ_TOKENIZER_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

// Immutable once made: every function that takes a const tokenizer may be called from any thread.
struct vks_tokenizer;

enum vks_side { VKS_SOURCE, VKS_TARGET };

// Reads a model directory in one of Hugging Face's layouts, which its files tell:
//   source.spm, target.spm, vocab.json (piece to id; target_vocab.json beside it when the two sides
//   have separate vocabularies): MarianMT, and what vkseq writes
//   spiece.model: Pegasus
//   sentencepiece.bpe.model, vocab.json: M2M100
//   sentencepiece.bpe.model: NLLB or mBART-50, by tokenizer_config.json or config.json
// tokenizer_config.json and added_tokens.json count where they are; docs/tokenizers.md says how.
// Of a Marian model, a file .npz or .bin or a directory that holds one, the vocabularies beside it,
// .spm or .yml (docs/marian.md).
// log: borrowed while the tokenizer lives.
// Errors: VKS_ERR_IO for a missing file, VKS_ERR_FORMAT for a malformed one or for
// files that do not belong together, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_tokenizer_load(const char *model_dir,
                                                          const struct vks_log *log,
                                                          struct vks_tokenizer **tokenizer);

// Whether a directory has a vocabulary.
VKS_API bool vks_tokenizer_exists(const char *model_dir);

// Takes the pieces of SentencePiece models, in their order, for ids, and <pad> for the last one.
// target_path: NULL, or a file with the same bytes, for a joint vocabulary.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_ARGUMENT for a model without </s> or <unk>, with a
// <pad>, or with another id for </s> than the other side's; VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_tokenizer_load_spm(const char *source_path,
                                                              const char *target_path,
                                                              const struct vks_log *log,
                                                              struct vks_tokenizer **tokenizer);

struct vks_tokenizer_train_params {
    const char *const *source_paths; // texts as of vkseq/text.h, files only
    size_t num_source_paths;
    const char *const *target_paths;
    size_t num_target_paths;
    bool fields; // lines have fields with tabs between them: the first is taken of source paths,
                 // the second of target paths
    uint32_t vocab_size;        // rows of the embedding, <pad> included; 0: 8000
    bool separate_vocabularies; // default: one joint vocabulary
    const char *options;        // SentencePiece trainer flags, e.g. "--model_type=bpe"; may be NULL
    uint32_t seed;
    const struct vks_log *log;
};

// Learns a vocabulary: </s> is id 0, <unk> 1, then 16 placeholder symbols <ph0> to <ph15> that the
// model keeps whole, then pieces; <pad> is the last id. Unigram with byte fallback and full
// character coverage unless options say otherwise.
// Errors: VKS_ERR_IO, VKS_ERR_ARGUMENT (vocabulary size out of reach of the text, unknown option),
// VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_tokenizer_train(const struct vks_tokenizer_train_params *params,
                    struct vks_tokenizer **tokenizer);

// Writes source.spm, target.spm, vocab.json (and target_vocab.json) into an existing directory, and
// the files that tell transformers about them; each file replaced in one step. A vocabulary of
// another layout goes out as it came.
VKS_API VKS_MUST_CHECK enum vks_status vks_tokenizer_save(const struct vks_tokenizer *tokenizer,
                                                          const char *model_dir);

// Ids of a text, without what stands around it in a sequence. *ids is allocated and owned by the
// caller (free with vks_free).
VKS_API VKS_MUST_CHECK enum vks_status vks_tokenizer_encode(const struct vks_tokenizer *tokenizer,
                                                            enum vks_side side, const char *text,
                                                            size_t text_bytes, uint32_t **ids,
                                                            size_t *num_ids);

// A sequence as a model takes it: which language it is in, or is to become.
struct vks_sequence_params {
    enum vks_side side;
    // Codes, as of vks_tokenizer_language. NULL: what the directory says; else nothing where there
    // are no languages, or where texts may name them (>>deu<<), and an error for the others.
    const char *source_language, *target_language;
};

// Ids of a text with what stands around it: </s>, and a language where the model is told one. The
// target's language is the first token of a target, for Marian's of a source.
// Errors: VKS_ERR_ARGUMENT for a language that is unknown or missing, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_tokenizer_encode_sequence(const struct vks_tokenizer *tokenizer,
                              const struct vks_sequence_params *params, const char *text,
                              size_t text_bytes, uint32_t **ids, size_t *num_ids);

// Drawing pieces instead of taking the best ones.
struct vks_piece_sampling {
    enum vks_side side;
    float alpha;   // the power of their probabilities, for BPE the probability that a merge is
                   // left out; 0: the best pieces
    uint32_t seed; // the same one gives the same pieces
};

// The same with pieces that are drawn, over all ways to cut the text (Kudo 2018, arXiv:1804.10959,
// section 3.2; for BPE Provilkov et al. 2020, arXiv:1910.13267).
VKS_API VKS_MUST_CHECK enum vks_status
vks_tokenizer_sample(const struct vks_tokenizer *tokenizer,
                     const struct vks_piece_sampling *sampling, const char *text, size_t text_bytes,
                     uint32_t **ids, size_t *num_ids);

// The text of ids; </s>, <pad>, languages and ids out of range are left out, and <unk> where
// tokenizer_config.json says that the directory is Hugging Face's. *text is allocated, ends with a
// NUL, and is owned by the caller (free with vks_free).
VKS_API VKS_MUST_CHECK enum vks_status vks_tokenizer_decode(const struct vks_tokenizer *tokenizer,
                                                            enum vks_side side, const uint32_t *ids,
                                                            size_t num_ids, char **text);

// Number of ids, <pad> included.
VKS_API uint32_t vks_tokenizer_vocab_size(const struct vks_tokenizer *tokenizer,
                                          enum vks_side side);
VKS_API bool vks_tokenizer_is_joint(const struct vks_tokenizer *tokenizer);
VKS_API uint32_t vks_tokenizer_eos_id(const struct vks_tokenizer *tokenizer, enum vks_side side);
VKS_API uint32_t vks_tokenizer_unk_id(const struct vks_tokenizer *tokenizer, enum vks_side side);
VKS_API uint32_t vks_tokenizer_pad_id(const struct vks_tokenizer *tokenizer, enum vks_side side);
// The piece's text, or NULL for an id out of range; borrowed while the tokenizer lives.
VKS_API const char *vks_tokenizer_piece(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                        uint32_t id);
// Languages that a sequence may be told to be in (M2M100, NLLB, mBART-50), or to be translated into
// (Marian's >>deu<<): 0 where there is nothing to choose.
VKS_API uint32_t vks_tokenizer_num_languages(const struct vks_tokenizer *tokenizer);
// A code, such as "de", "deu_Latn", "de_DE" or "deu", in the order of ids; NULL if there are not as
// many. Borrowed while the tokenizer lives.
VKS_API const char *vks_tokenizer_language(const struct vks_tokenizer *tokenizer, uint32_t i);
// The language that the directory names for a side; NULL: none.
VKS_API const char *vks_tokenizer_default_language(const struct vks_tokenizer *tokenizer,
                                                   enum vks_side side);
VKS_API void vks_tokenizer_destroy(struct vks_tokenizer **tokenizer);

#ifdef __cplusplus
}
#endif
#endif
