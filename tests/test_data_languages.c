// Pairs whose sides begin with a token for their language: what belongs to a text's tokens, weights
// and links, moves with them.
#include "scratch.h"

#include "data/corpus.h"
#include "number_tokenizer.h"

enum { EOS = 9, SOURCE_LANGUAGE = 70, TARGET_LANGUAGE = 80 };

static const struct vks_tokenizer tokenizer = {.eos_id = EOS};

static struct corpus *load(struct scratch *scratch, struct encoder_params params,
                           struct vks_text_set set) {
    static const char *const names[] = {"src", "tgt", "weights", "links"};
    char *paths[4];
    struct corpus *corpus = NULL;
    for (int i = 0; i < 4; i++)
        paths[i] = scratch_path(scratch, names[i]);
    set.source = paths[0];
    set.target = paths[1];
    set.weights = set.weights ? paths[2] : NULL;
    set.alignments = set.alignments ? paths[3] : NULL;
    params.tokenizer = &tokenizer;
    params.sets = &set;
    params.num_sets = 1;
    params.log = &scratch->log;
    for (int side = 0; side < NUM_SIDES; side++)
        params.frames[side] =
            (struct token_frame){.before = {side == VKS_SOURCE ? SOURCE_LANGUAGE : TARGET_LANGUAGE},
                                 .num_before = 1,
                                 .after = {EOS},
                                 .num_after = 1};
    if (corpus_load(&params, &corpus) != VKS_OK)
        fail_msg("%s", scratch->text);
    for (int i = 0; i < 4; i++)
        free(paths[i]);
    return corpus;
}

static void put_text(struct scratch *scratch, const char *name, const char *text) {
    scratch_put(scratch, name, text, strlen(text));
}

static void expect_ids(const struct corpus *corpus, enum vks_side side, const uint32_t *expected,
                       uint32_t num) {
    uint32_t num_ids;
    const uint32_t *ids = corpus_ids(corpus, side, 0, &num_ids);
    assert_int_equal(num_ids, num);
    assert_memory_equal(ids, expected, num * sizeof *ids);
}

static void languages_stand_in_front(void **state) {
    struct scratch *scratch = *state;
    put_text(scratch, "src", "1 2\n");
    put_text(scratch, "tgt", "3 4 5\n");
    struct corpus *corpus =
        load(scratch, (struct encoder_params){.max_length = 4}, (struct vks_text_set){0});
    expect_ids(corpus, VKS_SOURCE, (uint32_t[]){SOURCE_LANGUAGE, 1, 2, EOS}, 4);
    expect_ids(corpus, VKS_TARGET, (uint32_t[]){TARGET_LANGUAGE, 3, 4, 5, EOS}, 5);
    corpus_destroy(&corpus);
    // The language counts: of three tokens, two are of the text.
    corpus = load(scratch, (struct encoder_params){.max_length = 3, .crop = true},
                  (struct vks_text_set){0});
    expect_ids(corpus, VKS_TARGET, (uint32_t[]){TARGET_LANGUAGE, 3, 4, EOS}, 4);
    corpus_destroy(&corpus);
}

static void weights_and_links_stay_with_their_tokens(void **state) {
    struct scratch *scratch = *state;
    const struct vks_text_set set = {.weights = "", .alignments = ""};
    put_text(scratch, "src", "1 2\n");
    put_text(scratch, "tgt", "3 4 5\n");
    put_text(scratch, "weights", "2 3 4 5\n");
    put_text(scratch, "links", "0-2 1-1\n");
    struct corpus *corpus = load(scratch, (struct encoder_params){.weighs_words = true}, set);
    static const float words[] = {1, 2, 3, 4, 5};
    assert_memory_equal(corpus_weights(corpus, 0), words, sizeof words);
    size_t num;
    const struct alignment_link *links = corpus_links(corpus, 0, &num);
    assert_int_equal(num, 2);
    assert_int_equal(links[0].source, 1);
    assert_int_equal(links[0].target, 3);
    assert_int_equal(links[1].source, 2);
    assert_int_equal(links[1].target, 2);
    corpus_destroy(&corpus);
    put_text(scratch, "weights", "2\n");
    corpus = load(scratch, (struct encoder_params){0}, set);
    static const float sentence[] = {2, 2, 2, 2, 2};
    assert_memory_equal(corpus_weights(corpus, 0), sentence, sizeof sentence);
    corpus_destroy(&corpus);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(languages_stand_in_front),
        SCRATCH_TEST(weights_and_links_stay_with_their_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
