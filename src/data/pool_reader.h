// Pools of pairs out of a stream, as token ids, prepared by a thread while the last one is used.
#ifndef DATA_POOL_READER_H
#define DATA_POOL_READER_H

#include "data/corpus.h"
#include "data/pair_stream.h"

// Some consecutive pairs of an epoch, without those that were left out; there is at least one.
struct pool {
    struct corpus *corpus;    // owned
    uint64_t epoch, pool_idx; // which pool of which epoch this is, both from 0 on
    bool is_last;             // of its epoch; there may be numbers without a pool between two
};

void pool_destroy(struct pool **pool);

struct pool_reader;

struct pool_reader_params {
    struct pair_stream *stream;           // borrowed while the reader lives, and not used otherwise
    const struct encoder_params *encoder; // borrowed while the reader lives
    uint32_t pool_pairs;
};

// Nothing is read before the first pool_reader_seek. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status pool_reader_create(const struct pool_reader_params *params,
                                                  struct pool_reader **reader);
void pool_reader_destroy(struct pool_reader **reader);

// Makes this pool, or the first one after it, the next; pools on the way are dropped. seek_idx
// names the new course; it is not the one before. From any thread.
void pool_reader_seek(struct pool_reader *reader, uint64_t seek_idx, uint64_t epoch,
                      uint64_t pool_idx);
// Makes pool_reader_next return at once, from now on. From any thread.
void pool_reader_stop(struct pool_reader *reader);
// The next pool, which the caller then owns (pool_destroy); NULL at the end of standard input, when
// the reader was stopped, and when its course is another one than seek_idx by now.
// Errors: those of the stream and the encoder, again and again; VKS_ERR_FORMAT for an epoch without
// a pair.
VKS_MUST_CHECK enum vks_status pool_reader_next(struct pool_reader *reader, uint64_t seek_idx,
                                                struct pool **pool);

#endif
