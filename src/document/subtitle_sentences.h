// Sentences of subtitles, many of which run over several.
#ifndef DOCUMENT_SUBTITLE_SENTENCES_H
#define DOCUMENT_SUBTITLE_SENTENCES_H

#include "document/subtitle_reader.h"

// What one speaker says in one subtitle, its lines joined. lead and tail stay as they are: dashes,
// tags around all of it, notes of music.
struct piece {
    const char *lead, *text, *tail; // in the document's arena
    size_t num_bytes;               // of the text
    size_t cue_idx;
    size_t first_part, num_parts;
};

// What a piece has of a sentence.
struct part {
    size_t begin, end; // in the piece's text, without white space around
    size_t piece_idx, sentence_idx;
    size_t translated_begin, translated_end; // in the sentence's translation
};

struct sentence {
    size_t segment_idx; // SIZE_MAX: it has no words
    size_t first_part, num_parts;
};

// Pieces are in order, and so are parts, both by piece and by sentence. Arrays are owned:
// sentences_finish. Zero-initialised is empty.
struct subtitle_text {
    struct piece *pieces;
    struct part *parts;
    struct sentence *sentences;
    size_t num_pieces, num_parts, num_sentences;
    size_t piece_capacity, part_capacity, sentence_capacity;
};

// Adds a segment of the document for each sentence with words; its owner is the sentence. Finds out
// what surrounds the words of the subtitles.
// Errors: VKS_ERR_OOM; there is something to finish in any case.
VKS_MUST_CHECK enum vks_status sentences_cut(struct vks_document *document, struct cues *cues,
                                             struct subtitle_text *text);
void sentences_finish(struct subtitle_text *text);

#endif
