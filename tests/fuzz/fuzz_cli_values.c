// Durations and limits: only what their grammar has is taken.
#include "fuzz.h"

#include "cli/options.h"

#include <inttypes.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    char *text = fuzz_text(data, num_bytes), printed[64];
    size_t num_chars = strlen(text);
    double seconds;
    struct cli_limit limit, again;
    if (cli_parse_duration(text, &seconds)) {
        CHECK(isfinite(seconds) && seconds >= 0);
        CHECK(num_chars && strspn(text, "0123456789.smhd") == num_chars);
        CHECK(strcspn(text, "smhd") == num_chars || strchr("smhd", text[num_chars - 1]));
    }
    if (cli_parse_limit(text, &limit)) {
        CHECK(strspn(text, "0123456789") >= 1);
        CHECK(strspn(text, "0123456789KMGuet") == num_chars);
        snprintf(printed, sizeof printed, "%" PRIu64 "%c", limit.num, "uet"[limit.unit]);
        CHECK(cli_parse_limit(printed, &again));
        CHECK(limit.num == again.num && limit.unit == again.unit);
    }
    free(text);
    return 0;
}
