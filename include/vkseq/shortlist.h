// Lexical shortlists: which target tokens a line's translation may have, by the line's tokens.
#ifndef VKSEQ_SHORTLIST_H
#define VKSEQ_SHORTLIST_H

#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

// Immutable once made: may be used from any thread.
struct vks_shortlist;

struct vks_shortlist_params {
    // Lines "target source probability" of pieces, or Marian's binary format.
    const char *path;
    // Of a text; a binary file has its own. Tokens with ids below `first` are always there (100);
    // of a source token the `best` most probable (100), if they are more probable than `threshold`.
    uint32_t first, best;
    float threshold;
    const struct vks_log *log;
};

// Reads a shortlist for the vocabularies of a tokenizer, which is borrowed for the call.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT for a malformed or damaged file or one for other vocabularies,
// VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_shortlist_load(const struct vks_shortlist_params *params,
                                                          const struct vks_tokenizer *tokenizer,
                                                          struct vks_shortlist **shortlist);
// The shortlist that the options beside a Marian model name (docs/marian.md); *shortlist is NULL
// where there is none. Errors: the same.
VKS_API VKS_MUST_CHECK enum vks_status
vks_shortlist_load_for_model(const char *model_dir, const struct vks_tokenizer *tokenizer,
                             const struct vks_log *log, struct vks_shortlist **shortlist);
VKS_API void vks_shortlist_destroy(struct vks_shortlist **shortlist);

#ifdef __cplusplus
}
#endif
#endif
