#include "print_translation.h"

#include <inttypes.h>

// Pairs of source and target token, from 0: where each token comes from most.
static void print_hard(FILE *file, const struct print_params *params,
                       const struct vks_translation *translation,
                       const struct vks_hypothesis *hypothesis) {
    for (size_t i = 0; i < hypothesis->num_ids; i++) {
        const float *row = hypothesis->alignment + i * translation->num_source_ids;
        size_t best = translation->num_source_ids, best_place = 0, place = 0;
        for (size_t j = 0; j < translation->num_source_ids; j++) {
            if (translation->source_ids[j] == params->eos_id)
                continue;
            if (best == translation->num_source_ids || row[j] > row[best]) {
                best = j;
                best_place = place;
            }
            place++;
        }
        if (best < translation->num_source_ids)
            fprintf(file, "%s%zu-%zu", i ? " " : "", best_place, i);
    }
}

// For each target token the shares of all source tokens and the last </s>.
static void print_soft(FILE *file, const struct print_params *params,
                       const struct vks_translation *translation,
                       const struct vks_hypothesis *hypothesis) {
    size_t num_cols = translation->num_source_ids;
    for (size_t i = 0; i < hypothesis->num_ids; i++) {
        const char *between = i ? " " : "";
        for (size_t j = 0; j < num_cols; j++) {
            if (translation->source_ids[j] == params->eos_id && j + 1 < num_cols)
                continue;
            fprintf(file, "%s%.6f", between, (double)hypothesis->alignment[i * num_cols + j]);
            between = ",";
        }
    }
}

static void print_details(FILE *file, const struct print_params *params,
                          const struct vks_translation *translation,
                          const struct vks_hypothesis *hypothesis) {
    if (params->with_alignment) {
        fputs(" ||| ", file);
        if (params->is_soft)
            print_soft(file, params, translation, hypothesis);
        else
            print_hard(file, params, translation, hypothesis);
    }
    if (!params->with_word_scores)
        return;
    fputs(" ||| WordScores=", file);
    for (size_t i = 0; i < hypothesis->num_word_scores; i++)
        fprintf(file, " %.5f", (double)hypothesis->word_scores[i]);
}

// A sum for each model, and the score.
static void print_scores(FILE *file, const struct vks_hypothesis *hypothesis) {
    fputs(" |||", file);
    for (size_t i = 0; i < hypothesis->num_models; i++)
        fprintf(file, " F%zu= %.6f", i, (double)hypothesis->model_log_probs[i]);
    if (hypothesis->num_models == 0)
        fprintf(file, " F0= %.6f", (double)hypothesis->log_prob);
    fprintf(file, " ||| %.6f", (double)hypothesis->score);
}

void print_translation(FILE *file, const struct print_params *params, uint64_t line_idx,
                       const struct vks_translation *translation) {
    for (size_t i = 0; i < (params->n_best ? translation->num_hypotheses : 1); i++) {
        const struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        if (params->n_best)
            fprintf(file, "%" PRIu64 " ||| ", line_idx);
        fputs(hypothesis->text + (i ? 0 : params->num_printed), file);
        print_details(file, params, translation, hypothesis);
        if (params->n_best)
            print_scores(file, hypothesis);
        fputc('\n', file);
    }
}
