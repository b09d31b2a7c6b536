// The ways in which BLEU cuts lines into words.
#ifndef TEXT_METRICS_TOKENIZE_H
#define TEXT_METRICS_TOKENIZE_H

#include "text/codes.h"
#include "vkseq/metrics.h"

// Rewrites a line so that its words stand between blanks.
// Errors: VKS_ERR_OOM; the line is then of no use.
VKS_MUST_CHECK enum vks_status metrics_tokenize(enum vks_bleu_tokenize tokenize,
                                                struct codes *line);

#endif
