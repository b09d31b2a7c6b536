#include "text/segments.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/wide_characters.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

enum { MAX_ORDINAL_DIGITS = 3 };

// Where a line may be cut, best first.
enum cut { CUT_SENTENCE, CUT_CLAUSE, CUT_WORD, CUT_CHARACTER, NUM_CUTS };

struct cutter {
    const struct segment_params *params;
    const char *line;
    struct segments *segments;
    size_t capacity;
};

static UChar32 char_before(const char *text, size_t begin, size_t at) {
    UChar32 c;
    int32_t i = (int32_t)(at - begin);
    if (i == 0)
        return 0;
    U8_PREV((const uint8_t *)text + begin, 0, i, c);
    return c;
}

static UChar32 char_at(const char *text, size_t at, size_t end) {
    UChar32 c;
    int32_t i = 0;
    if (at == end)
        return 0;
    U8_NEXT((const uint8_t *)text + at, i, (int32_t)(end - at), c);
    return c;
}

static size_t next_char(const char *text, size_t at, size_t end) {
    int32_t i = 0;
    U8_FWD_1((const uint8_t *)text + at, i, (int32_t)(end - at));
    return at + (size_t)i;
}

// The begin of the white space that ends [begin, end).
static size_t trim_end(const char *text, size_t begin, size_t end) {
    while (end > begin && u_isUWhiteSpace(char_before(text, begin, end))) {
        int32_t i = (int32_t)(end - begin);
        U8_BACK_1((const uint8_t *)text + begin, 0, i);
        end = begin + (size_t)i;
    }
    return end;
}

// Adds [begin, end), of which the text ends at text_end.
static enum vks_status add_text(struct cutter *cutter, size_t begin, size_t text_end, size_t end) {
    struct segments *segments = cutter->segments;
    if (segments->num == cutter->capacity) {
        size_t capacity = cutter->capacity ? 2 * cutter->capacity : 4;
        struct segment *items = memory_realloc(segments->items, capacity * sizeof *items);
        if (!items)
            return VKS_ERR_OOM;
        segments->items = items;
        cutter->capacity = capacity;
    }
    segments->items[segments->num++] =
        (struct segment){cutter->line + begin, text_end - begin, end - text_end};
    return VKS_OK;
}

static enum vks_status add_segment(struct cutter *cutter, size_t begin, size_t end) {
    return add_text(cutter, begin, trim_end(cutter->line, begin, end), end);
}

// What ends in a full stop within a sentence, in English, German, French and Spanish.
static const char *const abbreviations[] = {
    "Mr",  "Mrs",  "Ms",  "Dr",   "Prof", "St",   "Sr",   "Jr",  "Fr",  "Hr",   "Nr",
    "No",  "Fig",  "Abb", "Vol",  "Abs",  "Art",  "Bd",   "vs",  "ca",  "cf",   "bzw",
    "vgl", "evtl", "ggf", "inkl", "zzgl", "bspw", "resp", "Sra", "Mme", "Mlle", "Tel"};

// Whether letters with a full stop each make up the text: "B.", "U.S.", "z.B.".
static bool is_dotted(const char *text, size_t begin, size_t end) {
    while (begin < end) {
        size_t stop = next_char(text, begin, end);
        if (!u_isalpha(char_at(text, begin, end)) || stop == end || text[stop] != '.')
            return false;
        begin = stop + 1;
    }
    return true;
}

// Whether what ends at `at` is an abbreviation, an initial ("B.") or an ordinal ("3."), and no
// sentence.
static bool ends_in_abbreviation(const char *text, size_t begin, size_t at) {
    size_t end = trim_end(text, begin, at), first = end;
    if (end == begin || text[end - 1] != '.')
        return false;
    while (first > begin && !u_isUWhiteSpace(char_before(text, begin, first)) &&
           text[first - 1] != '(')
        first--;
    size_t num_bytes = end - 1 - first;
    bool is_number = num_bytes > 0 && num_bytes <= MAX_ORDINAL_DIGITS;
    for (size_t i = first; i < end - 1; i++)
        is_number = is_number && text[i] >= '0' && text[i] <= '9';
    if (is_number)
        return true;
    for (size_t i = 0; i < COUNT_OF(abbreviations); i++)
        if (strlen(abbreviations[i]) == num_bytes &&
            !memcmp(abbreviations[i], text + first, num_bytes))
            return true;
    return num_bytes > 0 && is_dotted(text, first, end);
}

// Whether a clause ends before `at`: its last character but white space separates clauses.
static bool ends_clause(const char *text, size_t begin, size_t at) {
    static const UChar32 marks[] = {',',    ';',    ':',    0x2013, 0x2014, 0x2026,
                                    0x3001, 0xff0c, 0xff1b, 0xff1a, 0x061b, 0x060c};
    size_t end = trim_end(text, begin, at);
    UChar32 last = char_before(text, begin, end);
    bool is_wide = last > 0x2fff;
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (last == marks[i])
            return is_wide || end < at; // "1,000" is no end
    return false;
}

// The places of a kind in (begin, end), ascending; *places is allocated (free).
static enum vks_status find_places(const struct cutter *cutter, enum cut cut, size_t begin,
                                   size_t end, size_t **places, size_t *num_places) {
    static const UBreakIteratorType types[NUM_CUTS] = {UBRK_SENTENCE, UBRK_WORD, UBRK_WORD,
                                                       UBRK_CHARACTER};
    UErrorCode error = U_ZERO_ERROR;
    UText text = UTEXT_INITIALIZER;
    size_t num = 0;
    int32_t at;
    size_t *list = memory_malloc((end - begin + 1) * sizeof *list);
    if (!list)
        return VKS_ERR_OOM;
    utext_openUTF8(&text, cutter->line + begin, (int64_t)(end - begin), &error);
    UBreakIterator *breaks = ubrk_open(types[cut], "", NULL, 0, &error);
    if (U_SUCCESS(error))
        ubrk_setUText(breaks, &text, &error);
    if (U_SUCCESS(error)) {
        ubrk_first(breaks);
        while ((at = ubrk_next(breaks)) != UBRK_DONE && begin + (size_t)at < end) {
            size_t place = begin + (size_t)at;
            if ((cut == CUT_SENTENCE && ends_in_abbreviation(cutter->line, begin, place)) ||
                (cut == CUT_CLAUSE && !ends_clause(cutter->line, begin, place)) ||
                (cut <= CUT_WORD && u_isUWhiteSpace(char_at(cutter->line, place, end))))
                continue;
            list[num++] = place;
        }
    }
    ubrk_close(breaks);
    utext_close(&text);
    if (U_FAILURE(error)) {
        free(list);
        log_error(cutter->params->log, "cutting text: %s", u_errorName(error));
        return VKS_ERR_OOM;
    }
    *places = list;
    *num_places = num;
    return VKS_OK;
}

static enum vks_status fits(const struct cutter *cutter, size_t begin, size_t end, bool *result) {
    size_t num_tokens;
    TRY(cutter->params->count_tokens(cutter->params->user, cutter->line + begin,
                                     trim_end(cutter->line, begin, end) - begin, &num_tokens));
    *result = num_tokens <= cutter->params->max_tokens;
    return VKS_OK;
}

static enum vks_status cut_range(struct cutter *cutter, enum cut cut, size_t begin, size_t end);

// Adds the pieces between the places, each with as many of its followers as fit.
static enum vks_status add_pieces(struct cutter *cutter, enum cut cut, const size_t *places,
                                  size_t num_places) {
    for (size_t i = 0; i + 1 < num_places;) {
        size_t last = i + 1;
        bool ok = true;
        bool alone = cut == CUT_SENTENCE && cutter->params->cut_sentences;
        while (!alone && last + 1 < num_places && ok) {
            TRY(fits(cutter, places[i], places[last + 1], &ok));
            last += ok;
        }
        TRY(fits(cutter, places[i], places[last], &ok));
        if (ok || cut == CUT_CHARACTER)
            TRY(add_segment(cutter, places[i], places[last]));
        else
            TRY(cut_range(cutter, cut + 1, places[i], places[last]));
        i = last;
    }
    return VKS_OK;
}

// Cuts [begin, end), which is too long or to be cut into sentences.
static enum vks_status cut_range(struct cutter *cutter, enum cut cut, size_t begin, size_t end) {
    size_t *inner, num;
    TRY(find_places(cutter, cut, begin, end, &inner, &num));
    size_t *places = memory_realloc(inner, (num + 2) * sizeof *places);
    if (!places) {
        free(inner);
        return VKS_ERR_OOM;
    }
    memmove(places + 1, places, num * sizeof *places);
    places[0] = begin;
    places[num + 1] = end;
    enum vks_status status = add_pieces(cutter, cut, places, num + 2);
    free(places);
    return status;
}

static enum vks_status cut_line(struct cutter *cutter, size_t num_bytes) {
    size_t begin = 0;
    bool is_short = false;
    if (!cutter->params->cut_sentences)
        TRY(fits(cutter, 0, num_bytes, &is_short));
    if (is_short)
        return add_text(cutter, 0, num_bytes, num_bytes);
    while (begin < num_bytes && u_isUWhiteSpace(char_at(cutter->line, begin, num_bytes)))
        begin = next_char(cutter->line, begin, num_bytes);
    if (begin > 0)
        TRY(add_segment(cutter, 0, begin));
    return begin < num_bytes ? cut_range(cutter, CUT_SENTENCE, begin, num_bytes) : VKS_OK;
}

enum vks_status segments_cut(const struct segment_params *params, const char *line,
                             size_t num_bytes, struct segments *segments) {
    struct segments result = {0};
    struct cutter cutter = {.params = params, .line = line, .segments = &result};
    enum vks_status status = num_bytes > 0 ? cut_line(&cutter, num_bytes) : VKS_OK;
    if (status != VKS_OK)
        segments_free(&result);
    else
        *segments = result;
    return status;
}

// What stands between two translations.
static void choose_gap(const struct segment *segment, const char *before, const char *after,
                       const char **gap, size_t *gap_bytes) {
    size_t before_bytes = strlen(before), after_bytes = strlen(after);
    bool has_both = before_bytes > 0 && after_bytes > 0;
    bool wide = has_both && (character_is_wide(char_before(before, 0, before_bytes)) ||
                             character_is_wide(char_at(after, 0, after_bytes)));
    *gap = segment->text + segment->num_bytes;
    *gap_bytes = segment->gap_bytes;
    if (segment->num_bytes == 0)
        return;
    if (wide && *gap_bytes == 1 && **gap == ' ')
        *gap_bytes = 0;
    if (has_both && !wide && *gap_bytes == 0) {
        *gap = " ";
        *gap_bytes = 1;
    }
}

enum vks_status segments_join(const struct segments *segments, const char *const *translations,
                              char **line) {
    size_t num_bytes = 0, used = 0;
    for (size_t i = 0; i < segments->num; i++)
        num_bytes += strlen(translations[i]) + segments->items[i].gap_bytes + 1;
    char *text = memory_malloc(num_bytes + 1);
    if (!text)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < segments->num; i++) {
        size_t text_bytes = strlen(translations[i]), gap_bytes;
        const char *gap;
        choose_gap(&segments->items[i], translations[i],
                   i + 1 < segments->num ? translations[i + 1] : "", &gap, &gap_bytes);
        memcpy(text + used, translations[i], text_bytes);
        memcpy(text + used + text_bytes, gap, gap_bytes);
        used += text_bytes + gap_bytes;
    }
    text[used] = '\0';
    *line = text;
    return VKS_OK;
}

void segments_free(struct segments *segments) {
    free(segments->items);
    *segments = (struct segments){0};
}
