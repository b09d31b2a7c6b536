// config.json and generation_config.json of Hugging Face's classes.
#include "scratch.h"

#include "base/check.h"
#include "model/config.h"

#include <stdio.h>

#define SHAPE                                                                                      \
    "\"vocab_size\": 40, \"d_model\": 16, \"encoder_ffn_dim\": 20, \"decoder_ffn_dim\": 24, "      \
    "\"encoder_attention_heads\": 2, \"decoder_attention_heads\": 4, \"encoder_layers\": 1, "      \
    "\"decoder_layers\": 3, \"activation_function\": \"relu\", \"scale_embedding\": true, "

static enum vks_status parse(struct scratch *scratch, const char *config, const char *generation,
                             struct vks_model_config *result) {
    struct config_text texts[2] = {{config, strlen(config), "config.json"}};
    if (generation)
        texts[1] = (struct config_text){generation, strlen(generation), "generation_config.json"};
    scratch->num_messages = 0;
    *result = (struct vks_model_config){0};
    return config_parse(&texts[0], generation ? &texts[1] : NULL, &scratch->log, result);
}

static void classes_fix_what_their_config_does_not_say(void **state) {
    static const struct {
        const char *text;
        struct vks_model_config expected;
    } cases[] = {
        {"{\"model_type\": \"marian\", " SHAPE "\"pad_token_id\": 39, \"eos_token_id\": 0}",
         {.model_class = VKS_CLASS_MARIAN, .pad_id = 39, .start_id = 39}},
        {"{\"model_type\": \"pegasus\", " SHAPE "\"pad_token_id\": 0, \"eos_token_id\": 1, "
         "\"decoder_start_token_id\": null}",
         {.model_class = VKS_CLASS_PEGASUS, .pad_is_zero = true, .eos_id = 1, .pre_norm = true}},
        {"{\"model_type\": \"m2m_100\", " SHAPE "\"pad_token_id\": 1, \"eos_token_id\": [2], "
         "\"decoder_start_token_id\": 2}",
         {.model_class = VKS_CLASS_M2M_100,
          .pad_id = 1,
          .eos_id = 2,
          .start_id = 2,
          .pre_norm = true,
          .positions = VKS_POSITIONS_FAIRSEQ,
          .position_offset = 2}},
        {"{\"model_type\": \"mbart\", " SHAPE "\"pad_token_id\": 1, \"eos_token_id\": 2, "
         "\"decoder_start_token_id\": 2, \"max_position_embeddings\": 30, "
         "\"tie_word_embeddings\": false}",
         {.model_class = VKS_CLASS_MBART,
          .pad_id = 1,
          .eos_id = 2,
          .start_id = 2,
          .pre_norm = true,
          .embedding_norm = true,
          .tying = VKS_TIED_NONE,
          .positions = VKS_POSITIONS_LEARNED,
          .position_offset = 2}},
    };
    struct vks_model_config config;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct vks_model_config *expected = &cases[i].expected;
        assert_int_equal(parse(*state, cases[i].text, NULL, &config), VKS_OK);
        assert_int_equal(config.model_class, expected->model_class);
        assert_int_equal(config.pad_id, expected->pad_id);
        assert_int_equal(config.eos_id, expected->eos_id);
        assert_int_equal(config.start_id, expected->start_id);
        assert_int_equal(config.pre_norm, expected->pre_norm);
        assert_int_equal(config.embedding_norm, expected->embedding_norm);
        assert_int_equal(config.tying, expected->tying);
        assert_int_equal(config.positions, expected->positions);
        assert_int_equal(config.position_offset, expected->position_offset);
        assert_true(config.pad_in_softmax && !config.no_embedding_scale);
        assert_int_equal(config.ffn_width, 20);
        assert_int_equal(config.decoder_ffn_width, 24);
        assert_int_equal(config.num_heads, 2);
        assert_int_equal(config.decoder_heads, 4);
        assert_int_equal(config.search, VKS_SEARCH_HF);
        assert_true(config.generation.normalize == 1.0f);
    }
}

#define MARIAN "{\"model_type\": \"marian\", " SHAPE "\"pad_token_id\": 39, \"eos_token_id\": 0"

static void generation_is_what_its_own_file_says(void **state) {
    struct vks_model_config config;
    const struct vks_generation *generation = &config.generation;
    const uint32_t suppressed[] = {1, 39, 2, 5, 6, 1, 7, 0};
    assert_int_equal(
        parse(*state, MARIAN ", \"num_beams\": 6, \"max_length\": 512}",
              "{\"num_beams\": 3, \"length_penalty\": 0.6, \"max_length\": 100, \"min_length\": 5, "
              "\"early_stopping\": true, \"no_repeat_ngram_size\": 4, \"repetition_penalty\": 1.25,"
              "\"bad_words_ids\": [[39], [0], [5, 6]], \"suppress_tokens\": [7], "
              "\"forced_bos_token_id\": 9, \"forced_eos_token_id\": [0]}",
              &config),
        VKS_OK);
    assert_int_equal(generation->beam_size, 3);
    assert_true(generation->normalize == 0.6f && generation->repetition_penalty == 1.25f);
    assert_int_equal(generation->max_length, 99);
    assert_int_equal(generation->min_length, 4);
    assert_int_equal(generation->no_repeat_ngram, 4);
    assert_int_equal(config.search, VKS_SEARCH_HF_EARLY);
    assert_true(generation->forces_first && generation->forces_eos);
    assert_int_equal(generation->first_id, 9);
    assert_memory_equal(generation->suppressed, suppressed, sizeof suppressed);
    assert_int_equal(
        parse(*state, MARIAN ", \"num_beams\": 6, \"max_new_tokens\": 50}", NULL, &config), VKS_OK);
    assert_int_equal(generation->beam_size, 6);
    assert_int_equal(generation->max_length, 50);
    assert_false(generation->forces_first || generation->forces_eos);
}

static void what_is_not_done_is_a_warning(void **state) {
    struct scratch *scratch = *state;
    struct vks_model_config config;
    assert_int_equal(
        parse(scratch, MARIAN "}", "{\"do_sample\": true, \"num_beam_groups\": 1}", &config),
        VKS_OK);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "\"do_sample\" is not done"));
}

static void what_is_wrong_names_the_key(void **state) {
    static const struct {
        const char *config, *generation, *what;
    } cases[] = {
        {MARIAN "}", "[]", "generation_config.json: not a JSON object"},
        {MARIAN "}", "{\"num_beams\": 65}", "\"num_beams\" is 65: expected at most 64"},
        {MARIAN "}", "{\"early_stopping\": \"soon\"}", "\"early_stopping\" is \"soon\""},
        {MARIAN "}", "{\"bad_words_ids\": [[]]}", "\"bad_words_ids\" is [[]]"},
        {MARIAN "}", "{\"bad_words_ids\": [[1.5]]}", "\"bad_words_ids\" is [[1.5]]"},
        {MARIAN "}", "{\"forced_eos_token_id\": 4}", "\"forced_eos_token_id\" is 4: expected"},
        {MARIAN "}", "{\"forced_bos_token_id\": 40}", "40 is no good as id of the first token"},
        {MARIAN ", \"decoder_start_token_id\": 0}", NULL, "\"decoder_start_token_id\" is 0"},
        {"{\"model_type\": \"marian\", \"pad_token_id\": 3, \"eos_token_id\": [1, 2], " SHAPE
         "\"x\": 0}",
         NULL, "\"eos_token_id\" is [1,2]: expected one token's id"},
        {"{\"model_type\": \"mbart\", " SHAPE "\"pad_token_id\": 1, \"eos_token_id\": 2}", NULL,
         "\"decoder_start_token_id\" is missing"},
        {"{\"model_type\": \"m2m_100\", " SHAPE "\"pad_token_id\": 1, \"eos_token_id\": 2, "
         "\"decoder_start_token_id\": 1}",
         NULL, "\"decoder_start_token_id\" is 1: expected another token than <pad>"},
        {"{\"model_type\": \"marian\", \"activation_function\": \"gelu_new\", "
         "\"vocab_size\": 40, \"d_model\": 16, \"encoder_ffn_dim\": 20, "
         "\"encoder_attention_heads\": 2, \"encoder_layers\": 1, \"decoder_layers\": 3}",
         NULL, "\"activation_function\" is \"gelu_new\": expected"},
    };
    struct scratch *scratch = *state;
    struct vks_model_config config;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(parse(scratch, cases[i].config, cases[i].generation, &config),
                         VKS_ERR_FORMAT);
        assert_int_equal(scratch->num_messages, 1);
        if (!strstr(scratch->text, cases[i].what))
            fail_msg("expected '%s' in '%s'", cases[i].what, scratch->text);
    }
}

// Also with vkseq's own "position_formula", which makes it another model.
static void a_class_goes_out_as_it_came(void **state) {
    struct vks_model_config config, again;
    assert_int_equal(
        parse(*state, MARIAN ", \"length_penalty\": 0.6, \"max_length\": 200}", NULL, &config),
        VKS_OK);
    char *text = config_print(&config, NULL);
    assert_non_null(text);
    assert_null(strstr(text, "position_formula"));
    assert_non_null(strstr(text, "\"MarianMTModel\""));
    assert_int_equal(parse(*state, text, NULL, &again), VKS_OK);
    assert_memory_equal(&config.generation, &again.generation, sizeof config.generation);
    assert_int_equal(again.model_class, VKS_CLASS_MARIAN);
    free(text);
    assert_int_equal(parse(*state, MARIAN ", \"position_formula\": \"hf\"}", NULL, &config),
                     VKS_OK);
    assert_int_equal(config.model_class, VKS_CLASS_OWN);
    assert_false(config.pad_in_softmax);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(classes_fix_what_their_config_does_not_say),
        SCRATCH_TEST(generation_is_what_its_own_file_says),
        SCRATCH_TEST(what_is_not_done_is_a_warning),
        SCRATCH_TEST(what_is_wrong_names_the_key),
        SCRATCH_TEST(a_class_goes_out_as_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
