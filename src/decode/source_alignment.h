// Which source tokens a translation's tokens come from, by the model's attention.
#ifndef DECODE_SOURCE_ALIGNMENT_H
#define DECODE_SOURCE_ALIGNMENT_H

#include "decode/attention_maps.h"
#include "decode/search.h"

// Fills in the alignments of all hypotheses, and the source's ids.
//   sentences     [num]
//   translations  [num]  updated; to be freed by the caller also after an error
// Errors: VKS_ERR_OOM, those of programs.
enum vks_status source_alignment_add(struct attention_maps *maps, const struct sentence *sentences,
                                     size_t num, struct vks_translation *translations);

// The alignments of parts of a line, one after the other: tokens of a part come from the same part.
//   parts  [num_parts]  whose best hypotheses make up hypothesis `line` of the translation
enum vks_status source_alignment_join(const struct vks_translation *parts, size_t num_parts,
                                      struct vks_translation *line);

#endif
