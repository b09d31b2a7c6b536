// Marian's models, .npz and .bin: what is listed lies within the file.
#include "fuzz.h"

#include "io/marian_file.h"

enum { MAX_ELEMENTS = 1 << 16 };

static void check_item(const struct marian_file *file, const struct marian_item *item,
                       const uint8_t *data, size_t num_bytes, size_t *num_messages) {
    CHECK(item->num_dims >= 1 && item->num_dims <= MARIAN_MAX_DIMS && item->num_elements > 0);
    CHECK(item->data >= data && item->data + item->num_elements <= data + num_bytes);
    CHECK((uint64_t)marian_item_rows(item) * marian_item_cols(item) == item->num_elements);
    CHECK(marian_file_find(file, item->name) == item);
    if (item->num_elements > MAX_ELEMENTS)
        return;
    float *values = malloc(item->num_elements * sizeof *values);
    CHECK(values);
    for (int i = 0; i < 2; i++) {
        *num_messages = 0;
        fuzz_is_ok(marian_item_read(file, item, i == 1, values), *num_messages);
    }
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages, text_bytes;
    struct vks_log log = fuzz_log(&num_messages);
    struct marian_file *file;
    if (!fuzz_is_ok(marian_file_parse(data, num_bytes, "input", &log, &file), num_messages))
        return 0;
    for (size_t i = 0; i < marian_file_num(file); i++)
        check_item(file, marian_file_at(file, i), data, num_bytes, &num_messages);
    const char *text = marian_file_text(file, "special:model.yml", &text_bytes);
    CHECK(!text || ((const uint8_t *)text >= data && text_bytes <= num_bytes));
    marian_file_close(&file);
    return 0;
}
