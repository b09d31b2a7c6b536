// Plain text.
#include "fuzz_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    fuzz_document(data, num_bytes, VKS_DOCUMENT_TEXT, true);
    return 0;
}
