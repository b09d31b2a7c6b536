// Files with a stamp. The first byte of the input: 0, the rest is a file; otherwise data for one,
// of which a bit is turned over.
#include "fuzz.h"

#include "io/stamped.h"

static const unsigned char stamp[STAMP_BYTES] = "0123456789abcdefghijklmnop";

static void check_file(const uint8_t *bytes, size_t num_bytes) {
    unsigned char head[STAMPED_HEAD_BYTES];
    if (stamped_fault(stamp, bytes, num_bytes))
        return;
    CHECK(num_bytes >= sizeof head);
    stamped_head(stamp, bytes + sizeof head, num_bytes - sizeof head, head);
    CHECK(memcmp(head, bytes, sizeof head) == 0);
}

// What is written is right; with any one bit wrong it is not, nor shorter by a byte.
static void check_written(unsigned place, const uint8_t *data, size_t num_bytes) {
    size_t size = STAMPED_HEAD_BYTES + num_bytes;
    unsigned char *file = malloc(size);
    CHECK(file);
    stamped_head(stamp, data, num_bytes, file);
    if (num_bytes)
        memcpy(file + STAMPED_HEAD_BYTES, data, num_bytes);
    CHECK(!stamped_fault(stamp, file, size));
    CHECK(stamped_fault(stamp, file, size - 1));
    file[place * 31 % size] ^= (unsigned char)(1u << place % 8);
    CHECK(stamped_fault(stamp, file, size));
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    if (data[0] == 0)
        check_file(data + 1, num_bytes - 1);
    else
        check_written(data[0], data + 1, num_bytes - 1);
    return 0;
}
