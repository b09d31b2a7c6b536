// Sentences being translated: as many at once as fit, and whenever some are done, others take their
// places while the rest goes on.
#ifndef DECODE_ADMISSION_H
#define DECODE_ADMISSION_H

#include "decode/search.h"

// A sentence in the order of work.
struct work_item {
    uint32_t num_ids, num_steps, num_prefix;
    size_t idx; // among the search's sentences
};

// Translates order[num]; the search's decoder has programs that hold any one of them. A translation
// is there as soon as its sentence is done. Errors: those of search_run.
enum vks_status admission_run(struct search *search, const struct sentence *sentences,
                              const struct work_item *order, size_t num,
                              struct vks_translation *translations);

#endif
