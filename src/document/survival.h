// Placeholders of programs in texts that are translated, and whether they survived.
#ifndef DOCUMENT_SURVIVAL_H
#define DOCUMENT_SURVIVAL_H

#include "vkseq/base.h"

// Bytes of the placeholder that begins at `at`, 0 if none does:
//   %s %-5d %1$s %% %(name)s %1 %L1 %n %{name} %NAME% %NAME   C, Python, Qt, Ruby, Windows
//   {0} {name:d} {} {{name}} {\an8} $NAME $NAME$ ${name} $(name) $[name] @NAME@
//   <b> </b> <a href="x"> &amp; &#160;
size_t placeholder_length(const char *text, size_t num_bytes, size_t at);

// Whether a text has a letter outside of its placeholders.
bool text_has_words(const char *text, size_t num_bytes);

// Whether a translation has each of its source's placeholders as often, and no other one, with
// those that stand for arguments by their order in the same order. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status placeholders_survived(const char *source, const char *translation,
                                                     bool *survived);

#endif
