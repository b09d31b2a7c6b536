#include "decode/admission.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/space.h"

#include <inttypes.h>
#include <string.h>

// Sentences are admitted when one slot of so many is free: encoding a few costs about as much as
// encoding some more.
enum { ADMIT_SHARE = 4 };

// A row of the device's tables.
struct slot {
    const struct work_item *item; // NULL: free
    struct step_sentence lies;
    uint32_t first_step; // the first that it takes part in
};

struct decoding {
    struct search *search;
    const struct sentence *sentences;
    const struct work_item *order; // [num]; those before `next` are under way or done
    size_t num, next;
    struct vks_translation *translations;
    struct arena arena;
    struct slot *slots; // [max_slots]; those from num_slots on were never used
    struct beam *beams; // [max_slots]
    uint32_t max_slots, num_slots, num_free;
    struct space keys, places, words;
    // Of one admission, and of one step: [max_slots]
    struct step_sentence *admitted;
    uint32_t *tokens, *offsets;
    uint32_t *seen;
    const struct beam **seen_beams;
    size_t *seen_indices;
};

static bool init_space(struct decoding *decoding, uint32_t num_places, struct space *space) {
    struct space_piece *pieces =
        ARENA_NEW(&decoding->arena, struct space_piece, decoding->max_slots);
    space_init(num_places, pieces, decoding->max_slots, space);
    return pieces != NULL;
}

static bool allocate(struct decoding *decoding) {
    const struct step_decoder *decoder = &decoding->search->decoder;
    const struct step_capacity *capacity = &decoder->capacity;
    struct arena *arena = &decoding->arena;
    uint32_t max = decoding->max_slots;
    decoding->slots = ARENA_NEW(arena, struct slot, max);
    decoding->beams = ARENA_NEW(arena, struct beam, max);
    decoding->admitted = ARENA_NEW(arena, struct step_sentence, max);
    decoding->tokens = ARENA_NEW(arena, uint32_t, capacity->num_src);
    decoding->offsets = ARENA_NEW(arena, uint32_t, max + 1);
    decoding->seen = ARENA_NEW(arena, uint32_t, max);
    decoding->seen_beams = ARENA_NEW(arena, const struct beam *, max);
    decoding->seen_indices = ARENA_NEW(arena, size_t, max);
    return decoding->slots && decoding->beams && decoding->admitted && decoding->tokens &&
           decoding->offsets && decoding->seen && decoding->seen_beams && decoding->seen_indices &&
           init_space(decoding, capacity->num_src, &decoding->keys) &&
           init_space(decoding, capacity->num_cache_rows, &decoding->places) &&
           init_space(decoding, capacity->num_words - decoder->num_suppressed_words,
                      &decoding->words);
}

static uint32_t num_places(const struct decoding *decoding, const struct work_item *item) {
    return item->num_steps * decoding->search->params.beam_size;
}

static uint32_t num_words(const struct decoding *decoding, const struct work_item *item) {
    return item->num_prefix + decoding->search->decoder.num_set_words;
}

// Finds where a sentence can lie; false if there is no room.
static bool take_room(struct decoding *decoding, const struct work_item *item,
                      struct step_sentence *lies) {
    if (!space_take(&decoding->keys, item->num_ids, &lies->first_key))
        return false;
    if (space_take(&decoding->places, num_places(decoding, item), &lies->first_place)) {
        if (space_take(&decoding->words, num_words(decoding, item), &lies->first_word))
            return true;
        space_give_back(&decoding->places, lies->first_place, num_places(decoding, item));
    }
    space_give_back(&decoding->keys, lies->first_key, item->num_ids);
    return false;
}

static void free_slot(struct decoding *decoding, struct slot *slot) {
    const struct step_sentence *lies = &slot->lies;
    space_give_back(&decoding->keys, lies->first_key, slot->item->num_ids);
    space_give_back(&decoding->places, lies->first_place, num_places(decoding, slot->item));
    space_give_back(&decoding->words, lies->first_word, num_words(decoding, slot->item));
    slot->item = NULL;
    decoding->num_free++;
}

// Puts the next sentence into a slot; false if there is no room for it.
static bool fill_slot(struct decoding *decoding, uint32_t slot_idx) {
    const struct work_item *item = &decoding->order[decoding->next];
    const struct sentence *sentence = &decoding->sentences[item->idx];
    const struct step_decoder *decoder = &decoding->search->decoder;
    struct slot *slot = &decoding->slots[slot_idx];
    uint32_t num_first = decoder->params.forces_first;
    struct step_sentence lies = {.ids = sentence->ids,
                                 .num_ids = item->num_ids,
                                 .max_steps = item->num_steps,
                                 .prefix = {sentence->prefix.ids, item->num_prefix - num_first},
                                 .slot = slot_idx};
    if (!take_room(decoding, item, &lies))
        return false;
    *slot = (struct slot){item, lies, decoder->num_submitted};
    beam_finish(&decoding->beams[slot_idx]);
    beam_init(&decoding->search->beam, decoder->params.rule.start_alive,
              &decoding->beams[slot_idx]);
    decoding->next++;
    decoding->num_free--;
    return true;
}

// Whether it is time for more sentences.
static bool wants_more(const struct decoding *decoding) {
    uint32_t num_free = decoding->num_free, num_alive = decoding->max_slots - num_free;
    return decoding->next < decoding->num &&
           (num_alive == 0 || (uint64_t)num_free * ADMIT_SHARE >= decoding->max_slots) &&
           step_decoder_can_admit(&decoding->search->decoder);
}

static enum vks_status admit(struct decoding *decoding) {
    uint32_t num = 0, num_tokens = 0;
    for (uint32_t i = 0; i < decoding->max_slots && decoding->next < decoding->num; i++) {
        struct slot *slot = &decoding->slots[i];
        if (slot->item)
            continue;
        if (!fill_slot(decoding, i))
            break;
        memcpy(decoding->tokens + num_tokens, slot->lies.ids,
               slot->lies.num_ids * sizeof *decoding->tokens);
        num_tokens += slot->lies.num_ids;
        decoding->admitted[num++] = slot->lies;
        decoding->offsets[num] = num_tokens;
        decoding->num_slots = max_u32(decoding->num_slots, i + 1);
    }
    if (num == 0)
        return VKS_OK;
    const struct packed source = {decoding->tokens, decoding->offsets, num};
    return step_decoder_admit(&decoding->search->decoder, &source, decoding->admitted,
                              decoding->num_slots);
}

// Hypotheses that may be alive when the next step runs.
static uint32_t max_rows(const struct decoding *decoding) {
    uint32_t num_waiting = step_decoder_num_waiting(&decoding->search->decoder), num = 0;
    for (uint32_t i = 0; i < decoding->num_slots; i++)
        num += beam_max_alive(&decoding->beams[i], num_waiting);
    return num;
}

// What the step collected last did to a sentence, whose translation is given when it is done.
static enum vks_status take_step(struct decoding *decoding, uint32_t slot_idx) {
    struct search *search = decoding->search;
    struct slot *slot = &decoding->slots[slot_idx];
    struct beam *beam = &decoding->beams[slot_idx];
    const struct sentence *sentence = &decoding->sentences[slot->item->idx];
    struct vks_translation *translation = &decoding->translations[slot->item->idx];
    struct beam_events events;
    step_decoder_events(&search->decoder, slot_idx, &events);
    enum vks_status status = beam_apply(beam, &events);
    if (status == VKS_ERR_DIVERGED)
        log_error(search->log,
                  "line %" PRIu64 ": the model's probabilities are not finite numbers%s",
                  sentence->line,
                  search->params.precision == VKS_FLOAT16
                      ? "; float16 ends at 65504, bfloat16 and float32 do not"
                      : "");
    if (status != VKS_OK || beam->num_alive > 0)
        return status;
    TRY(beam_results(beam, translation));
    search_warn_if_cut(search, sentence, translation);
    free_slot(decoding, slot);
    return VKS_OK;
}

// The sentences that took part in the step collected last.
static uint32_t find_seen(struct decoding *decoding) {
    uint32_t num = 0;
    for (uint32_t i = 0; i < decoding->num_slots; i++) {
        const struct slot *slot = &decoding->slots[i];
        if (!slot->item || decoding->search->decoder.num_collected <= slot->first_step)
            continue;
        decoding->seen_beams[num] = &decoding->beams[i];
        decoding->seen_indices[num] = slot->item->idx;
        decoding->seen[num++] = i;
    }
    return num;
}

static enum vks_status collect(struct decoding *decoding) {
    struct search *search = decoding->search;
    const struct search_observer *observer = search->observer;
    TRY(step_decoder_collect(&search->decoder));
    struct search_step step = {.beams = decoding->seen_beams,
                               .sentence_indices = decoding->seen_indices,
                               .num_sentences = find_seen(decoding)};
    if (observer && observer->observe) {
        step_decoder_log_probs(&search->decoder, &step.log_probs);
        observer->observe(observer->user, &step);
    }
    for (uint32_t i = 0; i < step.num_sentences; i++)
        TRY(take_step(decoding, decoding->seen[i]));
    step.log_probs = (struct step_log_probs){0};
    bool goes_on = !observer || !observer->may_go_on || observer->may_go_on(observer->user, &step);
    return goes_on ? VKS_OK : VKS_ERR_CANCELLED;
}

// Keeps the device supplied with steps, and reads them as they end.
static enum vks_status run(struct decoding *decoding) {
    struct step_decoder *decoder = &decoding->search->decoder;
    TRY(step_decoder_restart(decoder));
    for (;;) {
        if (wants_more(decoding))
            TRY(admit(decoding));
        uint32_t num_rows = max_rows(decoding);
        if (num_rows > 0)
            TRY(step_decoder_submit(decoder, num_rows));
        else if (step_decoder_num_waiting(decoder) == 0)
            break;
        if (num_rows == 0 || step_decoder_num_waiting(decoder) == decoder->num_slots)
            TRY(collect(decoding));
    }
    CHECK(decoding->next == decoding->num);
    return VKS_OK;
}

enum vks_status admission_run(struct search *search, const struct sentence *sentences,
                              const struct work_item *order, size_t num,
                              struct vks_translation *translations) {
    uint32_t max_slots = min_u32(search->max_sentences, search->decoder.capacity.num_sentences);
    struct decoding decoding = {.search = search,
                                .sentences = sentences,
                                .order = order,
                                .num = num,
                                .translations = translations,
                                .max_slots = max_slots,
                                .num_free = max_slots};
    enum vks_status status = allocate(&decoding) ? run(&decoding) : VKS_ERR_OOM;
    for (uint32_t i = 0; i < decoding.num_slots; i++)
        beam_finish(&decoding.beams[i]);
    arena_finish(&decoding.arena);
    return status;
}
