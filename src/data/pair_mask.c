#include "data/pair_mask.h"

#include "base/memory.h"
#include "text/placeholders.h"
#include "vkseq/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 256 };

// Masks of a pair: entry i of both sides has the same symbol. Those of the source are in order.
struct masks {
    struct text_mask items[2][PLACEHOLDERS_MAX];
    size_t num;
    uint32_t num_symbols;
};

struct words {
    struct text_span items[MAX_WORDS];
    size_t num;
};

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Words between blanks, without the punctuation around them.
static void find_words(const char *text, size_t num_bytes, struct words *words) {
    static const char punctuation[] = ".,;:!?()[]\"'<>%/*+-=";
    words->num = 0;
    for (size_t i = 0; i < num_bytes && words->num < MAX_WORDS;) {
        size_t begin = i;
        while (i < num_bytes && !is_blank(text[i]))
            i++;
        size_t end = i;
        while (begin < end && strchr(punctuation, text[begin]))
            begin++;
        while (begin < end && strchr(punctuation, text[end - 1]))
            end--;
        if (begin < end)
            words->items[words->num++] = (struct text_span){begin, end - begin};
        i += i < num_bytes;
    }
}

// A number, a name, an abbreviation: what may well be the same in any language.
static bool may_be_name(const char *word, size_t num_bytes) {
    for (size_t i = 0; i < num_bytes; i++)
        if ((word[i] >= '0' && word[i] <= '9') || (word[i] >= 'A' && word[i] <= 'Z'))
            return true;
    return false;
}

// The only word that is the same as one given; NULL if there is none or another.
static const struct text_span *find_single(const char *text, const struct words *words,
                                           const char *word, size_t num_bytes) {
    const struct text_span *found = NULL;
    for (size_t i = 0; i < words->num; i++) {
        const struct text_span *item = &words->items[i];
        if (item->num_bytes != num_bytes || memcmp(text + item->begin, word, num_bytes) != 0)
            continue;
        if (found)
            return NULL;
        found = item;
    }
    return found;
}

static bool overlaps(const struct text_span *a, const struct text_span *b) {
    return a->begin < b->begin + b->num_bytes && b->begin < a->begin + a->num_bytes;
}

static bool is_masked(const struct masks *masks, enum vks_side side, const struct text_span *span) {
    for (size_t i = 0; i < masks->num; i++)
        if (overlaps(&masks->items[side][i].span, span))
            return true;
    return false;
}

// False if the sides have different placeholders.
static bool add_placeholders(const struct text_pair *pair, struct masks *masks) {
    struct placeholders source;
    struct text_mask found[PLACEHOLDERS_MAX];
    bool is_whole;
    placeholders_find(pair->texts[VKS_SOURCE], pair->num_bytes[VKS_SOURCE], &source);
    placeholders_match(&source, pair->texts[VKS_TARGET], pair->num_bytes[VKS_TARGET], found,
                       &is_whole);
    if (!is_whole)
        return false;
    for (size_t i = 0; i < source.num; i++) {
        masks->items[VKS_SOURCE][i] = (struct text_mask){.span = source.spans[i]};
        masks->items[VKS_TARGET][found[i].symbol] = found[i];
    }
    masks->num = masks->num_symbols = (uint32_t)source.num;
    return true;
}

static void add_words(const struct text_pair *pair, struct rng *rng, struct masks *masks) {
    const char *const *texts = pair->texts;
    struct words sides[2];
    for (int side = 0; side < 2; side++)
        find_words(texts[side], pair->num_bytes[side], &sides[side]);
    for (size_t i = 0; i < sides[VKS_SOURCE].num; i++) {
        const struct text_span *source = &sides[VKS_SOURCE].items[i];
        const char *word = texts[VKS_SOURCE] + source->begin;
        const struct text_span *target =
            find_single(texts[VKS_TARGET], &sides[VKS_TARGET], word, source->num_bytes);
        if (!target || !may_be_name(word, source->num_bytes) ||
            !find_single(texts[VKS_SOURCE], &sides[VKS_SOURCE], word, source->num_bytes) ||
            is_masked(masks, VKS_SOURCE, source) || is_masked(masks, VKS_TARGET, target) ||
            rng_below(rng, 2) == 0)
            continue;
        bool wraps = rng_below(rng, 3) == 0;
        if (masks->num_symbols + (wraps ? 2u : 1u) > PLACEHOLDERS_MAX)
            return;
        masks->num_symbols += wraps ? 2 : 1;
        masks->items[VKS_SOURCE][masks->num] = (struct text_mask){.span = *source, .wraps = wraps};
        masks->items[VKS_TARGET][masks->num++] =
            (struct text_mask){.span = *target, .wraps = wraps};
    }
}

// Puts both sides' entries in the order of one side's text.
static void sort(struct masks *masks, enum vks_side side) {
    for (size_t i = 1; i < masks->num; i++)
        for (size_t j = i;
             j > 0 && masks->items[side][j].span.begin < masks->items[side][j - 1].span.begin; j--)
            for (int s = 0; s < 2; s++) {
                struct text_mask item = masks->items[s][j];
                masks->items[s][j] = masks->items[s][j - 1];
                masks->items[s][j - 1] = item;
            }
}

// Symbols in the order of the source, from the first one on or, so that all of them are learned,
// from any.
static void number(struct masks *masks, struct rng *rng) {
    uint32_t symbol = 0;
    sort(masks, VKS_SOURCE);
    if (rng_below(rng, 2) == 0)
        symbol = rng_below(rng, PLACEHOLDERS_MAX - masks->num_symbols + 1);
    for (size_t i = 0; i < masks->num; i++) {
        masks->items[VKS_SOURCE][i].symbol = masks->items[VKS_TARGET][i].symbol = symbol;
        symbol += masks->items[VKS_SOURCE][i].wraps ? 2 : 1;
    }
}

enum vks_status pair_mask(const struct text_pair *pair, float probability, struct rng *rng,
                          struct masked_pair *result) {
    struct masks masks = {.num = 0};
    struct masked_pair masked = {0};
    *result = masked;
    if (rng_uniform(rng) >= (double)probability || !add_placeholders(pair, &masks))
        return VKS_OK;
    add_words(pair, rng, &masks);
    if (masks.num == 0)
        return VKS_OK;
    number(&masks, rng);
    for (int side = 0; side < 2; side++) {
        sort(&masks, (enum vks_side)side);
        masked.texts[side] =
            placeholders_mask(pair->texts[side], pair->num_bytes[side], masks.items[side],
                              masks.num, &masked.num_bytes[side]);
        if (!masked.texts[side]) {
            masked_pair_free(&masked);
            return VKS_ERR_OOM;
        }
    }
    *result = masked;
    return VKS_OK;
}

void masked_pair_free(struct masked_pair *masked) {
    for (int side = 0; side < 2; side++)
        free(masked->texts[side]);
    *masked = (struct masked_pair){0};
}
