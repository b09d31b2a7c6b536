// The pairs of several corpora, an epoch after the other, from files that are read anew for each:
// as they stand there, or shuffled (data/shuffle.h). Or those of standard input, once.
#ifndef DATA_PAIR_STREAM_H
#define DATA_PAIR_STREAM_H

#include "data/mixture.h"
#include "data/text_pairs.h"

#include <stdatomic.h>

struct pair_stream;

struct pair_stream_params {
    const struct vks_text_set *sets; // borrowed while the stream lives
    uint32_t num_sets;
    uint32_t seed;
    bool shuffle;              // default: in the order of the text
    const char *folder;        // for shuffling on disk, borrowed; NULL: in memory, whole
    uint64_t memory_bytes;     // with a folder: to get along with
    const struct vks_log *log; // borrowed while the stream lives
};

// Reads the files to their ends once, and finds all that is wrong with them; standard input is not
// touched. Errors: those of pair_reader_next and mixture_init; VKS_ERR_IO if nothing can be written
// in the folder; VKS_ERR_ARGUMENT for standard input
// that is to be shuffled or is one of several sets; VKS_ERR_FORMAT if there is no pair.
VKS_MUST_CHECK enum vks_status pair_stream_open(const struct pair_stream_params *params,
                                                struct pair_stream **stream);
void pair_stream_close(struct pair_stream **stream);

// Whether the stream is standard input, which has no second epoch, and pairs of no known number.
bool pair_stream_is_stdin(const struct pair_stream *stream);
// Of all sets; 0 for standard input.
uint64_t pair_stream_num_pairs(const struct pair_stream *stream);
// How often the pairs of each set come; empty for standard input. Borrowed while the stream lives.
const struct mixture *pair_stream_mixture(const struct pair_stream *stream);

// Goes to the pair of an epoch that has skip ones before it: a function of params, text and epoch.
// *is_stopping: becomes true to make this return early, with any pair to come. Standard input goes
// on where it stands, and what is to be skipped of it must not have been read.
// Errors: those of opening and reading the files; of shuffling them; VKS_ERR_IO for standard input
// that would have to be read again.
VKS_MUST_CHECK enum vks_status pair_stream_seek(struct pair_stream *stream, uint64_t epoch,
                                                uint64_t skip, const atomic_bool *is_stopping);
// Puts the next pairs into a block, at most max_pairs; fewer at the end of the epoch.
// Errors: those of reading the files and of the shuffle.
VKS_MUST_CHECK enum vks_status pair_stream_read(struct pair_stream *stream, uint32_t max_pairs,
                                                struct text_block *block);

#endif
