// PO files, through libgettextpo.
#include "fuzz_document.h"

// libgettextpo loses what it has read of a file in which it finds an error.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libgettextpo\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    CHECK(setenv("TMPDIR", ".", 1) == 0); // the scratch folder, which is in memory
    fuzz_document(data, num_bytes, VKS_DOCUMENT_PO, false);
    return 0;
}
