// Parallel texts of numbers. The first byte of the input is the longest length, its lowest bit
// whether to cut longer lines; the source follows up to a NUL, and then the target.
#include "fuzz_file.h"

#include "data/corpus.h"
#include "number_tokenizer.h"

enum { EOS_ID = 9 };

static void check_corpus(const struct corpus *corpus, const struct encoder_params *params) {
    uint32_t line = 0;
    CHECK(corpus_num_pairs(corpus) > 0);
    for (uint32_t i = 0; i < corpus_num_pairs(corpus); i++) {
        CHECK(corpus_line(corpus, i) > line);
        line = corpus_line(corpus, i);
        for (int side = VKS_SOURCE; side <= VKS_TARGET; side++) {
            uint32_t num_ids;
            const uint32_t *ids = corpus_ids(corpus, (enum vks_side)side, i, &num_ids);
            CHECK(num_ids >= 2 && ids[num_ids - 1] == EOS_ID);
            CHECK(!params->max_length || num_ids <= params->max_length + 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    static const struct vks_tokenizer tokenizer = {.eos_id = EOS_ID};
    if (num_bytes == 0)
        return 0;
    const uint8_t *text = data + 1, *end = data + num_bytes;
    const uint8_t *separator = memchr(text, 0, num_bytes - 1);
    const uint8_t *target = separator ? separator + 1 : end;
    struct fuzz_file source_file =
        fuzz_file_create(text, (size_t)((separator ? separator : end) - text));
    struct fuzz_file target_file = fuzz_file_create(target, (size_t)(end - target));
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    const struct vks_text_set set = {.source = source_file.path, .target = target_file.path};
    const struct encoder_params params = {.sets = &set,
                                          .num_sets = 1,
                                          .tokenizer = &tokenizer,
                                          .max_length = data[0] >> 1,
                                          .crop = data[0] & 1,
                                          .log = &log};
    struct corpus *corpus;
    if (fuzz_is_ok(corpus_load(&params, &corpus), num_messages)) {
        check_corpus(corpus, &params);
        corpus_destroy(&corpus);
    }
    fuzz_file_finish(&source_file);
    fuzz_file_finish(&target_file);
    return 0;
}
