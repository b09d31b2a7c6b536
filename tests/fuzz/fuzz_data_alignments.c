// Lines of alignments: what is read is within both sides, and written and read again is the same.
#include "fuzz.h"

#include "data/alignments.h"

#include <stdio.h>

// The links as a line; owned by the caller (free).
static char *print_links(const struct alignment_links *links) {
    char *text = malloc(links->num * 12 + 1), *at = text;
    CHECK(text);
    *text = 0;
    for (size_t i = 0; i < links->num; i++)
        at += sprintf(at, "%u-%u ", links->items[i].source, links->items[i].target);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct alignment_links links = {0}, again = {0};
    if (num_bytes < 1)
        return 0;
    // The first byte is half the target's length, and whether sides were cut.
    struct alignment_line line = {.path = "input",
                                  .line = 1,
                                  .text = (const char *)data + 1,
                                  .num_bytes = num_bytes - 1,
                                  .lengths = {70000, 1u + data[0] / 2},
                                  .is_cropped = data[0] % 2 == 1};
    if (fuzz_is_ok(alignment_parse(&line, &log, &links), num_messages)) {
        for (size_t i = 0; i < links.num; i++)
            CHECK(links.items[i].target < line.lengths[1]);
        char *text = print_links(&links);
        line.text = text;
        line.num_bytes = strlen(text);
        line.is_cropped = false;
        CHECK(alignment_parse(&line, &log, &again) == VKS_OK);
        CHECK(again.num == links.num);
        CHECK(!links.num || !memcmp(again.items, links.items, links.num * sizeof *links.items));
        free(text);
    }
    free(links.items);
    free(again.items);
    return 0;
}
