#include "decode/step_decoder.h"

#include "base/check.h"
#include "base/log.h"
#include "decode/lexical_shortlist.h"
#include "decode/step_memory.h"
#include "decode/suppressed.h"
#include "io/hash64.h"
#include "ops/allow.h"
#include "ops/constrain.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "ops/log_probs.h"
#include "ops/output.h"
#include "ops/sample.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t NO_PAD = UINT32_MAX; // no token

// Caches of all layers take at most this unless more is asked for, and at most a quarter of the
// device's memory.
static const uint64_t MAX_CACHE_BYTES = 512ull << 20;

static struct vks_device *device_of(const struct step_decoder *decoder) {
    return decoder->models[0].model->device;
}

static uint32_t max_cache_rows(const struct step_decoder *decoder) {
    const struct vks_device_info *info = &device_of(decoder)->info;
    uint64_t row_bytes = 0, bound = UINT32_MAX;
    for (uint32_t i = 0; i < decoder->params.num_models; i++) {
        const struct step_model *model = &decoder->models[i];
        uint64_t cache_row_bytes = step_memory_cache_row_bytes(model);
        uint64_t binds = info->max_binding_bytes / cache_row_bytes;
        row_bytes += cache_row_bytes * model->model->config.decoder_layers;
        bound = binds < bound ? binds : bound;
    }
    uint64_t rows = decoder->cache_bytes / row_bytes;
    return (uint32_t)(rows < bound ? rows : bound);
}

// Whatever goes on comes out of that many best tokens of each hypothesis: where </s> does not take
// a place in the beam, a hypothesis may give K and </s>.
static uint32_t best_of_row(const struct step_params *params, uint32_t vocab) {
    uint32_t k = params->rule.k;
    if (params->rule.rule == BEAM_RULE_HF || params->rule.rule == BEAM_RULE_HF_EARLY ||
        params->rule.rule == BEAM_RULE_EXACT)
        k++;
    if (params->samples)
        k = 1;
    return min_u32(k, vocab - 1);
}

enum vks_status step_decoder_init(const struct step_params *params, struct step_decoder *decoder) {
    CHECK(params->num_models >= 1 && params->num_models <= STEP_MAX_MODELS);
    memset(decoder, 0, sizeof *decoder);
    decoder->params = *params;
    decoder->params.models = NULL;
    decoder->params.weights = NULL;
    decoder->params.halves = NULL;
    decoder->params.suppressed = NULL;
    for (uint32_t i = 0; i < params->num_models; i++) {
        decoder->models[i].model = params->models[i];
        decoder->models[i].weight = params->weights ? params->weights[i] : 1.0f;
        decoder->models[i].halves = params->halves ? params->halves[i] : NULL;
    }
    if (params->shortlist)
        decoder->num_set_words = shortlist_set_words(params->models[0]->config.target_vocab);
    decoder->best_k = best_of_row(params, params->models[0]->config.target_vocab);
    uint64_t quarter = device_of(decoder)->info.memory_bytes / 4;
    decoder->cache_bytes = quarter < MAX_CACHE_BYTES ? quarter : MAX_CACHE_BYTES;
    if (params->cache_bytes)
        decoder->cache_bytes = params->cache_bytes;
    decoder->max_cache_rows = max_cache_rows(decoder);
    // A software driver works on the host's cores: there is nothing to overlap.
    decoder->num_slots = device_of(decoder)->info.type == VKS_DEVICE_CPU ? 1 : PROGRAM_MAX_SLOTS;
    return suppressed_pack(params->suppressed, params->num_suppressed, &decoder->suppressed,
                           &decoder->num_suppressed_words);
}

static void release(struct step_decoder *decoder) {
    program_destroy(&decoder->step);
    for (uint32_t i = 0; i < decoder->params.num_models; i++) {
        program_destroy(&decoder->models[i].encoder);
        step_memory_release(&decoder->models[i]);
    }
    buffer_finish(device_of(decoder), &decoder->tables);
    memset(&decoder->capacity, 0, sizeof decoder->capacity);
}

void step_decoder_finish(struct step_decoder *decoder) {
    if (decoder->models[0].model)
        release(decoder);
    free(decoder->suppressed);
    decoder->suppressed = NULL;
}

static uint32_t num_rows(const struct step_decoder *decoder, const struct step_capacity *capacity) {
    return capacity->num_sentences * decoder->params.rule.k;
}

static uint32_t num_stretches(const struct step_decoder *decoder) {
    return decoder->params.samples
               ? 1
               : top_k_num_stretches(decoder->models[0].model->config.target_vocab);
}

// Of a matrix, as the graph lays it out.
static uint64_t matrix_words(const struct step_decoder *decoder, uint64_t rows, uint32_t cols) {
    return rows * row_stride(device_of(decoder), cols);
}

// One buffer for all tables.
static enum vks_status allocate_tables(struct step_decoder *decoder,
                                       const struct step_capacity *capacity) {
    uint32_t rows = num_rows(decoder, capacity), sentences = capacity->num_sentences;
    const uint64_t words[NUM_STEP_TABLES] = {
        [TABLE_SENTENCES] = matrix_words(decoder, sentences, SENTENCE_WORDS),
        [TABLE_WORDS] = matrix_words(decoder, capacity->num_words, 1),
        [TABLE_BEAMS] = matrix_words(decoder, sentences, beam_words(decoder->params.rule.k)),
        [TABLE_ROWS] = beam_rows_words(rows, capacity->num_cache_rows),
        [TABLE_CACHE_ROWS] = matrix_words(decoder, rows, capacity->num_steps),
        [TABLE_NEXT_CACHE_ROWS] = matrix_words(decoder, rows, capacity->num_steps),
        [TABLE_HEADS] = matrix_words(decoder, rows, num_stretches(decoder)),
    };
    uint64_t end = 0;
    for (int i = 0; i < NUM_STEP_TABLES; i++) {
        decoder->ranges[i] = (struct vk_range){&decoder->tables, end, words[i] * sizeof(uint32_t)};
        end = round_up_u64(end + decoder->ranges[i].bytes, BUFFER_ALIGNMENT);
    }
    return buffer_init(device_of(decoder), BUFFER_DEVICE, end, &decoder->tables);
}

static struct tensor *table(const struct step_decoder *decoder, struct graph *graph,
                            enum step_table which, uint32_t rows, uint32_t cols) {
    return graph_stored(graph, decoder->ranges[which], graph_dim_fixed(graph, rows), cols);
}

static void declare_tables(const struct step_decoder *decoder, struct graph *graph,
                           const struct step_capacity *capacity, struct beam_tables *tables) {
    uint32_t rows = num_rows(decoder, capacity);
    *tables = (struct beam_tables){
        .sentences = graph_dim(graph, capacity->num_sentences),
        .of_sentences =
            table(decoder, graph, TABLE_SENTENCES, capacity->num_sentences, SENTENCE_WORDS),
        .beams = table(decoder, graph, TABLE_BEAMS, capacity->num_sentences,
                       beam_words(decoder->params.rule.k)),
        .cache_rows = table(decoder, graph, TABLE_CACHE_ROWS, rows, capacity->num_steps),
        .next_cache_rows = table(decoder, graph, TABLE_NEXT_CACHE_ROWS, rows, capacity->num_steps),
        .rows = table(decoder, graph, TABLE_ROWS,
                      (uint32_t)beam_rows_words(rows, capacity->num_cache_rows), 1),
        .section = beam_section_words(rows),
    };
}

// A section of the table of rows.
static struct tensor *section(const struct step_decoder *decoder, struct graph *graph,
                              uint32_t which, uint32_t cols) {
    uint32_t words = beam_section_words(decoder->rows.capacity);
    struct vk_range range = decoder->ranges[TABLE_ROWS];
    range.offset += (uint64_t)which * words * sizeof(uint32_t);
    range.bytes = (uint64_t)words * cols * sizeof(uint32_t);
    return graph_stored(graph, range, decoder->rows, cols);
}

static void declare_sections(const struct step_decoder *decoder, struct graph *graph,
                             struct beam_tables *tables) {
    tables->tokens = section(decoder, graph, ROWS_TOKEN, 1);
    tables->positions = section(decoder, graph, ROWS_POSITION, 1);
    tables->places = section(decoder, graph, ROWS_PLACE, 1);
    tables->self_ranges = section(decoder, graph, ROWS_SELF, 4);
    tables->cross_ranges = section(decoder, graph, ROWS_CROSS, 4);
}

// The first model's encoder also brings what the host says of sentences, and begins their search.
static void add_begin(struct step_decoder *decoder, struct graph *graph,
                      const struct step_capacity *capacity) {
    struct beam_tables tables;
    declare_tables(decoder, graph, capacity, &tables);
    struct dim sentences = graph_dim_fixed(graph, capacity->num_sentences);
    struct dim words = graph_dim_fixed(graph, capacity->num_words);
    decoder->encoder_sentences = tables.sentences;
    decoder->sentences_in = graph_input(graph, sentences, SENTENCE_WORDS);
    decoder->words_in = graph_input(graph, words, 1);
    op_copy_to(graph, decoder->sentences_in, tables.of_sentences);
    op_copy_to(graph, decoder->words_in, table(decoder, graph, TABLE_WORDS, words.capacity, 1));
    op_beam_begin(graph, &decoder->params.rule, &tables);
    op_beam_advance(graph, &decoder->params.rule, &tables);
}

static enum vks_status build_encoder(struct step_decoder *decoder, struct step_model *step_model,
                                     const struct step_capacity *capacity) {
    struct vks_model *model = step_model->model;
    struct graph *graph;
    TRY(graph_create(model->device, &graph));
    graph->element = step_memory_element(step_model);
    const struct transformer transformer = {.graph = graph,
                                            .config = &model->config,
                                            .weights = &model->weights,
                                            .halves = step_model->halves};
    const struct feed_capacity feed = {.num_src = capacity->num_src,
                                       .num_sequences = capacity->num_sentences};
    feed_declare(graph, &model->config, &feed, false, &step_model->batch);
    struct tensor *memory = transformer_encode(&transformer, &step_model->batch);
    if (graph->status == VKS_OK)
        step_model->memory_places = graph_input(graph, memory->rows, 1);
    for (uint32_t i = 0; i < model->config.decoder_layers; i++)
        op_scatter_rows(graph, transformer_memory_kv(&transformer, memory, i), 0,
                        step_model->memory_places,
                        step_memory_source(step_model, graph, capacity, i));
    if (step_model == decoder->models)
        add_begin(decoder, graph, capacity);
    return program_create(&graph, &(struct program_params){.num_slots = 1}, &step_model->encoder);
}

// Logits of the rows' next tokens, by one model.
static struct tensor *add_model(const struct step_model *step_model, struct graph *graph,
                                const struct step_capacity *capacity,
                                const struct beam_tables *tables) {
    const struct vks_model *model = step_model->model;
    struct tensor *self_caches[WEIGHTS_MAX_LAYERS], *memory_kvs[WEIGHTS_MAX_LAYERS];
    const struct transformer transformer = {.graph = graph,
                                            .config = &model->config,
                                            .weights = &model->weights,
                                            .halves = step_model->halves};
    for (uint32_t i = 0; i < model->config.decoder_layers; i++) {
        self_caches[i] = step_memory_cache(step_model, graph, capacity, i);
        memory_kvs[i] = step_memory_source(step_model, graph, capacity, i);
    }
    const struct step_inputs inputs = {
        .tokens = tables->tokens,
        .positions = tables->positions,
        .cache_places = tables->places,
        .self_ranges = tables->self_ranges,
        .cache_rows = tables->cache_rows,
        .cross_ranges = tables->cross_ranges,
        .self_caches = self_caches,
        .memory_kvs = memory_kvs,
    };
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *h = transformer_step(&transformer, &inputs);
    if (graph->status != VKS_OK)
        return NULL;
    const struct output_params output = transformer_output(&transformer, h);
    return op_logits(graph, &output);
}

// Log probabilities: logit - log sum is what a token adds to a hypothesis.
struct log_probs {
    struct tensor *logits, *log_sums; // f32 [R, V], f32 [R, 1]
};

// Whether what is searched is something else than the first model's log probabilities.
static bool is_combined(const struct step_decoder *decoder) {
    return decoder->params.num_models > 1 || decoder->models[0].weight != 1.0f;
}

// By each model, and of all together.
static struct log_probs add_log_probs(struct step_decoder *decoder, struct graph *graph,
                                      const struct step_capacity *capacity,
                                      const struct beam_tables *tables, struct log_probs *parts) {
    uint32_t num = decoder->params.num_models;
    struct tensor *sum = NULL;
    for (uint32_t i = 0; i < num; i++) {
        const struct vks_model_config *config = &decoder->models[i].model->config;
        parts[i].logits = add_model(&decoder->models[i], graph, capacity, tables);
        if (decoder->params.shortlist && graph->status == VKS_OK)
            op_allow(graph, parts[i].logits, tables,
                     table(decoder, graph, TABLE_WORDS, capacity->num_words, 1));
        parts[i].log_sums = op_log_sum_exp(graph, parts[i].logits,
                                           config->pad_in_softmax ? NO_PAD : config->pad_id);
        if (is_combined(decoder))
            sum = op_combine(graph, parts[i].logits, parts[i].log_sums, decoder->models[i].weight,
                             sum);
    }
    if (!is_combined(decoder))
        return parts[0];
    // Nobody writes to the input: zeros.
    return (struct log_probs){sum, graph_input(graph, decoder->rows, 1)};
}

static void add_constraints(const struct step_decoder *decoder, struct graph *graph,
                            const struct step_capacity *capacity, const struct beam_tables *tables,
                            const struct log_probs *log_probs) {
    const struct step_params *p = &decoder->params;
    float penalty = p->repetition_penalty != 0.0f ? p->repetition_penalty : 1.0f;
    if (!capacity->has_prefixes && !p->num_suppressed && !p->min_length && !p->no_repeat_ngram &&
        !p->forces_eos && penalty == 1.0f)
        return;
    const struct constrain_params params = {
        .logits = log_probs->logits,
        .log_sums = log_probs->log_sums,
        .tables = tables,
        .words = table(decoder, graph, TABLE_WORDS, capacity->num_words, 1),
        .num_suppressed = p->num_suppressed,
        .num_given = p->forces_first,
        .forces_eos = p->forces_eos,
        .penalty_kind = p->penalty_kind,
        .eos_id = p->rule.eos_id,
        .min_length = p->min_length,
        .no_repeat_ngram = p->no_repeat_ngram,
        .repetition_penalty = penalty};
    op_constrain(graph, &params);
}

static struct tensor *add_best(const struct step_decoder *decoder, struct graph *graph,
                               const struct beam_tables *tables, struct tensor *logits) {
    const struct step_params *p = &decoder->params;
    uint32_t pad_id = p->predicts_pad ? NO_PAD : decoder->models[0].model->config.pad_id;
    if (!p->samples)
        return op_top_k(graph, logits, pad_id, decoder->best_k);
    const struct sample_params params = {.logits = logits,
                                         .tables = tables,
                                         .pad = pad_id,
                                         .from = p->sample_from,
                                         .k = p->sample_k,
                                         .mass = p->sample_mass,
                                         .temperature = p->temperature,
                                         .seed = p->seed};
    return op_sample(graph, &params);
}

static void add_choice(struct step_decoder *decoder, struct graph *graph,
                       const struct step_capacity *capacity, const struct beam_tables *tables,
                       const struct log_probs *log_probs) {
    add_constraints(decoder, graph, capacity, tables, log_probs);
    const struct beam_select_params select = {
        .rule = &decoder->params.rule,
        .tables = tables,
        .best = add_best(decoder, graph, tables, log_probs->logits),
        .best_k = decoder->best_k,
        .log_sums = log_probs->log_sums,
        .lengths = decoder->lengths,
        .heads = table(decoder, graph, TABLE_HEADS, num_rows(decoder, capacity),
                       num_stretches(decoder))};
    decoder->events = op_beam_select(graph, &select);
}

static enum vks_status build_step(struct step_decoder *decoder,
                                  const struct step_capacity *capacity) {
    struct beam_tables tables;
    struct log_probs parts[STEP_MAX_MODELS];
    struct graph *graph;
    TRY(graph_create(device_of(decoder), &graph));
    graph->element = step_memory_element(&decoder->models[0]);
    declare_tables(decoder, graph, capacity, &tables);
    decoder->sentences = tables.sentences;
    decoder->rows = graph_dim(graph, num_rows(decoder, capacity));
    declare_sections(decoder, graph, &tables);
    struct log_probs all = add_log_probs(decoder, graph, capacity, &tables, parts);
    decoder->lengths = graph_input(graph, graph_dim_fixed(graph, capacity->num_steps + 1), 2);
    if (graph->status == VKS_OK && decoder->with_log_probs) {
        decoder->logits = op_copy_out(graph, all.logits);
        decoder->log_sums = op_copy_out(graph, all.log_sums);
    }
    if (graph->status == VKS_OK)
        add_choice(decoder, graph, capacity, &tables, &all);
    decoder->num_parts = is_combined(decoder) ? decoder->params.num_models : 0;
    for (uint32_t i = 0; i < decoder->num_parts; i++)
        decoder->parts[i] = op_beam_parts(graph, &decoder->params.rule, &tables, decoder->events,
                                          parts[i].logits, parts[i].log_sums);
    op_beam_advance(graph, &decoder->params.rule, &tables);
    const struct program_params program = {.num_slots = decoder->num_slots,
                                           .profile = decoder->profile};
    return program_create(&graph, &program, &decoder->step);
}

static void write_lengths(struct step_decoder *decoder) {
    for (uint32_t slot = 0; slot < decoder->num_slots; slot++) {
        float(*lengths)[2] = program_input(decoder->step, slot, decoder->lengths);
        for (uint32_t i = 0; i < decoder->lengths->rows.capacity; i++)
            beam_length_terms(decoder->params.normalize, decoder->params.word_penalty, i,
                              lengths[i]);
    }
}

static enum vks_status build(struct step_decoder *decoder, const struct step_capacity *capacity) {
    TRY(allocate_tables(decoder, capacity));
    for (uint32_t i = 0; i < decoder->params.num_models; i++) {
        struct step_model *model = &decoder->models[i];
        TRY(step_memory_allocate(model, capacity));
        TRY(build_encoder(decoder, model, capacity));
    }
    TRY(build_step(decoder, capacity));
    write_lengths(decoder);
    return VKS_OK;
}

// The next power of two, so that slowly growing needs do not rebuild programs every time.
static uint32_t grown(uint32_t now, uint32_t needed) {
    if (needed <= now)
        return now;
    uint32_t power = 4;
    while (power < needed)
        power *= 2;
    return power;
}

static enum vks_status reserve_positions(struct step_decoder *decoder, uint32_t num_positions) {
    for (uint32_t i = 0; i < decoder->params.num_models; i++) {
        struct vks_model *model = decoder->models[i].model;
        TRY(weights_reserve_positions(&model->weights, &model->config, num_positions));
    }
    for (uint32_t i = 0; i < decoder->params.num_models; i++)
        decoder->models[i].position_rows = decoder->models[i].model->weights.encoder.positions.rows;
    return VKS_OK;
}

enum vks_status step_decoder_reserve(struct step_decoder *decoder,
                                     const struct step_capacity *needed) {
    const struct step_capacity *now = &decoder->capacity;
    CHECK(needed->num_cache_rows <= decoder->max_cache_rows);
    struct step_capacity next = {
        .num_src = grown(now->num_src, needed->num_src),
        .num_sentences = grown(now->num_sentences, needed->num_sentences),
        .num_steps = grown(now->num_steps, needed->num_steps),
        .num_cache_rows =
            min_u32(grown(now->num_cache_rows, needed->num_cache_rows), decoder->max_cache_rows),
        .num_positions = grown(now->num_positions, needed->num_positions),
        .num_words = grown(now->num_words, needed->num_words + decoder->num_suppressed_words + 1),
        .has_prefixes = now->has_prefixes | needed->has_prefixes,
    };
    // Someone else's longer sentences may have moved the table of positions.
    bool is_current = true;
    for (uint32_t i = 0; i < decoder->params.num_models; i++)
        is_current &= decoder->models[i].position_rows ==
                      decoder->models[i].model->weights.encoder.positions.rows;
    if (is_current && memcmp(&next, now, sizeof next) == 0)
        return VKS_OK;
    release(decoder);
    TRY(reserve_positions(decoder, next.num_positions));
    enum vks_status status = build(decoder, &next);
    if (status != VKS_OK) {
        release(decoder);
        return status;
    }
    decoder->capacity = next;
    return VKS_OK;
}

enum vks_status step_decoder_restart(struct step_decoder *decoder) {
    // A batch that failed may have left work.
    for (uint32_t slot = 0; slot < decoder->num_slots; slot++)
        TRY(program_wait(decoder->step, slot));
    decoder->num_submitted = decoder->num_collected = decoder->num_admitted = 0;
    return VKS_OK;
}

bool step_decoder_can_admit(const struct step_decoder *decoder) {
    return step_decoder_num_waiting(decoder) == 0 || decoder->num_collected > decoder->num_admitted;
}

static void write_sentence(struct step_decoder *decoder, const struct step_sentence *sentence) {
    struct program *encoder = decoder->models[0].encoder;
    uint32_t(*rows)[SENTENCE_WORDS] = program_input(encoder, 0, decoder->sentences_in);
    uint32_t *words = program_input(encoder, 0, decoder->words_in), *row = rows[sentence->slot];
    uint64_t hash = hash64_of(sentence->ids, sentence->num_ids * sizeof *sentence->ids);
    uint32_t first_word = decoder->num_suppressed_words + sentence->first_word;
    uint32_t num_first = decoder->params.forces_first;
    CHECK(sentence->slot < decoder->capacity.num_sentences &&
          sentence->first_key + sentence->num_ids <= decoder->capacity.num_src &&
          sentence->first_place + sentence->max_steps * decoder->params.rule.k <=
              decoder->capacity.num_cache_rows &&
          sentence->max_steps > num_first + sentence->prefix.num_ids &&
          first_word + num_first + sentence->prefix.num_ids + decoder->num_set_words <=
              decoder->capacity.num_words);
    row[SENTENCE_FIRST_KEY] = sentence->first_key;
    row[SENTENCE_END_KEY] = sentence->first_key + sentence->num_ids;
    row[SENTENCE_MAX_STEPS] = sentence->max_steps;
    row[SENTENCE_HASH] = (uint32_t)hash;
    row[SENTENCE_HASH + 1] = (uint32_t)(hash >> 32);
    row[SENTENCE_PREFIX] = first_word;
    row[SENTENCE_PREFIX_LENGTH] = num_first + sentence->prefix.num_ids;
    row[SENTENCE_FIRST_PLACE] = sentence->first_place;
    row[SENTENCE_SET] = first_word + num_first + sentence->prefix.num_ids;
    row[SENTENCE_IS_NEW] = 1;
    if (decoder->params.shortlist)
        shortlist_mark(decoder->params.shortlist, sentence->ids, sentence->num_ids,
                       words + row[SENTENCE_SET]);
    if (num_first > 0)
        words[first_word] = decoder->params.first_id;
    if (sentence->prefix.num_ids > 0)
        memcpy(words + first_word + num_first, sentence->prefix.ids,
               sentence->prefix.num_ids * sizeof *words);
}

// The table of all sentences, of which these are new.
static void write_sentences(struct step_decoder *decoder, const struct step_sentence *sentences,
                            uint32_t num_sentences) {
    struct program *encoder = decoder->models[0].encoder;
    uint32_t(*rows)[SENTENCE_WORDS] = program_input(encoder, 0, decoder->sentences_in);
    uint32_t *words = program_input(encoder, 0, decoder->words_in);
    memcpy(words, decoder->suppressed, decoder->num_suppressed_words * sizeof *words);
    for (uint32_t i = 0; i < decoder->capacity.num_sentences; i++)
        rows[i][SENTENCE_IS_NEW] = 0;
    for (uint32_t i = 0; i < num_sentences; i++)
        write_sentence(decoder, &sentences[i]);
}

enum vks_status step_decoder_admit(struct step_decoder *decoder, const struct packed *source,
                                   const struct step_sentence *sentences, uint32_t num_table_rows) {
    for (uint32_t i = 0; i < decoder->params.num_models; i++)
        TRY(program_wait(decoder->models[i].encoder, 0));
    decoder->num_admitted = decoder->num_submitted;
    decoder->num_table_rows = num_table_rows;
    write_sentences(decoder, sentences, source->num_sequences);
    program_set_dim(decoder->models[0].encoder, 0, decoder->encoder_sentences, num_table_rows);
    for (uint32_t i = 0; i < decoder->params.num_models; i++) {
        struct step_model *model = &decoder->models[i];
        uint32_t *places = program_input(model->encoder, 0, model->memory_places);
        for (uint32_t j = 0; j < source->num_sequences; j++)
            for (uint32_t key = 0; key < sentences[j].num_ids; key++)
                *places++ = sentences[j].first_key + key;
        feed_write(model->encoder, 0, &model->batch, source, NULL, NULL);
        TRY(program_submit(model->encoder, 0));
    }
    return VKS_OK;
}

enum vks_status step_decoder_submit(struct step_decoder *decoder, uint32_t num_alive_rows) {
    CHECK(step_decoder_num_waiting(decoder) < decoder->num_slots);
    uint32_t slot = decoder->num_submitted % decoder->num_slots;
    program_set_dim(decoder->step, slot, decoder->rows, num_alive_rows);
    program_set_dim(decoder->step, slot, decoder->sentences, decoder->num_table_rows);
    TRY(program_submit(decoder->step, slot));
    decoder->num_submitted++;
    return VKS_OK;
}

enum vks_status step_decoder_collect(struct step_decoder *decoder) {
    CHECK(step_decoder_num_waiting(decoder) > 0);
    TRY(program_wait(decoder->step, decoder->num_collected % decoder->num_slots));
    decoder->num_collected++;
    return VKS_OK;
}

static const void *collected(const struct step_decoder *decoder, const struct tensor *output) {
    CHECK(decoder->num_collected > 0);
    return program_output(decoder->step, (decoder->num_collected - 1) % decoder->num_slots, output);
}

void step_decoder_events(const struct step_decoder *decoder, uint32_t sentence_idx,
                         struct beam_events *events) {
    const uint32_t *words = collected(decoder, decoder->events);
    *events = (struct beam_events){.words = words + (size_t)sentence_idx * decoder->events->stride,
                                   .num_parts = decoder->num_parts};
    for (uint32_t i = 0; i < decoder->num_parts; i++) {
        const float *parts = collected(decoder, decoder->parts[i]);
        events->parts[i] = parts + (size_t)sentence_idx * decoder->parts[i]->stride;
    }
}

uint32_t step_decoder_num_waiting(const struct step_decoder *decoder) {
    return decoder->num_submitted - decoder->num_collected;
}

void step_decoder_log_probs(const struct step_decoder *decoder, struct step_log_probs *log_probs) {
    CHECK(decoder->with_log_probs);
    *log_probs =
        (struct step_log_probs){collected(decoder, decoder->logits),
                                collected(decoder, decoder->log_sums), decoder->logits->stride};
}
