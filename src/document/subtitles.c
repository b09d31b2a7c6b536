#include "document/subtitles.h"

#include "base/memory.h"
#include "document/characters.h"
#include "document/sharing.h"
#include "document/subtitle_sentences.h"
#include "document/wrapping.h"

// What fits on a line of a screen.
enum { LINE_COLUMNS = 42 };

struct subtitles {
    struct cues cues;
    struct subtitle_text text;
    bool has_crlf;
};

static enum vks_status parse_srt(struct vks_document *document) {
    struct subtitles *subtitles = memory_calloc(1, sizeof *subtitles);
    if (!subtitles)
        return document_report(document, VKS_ERR_OOM);
    document->state = subtitles;
    const char *newline = memchr(document->bytes, '\n', document->num_bytes);
    subtitles->has_crlf = newline && newline > document->bytes && newline[-1] == '\r';
    enum vks_status status = cues_read(document, &subtitles->cues);
    if (status == VKS_OK)
        status = sentences_cut(document, &subtitles->cues, &subtitles->text);
    return document_report(document, status);
}

// Shares a translation out to the subtitles over which its sentence runs.
static enum vks_status update_srt(struct vks_document *document, size_t segment_idx) {
    struct subtitles *subtitles = document->state;
    struct subtitle_text *text = &subtitles->text;
    const struct document_segment *segment = &document->segments[segment_idx];
    const struct sentence *sentence = &text->sentences[segment->owner];
    struct part *parts = text->parts + sentence->first_part;
    if (!segment->translation)
        return VKS_OK;
    size_t *weights = memory_malloc(2 * sentence->num_parts * sizeof *weights);
    if (!weights)
        return document_report(document, VKS_ERR_OOM);
    size_t *ends = weights + sentence->num_parts, begin = 0;
    for (size_t i = 0; i < sentence->num_parts; i++) {
        const struct piece *piece = &text->pieces[parts[i].piece_idx];
        weights[i] = shown_columns(piece->text + parts[i].begin, parts[i].end - parts[i].begin);
    }
    share_text(segment->translation, weights, sentence->num_parts, ends);
    for (size_t i = 0; i < sentence->num_parts; i++) {
        parts[i].translated_begin = begin;
        parts[i].translated_end = begin = ends[i];
        text_trim(segment->translation, &parts[i].translated_begin, &parts[i].translated_end);
    }
    free(weights);
    return VKS_OK;
}

static const struct document_segment *segment_of(const struct vks_document *document,
                                                 const struct part *part) {
    const struct subtitles *subtitles = document->state;
    size_t segment_idx = subtitles->text.sentences[part->sentence_idx].segment_idx;
    return segment_idx == SIZE_MAX ? NULL : &document->segments[segment_idx];
}

// Appends what a piece says now.
static void append_words(const struct vks_document *document, const struct piece *piece,
                         struct text_buffer *buffer) {
    const struct subtitles *subtitles = document->state;
    size_t first = buffer->num_bytes;
    for (size_t i = 0; i < piece->num_parts; i++) {
        const struct part *part = &subtitles->text.parts[piece->first_part + i];
        const struct document_segment *segment = segment_of(document, part);
        const char *words = segment ? segment->translation : NULL;
        size_t begin = words ? part->translated_begin : part->begin;
        size_t end = words ? part->translated_end : part->end;
        words = words ? words : piece->text;
        if (buffer->num_bytes > first && begin < end &&
            !chars_join_tightly(char_before(buffer->text, buffer->num_bytes),
                                char_at(words, end, begin)))
            text_append_string(buffer, " ");
        text_append(buffer, words + begin, end - begin);
    }
}

// Appends a piece in lines of about the same length.
static enum vks_status append_piece(const struct vks_document *document, const struct piece *piece,
                                    const char *line_break, struct text_buffer *buffer) {
    struct text_buffer words = {0};
    char *text;
    append_words(document, piece, &words);
    TRY(document_report(document, text_take(&words, &text, NULL)));
    size_t lead = shown_columns(piece->lead, strlen(piece->lead)), limit = LINE_COLUMNS;
    limit -= lead < LINE_COLUMNS / 2 ? lead : 0;
    limit = least_limit(text, wrap_text(text, limit, "", 0, NULL), limit);
    text_append_string(buffer, piece->lead);
    wrap_text(text, limit, line_break, strlen(line_break), buffer);
    text_append_string(buffer, piece->tail);
    free(text);
    return VKS_OK;
}

// The pieces [first, *end) of a subtitle, and what became of their sentences.
struct outcome {
    size_t end;
    bool has_words, has_translation, is_whole, is_lost;
};

static struct outcome look_at(const struct vks_document *document, size_t cue_idx, size_t first) {
    const struct subtitles *subtitles = document->state;
    const struct subtitle_text *text = &subtitles->text;
    struct outcome outcome = {.end = first, .is_whole = true};
    for (; outcome.end < text->num_pieces && text->pieces[outcome.end].cue_idx == cue_idx;
         outcome.end++) {
        const struct piece *piece = &text->pieces[outcome.end];
        for (size_t i = 0; i < piece->num_parts; i++) {
            const struct document_segment *segment =
                segment_of(document, &text->parts[piece->first_part + i]);
            if (!segment)
                continue;
            outcome.has_words = true;
            outcome.has_translation |= segment->translation != NULL;
            outcome.is_whole &= segment->translation != NULL;
            outcome.is_lost |= segment->is_lost;
        }
    }
    return outcome;
}

static enum vks_status write_srt(const struct vks_document *document, struct text_buffer *buffer) {
    const struct subtitles *subtitles = document->state;
    const char *line_break = subtitles->has_crlf ? "\r\n" : "\n";
    size_t done = 0, piece = 0;
    for (size_t i = 0; i < subtitles->cues.num; i++) {
        const struct cue *cue = &subtitles->cues.items[i];
        struct outcome outcome = look_at(document, i, piece);
        if (outcome.has_translation) {
            text_append(buffer, document->bytes + done, cue->head_end - done);
            for (size_t j = piece; j < outcome.end; j++) {
                text_append_string(buffer, j > piece ? line_break : "");
                TRY(append_piece(document, &subtitles->text.pieces[j], line_break, buffer));
            }
            done = cue->tail_begin;
        }
        piece = outcome.end;
    }
    text_append(buffer, document->bytes + done, document->num_bytes - done);
    return VKS_OK;
}

static void count_srt(const struct vks_document *document, struct vks_document_counts *counts) {
    const struct subtitles *subtitles = document->state;
    size_t piece = 0;
    for (size_t i = 0; i < subtitles->cues.num; i++) {
        struct outcome outcome = look_at(document, i, piece);
        counts->num_kept += !outcome.has_words;
        counts->num_translated += outcome.has_words && outcome.is_whole;
        counts->num_untranslated += outcome.has_words && !outcome.is_whole;
        counts->num_lost += outcome.is_lost;
        piece = outcome.end;
    }
}

static void finish_srt(struct vks_document *document) {
    struct subtitles *subtitles = document->state;
    if (!subtitles)
        return;
    sentences_finish(&subtitles->text);
    free(subtitles->cues.items);
    free(subtitles);
}

const struct document_kind document_srt = {
    .unit = "subtitles",
    .parse = parse_srt,
    .update = update_srt,
    .write = write_srt,
    .count = count_srt,
    .finish = finish_srt,
};
