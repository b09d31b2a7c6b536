#include "text/token_frame.h"

#include "base/memory.h"

#include <string.h>

uint32_t token_frame_num_before(const struct token_frame *frame, const uint32_t *ids,
                                size_t num_ids) {
    const struct languages *codes = frame->own_codes;
    bool has_own = codes && num_ids > 0 && languages_find_id(codes, ids[0]) < codes->num;
    return has_own ? 0 : frame->num_before;
}

uint32_t token_frame_size(const struct token_frame *frame) {
    return frame->num_before + frame->num_after;
}

bool token_frame_add(const struct token_frame *frame, size_t num_kept, uint32_t **ids,
                     size_t *num_ids) {
    uint32_t num_before = token_frame_num_before(frame, *ids, *num_ids);
    size_t num = num_before + num_kept + frame->num_after;
    uint32_t *grown = memory_realloc(*ids, num * sizeof *grown);
    if (!grown)
        return false;
    memmove(grown + num_before, grown, num_kept * sizeof *grown);
    memcpy(grown, frame->before, num_before * sizeof *grown);
    memcpy(grown + num_before + num_kept, frame->after, frame->num_after * sizeof *grown);
    *ids = grown;
    *num_ids = num;
    return true;
}
