// How far the translation of lines is, told to whoever wants to know between two steps.
#ifndef DECODE_TRANSLATION_PROGRESS_H
#define DECODE_TRANSLATION_PROGRESS_H

#include "decode/masked_lines.h"
#include "decode/passages.h"
#include "decode/search.h"

struct translation_progress {
    const struct vks_translator_params *params; // borrowed, as all of these
    const struct vks_tokenizer *tokenizer;
    const struct passages *passages;
    const struct masked_lines *masked;   // the same lines; NULL: no placeholders are masked
    const struct sentence *sentences;    // [passages->num_parts]
    const struct vks_translation *parts; // [passages->num_parts], of those that are done
    size_t *lines;                       // [passages->num_parts], owned: whose part it is
    size_t *num_open;                    // [passages->num_lines], owned: parts that are not done
    bool *is_done;                       // [passages->num_parts], owned
    size_t num_done;                     // lines
    enum vks_status status;              // of telling
};

// With the borrowed members set, the others zero; to be finished also after a failure. Errors:
// VKS_ERR_OOM.
enum vks_status translation_progress_init(struct translation_progress *progress);
void translation_progress_finish(struct translation_progress *progress);

// What a search's observer calls after each step (may_go_on); user: the progress. False when
// params->observe wants no more, or with a status.
bool translation_progress_tell(void *user, const struct search_step *step);

#endif
