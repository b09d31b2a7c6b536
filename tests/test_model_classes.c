// Models of Hugging Face's classes: read again as they were saved, from tensors under other names,
// tied or not, and how they are translated with.
#include "base/check.h"
#include "decode/search.h"
#include "io/safetensors_write.h"
#include "model/config.h"
#include "model/model_object.h"
#include "scratch.h"
#include "support/gpu.h"

#include <math.h>
#include <stdio.h>

enum { VOCAB = 23, WIDTH = 8, MAX_TENSORS = 128 };

static struct vks_model_config class_config(enum vks_model_class model_class) {
    bool is_mbart = model_class == VKS_CLASS_MBART;
    return (struct vks_model_config){
        .model_class = model_class,
        .source_vocab = VOCAB,
        .target_vocab = VOCAB,
        .width = WIDTH,
        .num_heads = 2,
        .decoder_heads = 1,
        .ffn_width = 12,
        .decoder_ffn_width = 20,
        .encoder_layers = 1,
        .decoder_layers = 2,
        .max_positions = 32,
        .eos_id = 2,
        .pad_id = 1,
        .start_id = model_class == VKS_CLASS_MARIAN ? 1 : 2,
        .pre_norm = model_class != VKS_CLASS_MARIAN,
        .embedding_norm = is_mbart,
        .pad_in_softmax = true,
        .positions = is_mbart                           ? VKS_POSITIONS_LEARNED
                     : model_class == VKS_CLASS_M2M_100 ? VKS_POSITIONS_FAIRSEQ
                                                        : VKS_POSITIONS_HF,
        .position_offset = is_mbart || model_class == VKS_CLASS_M2M_100 ? 2 : 0,
        .search = VKS_SEARCH_HF,
        .generation = {.normalize = 1.0f},
    };
}

static struct vks_model *make_model(struct vks_device *device,
                                    const struct vks_model_config *config) {
    struct vks_model *model;
    assert_int_equal(vks_model_create(device, config, 5, &model), VKS_OK);
    return model;
}

static const struct named_weight *find_weight(const struct vks_model *model, const char *name) {
    for (size_t i = 0; i < model->weights.num_named; i++)
        if (strcmp(model->weights.named[i].name, name) == 0)
            return &model->weights.named[i];
    return NULL;
}

static void read_values(struct vks_model *model, const char *name, float *values) {
    const struct named_weight *weight = find_weight(model, name);
    assert_non_null(weight);
    assert_int_equal(named_weight_read(&model->weights, PART_VALUE, weight, values), VKS_OK);
}

static void classes_come_back(void **state) {
    static const enum vks_model_class classes[] = {VKS_CLASS_MARIAN, VKS_CLASS_PEGASUS,
                                                   VKS_CLASS_M2M_100, VKS_CLASS_MBART};
    float before[VOCAB * WIDTH], after[VOCAB * WIDTH];
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        void *folder;
        scratch_create(&folder);
        const char *dir = ((struct scratch *)folder)->dir;
        struct vks_model_config config = class_config(classes[i]);
        config.output_bias = classes[i] == VKS_CLASS_MARIAN;
        config.generation.suppressed[0] = 1;
        config.generation.suppressed[1] = 7;
        config.generation.forces_first = classes[i] == VKS_CLASS_M2M_100;
        config.generation.first_id = config.generation.forces_first ? 9 : 0;
        struct vks_model *model = make_model(*state, &config), *loaded;
        assert_int_equal(vks_model_save(model, dir), VKS_OK);
        assert_int_equal(vks_model_load(*state, dir, &loaded), VKS_OK);
        assert_memory_equal(vks_model_config(model), vks_model_config(loaded), sizeof config);
        read_values(model, "model.shared.weight", before);
        read_values(loaded, "model.shared.weight", after);
        assert_memory_equal(before, after, sizeof before);
        vks_model_destroy(&model);
        vks_model_destroy(&loaded);
        scratch_destroy(&folder);
    }
}

// Writes a saved model's tensors anew: one under another name, and one more.
struct rewrite {
    const char *from, *to;
    struct safetensors_tensor more; // name NULL: none
};

static void rewrite(const char *dir, const struct rewrite *change) {
    struct safetensors_tensor tensors[MAX_TENSORS] = {{0}};
    struct safetensors *file;
    char path[512];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    assert_int_equal(safetensors_open(path, &gpu_log, &file), VKS_OK);
    size_t num = safetensors_num_tensors(file);
    assert_true(num < MAX_TENSORS);
    for (size_t i = 0; i < num; i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        bool is_it = change->from && strcmp(info->name, change->from) == 0;
        tensors[i] = (struct safetensors_tensor){.name = is_it ? change->to : info->name,
                                                 .dtype = info->dtype,
                                                 .num_dims = info->num_dims,
                                                 .data = info->data};
        memcpy(tensors[i].dims, info->dims, sizeof info->dims);
    }
    if (change->more.name)
        tensors[num++] = change->more;
    const struct safetensors_write_params params = {
        .tensors = tensors, .num_tensors = num, .log = &gpu_log};
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    safetensors_close(&file);
}

// Loads a saved model after a change; *folder stays.
static struct vks_model *load_changed(struct vks_device *device, enum vks_model_class model_class,
                                      const struct rewrite *change, struct scratch *scratch) {
    const struct vks_model_config config = class_config(model_class);
    const struct vks_log *log = device->log;
    struct vks_model *model = make_model(device, &config), *loaded = NULL;
    assert_int_equal(vks_model_save(model, scratch->dir), VKS_OK);
    vks_model_destroy(&model);
    rewrite(scratch->dir, change);
    device->log = &scratch->log;
    scratch->num_messages = 0;
    enum vks_status status = vks_model_load(device, scratch->dir, &loaded);
    device->log = log;
    assert_true(status == VKS_OK || status == VKS_ERR_SHAPE);
    return loaded;
}

static void a_tied_table_may_have_any_of_its_names(void **state) {
    static const char *const names[] = {"lm_head.weight", "model.encoder.embed_tokens.weight",
                                        "model.decoder.embed_tokens.weight"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        void *folder;
        scratch_create(&folder);
        const struct rewrite change = {.from = "model.shared.weight", .to = names[i]};
        struct vks_model *model = load_changed(*state, VKS_CLASS_MBART, &change, folder);
        assert_non_null(model);
        assert_int_equal(((struct scratch *)folder)->num_messages, 0);
        assert_int_equal(model->config.tying, VKS_TIED_ALL);
        vks_model_destroy(&model);
        scratch_destroy(&folder);
    }
}

static void tables_that_differ_are_not_tied(void **state) {
    void *folder;
    float values[VOCAB * WIDTH], found[VOCAB * WIDTH];
    scratch_create(&folder);
    struct scratch *scratch = folder;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        values[i] = (float)i;
    const struct rewrite change = {.more = {.name = "lm_head.weight",
                                            .dtype = SAFETENSORS_F32,
                                            .num_dims = 2,
                                            .dims = {VOCAB, WIDTH},
                                            .data = values}};
    struct vks_model *model = load_changed(*state, VKS_CLASS_MARIAN, &change, scratch);
    assert_non_null(model);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "read as they are"));
    assert_int_equal(model->config.tying, VKS_TIED_NONE);
    read_values(model, "lm_head.weight", found);
    assert_memory_equal(found, values, sizeof values);
    read_values(model, "model.decoder.embed_tokens.weight", found);
    assert_memory_not_equal(found, values, sizeof values);
    vks_model_destroy(&model);
    scratch_destroy(&folder);
}

static void an_output_bias_is_read_where_there_is_one(void **state) {
    static const float bias[VOCAB] = {[3] = 0.5f};
    float found[VOCAB];
    void *folder;
    scratch_create(&folder);
    const struct rewrite change = {.more = {.name = "final_logits_bias",
                                            .dtype = SAFETENSORS_F32,
                                            .num_dims = 2,
                                            .dims = {1, VOCAB},
                                            .data = bias}};
    struct vks_model *model = load_changed(*state, VKS_CLASS_PEGASUS, &change, folder);
    assert_non_null(model);
    assert_true(model->config.output_bias);
    read_values(model, "final_logits_bias", found);
    assert_memory_equal(found, bias, sizeof bias);
    vks_model_destroy(&model);
    scratch_destroy(&folder);
}

static void sines_must_be_those_of_the_class(void **state) {
    enum { ROWS = 20 };
    float table[ROWS * WIDTH];
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        void *folder;
        scratch_create(&folder);
        struct vks_model_config config = class_config(VKS_CLASS_M2M_100);
        weights_fill_positions(&config, ROWS, table);
        table[WIDTH] = 9; // the row of <pad>, which is not read
        table[5 * WIDTH + 1] += is_wrong ? 0.1f : 0.001f;
        const struct rewrite change = {.more = {.name = "model.encoder.embed_positions.weights",
                                                .dtype = SAFETENSORS_F32,
                                                .num_dims = 2,
                                                .dims = {ROWS, WIDTH},
                                                .data = table}};
        struct vks_model *model = load_changed(*state, VKS_CLASS_M2M_100, &change, folder);
        assert_true((model == NULL) == is_wrong);
        vks_model_destroy(&model);
        scratch_destroy(&folder);
    }
}

static struct vks_translation translate(struct vks_model *model,
                                        struct vks_translator_params params) {
    uint32_t ids[] = {5, 6, 7, 2};
    const struct sentence sentence = {.ids = ids, .num_ids = COUNT_OF(ids)};
    const struct search_params search_params = {
        .models = &model, .num_models = 1, .translator = &params};
    struct vks_translation translation = {0};
    struct search search;
    params.log = &gpu_log;
    params.word_scores = true;
    params.max_length_factor = 100;
    assert_int_equal(search_complete_params(&model->config, &params), VKS_OK);
    params.n_best = params.beam_size;
    assert_int_equal(search_init(&search_params, &search), VKS_OK);
    assert_int_equal(search_run(&search, &sentence, 1, &translation), VKS_OK);
    search_finish(&search);
    return translation;
}

static void free_translation(struct vks_translation *translation) {
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        free(translation->hypotheses[i].ids);
        free(translation->hypotheses[i].word_scores);
    }
    free(translation->hypotheses);
}

static void translations_follow_what_the_model_says(void **state) {
    enum { FIRST = 9, MOST = 6, BEAM = 3 };
    struct vks_model_config config = class_config(VKS_CLASS_M2M_100);
    config.generation = (struct vks_generation){.beam_size = BEAM,
                                                .max_length = MOST,
                                                .min_length = MOST - 1,
                                                .normalize = 0.5f,
                                                .forces_first = true,
                                                .first_id = FIRST,
                                                .forces_eos = true};
    struct vks_model *model = make_model(*state, &config);
    struct vks_translation found = translate(model, (struct vks_translator_params){0});
    assert_int_equal(found.num_hypotheses, BEAM);
    for (size_t i = 0; i < found.num_hypotheses; i++) {
        const struct vks_hypothesis *h = &found.hypotheses[i];
        // </s> is forced as the last of MOST tokens; it and the first one cost nothing.
        assert_int_equal(h->num_ids, MOST - 1);
        assert_int_equal(h->num_word_scores, MOST);
        assert_int_equal(h->ids[0], FIRST);
        assert_true(h->word_scores[0] == 0.0f && h->word_scores[MOST - 1] == 0.0f);
        assert_true(h->word_scores[1] < 0.0f);
        assert_float_equal(h->score, h->log_prob / sqrtf(MOST), 1e-5);
    }
    // The best second token may not occur.
    uint32_t banned = found.hypotheses[0].ids[1];
    free_translation(&found);
    model->config.generation.suppressed[0] = 1;
    model->config.generation.suppressed[1] = banned;
    found = translate(model, (struct vks_translator_params){.beam_size = 1, .no_normalize = true});
    assert_int_equal(found.num_hypotheses, 1);
    for (size_t i = 0; i < found.hypotheses[0].num_ids; i++)
        assert_int_not_equal(found.hypotheses[0].ids[i], banned);
    assert_true(found.hypotheses[0].score == found.hypotheses[0].log_prob);
    free_translation(&found);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_come_back),
        cmocka_unit_test(a_tied_table_may_have_any_of_its_names),
        cmocka_unit_test(tables_that_differ_are_not_tied),
        cmocka_unit_test(an_output_bias_is_read_where_there_is_one),
        cmocka_unit_test(sines_must_be_those_of_the_class),
        cmocka_unit_test(translations_follow_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
