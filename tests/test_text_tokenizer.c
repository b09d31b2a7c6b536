// Text to ids and back: a vocabulary learnt from a small text, saved, loaded, and damaged.
#include "scratch.h"

#include "base/thread.h"
#include "vkseq/tokenizer.h"

#include <stdio.h>

enum { VOCAB_SIZE = 420 };

// What a test works with: a folder with a corpus and the files of a tokenizer learnt from it.
struct fixture {
    struct scratch *scratch;
    struct vks_tokenizer *tokenizer;
};

static void write_file(const struct fixture *fixture, const char *name, const char *text) {
    scratch_put(fixture->scratch, name, text, strlen(text));
}

static void remove_file(const struct fixture *fixture, const char *name) {
    char *path = scratch_path(fixture->scratch, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void create_folder(const struct fixture *fixture, const char *name) {
    char *path = scratch_path(fixture->scratch, name);
    assert_int_equal(directory_create(path, NULL), VKS_OK);
    free(path);
}

// Sentences made of every pair of a few words, in two made-up languages.
static void write_corpus(const struct fixture *fixture) {
    static const char *const english[] = {"open", "close", "the file", "a window", "now", "later"};
    static const char *const german[] = {"öffnen",      "schließen", "die Datei",
                                         "ein Fenster", "jetzt",     "später"};
    char source[8192] = "", target[8192] = "", line[128];
    for (int i = 0; i < 36; i++) {
        snprintf(line, sizeof line, "%s %s, please %d.\n", english[i % 6], english[i / 6], i);
        strcat(source, line);
        snprintf(line, sizeof line, "Bitte %s %s %d!\r\n", german[i / 6], german[i % 6], i);
        strcat(target, line);
    }
    write_file(fixture, "en,1.txt", source);
    write_file(fixture, "de.txt", target);
}

static enum vks_status train(const struct fixture *fixture, uint32_t vocab_size, bool is_separate,
                             const char *options, struct vks_tokenizer **tokenizer) {
    char *source_path = scratch_path(fixture->scratch, "en,1.txt");
    char *target_path = scratch_path(fixture->scratch, "de.txt");
    const struct vks_tokenizer_train_params params = {
        .source_paths = (const char *const[]){source_path},
        .num_source_paths = 1,
        .target_paths = (const char *const[]){target_path},
        .num_target_paths = 1,
        .vocab_size = vocab_size,
        .separate_vocabularies = is_separate,
        .options = options,
        .seed = 1,
        .log = &fixture->scratch->log,
    };
    enum vks_status status = vks_tokenizer_train(&params, tokenizer);
    free(source_path);
    free(target_path);
    return status;
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    void *scratch = NULL;
    assert_int_equal(scratch_create(&scratch), 0);
    fixture->scratch = scratch;
    write_corpus(fixture);
    assert_int_equal(train(fixture, VOCAB_SIZE, false, NULL, &fixture->tokenizer), VKS_OK);
    assert_int_equal(vks_tokenizer_save(fixture->tokenizer, fixture->scratch->dir), VKS_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    void *scratch = fixture->scratch;
    vks_tokenizer_destroy(&fixture->tokenizer);
    free(fixture);
    return scratch_destroy(&scratch);
}

static void assert_decodes_to(const struct vks_tokenizer *tokenizer, const char *text,
                              const char *expected) {
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    char *decoded = NULL;
    assert_int_equal(
        vks_tokenizer_encode(tokenizer, VKS_SOURCE, text, strlen(text), &ids, &num_ids), VKS_OK);
    for (size_t i = 0; i < num_ids; i++)
        assert_true(ids[i] > vks_tokenizer_unk_id(tokenizer, VKS_SOURCE));
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, ids, num_ids, &decoded), VKS_OK);
    assert_string_equal(decoded, expected);
    vks_free(decoded);
    vks_free(ids);
}

static void special_ids_are_where_marian_has_them(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    uint32_t vocab_size = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE);
    assert_true(vks_tokenizer_is_joint(tokenizer));
    assert_in_range(vocab_size, 300, VOCAB_SIZE);
    assert_int_equal(vks_tokenizer_eos_id(tokenizer, VKS_SOURCE), 0);
    assert_int_equal(vks_tokenizer_unk_id(tokenizer, VKS_SOURCE), 1);
    assert_int_equal(vks_tokenizer_pad_id(tokenizer, VKS_TARGET), vocab_size - 1);
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 0), "</s>");
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 2), "<ph0>");
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 17), "<ph15>");
    assert_null(vks_tokenizer_piece(tokenizer, VKS_SOURCE, vocab_size));
}

static void text_survives_a_round_trip(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    assert_decodes_to(tokenizer, "open the file, please", "open the file, please");
    assert_decodes_to(tokenizer, "Bitte schließen", "Bitte schließen");
    assert_decodes_to(tokenizer, "", "");
    assert_decodes_to(tokenizer, "   ", "");
    assert_decodes_to(tokenizer, "  now \t later  ", "now later");
}

static void unseen_characters_survive_by_bytes(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    assert_decodes_to(tokenizer, "now 🦊 中文 Ω", "now 🦊 中文 Ω");
    // Decoding half of a character must not fail.
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    char *text = NULL;
    assert_int_equal(vks_tokenizer_encode(tokenizer, VKS_SOURCE, "🦊", 4, &ids, &num_ids),
                     VKS_OK);
    assert_true(num_ids >= 4);
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_SOURCE, ids, num_ids - 1, &text), VKS_OK);
    vks_free(text);
    vks_free(ids);
}

static void malformed_utf8_is_encoded(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    assert_decodes_to(tokenizer, "now\xff\xc3", "now\xef\xbf\xbd\xef\xbf\xbd");
}

static void placeholders_are_one_piece(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    const char *text = "open<ph3>the file <ph15>";
    uint32_t *ids = NULL;
    size_t num_ids = 0, num_placeholders = 0;
    assert_int_equal(
        vks_tokenizer_encode(tokenizer, VKS_SOURCE, text, strlen(text), &ids, &num_ids), VKS_OK);
    for (size_t i = 0; i < num_ids; i++)
        num_placeholders += ids[i] == 2 + 3 || ids[i] == 2 + 15;
    assert_int_equal(num_placeholders, 2);
    vks_free(ids);
    assert_decodes_to(tokenizer, text, text);
}

static void spelt_out_end_of_sentence_is_text(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    assert_decodes_to(tokenizer, "now </s> <pad>", "now </s> <pad>");
}

static void long_line_survives_a_round_trip(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    char text[10001];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "open the file later"[i % 19];
    text[sizeof text - 2] = '.';
    text[sizeof text - 1] = '\0';
    assert_decodes_to(tokenizer, text, text);
}

static void special_and_unknown_ids_are_not_text(void **state) {
    const struct vks_tokenizer *tokenizer = ((struct fixture *)*state)->tokenizer;
    const uint32_t ids[] = {0, vks_tokenizer_pad_id(tokenizer, VKS_TARGET), 1u << 30, 2};
    char *text = NULL;
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, ids, 4, &text), VKS_OK);
    assert_string_equal(text, "<ph0>");
    vks_free(text);
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, NULL, 0, &text), VKS_OK);
    assert_string_equal(text, "");
    vks_free(text);
}

static void assert_same_file(const struct fixture *fixture, const char *a, const char *b) {
    const char *names[] = {a, b};
    unsigned char *data[2] = {NULL};
    size_t num_bytes[2] = {0};
    for (int i = 0; i < 2; i++) {
        char *path = scratch_path(fixture->scratch, names[i]);
        assert_int_equal(file_read(path, 1 << 24, NULL, &data[i], &num_bytes[i]), VKS_OK);
        free(path);
    }
    assert_int_equal(num_bytes[0], num_bytes[1]);
    assert_memory_equal(data[0], data[1], num_bytes[0]);
    free(data[0]);
    free(data[1]);
}

static void save_copy(const struct fixture *fixture, const struct vks_tokenizer *tokenizer) {
    create_folder(fixture, "copy");
    char *path = scratch_path(fixture->scratch, "copy");
    assert_int_equal(vks_tokenizer_save(tokenizer, path), VKS_OK);
    free(path);
}

static void save_load_save_changes_no_byte(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *loaded = NULL;
    assert_int_equal(vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &loaded),
                     VKS_OK);
    save_copy(fixture, loaded);
    assert_same_file(fixture, "source.spm", "copy/source.spm");
    assert_same_file(fixture, "target.spm", "copy/target.spm");
    assert_same_file(fixture, "vocab.json", "copy/vocab.json");
    assert_true(vks_tokenizer_is_joint(loaded));
    assert_decodes_to(loaded, "open <ph1> 🦊", "open <ph1> 🦊");
    vks_tokenizer_destroy(&loaded);
}

static void training_is_deterministic(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *again = NULL;
    assert_int_equal(train(fixture, VOCAB_SIZE, false, NULL, &again), VKS_OK);
    save_copy(fixture, again);
    assert_same_file(fixture, "source.spm", "copy/source.spm");
    assert_same_file(fixture, "vocab.json", "copy/vocab.json");
    vks_tokenizer_destroy(&again);
}

static void separate_vocabularies_stay_separate(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *tokenizer = NULL;
    assert_int_equal(train(fixture, 330, true, "--model_type=bpe", &tokenizer), VKS_OK);
    assert_false(vks_tokenizer_is_joint(tokenizer));
    assert_int_equal(vks_tokenizer_save(tokenizer, fixture->scratch->dir), VKS_OK);
    vks_tokenizer_destroy(&tokenizer);
    assert_int_equal(vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &tokenizer),
                     VKS_OK);
    assert_false(vks_tokenizer_is_joint(tokenizer));
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_TARGET, 0), "</s>");
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    char *text = NULL;
    assert_int_equal(vks_tokenizer_encode(tokenizer, VKS_TARGET, "Bitte jetzt", 11, &ids, &num_ids),
                     VKS_OK);
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, ids, num_ids, &text), VKS_OK);
    assert_string_equal(text, "Bitte jetzt");
    vks_free(text);
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_SOURCE, ids, num_ids, &text), VKS_OK);
    assert_string_not_equal(text, "Bitte jetzt");
    vks_free(text);
    vks_free(ids);
    vks_tokenizer_destroy(&tokenizer);
    // A joint one saved over it leaves no target vocabulary behind.
    assert_int_equal(vks_tokenizer_save(fixture->tokenizer, fixture->scratch->dir), VKS_OK);
    char *path = scratch_path(fixture->scratch, "target_vocab.json");
    assert_false(file_exists(path));
    free(path);
}

// Ids of a text drawn by a seed, as a hash; they still spell the text.
static uint64_t draw(const struct vks_tokenizer *tokenizer, float alpha, uint32_t seed) {
    static const char text[] = "Bitte jetzt die Birnen und das Brot holen";
    const struct vks_piece_sampling sampling = {VKS_TARGET, alpha, seed};
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    char *decoded = NULL;
    struct hash64 hash;
    assert_int_equal(
        vks_tokenizer_sample(tokenizer, &sampling, text, sizeof text - 1, &ids, &num_ids), VKS_OK);
    assert_int_equal(vks_tokenizer_decode(tokenizer, VKS_TARGET, ids, num_ids, &decoded), VKS_OK);
    assert_string_equal(decoded, text);
    hash64_init(&hash);
    hash64_update(&hash, ids, num_ids * sizeof *ids);
    vks_free(ids);
    vks_free(decoded);
    return hash64_value(&hash);
}

struct drawing {
    const struct vks_tokenizer *tokenizer;
    uint64_t hashes[20];
};

static void *draw_all(void *user) {
    struct drawing *drawing = user;
    for (uint32_t seed = 0; seed < 20; seed++)
        drawing->hashes[seed] = draw(drawing->tokenizer, 0.2f, seed);
    return NULL;
}

static void drawn_pieces_follow_from_the_seed(void **state) {
    struct fixture *fixture = *state;
    struct drawing here = {.tokenizer = fixture->tokenizer}, elsewhere = here;
    struct thread thread;
    uint64_t best = draw(fixture->tokenizer, 0, 1);
    unsigned num_others = 0;
    assert_true(draw(fixture->tokenizer, 0, 2) == best);
    draw_all(&here);
    assert_true(thread_start(&thread, draw_all, &elsewhere));
    thread_join(&thread);
    assert_memory_equal(here.hashes, elsewhere.hashes, sizeof here.hashes);
    for (size_t i = 0; i < 20; i++)
        num_others += here.hashes[i] != best && here.hashes[i] != here.hashes[(i + 1) % 20];
    assert_true(num_others > 15);
    // The higher the power, the more often the best pieces.
    num_others = 0;
    for (uint32_t seed = 0; seed < 20; seed++)
        num_others += draw(fixture->tokenizer, 50, seed) != best;
    assert_int_equal(num_others, 0);
}

static void training_refuses(struct fixture *fixture, uint32_t vocab_size, const char *options,
                             enum vks_status expected, const char *message) {
    struct vks_tokenizer *tokenizer = NULL;
    fixture->scratch->text[0] = '\0';
    assert_int_equal(train(fixture, vocab_size, false, options, &tokenizer), expected);
    assert_null(tokenizer);
    if (!strstr(fixture->scratch->text, message))
        fail_msg("'%s' does not say '%s'", fixture->scratch->text, message);
}

static void bad_training_parameters_are_rejected(void **state) {
    struct fixture *fixture = *state;
    training_refuses(fixture, 1, NULL, VKS_ERR_ARGUMENT, "vocabulary size 1");
    training_refuses(fixture, 100, NULL, VKS_ERR_ARGUMENT, "99 pieces");
    training_refuses(fixture, 290, NULL, VKS_ERR_ARGUMENT, "required_chars");
    training_refuses(fixture, 400, "--no_such_flag=1", VKS_ERR_ARGUMENT, "no_such_flag");
    training_refuses(fixture, 400, "no_dashes", VKS_ERR_ARGUMENT, "no_dashes");
    training_refuses(fixture, 400, "--input=x", VKS_ERR_ARGUMENT, "--input=x");
    training_refuses(fixture, 400, "--model_type=poem", VKS_ERR_ARGUMENT, "poem");
    training_refuses(fixture, 400, "--eos_id=-1", VKS_ERR_ARGUMENT, "</s>");
    write_file(fixture, "de.txt", "");
    write_file(fixture, "en,1.txt", "   \n\n<ph3> <ph4>\n \xe3\x80\x80\n");
    training_refuses(fixture, 400, NULL, VKS_ERR_ARGUMENT, "no line with a word");
    remove_file(fixture, "de.txt");
    training_refuses(fixture, 400, NULL, VKS_ERR_IO, "de.txt: cannot open: No such file");
    create_folder(fixture, "de.txt");
    training_refuses(fixture, 400, NULL, VKS_ERR_IO, "de.txt: cannot read: Is a directory");
}

static void options_override_the_defaults(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *tokenizer = NULL;
    assert_int_equal(train(fixture, 120, false,
                           " --byte_fallback=false  --user_defined_symbols=<de>,<en> ", &tokenizer),
                     VKS_OK);
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 17), "<ph15>");
    assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 18), "<de>");
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    assert_int_equal(vks_tokenizer_encode(tokenizer, VKS_SOURCE, "now 🦊", 8, &ids, &num_ids),
                     VKS_OK);
    assert_int_equal(ids[num_ids - 1], vks_tokenizer_unk_id(tokenizer, VKS_SOURCE));
    vks_free(ids);
    vks_tokenizer_destroy(&tokenizer);
}

static void loading_refuses(struct fixture *fixture, enum vks_status expected,
                            const char *message) {
    struct vks_tokenizer *tokenizer = NULL;
    fixture->scratch->text[0] = '\0';
    assert_int_equal(vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &tokenizer),
                     expected);
    assert_null(tokenizer);
    if (!strstr(fixture->scratch->text, message) ||
        !strstr(fixture->scratch->text, fixture->scratch->dir))
        fail_msg("'%s' does not say '%s' and '%s'", fixture->scratch->text, fixture->scratch->dir,
                 message);
}

static void malformed_vocabularies_are_rejected(void **state) {
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"", "vocab.json:1: malformed JSON"},
        {"{\"</s>\":0,\n\"<unk>\":1,\n\"<pad>\":2", "vocab.json:3: malformed JSON"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":2} {}", "malformed JSON"},
        {"[\"</s>\", \"<unk>\", \"<pad>\"]", "expected a JSON object"},
        {"{}", "lacks the piece '</s>'"},
        {"{\"</s>\":0,\"<pad>\":2}", "lacks the piece '<unk>'"},
        {"{\"</s>\":0,\"<unk>\":1}", "lacks the piece '<pad>'"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":-1}", "the id of '<pad>' is -1"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":1.5}", "the id of '<pad>' is 1.5"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":16777216}", "the id of '<pad>' is 16777216"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":1e300}", "the id of '<pad>' is 1e+300"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":\"2\"}", "the id of '<pad>' is \"2\""},
        {"{\"</s>\":0,\"<unk>\":{\"a\":[1]},\"<pad>\":2}", "the id of '<unk>' is {\"a\":[1]}"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":1}", "'<unk>' and '<pad>' have the same id 1"},
        {"{\"</s>\":0,\"<unk>\":1,\"<pad>\":2,\"</s>\":3}", "'</s>' has two ids, 0 and 3"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(fixture, "vocab.json", cases[i].json);
        loading_refuses(fixture, VKS_ERR_FORMAT, cases[i].message);
    }
}

// The first piece of a text.
static uint32_t first_id(const struct vks_tokenizer *tokenizer, const char *text) {
    uint32_t *ids = NULL;
    size_t num_ids = 0;
    assert_int_equal(
        vks_tokenizer_encode(tokenizer, VKS_SOURCE, text, strlen(text), &ids, &num_ids), VKS_OK);
    assert_true(num_ids > 0);
    uint32_t id = ids[0];
    vks_free(ids);
    return id;
}

// The fixture's pieces, but for one, with every other id.
static void write_vocab_with_gaps(const struct fixture *fixture, uint32_t left_out) {
    char json[16384] = "{\"<unk>\": 7, \"</s>\": 3, \"<pad>\": 2000", entry[128];
    uint32_t size = vks_tokenizer_vocab_size(fixture->tokenizer, VKS_SOURCE);
    for (uint32_t id = 2; id + 1 < size; id++) {
        if (id == left_out)
            continue;
        snprintf(entry, sizeof entry, ", \"%s\": %u",
                 vks_tokenizer_piece(fixture->tokenizer, VKS_SOURCE, id), 2 * id + 8);
        strcat(json, entry);
    }
    strcat(json, "}");
    write_file(fixture, "vocab.json", json);
}

static void vocabulary_may_have_gaps(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *tokenizer = NULL;
    uint32_t left_out = first_id(fixture->tokenizer, "now");
    write_vocab_with_gaps(fixture, left_out);
    assert_int_equal(vks_tokenizer_load(fixture->scratch->dir, &fixture->scratch->log, &tokenizer),
                     VKS_OK);
    assert_int_equal(vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE), 2001);
    assert_int_equal(vks_tokenizer_eos_id(tokenizer, VKS_SOURCE), 3);
    assert_null(vks_tokenizer_piece(tokenizer, VKS_SOURCE, 0));
    assert_int_equal(first_id(tokenizer, "now"), 7);
    vks_tokenizer_destroy(&tokenizer);
}

static void pieces_without_ids_are_rejected(void **state) {
    struct fixture *fixture = *state;
    write_file(fixture, "vocab.json", "{\"<unk>\": 7, \"</s>\": 3, \"<pad>\": 90}");
    loading_refuses(fixture, VKS_ERR_FORMAT, "source.spm");
    loading_refuses(fixture, VKS_ERR_FORMAT, "do not belong together: 1 of ");
}

static enum vks_status load_models(const struct fixture *fixture, const char *source,
                                   const char *target, struct vks_tokenizer **tokenizer) {
    char *source_path = scratch_path(fixture->scratch, source);
    char *target_path = target ? scratch_path(fixture->scratch, target) : NULL;
    enum vks_status status =
        vks_tokenizer_load_spm(source_path, target_path, &fixture->scratch->log, tokenizer);
    free(source_path);
    free(target_path);
    return status;
}

static void a_model_alone_is_a_joint_vocabulary(void **state) {
    struct fixture *fixture = *state;
    static const char *const targets[] = {NULL, "source.spm", "target.spm"}; // all the same bytes
    for (size_t i = 0; i < 3; i++) {
        struct vks_tokenizer *tokenizer = NULL;
        assert_int_equal(load_models(fixture, "source.spm", targets[i], &tokenizer), VKS_OK);
        assert_true(vks_tokenizer_is_joint(tokenizer));
        uint32_t size = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE);
        assert_int_equal(size, vks_tokenizer_vocab_size(fixture->tokenizer, VKS_SOURCE));
        for (uint32_t id = 0; id < size; id++)
            assert_string_equal(vks_tokenizer_piece(tokenizer, VKS_TARGET, id),
                                vks_tokenizer_piece(fixture->tokenizer, VKS_TARGET, id));
        assert_decodes_to(tokenizer, "please open the file", "please open the file");
        vks_tokenizer_destroy(&tokenizer);
    }
}

static void two_models_are_two_vocabularies(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *trained = NULL, *tokenizer = NULL;
    assert_int_equal(train(fixture, VOCAB_SIZE, true, NULL, &trained), VKS_OK);
    assert_int_equal(vks_tokenizer_save(trained, fixture->scratch->dir), VKS_OK);
    assert_int_equal(load_models(fixture, "source.spm", "target.spm", &tokenizer), VKS_OK);
    assert_false(vks_tokenizer_is_joint(tokenizer));
    assert_int_equal(vks_tokenizer_vocab_size(tokenizer, VKS_TARGET),
                     vks_tokenizer_vocab_size(trained, VKS_TARGET));
    vks_tokenizer_destroy(&tokenizer);
    vks_tokenizer_destroy(&trained);
}

static void models_with_other_ends_are_rejected(void **state) {
    struct fixture *fixture = *state;
    struct vks_tokenizer *trained = NULL, *tokenizer = NULL;
    create_folder(fixture, "other");
    char *other = scratch_path(fixture->scratch, "other");
    assert_int_equal(train(fixture, VOCAB_SIZE, false, "--eos_id=1 --unk_id=0", &trained), VKS_OK);
    assert_int_equal(vks_tokenizer_save(trained, other), VKS_OK);
    assert_int_equal(load_models(fixture, "source.spm", "other/source.spm", &tokenizer),
                     VKS_ERR_ARGUMENT);
    assert_non_null(strstr(fixture->scratch->text, "'</s>' has id 0 in"));
    assert_null(tokenizer);
    vks_tokenizer_destroy(&trained);
    free(other);
}

static void malformed_models_are_rejected(void **state) {
    struct fixture *fixture = *state;
    write_file(fixture, "target.spm", "no model at all");
    loading_refuses(fixture, VKS_ERR_FORMAT, "target.spm");
    write_file(fixture, "target.spm", "");
    loading_refuses(fixture, VKS_ERR_FORMAT, "target.spm");
}

static void missing_files_are_named(void **state) {
    static const char *const names[] = {"vocab.json", "target.spm", "source.spm"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        remove_file(fixture, names[i]);
        loading_refuses(fixture, VKS_ERR_IO, names[i]);
        // Bring it back, so that only one file is missing at a time.
        assert_int_equal(vks_tokenizer_save(fixture->tokenizer, fixture->scratch->dir), VKS_OK);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(special_ids_are_where_marian_has_them),
        TEST(text_survives_a_round_trip),
        TEST(unseen_characters_survive_by_bytes),
        TEST(malformed_utf8_is_encoded),
        TEST(placeholders_are_one_piece),
        TEST(spelt_out_end_of_sentence_is_text),
        TEST(long_line_survives_a_round_trip),
        TEST(special_and_unknown_ids_are_not_text),
        TEST(save_load_save_changes_no_byte),
        TEST(training_is_deterministic),
        TEST(separate_vocabularies_stay_separate),
        TEST(drawn_pieces_follow_from_the_seed),
        TEST(bad_training_parameters_are_rejected),
        TEST(options_override_the_defaults),
        TEST(malformed_vocabularies_are_rejected),
        TEST(vocabulary_may_have_gaps),
        TEST(pieces_without_ids_are_rejected),
        TEST(a_model_alone_is_a_joint_vocabulary),
        TEST(two_models_are_two_vocabularies),
        TEST(models_with_other_ends_are_rejected),
        TEST(malformed_models_are_rejected),
        TEST(missing_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
