// Placeholders of any text: found in order and apart, and masked and restored they are the text.
#include "fuzz.h"

#include "text/placeholders.h"

static void check_restored(const char *text, size_t num_bytes, const struct text_span *spans,
                           size_t num) {
    struct text_mask masks[PLACEHOLDERS_MAX];
    size_t num_masked;
    bool is_whole;
    for (size_t i = 0; i < num; i++)
        masks[i] = (struct text_mask){.span = spans[i], .symbol = (uint32_t)i};
    char *masked = placeholders_mask(text, num_bytes, masks, num, &num_masked);
    CHECK(masked && strlen(masked) == num_masked);
    char *restored = placeholders_restore(masked, text, spans, num, &is_whole);
    CHECK(restored);
    // A text may have symbols of its own; none is left where masks are fewer than they can be.
    if (num < PLACEHOLDERS_MAX)
        CHECK(is_whole && !strcmp(restored, text));
    free(restored);
    free(masked);
    CHECK(placeholders_match(text, spans, num, text, num_bytes, masks, &is_whole) == num);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    struct text_span spans[PLACEHOLDERS_MAX];
    char *text = malloc(num_bytes + 1);
    CHECK(text);
    memcpy(text, data, num_bytes);
    text[num_bytes] = '\0';
    size_t length = strlen(text), end = 0;
    size_t num = placeholders_find(text, length, spans, PLACEHOLDERS_MAX);
    CHECK(num <= PLACEHOLDERS_MAX);
    for (size_t i = 0; i < num; i++) {
        CHECK(spans[i].begin >= end && spans[i].num_bytes > 0);
        end = spans[i].begin + spans[i].num_bytes;
        CHECK(end <= length);
    }
    check_restored(text, length, spans, num);
    free(text);
    return 0;
}
