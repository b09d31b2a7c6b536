// Whether bytes are UTF-8: as ICU finds.
#include "fuzz.h"

#include "vkseq/base.h"

#include <unicode/utf8.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    bool is_valid = true;
    for (int32_t at = 0, end = (int32_t)num_bytes; at < end && is_valid;) {
        UChar32 code;
        U8_NEXT(data, at, end, code);
        is_valid = code >= 0;
    }
    CHECK(vks_utf8_is_valid((const char *)data, num_bytes) == is_valid);
    return 0;
}
