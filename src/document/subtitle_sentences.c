#include "document/subtitle_sentences.h"

#include "base/memory.h"
#include "document/characters.h"
#include "document/survival.h"
#include "text/placeholders.h"
#include "text/segments.h"

// Subtitles further apart have no sentence in common; nor have those that only look like it, if
// they are further apart than the smaller limit.
enum { MAX_GAP_MS = 3000, MAX_SMALL_GAP_MS = 1000 };

// Bytes of a tag <...> or {\...} at `at`, or of a note of music; 0 if there is none.
static size_t mark_length(const char *text, size_t end, size_t at) {
    if (text[at] == '<' || text[at] == '{')
        return placeholders_length(text, end, at);
    size_t next = at;
    uint32_t c = char_take(text, end, &next);
    return c == 0x266A || c == 0x266B ? next - at : 0;
}

// The closing tag </NAME> of the tag at `at` that comes first; SIZE_MAX if there is none.
static size_t find_closing(const char *text, size_t end, size_t at, size_t *num_bytes) {
    size_t name = at + 1, num = 0;
    while (name + num < end && char_is_letter((unsigned char)text[name + num]))
        num++;
    for (size_t i = name; i + num + 2 < end; i++)
        if (text[i] == '<' && text[i + 1] == '/' && !strncmp(text + i + 2, text + name, num) &&
            text[i + 2 + num] == '>') {
            *num_bytes = num + 3;
            return i;
        }
    return SIZE_MAX;
}

// Takes white space, positions, notes and pairs of tags around a text off it.
static void strip_marks(const char *text, size_t *begin, size_t *end) {
    for (;;) {
        text_trim(text, begin, end);
        size_t length = *begin < *end ? mark_length(text, *end, *begin) : 0, closing_bytes;
        if (length > 0 && text[*begin] == '<') {
            size_t closing = find_closing(text, *end, *begin, &closing_bytes);
            if (text[*begin + 1] == '/' || closing == SIZE_MAX || closing + closing_bytes != *end)
                return;
            *end = closing;
        } else if (length == 0 && *end >= *begin + 3 && mark_length(text, *end, *end - 3) == 3 &&
                   ((unsigned char)text[*end - 3] & 0x80)) {
            *end -= 3;
            continue;
        } else if (length == 0) {
            return;
        }
        *begin += length;
    }
}

// Bytes of a dash that a speaker's line begins with, and the blanks behind it.
static size_t dash_length(const char *text, size_t begin, size_t end) {
    size_t at = begin;
    uint32_t c = char_take(text, end, &at);
    if (c != '-' && (c < 0x2010 || c > 0x2015))
        return 0;
    while (at < end && text[at] == ' ')
        at++;
    return at - begin;
}

// Adds a line to a piece's text. Tags that end with one line and begin anew with the next one are
// one pair: "</i>" and "<i>" go.
static void join_line(struct text_buffer *joined, const char *text, size_t begin, size_t end) {
    text_trim(text, &begin, &end);
    size_t tag = begin < end && text[begin] == '<' ? placeholders_length(text, end, begin) : 0;
    if (tag >= 3 && joined->num_bytes > tag && tag < 16) {
        char closing[20] = "</";
        memcpy(closing + 2, text + begin + 1, tag - 1);
        size_t at = joined->num_bytes - (tag + 1);
        if (memcmp(joined->text + at, closing, tag + 1) == 0) {
            joined->num_bytes = at;
            begin += tag;
        }
    }
    if (joined->num_bytes > 0 && !chars_join_tightly(char_before(joined->text, joined->num_bytes),
                                                     char_at(text, end, begin)))
        text_append_string(joined, " ");
    text_append(joined, text + begin, end - begin);
}

static char *copy_bytes(struct vks_document *document, const char *text, size_t num_bytes) {
    char *copy = arena_alloc(&document->arena, num_bytes + 1, 1);
    if (copy)
        memcpy(copy, text, num_bytes);
    return copy;
}

// Adds a piece with what the lines were joined into; a dash stands before it.
static enum vks_status add_piece(struct vks_document *document, struct subtitle_text *text,
                                 size_t cue_idx, const struct text_buffer *joined, size_t dash) {
    size_t begin = dash, end = joined->num_bytes;
    struct piece *pieces =
        items_grown(text->pieces, text->num_pieces, &text->piece_capacity, sizeof *text->pieces);
    if (!pieces || joined->is_short)
        return VKS_ERR_OOM;
    text->pieces = pieces;
    strip_marks(joined->text, &begin, &end);
    struct piece piece = {.num_bytes = end - begin, .cue_idx = cue_idx};
    piece.lead = copy_bytes(document, joined->text, begin);
    piece.text = copy_bytes(document, joined->text + begin, end - begin);
    piece.tail = copy_bytes(document, joined->text + end, joined->num_bytes - end);
    if (!piece.lead || !piece.text || !piece.tail)
        return VKS_ERR_OOM;
    text->pieces[text->num_pieces++] = piece;
    return VKS_OK;
}

// Cuts a subtitle where another speaker begins, which a dash at a line's begin says.
static enum vks_status cut_cue(struct vks_document *document, struct cue *cue, size_t cue_idx,
                               struct subtitle_text *text) {
    struct text_buffer joined = {0};
    const char *bytes = document->bytes;
    size_t dash = 0;
    enum vks_status status = VKS_OK;
    strip_marks(bytes, &cue->head_end, &cue->tail_begin);
    size_t end = cue->tail_begin;
    for (size_t line = cue->head_end, line_end; line < end && status == VKS_OK;
         line = line_end + 1) {
        const char *newline = memchr(bytes + line, '\n', end - line);
        line_end = newline ? (size_t)(newline - bytes) : end;
        size_t words = line, words_end = line_end;
        text_trim(bytes, &words, &words_end);
        size_t num_dash = dash_length(bytes, words, words_end);
        if (num_dash > 0 && joined.num_bytes > 0) {
            status = add_piece(document, text, cue_idx, &joined, dash);
            joined.num_bytes = 0;
        }
        if (joined.num_bytes == 0)
            dash = num_dash;
        join_line(&joined, bytes, words, words_end);
    }
    if (status == VKS_OK && joined.num_bytes > 0)
        status = add_piece(document, text, cue_idx, &joined, dash);
    status = joined.is_short ? VKS_ERR_OOM : status;
    text_buffer_finish(&joined);
    return status;
}

// Whether a sentence goes on from one piece to the next.
static bool goes_on(const struct cues *cues, const struct piece *piece, const struct piece *next) {
    const struct cue *cue = &cues->items[piece->cue_idx], *after = &cues->items[next->cue_idx];
    uint64_t gap_ms = after->start_ms > cue->end_ms ? after->start_ms - cue->end_ms : 0;
    uint32_t last = char_before(piece->text, piece->num_bytes);
    uint32_t first = char_at(next->text, next->num_bytes, 0);
    if (piece->cue_idx == next->cue_idx || gap_ms > MAX_GAP_MS || piece->num_bytes == 0 ||
        dash_length(next->lead, 0, strlen(next->lead)) > 0 || last == ']' || last == ')' ||
        text_ends_sentence(piece->text, piece->num_bytes))
        return false;
    return char_is_lower(first) || (gap_ms <= MAX_SMALL_GAP_MS && char_is_letter(first) &&
                                    (last == ',' || char_is_lower(last)));
}

static enum vks_status count_one(void *user, const char *text, size_t num_bytes,
                                 size_t *num_tokens) {
    (void)user, (void)text, (void)num_bytes;
    *num_tokens = 1;
    return VKS_OK;
}

// What pieces [first, last] have of the sentence [begin, end) of their joined text, in which each
// begins at offsets[i].
static enum vks_status add_parts(struct subtitle_text *text, size_t first, size_t last,
                                 const size_t *offsets, const size_t range[2]) {
    struct sentence *sentence = &text->sentences[text->num_sentences - 1];
    for (size_t i = first; i <= last; i++) {
        struct piece *piece = &text->pieces[i];
        size_t offset = offsets[i - first], piece_end = offset + piece->num_bytes;
        size_t begin = range[0] > offset ? range[0] : offset;
        size_t end = range[1] < piece_end ? range[1] : piece_end;
        if (begin >= end)
            continue;
        struct part *parts =
            items_grown(text->parts, text->num_parts, &text->part_capacity, sizeof *text->parts);
        if (!parts)
            return VKS_ERR_OOM;
        text->parts = parts;
        struct part part = {.begin = begin - offset, .end = end - offset, .piece_idx = i};
        part.sentence_idx = text->num_sentences - 1;
        text_trim(piece->text, &part.begin, &part.end);
        if (piece->num_parts++ == 0)
            piece->first_part = text->num_parts;
        text->parts[text->num_parts++] = part;
        sentence->num_parts++;
    }
    return VKS_OK;
}

static enum vks_status add_sentence(struct vks_document *document, struct subtitle_text *text,
                                    const char *words, size_t num_bytes) {
    struct sentence *sentences = items_grown(text->sentences, text->num_sentences,
                                             &text->sentence_capacity, sizeof *text->sentences);
    if (!sentences)
        return VKS_ERR_OOM;
    text->sentences = sentences;
    struct sentence sentence = {.segment_idx = SIZE_MAX, .first_part = text->num_parts};
    if (text_has_words(words, num_bytes)) {
        TRY(document_add_segment(document, words, num_bytes, &sentence.segment_idx));
        document->segments[sentence.segment_idx].owner = text->num_sentences;
    }
    text->sentences[text->num_sentences++] = sentence;
    return VKS_OK;
}

// Cuts the joined text of pieces into sentences.
static enum vks_status cut_joined(struct vks_document *document, struct subtitle_text *text,
                                  size_t first, size_t last, const size_t *offsets,
                                  const struct text_buffer *joined) {
    const struct segment_params params = {
        .count_tokens = count_one, .max_tokens = 2, .cut_sentences = true, .log = document->log};
    struct segments segments;
    TRY(segments_cut(&params, joined->text, joined->num_bytes, &segments));
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < segments.num && status == VKS_OK; i++) {
        const struct segment *segment = &segments.items[i];
        size_t begin = (size_t)(segment->text - joined->text);
        size_t range[2] = {begin, begin + segment->num_bytes};
        text_trim(joined->text, &range[0], &range[1]);
        if (range[0] == range[1])
            continue;
        status = add_sentence(document, text, joined->text + range[0], range[1] - range[0]);
        if (status == VKS_OK)
            status = add_parts(text, first, last, offsets, range);
    }
    segments_free(&segments);
    return status;
}

static enum vks_status cut_run(struct vks_document *document, struct subtitle_text *text,
                               size_t first, size_t last) {
    struct text_buffer joined = {0};
    size_t *offsets = memory_malloc((last - first + 1) * sizeof *offsets);
    enum vks_status status = VKS_OK;
    for (size_t i = first; offsets && i <= last; i++) {
        const struct piece *piece = &text->pieces[i];
        uint32_t before = joined.num_bytes ? char_before(joined.text, joined.num_bytes) : 0;
        if (before && !chars_join_tightly(before, char_at(piece->text, piece->num_bytes, 0)))
            text_append_string(&joined, " ");
        offsets[i - first] = joined.num_bytes;
        text_append(&joined, piece->text, piece->num_bytes);
    }
    if (!offsets || joined.is_short)
        status = VKS_ERR_OOM;
    else if (joined.num_bytes > 0)
        status = cut_joined(document, text, first, last, offsets, &joined);
    text_buffer_finish(&joined);
    free(offsets);
    return status;
}

enum vks_status sentences_cut(struct vks_document *document, struct cues *cues,
                              struct subtitle_text *text) {
    for (size_t i = 0; i < cues->num; i++)
        TRY(cut_cue(document, &cues->items[i], i, text));
    for (size_t first = 0, last; first < text->num_pieces; first = last + 1) {
        last = first;
        while (last + 1 < text->num_pieces &&
               goes_on(cues, &text->pieces[last], &text->pieces[last + 1]))
            last++;
        TRY(cut_run(document, text, first, last));
    }
    return VKS_OK;
}

void sentences_finish(struct subtitle_text *text) {
    free(text->pieces);
    free(text->parts);
    free(text->sentences);
    *text = (struct subtitle_text){0};
}
