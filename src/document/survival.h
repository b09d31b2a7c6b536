// Placeholders of programs in texts that are translated, and whether they survived.
#ifndef DOCUMENT_SURVIVAL_H
#define DOCUMENT_SURVIVAL_H

#include "vkseq/base.h"

// Whether a text has a letter outside of its placeholders.
bool text_has_words(const char *text, size_t num_bytes);

// Whether a translation has each of its source's placeholders as often, and no other one, with
// those that stand for arguments by their order in the same order. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status placeholders_survived(const char *source, const char *translation,
                                                     bool *survived);

#endif
