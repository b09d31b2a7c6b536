#include "data/encoder.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/rng.h"
#include "base/thread.h"
#include "data/pair_mask.h"

#include <math.h>
#include <string.h>

enum {
    MAX_THREADS = 64,
    MIN_PAIRS_PER_THREAD = 256,
    MAX_NUMBER_CHARS = 63,
    // Keeps the random numbers of sampling apart from other users of the same seed.
    RNG_STREAM = 0x73616D70,
    MASK_STREAM = 0x6D61736B,
};

// A thread's part of the work: pairs [begin, end) of a block.
struct part {
    const struct encoder_params *params;
    uint64_t epoch;
    const struct text_block *block;
    size_t begin, end;
    struct piece piece;
    struct alignment_links links; // of the pair that is being encoded
    enum vks_status status;
    struct thread thread;
    bool is_started;
};

// A pair's ids as the tokenizer gives them, without </s>.
struct encoded {
    uint32_t *ids[NUM_SIDES];
    size_t num_ids[NUM_SIDES];
};

static enum vks_status memory_error(const struct part *part) {
    log_error(part->params->log, "%s: out of memory for its tokens", part->params->sets->source);
    return VKS_ERR_OOM;
}

static enum vks_status encode_side(const struct part *part, const struct text_pair *pair,
                                   enum vks_side side, struct encoded *encoded) {
    const struct encoder_params *p = part->params;
    struct vks_piece_sampling sampling = {.side = side, .alpha = p->sampling_alphas[side]};
    const uint32_t key[2] = {p->seed, RNG_STREAM ^ (uint32_t)side};
    const uint32_t counter[4] = {pair->line, pair->set_idx, (uint32_t)part->epoch,
                                 (uint32_t)(part->epoch >> 32)};
    uint32_t random[4];
    philox4x32(key, counter, random);
    sampling.seed = random[0];
    return vks_tokenizer_sample(p->tokenizer, &sampling, pair->texts[side], pair->num_bytes[side],
                                &encoded->ids[side], &encoded->num_ids[side]);
}

// The next number of a text that blanks part; false if that is no number of at least 0.
static bool next_number(const char **text, const char *end, float *number) {
    char word[MAX_NUMBER_CHARS + 1], *word_end;
    size_t num_chars = 0;
    while (*text < end && **text == ' ')
        ++*text;
    while (*text < end && **text != ' ' && num_chars < MAX_NUMBER_CHARS)
        word[num_chars++] = *(*text)++;
    word[num_chars] = '\0';
    *number = strtof(word, &word_end);
    return num_chars > 0 && !*word_end && *number >= 0 && isfinite(*number);
}

static enum vks_status weights_error(const struct part *part, const struct text_pair *pair,
                                     size_t num_tokens) {
    const struct encoder_params *p = part->params;
    const struct vks_text_set *set = &p->sets[pair->set_idx];
    const char *path = set->weights_field ? set->source : set->weights;
    if (p->weighs_words)
        log_error(p->log,
                  "%s:%u: '%.*s': expected %zu weights, a number of at least 0 for each "
                  "target token, or one more for </s>",
                  path, pair->line, (int)pair->num_bytes[TEXT_WEIGHTS], pair->texts[TEXT_WEIGHTS],
                  num_tokens);
    else
        log_error(p->log, "%s:%u: '%.*s': expected a weight, a number of at least 0", path,
                  pair->line, (int)pair->num_bytes[TEXT_WEIGHTS], pair->texts[TEXT_WEIGHTS]);
    return VKS_ERR_FORMAT;
}

// Weights of a pair's target tokens and of </s>, which weighs 1 when nothing is said of it.
// weights: [num_tokens + 1]
static enum vks_status read_weights(const struct part *part, const struct text_pair *pair,
                                    size_t num_tokens, float *weights) {
    const char *text = pair->texts[TEXT_WEIGHTS], *end = text + pair->num_bytes[TEXT_WEIGHTS];
    size_t num = 0, expected = part->params->weighs_words ? num_tokens + 1 : 1;
    while (end > text && end[-1] == ' ')
        end--;
    for (; num < expected && text < end; num++)
        if (!next_number(&text, end, &weights[num]))
            return weights_error(part, pair, num_tokens);
    if (text < end || (num < expected && (num == 0 || num + 1 != expected)))
        return weights_error(part, pair, num_tokens);
    if (!part->params->weighs_words)
        for (size_t i = 1; i <= num_tokens; i++)
            weights[i] = weights[0];
    else if (num == num_tokens)
        weights[num] = 1.0f;
    return VKS_OK;
}

bool encoder_has_weights(const struct encoder_params *params) {
    for (uint32_t i = 0; i < params->num_sets; i++)
        if (params->sets[i].weights || params->sets[i].weights_field)
            return true;
    return false;
}

// Weights for a pair, owned by the caller (free); NULL where no pair has any.
static enum vks_status make_weights(const struct part *part, const struct text_pair *pair,
                                    size_t num_tokens, float **weights) {
    const struct vks_text_set *set = &part->params->sets[pair->set_idx];
    *weights = NULL;
    if (!encoder_has_weights(part->params))
        return VKS_OK;
    float *made = memory_calloc(num_tokens + 1, sizeof *made);
    if (!made)
        return memory_error(part);
    enum vks_status status = VKS_OK;
    if (set->weights || set->weights_field)
        status = read_weights(part, pair, num_tokens, made);
    else
        for (size_t i = 0; i <= num_tokens; i++)
            made[i] = 1.0f;
    if (status != VKS_OK)
        free(made);
    else
        *weights = made;
    return status;
}

bool encoder_has_alignments(const struct encoder_params *params) {
    for (uint32_t i = 0; i < params->num_sets; i++)
        if (params->sets[i].alignments || params->sets[i].alignments_field)
            return true;
    return false;
}

// Reads the links of a pair, with the lengths that it has by now, into the part; num_before: tokens
// of each side that stand before those of its text, from which links count.
static enum vks_status read_links(struct part *part, const struct text_pair *pair,
                                  const struct encoded *encoded,
                                  const uint32_t num_before[NUM_SIDES]) {
    const struct encoder_params *p = part->params;
    const struct vks_text_set *set = &p->sets[pair->set_idx];
    const struct alignment_line line = {
        .path = set->alignments_field ? set->source : set->alignments,
        .line = pair->line,
        .field = set->alignments_field,
        .text = pair->texts[TEXT_ALIGNMENTS],
        .num_bytes = pair->num_bytes[TEXT_ALIGNMENTS],
        .lengths = {(uint32_t)encoded->num_ids[VKS_SOURCE] - num_before[VKS_SOURCE],
                    (uint32_t)encoded->num_ids[VKS_TARGET] - num_before[VKS_TARGET]},
        .is_cropped = p->crop,
    };
    part->links.num = 0;
    if (!line.path)
        return VKS_OK;
    TRY(alignment_parse(&line, p->log, &part->links));
    for (size_t i = 0; i < part->links.num; i++) {
        part->links.items[i].source += (uint16_t)num_before[VKS_SOURCE];
        part->links.items[i].target += (uint16_t)num_before[VKS_TARGET];
    }
    return VKS_OK;
}

static struct token_frame frame_of(const struct part *part, enum vks_side side) {
    struct token_frame frame = part->params->frames[side];
    if (frame.num_after == 0)
        frame.after[frame.num_after++] = vks_tokenizer_eos_id(part->params->tokenizer, side);
    return frame;
}

// How many of a side's tokens may stay beside its frame; its length then fits in 32 bits.
static size_t limit_of(const struct part *part, const struct token_frame *frame) {
    uint32_t max_length = part->params->max_length, num_more = token_frame_size(frame) - 1;
    max_length = max_length ? min_u32(max_length, UINT32_MAX - 1) : UINT32_MAX - 1;
    return max_u32(max_length, num_more) - num_more;
}

// Weights in the order of a framed target: those of num_kept tokens and then that of </s>, which
// stands behind all num_tokens, stay; the language weighs as the sentence or, among words, 1.
static float *frame_weights(const struct part *part, float *weights, size_t num_tokens,
                            size_t num_kept, uint32_t num_before) {
    weights[num_kept] = weights[num_tokens];
    if (num_before == 0)
        return weights;
    float *made = memory_calloc(num_kept + num_before + 1, sizeof *made);
    if (made) {
        for (uint32_t i = 0; i < num_before; i++)
            made[i] = part->params->weighs_words ? 1.0f : weights[num_kept];
        memcpy(made + num_before, weights, (num_kept + 1) * sizeof *made);
    }
    free(weights);
    return made;
}

static enum vks_status add_framed(struct part *part, const struct text_pair *pair,
                                  struct encoded *encoded, float *weights) {
    const struct encoder_params *p = part->params;
    size_t num_tokens = encoded->num_ids[VKS_TARGET];
    uint32_t num_before[NUM_SIDES];
    enum vks_status status = VKS_OK;
    for (int side = 0; side < NUM_SIDES && status == VKS_OK; side++) {
        const struct token_frame frame = frame_of(part, side);
        size_t limit = limit_of(part, &frame), num = encoded->num_ids[side];
        size_t num_kept = num < limit ? num : limit;
        num_before[side] = token_frame_num_before(&frame, encoded->ids[side], num);
        if (!token_frame_add(&frame, num_kept, &encoded->ids[side], &encoded->num_ids[side]))
            status = memory_error(part);
        if (status == VKS_OK && side == VKS_TARGET && weights) {
            weights = frame_weights(part, weights, num_tokens, num_kept, num_before[side]);
            status = weights ? VKS_OK : memory_error(part);
        }
    }
    if (status == VKS_OK)
        status = read_links(part, pair, encoded, num_before);
    const struct piece_pair added = {
        .ids = {encoded->ids[VKS_SOURCE], encoded->ids[VKS_TARGET]},
        .num_ids = {encoded->num_ids[VKS_SOURCE], encoded->num_ids[VKS_TARGET]},
        .weights = weights,
        .links = encoder_has_alignments(p) ? &part->links : NULL,
        .set_idx = pair->set_idx,
        .line = pair->line,
    };
    if (status == VKS_OK && !piece_add_pair(&part->piece, &added))
        status = memory_error(part);
    free(weights);
    return status;
}

static enum vks_status add_pair(struct part *part, const struct text_pair *pair,
                                struct encoded *encoded) {
    const size_t *num = encoded->num_ids;
    bool is_long = false;
    if (num[VKS_SOURCE] == 0 || num[VKS_TARGET] == 0) {
        part->piece.num_empty++;
        return VKS_OK;
    }
    for (int side = 0; side < NUM_SIDES; side++) {
        const struct token_frame frame = frame_of(part, side);
        is_long |= num[side] > limit_of(part, &frame);
    }
    part->piece.num_long += is_long;
    if (is_long && !part->params->crop)
        return VKS_OK;
    float *weights;
    TRY(make_weights(part, pair, num[VKS_TARGET], &weights));
    return add_framed(part, pair, encoded, weights);
}

// Puts masked texts in the place of a pair's own where it is drawn so; they are owned by masked.
static enum vks_status mask_pair(const struct part *part, struct text_pair *pair,
                                 struct masked_pair *masked) {
    const struct encoder_params *p = part->params;
    const uint32_t key[2] = {p->seed, MASK_STREAM};
    const uint32_t counter[4] = {pair->line, pair->set_idx, (uint32_t)part->epoch,
                                 (uint32_t)(part->epoch >> 32)};
    uint32_t random[4];
    if (p->mask_placeholders == 0.0f)
        return VKS_OK;
    philox4x32(key, counter, random);
    struct rng rng = {.seed = random[0], .stream = random[1]};
    if (pair_mask(pair, p->mask_placeholders, &rng, masked) != VKS_OK)
        return memory_error(part);
    for (int side = 0; side < NUM_SIDES && masked->texts[side]; side++) {
        pair->texts[side] = masked->texts[side];
        pair->num_bytes[side] = (uint32_t)masked->num_bytes[side];
    }
    return VKS_OK;
}

static enum vks_status encode_pair(struct part *part, size_t pair_idx) {
    struct text_pair pair = text_block_get(part->block, pair_idx);
    struct encoded encoded = {0};
    struct masked_pair masked = {0};
    enum vks_status status = mask_pair(part, &pair, &masked);
    if (status == VKS_OK)
        status = encode_side(part, &pair, VKS_SOURCE, &encoded);
    if (status == VKS_OK)
        status = encode_side(part, &pair, VKS_TARGET, &encoded);
    if (status == VKS_OK)
        status = add_pair(part, &pair, &encoded);
    masked_pair_free(&masked);
    for (int side = 0; side < NUM_SIDES; side++)
        vks_free(encoded.ids[side]);
    return status;
}

static void *encode_part(void *user) {
    struct part *part = user;
    for (size_t i = part->begin; i < part->end && part->status == VKS_OK; i++)
        part->status = encode_pair(part, i);
    return NULL;
}

static size_t count_parts(const struct encoder_params *params, size_t num_pairs) {
    size_t num = params->num_threads ? params->num_threads : platform_num_processors();
    size_t useful = num_pairs / MIN_PAIRS_PER_THREAD + 1;
    num = num < useful ? num : useful;
    return num < MAX_THREADS ? num : MAX_THREADS;
}

// Encodes all parts; what a thread cannot be had for is done here.
static enum vks_status encode_parts(struct part *parts, size_t num_parts) {
    for (size_t i = 1; i < num_parts; i++)
        parts[i].is_started = thread_start(&parts[i].thread, encode_part, &parts[i]);
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < num_parts; i++) {
        if (parts[i].is_started)
            thread_join(&parts[i].thread);
        else
            encode_part(&parts[i]);
        if (status == VKS_OK)
            status = parts[i].status;
    }
    return status;
}

enum vks_status encoder_encode(const struct encoder_params *params, uint64_t epoch,
                               const struct text_block *block, struct piece *piece) {
    size_t num_parts = count_parts(params, block->num_pairs);
    struct part *parts = memory_calloc(num_parts, sizeof *parts);
    if (!parts)
        return memory_error(&(struct part){.params = params});
    for (size_t i = 0; i < num_parts; i++) {
        parts[i] = (struct part){.params = params, .epoch = epoch, .block = block};
        parts[i].begin = block->num_pairs / num_parts * i;
        parts[i].end =
            i + 1 < num_parts ? block->num_pairs / num_parts * (i + 1) : block->num_pairs;
    }
    enum vks_status status = encode_parts(parts, num_parts);
    for (size_t i = 0; i < num_parts; i++) {
        if (status == VKS_OK && !piece_add(piece, &parts[i].piece))
            status = memory_error(&parts[i]);
        piece_finish(&parts[i].piece);
        free(parts[i].links.items);
    }
    free(parts);
    return status;
}
