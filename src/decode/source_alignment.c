#include "decode/source_alignment.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static enum vks_status copy_ids(const struct sentence *sentence,
                                struct vks_translation *translation) {
    translation->source_ids = memory_calloc((size_t)sentence->num_ids + 1, sizeof(uint32_t));
    if (!translation->source_ids)
        return VKS_ERR_OOM;
    if (sentence->num_ids > 0)
        memcpy(translation->source_ids, sentence->ids, sentence->num_ids * sizeof(uint32_t));
    translation->num_source_ids = sentence->num_ids;
    return VKS_OK;
}

// Makes room for the alignments of one sentence, and lists those that have tokens.
static enum vks_status list_pairs(const struct sentence *sentence,
                                  struct vks_translation *translation, struct attention_pair *pairs,
                                  float **results, size_t *num) {
    TRY(copy_ids(sentence, translation));
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        size_t cells = hypothesis->num_ids * sentence->num_ids;
        hypothesis->alignment = memory_calloc(cells + 1, sizeof *hypothesis->alignment);
        if (!hypothesis->alignment)
            return VKS_ERR_OOM;
        if (cells == 0)
            continue;
        pairs[*num] = (struct attention_pair){{sentence->ids, sentence->num_ids},
                                              {hypothesis->ids, (uint32_t)hypothesis->num_ids}};
        results[(*num)++] = hypothesis->alignment;
    }
    return VKS_OK;
}

enum vks_status source_alignment_add(struct attention_maps *maps, const struct sentence *sentences,
                                     size_t num, struct vks_translation *translations) {
    size_t num_all = 0, num_pairs = 0;
    for (size_t i = 0; i < num; i++)
        num_all += translations[i].num_hypotheses;
    struct attention_pair *pairs = memory_calloc(num_all + 1, sizeof *pairs);
    float **results = memory_calloc(num_all + 1, sizeof *results);
    enum vks_status status = pairs && results ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        status = list_pairs(&sentences[i], &translations[i], pairs, results, &num_pairs);
    if (status == VKS_OK)
        status = attention_maps_run(maps, pairs, num_pairs, results);
    free(pairs);
    free(results);
    return status;
}

enum vks_status source_alignment_join(const struct vks_translation *parts, size_t num_parts,
                                      struct vks_translation *line) {
    size_t num_ids = 0, num_source = 0, row = 0, col = 0;
    if (num_parts == 0 || !parts[0].source_ids)
        return VKS_OK; // there is nothing, or none are wanted
    for (size_t i = 0; i < num_parts; i++) {
        num_ids += parts[i].hypotheses[0].num_ids;
        num_source += parts[i].num_source_ids;
    }
    line->source_ids = memory_calloc(num_source + 1, sizeof *line->source_ids);
    line->hypotheses[0].alignment = memory_calloc(num_ids * num_source + 1, sizeof(float));
    if (!line->source_ids || !line->hypotheses[0].alignment)
        return VKS_ERR_OOM;
    line->num_source_ids = num_source;
    for (size_t i = 0; i < num_parts; i++) {
        const struct vks_translation *part = &parts[i];
        size_t num_cols = part->num_source_ids;
        memcpy(line->source_ids + col, part->source_ids, num_cols * sizeof *part->source_ids);
        for (size_t j = 0; j < part->hypotheses[0].num_ids; j++)
            memcpy(line->hypotheses[0].alignment + row++ * num_source + col,
                   part->hypotheses[0].alignment + j * num_cols, num_cols * sizeof(float));
        col += num_cols;
    }
    return VKS_OK;
}
