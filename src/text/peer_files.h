// Files by which other toolkits know a vocabulary.
#ifndef TEXT_PEER_FILES_H
#define TEXT_PEER_FILES_H

#include "vkseq/tokenizer.h"

// Writes tokenizer_config.json and special_tokens_map.json, which tell transformers to take its
// MarianTokenizer for a directory of source.spm, target.spm and vocab.json, whatever class its
// model is of. Errors: VKS_ERR_IO, VKS_ERR_OOM.
enum vks_status peer_files_write_hf(const struct vks_tokenizer *tokenizer, const char *dir,
                                    const struct vks_log *log);

// Writes a side's ids 0 .. size - 1 as Marian's YAML, a piece and its id a line; an id without a
// piece gets a name of its own. Errors: VKS_ERR_IO, VKS_ERR_OOM.
enum vks_status peer_files_write_yaml(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                      uint32_t size, const char *path, const struct vks_log *log);

#endif
