// Placeholders of any text: found in order and apart, and masked and restored they are the text.
#include "fuzz.h"

#include "text/placeholders.h"

static void check_restored(const struct placeholders *found, size_t num_bytes) {
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_masked;
    bool is_whole;
    for (size_t i = 0; i < found->num; i++)
        masks[i] = (struct text_mask){.span = found->spans[i], .symbol = (uint32_t)i};
    char *masked = placeholders_mask(found->text, num_bytes, masks, found->num, &num_masked);
    CHECK(masked && strlen(masked) == num_masked);
    char *restored = placeholders_restore(found, masked, &is_whole);
    CHECK(restored);
    // Symbols of the text's own are placeholders, and masked unless there are too many.
    if (!found->has_more)
        CHECK(is_whole && !strcmp(restored, found->text));
    free(restored);
    free(masked);
    CHECK(placeholders_match(found, found->text, num_bytes, masks, &is_whole) == found->num);
    CHECK(is_whole == !found->has_more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    struct placeholders found;
    char *text = malloc(num_bytes + 1);
    CHECK(text);
    memcpy(text, data, num_bytes);
    text[num_bytes] = '\0';
    size_t length = strlen(text), end = 0;
    placeholders_find(text, length, &found);
    CHECK(found.num <= PLACEHOLDERS_MAX);
    for (size_t i = 0; i < found.num; i++) {
        CHECK(found.spans[i].begin >= end && found.spans[i].num_bytes > 0);
        end = found.spans[i].begin + found.spans[i].num_bytes;
        CHECK(end <= length);
    }
    check_restored(&found, length);
    free(text);
    return 0;
}
