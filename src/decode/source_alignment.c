#include "decode/source_alignment.h"

#include "base/arena.h"
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

// Pairs of sources and translations whose attention is wanted.
struct wanted {
    struct attention_pair *pairs;
    float **results; // of the pairs
    size_t num;
    uint32_t num_given;
    struct arena arena;
};

// The tokens that the decoder has seen: given ones, and a hypothesis's own.
static const uint32_t *seen_ids(struct wanted *wanted, const struct sentence *sentence,
                                const struct vks_hypothesis *hypothesis) {
    if (wanted->num_given == 0)
        return hypothesis->ids;
    uint32_t *ids = ARENA_NEW(&wanted->arena, uint32_t, wanted->num_given + hypothesis->num_ids);
    if (ids) {
        memcpy(ids, sentence->prefix.ids, wanted->num_given * sizeof *ids);
        memcpy(ids + wanted->num_given, hypothesis->ids, hypothesis->num_ids * sizeof *ids);
    }
    return ids;
}

// Makes room for the alignments of one sentence, and lists those that have tokens.
static enum vks_status list_pairs(const struct sentence *sentence,
                                  struct vks_translation *translation, struct wanted *wanted) {
    TRY(copy_ids(sentence, translation));
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        struct vks_hypothesis *hypothesis = &translation->hypotheses[i];
        size_t num_rows = wanted->num_given + hypothesis->num_ids;
        size_t cells = num_rows * sentence->num_ids;
        hypothesis->alignment = memory_calloc(cells + 1, sizeof *hypothesis->alignment);
        if (!hypothesis->alignment)
            return VKS_ERR_OOM;
        if (cells == 0 || hypothesis->num_ids == 0)
            continue;
        const uint32_t *ids = seen_ids(wanted, sentence, hypothesis);
        if (!ids)
            return VKS_ERR_OOM;
        wanted->pairs[wanted->num] =
            (struct attention_pair){{sentence->ids, sentence->num_ids}, {ids, (uint32_t)num_rows}};
        wanted->results[wanted->num++] = hypothesis->alignment;
    }
    return VKS_OK;
}

// Takes the rows of given tokens out.
static void drop_given(const struct wanted *wanted) {
    for (size_t i = 0; wanted->num_given > 0 && i < wanted->num; i++) {
        const struct attention_pair *pair = &wanted->pairs[i];
        size_t num_cols = pair->source.num_ids, first = wanted->num_given * num_cols;
        memmove(wanted->results[i], wanted->results[i] + first,
                (pair->target.num_ids * num_cols - first) * sizeof(float));
    }
}

enum vks_status source_alignment_add(struct attention_maps *maps, const struct sentence *sentences,
                                     size_t num, uint32_t num_given,
                                     struct vks_translation *translations) {
    size_t num_all = 0;
    for (size_t i = 0; i < num; i++)
        num_all += translations[i].num_hypotheses;
    struct wanted wanted = {.pairs = memory_calloc(num_all + 1, sizeof *wanted.pairs),
                            .results = memory_calloc(num_all + 1, sizeof *wanted.results),
                            .num_given = num_given};
    enum vks_status status = wanted.pairs && wanted.results ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        status = list_pairs(&sentences[i], &translations[i], &wanted);
    if (status == VKS_OK)
        status = attention_maps_run(maps, wanted.pairs, wanted.num, wanted.results);
    if (status == VKS_OK)
        drop_given(&wanted);
    free(wanted.pairs);
    free(wanted.results);
    arena_finish(&wanted.arena);
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
