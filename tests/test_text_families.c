// Model directories of transformers: ids, languages, what stands around a text, and what is said
// of directories that are not as they should be. Models are learnt from a small text.
#include "scratch.h"

#include "base/check.h"
#include "text/spm.h"
#include "vkseq/tokenizer.h"

#include <stdio.h>

enum { NUM_PIECES = 120, MAX_IDS = 64, NUM_NLLB = 202 };

struct fixture {
    struct scratch *scratch;
    struct spm *marian, *fairseq, *pegasus;
};

static const char fairseq_options[] =
    "--bos_id=1 --eos_id=2 --unk_id=0 --byte_fallback=false --character_coverage=0.99";
static const char pegasus_options[] =
    "--pad_id=0 --eos_id=1 --unk_id=2 --byte_fallback=false --model_type=bpe";
static const char marian_options[] = "--byte_fallback=false";

static struct spm *learn(const struct scratch *scratch, const char *path, const char *options) {
    struct spm *spm = NULL;
    const struct spm_train_params params = {.paths = &path,
                                            .num_paths = 1,
                                            .num_pieces = NUM_PIECES,
                                            .options = options,
                                            .log = &scratch->log};
    assert_int_equal(spm_train(&params, &spm), VKS_OK);
    return spm;
}

static int set_up(void **state) {
    static const char *const words[] = {"open", "close", "the file", "a window", "now", "later"};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char text[8192] = "", line[64];
    void *scratch = NULL;
    assert_non_null(fixture);
    assert_int_equal(scratch_create(&scratch), 0);
    fixture->scratch = scratch;
    for (int i = 0; i < 36; i++) {
        snprintf(line, sizeof line, "%s %s, please %d.\n", words[i % 6], words[i / 6], i);
        strcat(text, line);
    }
    scratch_put(scratch, "text", text, strlen(text));
    char *path = scratch_path(scratch, "text");
    fixture->marian = learn(scratch, path, marian_options);
    fixture->fairseq = learn(scratch, path, fairseq_options);
    fixture->pegasus = learn(scratch, path, pegasus_options);
    free(path);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    void *scratch = fixture->scratch;
    spm_destroy(&fixture->marian);
    spm_destroy(&fixture->fairseq);
    spm_destroy(&fixture->pegasus);
    free(fixture);
    return scratch_destroy(&scratch);
}

static void put_text(const struct fixture *fixture, const char *name, const char *text) {
    scratch_put(fixture->scratch, name, text, strlen(text));
}

static void put_model(const struct fixture *fixture, const char *name, const struct spm *spm) {
    size_t num_bytes;
    const void *data = spm_model(spm, &num_bytes);
    scratch_put(fixture->scratch, name, data, num_bytes);
}

// vocab.json with a model's pieces behind some first ones, and more behind them.
static void put_vocab(const struct fixture *fixture, const struct spm *spm, const char *first,
                      const char *const *more) {
    char text[8192], *end = text + sprintf(text, "{%s", first);
    uint32_t id = 1;
    for (const char *c = first; *c; c++)
        id += *c == ',';
    for (uint32_t i = 3; i < spm_num_pieces(spm); i++)
        end += sprintf(end, ", \"%s\": %u", spm_piece(spm, i), id++);
    for (; *more; more++)
        end += sprintf(end, ", \"%s\": %u", *more, id++);
    strcpy(end, "}");
    put_text(fixture, "vocab.json", text);
}

static void put_marian(const struct fixture *fixture, const char *code) {
    const char *const more[] = {"<pad>", code, NULL};
    put_model(fixture, "source.spm", fixture->marian);
    put_model(fixture, "target.spm", fixture->marian);
    put_vocab(fixture, fixture->marian, "\"</s>\": 0, \"<unk>\": 1", more);
}

static void put_m2m(const struct fixture *fixture) {
    const char *const none[] = {NULL};
    put_model(fixture, "sentencepiece.bpe.model", fixture->fairseq);
    put_vocab(fixture, fixture->fairseq, "\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3",
              none);
}

static void put_fairseq(const struct fixture *fixture, const char *config) {
    put_model(fixture, "sentencepiece.bpe.model", fixture->fairseq);
    put_text(fixture, "tokenizer_config.json", config);
}

// No files but the text.
static void clear(const struct fixture *fixture) {
    static const char *const names[] = {"source.spm",
                                        "target.spm",
                                        "vocab.json",
                                        "spiece.model",
                                        "sentencepiece.bpe.model",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "added_tokens.json",
                                        "config.json"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *path = scratch_path(fixture->scratch, names[i]);
        assert_int_equal(file_remove(path, NULL), VKS_OK);
        free(path);
    }
}

static struct vks_tokenizer *load(const struct fixture *fixture) {
    struct vks_tokenizer *tokenizer = NULL;
    enum vks_status status =
        vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &tokenizer);
    if (status != VKS_OK)
        fail_msg("%s", fixture->scratch->text);
    return tokenizer;
}

static void refuses(const struct fixture *fixture, enum vks_status expected, const char *words) {
    struct vks_tokenizer *tokenizer = NULL;
    fixture->scratch->num_messages = 0;
    assert_int_equal(vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &tokenizer),
                     expected);
    assert_null(tokenizer);
    assert_int_equal(fixture->scratch->num_messages, 1);
    if (!strstr(fixture->scratch->text, words))
        fail_msg("'%s' lacks '%s'", fixture->scratch->text, words);
}

// The pieces of a sequence, with blanks between them.
static void spell(const struct vks_tokenizer *tokenizer, const struct vks_sequence_params *params,
                  const char *text, char result[512]) {
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    assert_int_equal(
        vks_tokenizer_encode_sequence(tokenizer, params, text, strlen(text), &ids, &num_ids),
        VKS_OK);
    *result = '\0';
    for (size_t i = 0; i < num_ids; i++) {
        const char *piece = vks_tokenizer_piece(tokenizer, params->side, ids[i]);
        assert_non_null(piece);
        assert_true(strlen(result) + strlen(piece) + 2 < 512);
        strcat(strcat(result, i ? " " : ""), piece);
    }
    vks_free(ids);
}

static void expect(const struct vks_tokenizer *tokenizer, enum vks_side side, const char *source,
                   const char *target, const char *text, const char *expected) {
    const struct vks_sequence_params params = {side, source, target};
    char pieces[512];
    spell(tokenizer, &params, text, pieces);
    assert_string_equal(pieces, expected);
}

static uint32_t only_id(const struct vks_tokenizer *tokenizer, const char *text) {
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    assert_int_equal(
        vks_tokenizer_encode(tokenizer, VKS_SOURCE, text, strlen(text), &ids, &num_ids), VKS_OK);
    assert_int_equal(num_ids, 1);
    uint32_t id = ids[0];
    vks_free(ids);
    return id;
}

static uint32_t piece_id(const struct spm *spm, const char *piece) {
    for (uint32_t i = 0; i < spm_num_pieces(spm); i++)
        if (strcmp(spm_piece(spm, i), piece) == 0)
            return i;
    fail_msg("no piece '%s'", piece);
    return 0;
}

static void expect_text(const struct vks_tokenizer *tokenizer, const uint32_t *ids, size_t num_ids,
                        const char *expected) {
    char *text = NULL;
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, ids, num_ids, &text), VKS_OK);
    assert_string_equal(text, expected);
    vks_free(text);
}

static void expect_refusal(const struct fixture *fixture, const struct vks_tokenizer *tokenizer,
                           const struct vks_sequence_params *params, const char *words) {
    uint32_t *ids = NULL;
    size_t num_ids;
    assert_int_equal(vks_tokenizer_encode_sequence(tokenizer, params, "now", 3, &ids, &num_ids),
                     VKS_ERR_ARGUMENT);
    assert_null(ids);
    if (!strstr(fixture->scratch->text, words))
        fail_msg("'%s' lacks '%s'", fixture->scratch->text, words);
}

static void nllb_puts_languages_around(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_fairseq(fixture, "{\"tokenizer_class\": \"NllbTokenizerFast\"}");
    struct vks_tokenizer *tokenizer = load(fixture);
    uint32_t num = spm_num_pieces(fixture->fairseq) + 1;
    assert_true(vks_tokenizer_is_joint(tokenizer));
    assert_int_equal(vks_tokenizer_vocab_size(tokenizer, VKS_TARGET), num + NUM_NLLB + 1);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), NUM_NLLB);
    assert_string_equal(vks_tokenizer_language(tokenizer, 0), "ace_Arab");
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, num), "ace_Arab");
    assert_string_equal(vks_tokenizer_language(tokenizer, NUM_NLLB - 1), "zul_Latn");
    assert_null(vks_tokenizer_language(tokenizer, NUM_NLLB));
    assert_int_equal(vks_tokenizer_eos_id(tokenizer, VKS_SOURCE), 2);
    assert_int_equal(vks_tokenizer_pad_id(tokenizer, VKS_SOURCE), 1);
    assert_int_equal(vks_tokenizer_unk_id(tokenizer, VKS_SOURCE), 3);
    assert_int_equal(only_id(tokenizer, "now"), piece_id(fixture->fairseq, "▁now") + 1);
    expect(tokenizer, VKS_SOURCE, "deu_Latn", NULL, "中", "deu_Latn ▁ <unk> </s>");
    expect(tokenizer, VKS_SOURCE, "deu_Latn", "eng_Latn", "now", "deu_Latn ▁now </s>");
    expect(tokenizer, VKS_TARGET, "deu_Latn", "eng_Latn", "now", "eng_Latn ▁now </s>");
    expect(tokenizer, VKS_SOURCE, "deu_Latn", NULL, "", "deu_Latn </s>");
    // A blank at the end is a token, as in transformers; those elsewhere are as usual.
    expect(tokenizer, VKS_SOURCE, "deu_Latn", NULL, "  now  now \t ", "deu_Latn ▁now ▁now ▁ </s>");
    // Special tokens and languages are no part of a text.
    expect_text(tokenizer, (uint32_t[]){num, 0, 2, 1, only_id(tokenizer, "now")}, 5, "now");
    vks_tokenizer_destroy(&tokenizer);
}

static void the_older_order_of_nllb_is_read(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_fairseq(fixture, "{\"tokenizer_class\": \"NllbTokenizer\", \"legacy_behaviour\": true,"
                         " \"src_lang\": \"fra_Latn\"}");
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_string_equal(vks_tokenizer_default_language(tokenizer, VKS_SOURCE), "fra_Latn");
    assert_null(vks_tokenizer_default_language(tokenizer, VKS_TARGET));
    expect(tokenizer, VKS_SOURCE, NULL, NULL, "now", "▁now </s> fra_Latn");
    expect(tokenizer, VKS_TARGET, NULL, "deu_Latn", "now", "deu_Latn ▁now </s>");
    vks_tokenizer_destroy(&tokenizer);
}

static void languages_must_be_known(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_fairseq(fixture, "{\"tokenizer_class\": \"NllbTokenizer\"}");
    struct vks_tokenizer *tokenizer = load(fixture);
    struct vks_sequence_params params = {.source_language = "de"};
    expect_refusal(fixture, tokenizer, &params,
                   "no language 'de' among 202; near it are: deu_Latn");
    params.source_language = "x";
    expect_refusal(fixture, tokenizer, &params, "expected one of 202: ace_Arab ace_Latn");
    params.source_language = NULL;
    expect_refusal(fixture, tokenizer, &params, "the source language must be named");
    params.side = VKS_TARGET;
    expect_refusal(fixture, tokenizer, &params, "the target language must be named");
    vks_tokenizer_destroy(&tokenizer);
    put_marian(fixture, "x");
    tokenizer = load(fixture);
    params = (struct vks_sequence_params){.target_language = "de"};
    expect_refusal(fixture, tokenizer, &params, "the vocabulary has none to choose");
    vks_tokenizer_destroy(&tokenizer);
}

static void mbart_has_its_languages(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_model(fixture, "sentencepiece.bpe.model", fixture->fairseq);
    uint32_t num = spm_num_pieces(fixture->fairseq) + 1;
    char config[128];
    // ar_AR cs_CZ de_DE en_XX
    snprintf(config, sizeof config, "{\"model_type\": \"mbart\", \"forced_bos_token_id\": %u}",
             num + 3);
    put_text(fixture, "config.json", config);
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), 52);
    assert_int_equal(vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE), num + 52 + 1);
    assert_string_equal(vks_tokenizer_default_language(tokenizer, VKS_TARGET), "en_XX");
    expect(tokenizer, VKS_SOURCE, "de_DE", NULL, "now", "de_DE ▁now </s>");
    expect(tokenizer, VKS_TARGET, "de_DE", NULL, "now", "en_XX ▁now </s>");
    vks_tokenizer_destroy(&tokenizer);
}

static void m2m100_has_codes_between_bars(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_m2m(fixture);
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), 100);
    expect(tokenizer, VKS_SOURCE, "de", "zh", "now", "__de__ ▁now </s>");
    expect(tokenizer, VKS_TARGET, "de", "__zh__", "now", "__zh__ ▁now </s>");
    expect(tokenizer, VKS_SOURCE, "de", NULL, "now ", "__de__ ▁now </s>");
    vks_tokenizer_destroy(&tokenizer);
    put_text(fixture, "tokenizer_config.json",
             "{\"tokenizer_class\": \"M2M100Tokenizer\", \"language_codes\": \"wmt21\"}");
    tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), 8);
    vks_tokenizer_destroy(&tokenizer);
}

static void pegasus_ids_have_an_offset(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_model(fixture, "spiece.model", fixture->pegasus);
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_unk_id(tokenizer, VKS_SOURCE), 105);
    assert_int_equal(vks_tokenizer_eos_id(tokenizer, VKS_SOURCE), 1);
    assert_int_equal(vks_tokenizer_pad_id(tokenizer, VKS_SOURCE), 0);
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 4), "<unk_2>");
    assert_int_equal(only_id(tokenizer, "now"), piece_id(fixture->pegasus, "▁now") + 103);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), 0);
    expect(tokenizer, VKS_SOURCE, NULL, NULL, "now", "▁now </s>");
    expect_text(tokenizer, (uint32_t[]){105, only_id(tokenizer, "now"), 1}, 3, "now");
    vks_tokenizer_destroy(&tokenizer);
}

static void marian_texts_may_begin_with_a_language(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_marian(fixture, ">>deu<<");
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_num_languages(tokenizer), 1);
    assert_string_equal(vks_tokenizer_language(tokenizer, 0), "deu");
    assert_null(vks_tokenizer_default_language(tokenizer, VKS_TARGET));
    expect(tokenizer, VKS_SOURCE, NULL, NULL, "now", "▁now </s>");
    expect(tokenizer, VKS_SOURCE, NULL, NULL, ">>deu<< now", ">>deu<< ▁now </s>");
    expect(tokenizer, VKS_SOURCE, NULL, NULL, ">>xyz<<now", "<unk> ▁now </s>");
    expect(tokenizer, VKS_SOURCE, "en", "deu", "now", ">>deu<< ▁now </s>");
    expect(tokenizer, VKS_SOURCE, NULL, ">>deu<<", ">>deu<< now", ">>deu<< ▁now </s>");
    expect(tokenizer, VKS_TARGET, NULL, "deu", "now", "▁now </s>");
    vks_tokenizer_destroy(&tokenizer);
}

static void without_codes_angles_are_text(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_marian(fixture, "x");
    struct vks_tokenizer *tokenizer = load(fixture);
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    assert_int_equal(vks_tokenizer_encode(tokenizer, VKS_SOURCE, ">>no<< now", 10, &ids, &num_ids),
                     VKS_OK);
    assert_true(num_ids > 3);
    vks_free(ids);
    vks_tokenizer_destroy(&tokenizer);
}

static void decoded_texts_are_those_of_transformers(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_marian(fixture, "▁don ▁n't");
    struct vks_tokenizer *tokenizer = load(fixture);
    uint32_t now = only_id(tokenizer, "now"), x = vks_tokenizer_vocab_size(tokenizer, 0) - 1;
    const uint32_t ids[] = {now, 1, now, x, 0};
    expect_text(tokenizer, ids, 5, "now ⁇  now▁don ▁n't");
    vks_tokenizer_destroy(&tokenizer);
    put_text(fixture, "tokenizer_config.json", "{\"eos_token\": {\"content\": \"</s>\"}}");
    tokenizer = load(fixture);
    expect_text(tokenizer, ids, 5, "now now don  n't");
    vks_tokenizer_destroy(&tokenizer);
    put_text(fixture, "tokenizer_config.json", "{\"clean_up_tokenization_spaces\": true}");
    tokenizer = load(fixture);
    expect_text(tokenizer, ids, 5, "now now don n't");
    vks_tokenizer_destroy(&tokenizer);
}

static void added_tokens_are_cut_out(void **state) {
    const struct fixture *fixture = *state;
    clear(fixture);
    put_marian(fixture, "x");
    put_text(fixture, "added_tokens.json", "{\"[A]\": 400, \"[AB]\": 401}");
    struct vks_tokenizer *tokenizer = load(fixture);
    assert_int_equal(vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE), 402);
    assert_null(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 399));
    expect(tokenizer, VKS_SOURCE, NULL, NULL, "now[A]now [AB][A]", "▁now [A] ▁now [AB] [A] </s>");
    vks_tokenizer_destroy(&tokenizer);
    put_text(fixture, "tokenizer_config.json",
             "{\"added_tokens_decoder\": {\"300\": {\"content\": \"[A]\", \"special\": true}}}");
    tokenizer = load(fixture);
    expect(tokenizer, VKS_SOURCE, NULL, NULL, "[A] now", "[A] ▁now </s>");
    expect_text(tokenizer, (uint32_t[]){300, only_id(tokenizer, "now")}, 2, "now");
    vks_tokenizer_destroy(&tokenizer);
}

static void a_vocabulary_goes_out_as_it_came(void **state) {
    static const char *const files[] = {"sentencepiece.bpe.model", "vocab.json",
                                        "tokenizer_config.json"};
    const struct fixture *fixture = *state;
    clear(fixture);
    put_m2m(fixture);
    put_text(fixture, "tokenizer_config.json", "{ \"tokenizer_class\" :\"M2M100Tokenizer\"}\n");
    assert_true(vks_tokenizer_exists(fixture->scratch->dir));
    struct vks_tokenizer *tokenizer = load(fixture);
    char *dir = scratch_path(fixture->scratch, "copy");
    assert_int_equal(directory_create(dir, NULL), VKS_OK);
    assert_false(vks_tokenizer_exists(dir));
    assert_int_equal(vks_tokenizer_save(tokenizer, dir), VKS_OK);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        unsigned char *data[2];
        size_t num_bytes[2];
        char *paths[] = {path_join(fixture->scratch->dir, files[i]), path_join(dir, files[i])};
        for (int j = 0; j < 2; j++)
            assert_int_equal(file_read(paths[j], 1 << 20, NULL, &data[j], &num_bytes[j]), VKS_OK);
        assert_int_equal(num_bytes[0], num_bytes[1]);
        assert_memory_equal(data[0], data[1], num_bytes[0]);
        for (int j = 0; j < 2; j++) {
            free(data[j]);
            free(paths[j]);
        }
    }
    free(dir);
    vks_tokenizer_destroy(&tokenizer);
}

static void faults_are_named(void **state) {
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{\"tokenizer_class\": \"XLMRobertaTokenizer\"}",
         "'XLMRobertaTokenizer' is not supported"},
        {"{\"tokenizer_class\": \"MBartTokenizer\"}", "'MBartTokenizer' is not supported"},
        {"{\"tokenizer_class\": 3}", "'tokenizer_class': expected a text"},
        {"[]", "expected a JSON object"},
        {"{\"tokenizer_class\": \"NllbTokenizer\", \"unk_token\": \"[UNK]\"}", "'[UNK]'"},
        {"{\"added_tokens_decoder\": {\"-1\": {\"content\": \"a\"}}}", "'-1': expected an id"},
        {"{\"added_tokens_decoder\": {\"16777216\": {\"content\": \"a\"}}}", "'16777216'"},
        {"{\"added_tokens_decoder\": {\"3\": {\"content\": \"\"}}}", "'3': expected an id"},
        {"{\"added_tokens_decoder\": [1]}", "'added_tokens_decoder': expected an object"},
        {"{\"tokenizer_class\": \"NllbTokenizer\", \"added_tokens_decoder\":"
         " {\"900\": {\"content\": \"</s>\"}}}",
         "'</s>' has two ids"},
        {"{\"tokenizer_class\": \"M2M100Tokenizer\"}", "vocab.json"},
    };
    const struct fixture *fixture = *state;
    clear(fixture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put_fairseq(fixture, cases[i].json);
        refuses(fixture, i + 1 == COUNT_OF(cases) ? VKS_ERR_IO : VKS_ERR_FORMAT, cases[i].words);
    }
    put_model(fixture, "sentencepiece.bpe.model", fixture->pegasus);
    put_text(fixture, "tokenizer_config.json", "{\"tokenizer_class\": \"NllbTokenizer\"}");
    refuses(fixture, VKS_ERR_FORMAT, "piece 0 is '<pad>': expected '<unk>'");
    clear(fixture);
    put_model(fixture, "spiece.model", fixture->pegasus);
    put_text(fixture, "tokenizer_config.json", "{\"tokenizer_class\": \"T5Tokenizer\"}");
    refuses(fixture, VKS_ERR_FORMAT, "'T5Tokenizer' is not supported");
    put_text(fixture, "tokenizer_config.json", "{\"offset\": 1}");
    refuses(fixture, VKS_ERR_FORMAT, "'offset' is 1");
    clear(fixture);
    put_text(fixture, "tokenizer.json", "{}");
    refuses(fixture, VKS_ERR_FORMAT, "'no class that is named' is not supported");
    put_text(fixture, "tokenizer_config.json", "{\"tokenizer_class\": \"NllbTokenizer\"}");
    refuses(fixture, VKS_ERR_FORMAT, "expected a 'model' of type Unigram or BPE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nllb_puts_languages_around),
        cmocka_unit_test(the_older_order_of_nllb_is_read),
        cmocka_unit_test(languages_must_be_known),
        cmocka_unit_test(mbart_has_its_languages),
        cmocka_unit_test(m2m100_has_codes_between_bars),
        cmocka_unit_test(pegasus_ids_have_an_offset),
        cmocka_unit_test(marian_texts_may_begin_with_a_language),
        cmocka_unit_test(without_codes_angles_are_text),
        cmocka_unit_test(decoded_texts_are_those_of_transformers),
        cmocka_unit_test(added_tokens_are_cut_out),
        cmocka_unit_test(a_vocabulary_goes_out_as_it_came),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
