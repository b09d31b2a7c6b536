#include "decode/suppressed.h"

#include "base/check.h"
#include "base/memory.h"

#include <string.h>

enum vks_status suppressed_pack(const struct token_list *lists, uint32_t num_lists,
                                uint32_t **result, uint32_t *num_words) {
    uint32_t num = 2 * num_lists, end = num;
    for (uint32_t i = 0; i < num_lists; i++)
        num += lists[i].num_ids;
    uint32_t *words = memory_calloc((size_t)num + 1, sizeof *words);
    if (!words)
        return VKS_ERR_OOM;
    for (uint32_t i = 0; i < num_lists; i++) {
        CHECK(lists[i].num_ids > 0);
        words[2 * i] = end;
        words[2 * i + 1] = lists[i].num_ids;
        memcpy(words + end, lists[i].ids, lists[i].num_ids * sizeof *words);
        end += lists[i].num_ids;
    }
    *result = words;
    *num_words = num;
    return VKS_OK;
}
