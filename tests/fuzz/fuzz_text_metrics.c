// BLEU and chrF of any bytes. The first byte of the input chooses how words are cut; a translation
// follows up to a NUL, and then its reference.
#include "fuzz.h"

#include "vkseq/metrics.h"

enum { NUM_TOKENIZATIONS = VKS_BLEU_CHAR + 1 };

static bool is_score(double score) {
    return score >= 0 && score <= 100 + 1e-9;
}

static struct vks_metric_scores score_of(const char *hypothesis, const char *reference,
                                         enum vks_bleu_tokenize tokenize) {
    struct vks_metric_scores scores;
    CHECK(vks_metrics_corpus(&hypothesis, &reference, 1, tokenize, &scores) == VKS_OK);
    CHECK(is_score(scores.bleu) && is_score(scores.chrf) && is_score(scores.chrf_pp));
    CHECK(is_score(100 * scores.brevity_penalty));
    for (int n = 0; n < 4; n++)
        CHECK(is_score(scores.precisions[n]));
    return scores;
}

static bool is_all_or_nothing(double score) {
    return score == 0 || (score > 100 - 1e-9 && score < 100 + 1e-9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    enum vks_bleu_tokenize tokenize = (enum vks_bleu_tokenize)(data[0] % NUM_TOKENIZATIONS);
    char *hypothesis = fuzz_text(data + 1, num_bytes - 1);
    size_t rest = strlen(hypothesis) + 1;
    const char *reference = rest < num_bytes ? hypothesis + rest : "";
    struct vks_metric_scores there = score_of(hypothesis, reference, tokenize);
    struct vks_metric_scores back = score_of(reference, hypothesis, tokenize);
    CHECK(there.hypothesis_words == back.reference_words);
    CHECK(there.reference_words == back.hypothesis_words);
    struct vks_metric_scores same = score_of(reference, reference, tokenize);
    CHECK(is_all_or_nothing(same.bleu) && is_all_or_nothing(same.chrf));
    CHECK((same.bleu > 0) == (same.reference_words >= 4));
    free(hypothesis);
    return 0;
}
