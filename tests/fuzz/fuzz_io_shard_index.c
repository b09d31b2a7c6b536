// The index of a model's files: each tensor is in one of the files, none is there twice, and no
// name leads out of the folder.
#include "fuzz.h"

#include "io/shard_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct arena arena = {0};
    struct shard_index index = {0};
    char *text = fuzz_text(data, num_bytes);
    if (fuzz_is_ok(shard_index_parse(text, num_bytes, "input", &log, &arena, &index),
                   num_messages)) {
        for (size_t i = 0; i < index.num_files; i++) {
            CHECK(!strpbrk(index.files[i], "/\\:") && index.files[i][0] != '.');
            CHECK(i == 0 || strcmp(index.files[i - 1], index.files[i]) < 0);
        }
        for (size_t i = 0; i < index.num_entries; i++) {
            bool is_listed = false;
            for (size_t j = 0; j < index.num_files && !is_listed; j++)
                is_listed = index.entries[i].file == index.files[j];
            CHECK(is_listed);
            CHECK(i == 0 || strcmp(index.entries[i - 1].tensor, index.entries[i].tensor) < 0);
        }
    }
    arena_finish(&arena);
    free(text);
    return 0;
}
