#include "vkseq/metrics.h"

#include "base/check.h"
#include "base/log.h"
#include "text/metrics_bleu.h"
#include "text/metrics_chrf.h"

#include <string.h>

static const char *const tokenize_names[] = {
    [VKS_BLEU_13A] = "13a",
    [VKS_BLEU_INTL] = "intl",
    [VKS_BLEU_ZH] = "zh",
    [VKS_BLEU_CHAR] = "char",
};

enum vks_status vks_metrics_corpus(const char *const *hypotheses, const char *const *references,
                                   size_t num_lines, enum vks_bleu_tokenize tokenize,
                                   struct vks_metric_scores *scores) {
    struct codes hypothesis = {0}, reference = {0};
    struct bleu_sums bleu = {0};
    struct chrf_sums chrf = {0};
    enum vks_status status = VKS_OK;
    if (num_lines == 0 || (size_t)tokenize >= COUNT_OF(tokenize_names))
        return VKS_ERR_ARGUMENT;
    for (size_t i = 0; i < num_lines; i++) {
        TRY_GOTO(status, codes_read(hypotheses[i], &hypothesis), finish);
        TRY_GOTO(status, codes_read(references[i], &reference), finish);
        TRY_GOTO(status, chrf_add(&hypothesis, &reference, &chrf), finish);
        TRY_GOTO(status, bleu_add(tokenize, &hypothesis, &reference, &bleu), finish);
    }
    bleu_score(&bleu, scores);
    scores->chrf = chrf_score(&chrf, false);
    scores->chrf_pp = chrf_score(&chrf, true);
finish:
    codes_finish(&hypothesis);
    codes_finish(&reference);
    return status;
}

enum vks_status vks_bleu_tokenize_from_name(const char *name, enum vks_bleu_tokenize *tokenize) {
    for (size_t i = 0; i < COUNT_OF(tokenize_names); i++) {
        if (strcmp(name, tokenize_names[i]) == 0) {
            *tokenize = (enum vks_bleu_tokenize)i;
            return VKS_OK;
        }
    }
    return VKS_ERR_ARGUMENT;
}

#define VERSION "|version:vkseq-" VKS_VERSION_STRING
#define BLEU_SIGNATURE(name) "nrefs:1|case:mixed|eff:no|tok:" name "|smooth:exp" VERSION
#define CHRF_SIGNATURE(num_words)                                                                  \
    "nrefs:1|case:mixed|eff:yes|nc:6|nw:" num_words "|space:no" VERSION

const char *vks_metrics_signature(enum vks_metric metric, enum vks_bleu_tokenize tokenize) {
    static const char *const bleu[] = {
        [VKS_BLEU_13A] = BLEU_SIGNATURE("13a"),
        [VKS_BLEU_INTL] = BLEU_SIGNATURE("intl"),
        [VKS_BLEU_ZH] = BLEU_SIGNATURE("zh"),
        [VKS_BLEU_CHAR] = BLEU_SIGNATURE("char"),
    };
    switch (metric) {
    case VKS_METRIC_CHRF:
        return CHRF_SIGNATURE("0");
    case VKS_METRIC_CHRF_PP:
        return CHRF_SIGNATURE("2");
    case VKS_METRIC_BLEU:
        break;
    }
    CHECK((size_t)tokenize < COUNT_OF(bleu));
    return bleu[tokenize];
}
