#include "data/pair_stream.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/shuffle.h"
#include "io/spill_file.h"

// Keeps the random keys apart from other users of the same seed.
enum { RNG_STREAM = 0x6B657973 };

struct pair_stream {
    struct pair_stream_params params;
    bool is_stdin, is_read; // standard input: it has been touched
    struct mixture mixture;
    uint64_t num_bytes; // of the text of an epoch, about
    uint64_t epoch;
    struct shuffle *shuffle; // the epoch's pairs; NULL where they are not shuffled
    // Else: the set that is read, its pair that came last, and how often that one still comes.
    struct pair_reader *reader;
    uint32_t set_idx, num_copies;
    uint64_t pair_idx; // of the next pair in the set
    struct text_pair pair;
};

static enum vks_status check_stdin(const struct pair_stream_params *params) {
    if (params->num_sets > 1) {
        log_error(params->log, "standard input cannot be one of several corpora");
        return VKS_ERR_ARGUMENT;
    }
    if (params->shuffle) {
        log_error(params->log, "standard input cannot be shuffled as a whole: expected --shuffle "
                               "batches or none");
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

// Counts the pairs of all sets, and plans how often they come.
static enum vks_status count_pairs(struct pair_stream *stream) {
    const struct pair_stream_params *p = &stream->params;
    uint64_t *num_pairs = memory_calloc(p->num_sets, sizeof *num_pairs);
    uint64_t *num_bytes = memory_calloc(p->num_sets, sizeof *num_bytes);
    enum vks_status status = VKS_OK;
    if (!num_pairs || !num_bytes) {
        log_error(p->log, "out of memory for %u corpora", p->num_sets);
        status = VKS_ERR_OOM;
    }
    for (uint32_t i = 0; i < p->num_sets && status == VKS_OK; i++) {
        struct text_count count;
        status = text_set_count(&p->sets[i], p->log, &count);
        if (status == VKS_OK) {
            num_pairs[i] = count.num_pairs;
            num_bytes[i] = count.num_bytes;
        }
    }
    if (status == VKS_OK)
        status = mixture_init(p->sets, num_pairs, p->num_sets, p->seed, p->log, &stream->mixture);
    for (uint32_t i = 0; i < p->num_sets && status == VKS_OK; i++)
        if (num_pairs[i])
            stream->num_bytes += (uint64_t)((double)num_bytes[i] / (double)num_pairs[i] *
                                            (double)stream->mixture.parts[i].pairs_per_epoch);
    free(num_pairs);
    free(num_bytes);
    return status;
}

// Whether shuffling can write into its folder.
static enum vks_status check_folder(const struct pair_stream_params *params) {
    struct spill_file *file;
    TRY(spill_file_create(params->folder, params->log, &file));
    spill_file_destroy(&file);
    return VKS_OK;
}

enum vks_status pair_stream_open(const struct pair_stream_params *params,
                                 struct pair_stream **result) {
    bool is_stdin = false;
    for (uint32_t i = 0; i < params->num_sets; i++)
        is_stdin |= vks_is_stdin(params->sets[i].source);
    if (is_stdin)
        TRY(check_stdin(params));
    struct pair_stream *stream = memory_calloc(1, sizeof *stream);
    if (!stream) {
        log_error(params->log, "%s: out of memory", params->sets->source);
        return VKS_ERR_OOM;
    }
    stream->params = *params;
    stream->is_stdin = is_stdin;
    enum vks_status status = is_stdin ? VKS_OK : count_pairs(stream);
    if (status == VKS_OK && !is_stdin && stream->mixture.pairs_per_epoch == 0) {
        log_error(params->log, "%s: no pair to use", params->sets->source);
        status = VKS_ERR_FORMAT;
    }
    if (status == VKS_OK && params->shuffle && params->folder)
        status = check_folder(params);
    if (status != VKS_OK)
        pair_stream_close(&stream);
    else
        *result = stream;
    return status;
}

// Forgets the epoch that was being read; standard input stays as it is.
static void end_epoch(struct pair_stream *stream) {
    shuffle_destroy(&stream->shuffle);
    if (!stream->is_stdin)
        pair_reader_close(&stream->reader);
    stream->set_idx = stream->num_copies = 0;
    stream->pair_idx = 0;
}

void pair_stream_close(struct pair_stream **stream) {
    if (!*stream)
        return;
    end_epoch(*stream);
    pair_reader_close(&(*stream)->reader);
    mixture_finish(&(*stream)->mixture);
    free(*stream);
    *stream = NULL;
}

bool pair_stream_is_stdin(const struct pair_stream *stream) {
    return stream->is_stdin;
}

uint64_t pair_stream_num_pairs(const struct pair_stream *stream) {
    return stream->mixture.pairs_per_epoch;
}

const struct mixture *pair_stream_mixture(const struct pair_stream *stream) {
    return &stream->mixture;
}

// The next pair in the order of the text; each as often as it comes in the epoch.
static enum vks_status next_in_text(struct pair_stream *stream, struct text_pair *pair,
                                    bool *is_found) {
    const struct pair_stream_params *p = &stream->params;
    while (stream->num_copies == 0) {
        if (stream->set_idx == p->num_sets) {
            *is_found = false;
            return VKS_OK;
        }
        if (!stream->reader)
            TRY(pair_reader_open(&p->sets[stream->set_idx], stream->set_idx, p->log,
                                 &stream->reader));
        TRY(pair_reader_next(stream->reader, &stream->pair, is_found));
        if (*is_found) {
            stream->num_copies = stream->is_stdin
                                     ? 1
                                     : mixture_copies(&stream->mixture, stream->set_idx,
                                                      stream->pair_idx, stream->epoch);
            stream->pair_idx++;
        } else {
            pair_reader_close(&stream->reader);
            stream->set_idx++;
            stream->pair_idx = 0;
        }
    }
    stream->num_copies--;
    *pair = stream->pair;
    *is_found = true;
    return VKS_OK;
}

static uint64_t random_key(const struct pair_stream *stream, const struct text_pair *pair,
                           uint32_t copy_idx) {
    const uint32_t key[2] = {stream->params.seed, RNG_STREAM ^ pair->set_idx};
    const uint32_t counter[4] = {pair->line, copy_idx, (uint32_t)stream->epoch,
                                 (uint32_t)(stream->epoch >> 32)};
    uint32_t random[4];
    philox4x32(key, counter, random);
    return (uint64_t)random[1] << 32 | random[0];
}

// Shuffles the whole text.
static enum vks_status shuffle_text(struct pair_stream *stream, const atomic_bool *is_stopping) {
    const struct pair_stream_params *p = &stream->params;
    const struct shuffle_params params = {
        .num_bytes = stream->num_bytes,
        .memory_bytes = p->folder ? p->memory_bytes : 0,
        .folder = p->folder,
        .log = p->log,
    };
    struct text_pair pair;
    bool is_found = true;
    TRY(shuffle_create(&params, &stream->shuffle));
    for (;;) {
        TRY(next_in_text(stream, &pair, &is_found));
        if (!is_found || atomic_load(is_stopping))
            return VKS_OK;
        TRY(shuffle_add(stream->shuffle, random_key(stream, &pair, stream->num_copies), &pair));
    }
}

static enum vks_status skip_text(struct pair_stream *stream, uint64_t skip,
                                 const atomic_bool *is_stopping) {
    struct text_pair pair;
    bool is_found = true;
    for (uint64_t i = 0; i < skip && is_found && !atomic_load(is_stopping); i++)
        TRY(next_in_text(stream, &pair, &is_found));
    return VKS_OK;
}

enum vks_status pair_stream_seek(struct pair_stream *stream, uint64_t epoch, uint64_t skip,
                                 const atomic_bool *is_stopping) {
    if (stream->is_stdin && stream->is_read && (skip || epoch <= stream->epoch)) {
        log_error(stream->params.log, "standard input cannot be read again; to go on from the last "
                                      "training state, begin anew with the same input");
        return VKS_ERR_IO;
    }
    if (!stream->is_read || !stream->is_stdin)
        end_epoch(stream);
    stream->is_read = true;
    stream->epoch = epoch;
    if (!stream->params.shuffle)
        return skip_text(stream, skip, is_stopping);
    TRY(shuffle_text(stream, is_stopping));
    return shuffle_begin(stream->shuffle, skip);
}

enum vks_status pair_stream_read(struct pair_stream *stream, uint32_t max_pairs,
                                 struct text_block *block) {
    struct text_pair pair;
    bool is_found = true;
    text_block_clear(block);
    while (block->num_pairs < max_pairs) {
        if (stream->shuffle)
            TRY(shuffle_next(stream->shuffle, &pair, &is_found));
        else
            TRY(next_in_text(stream, &pair, &is_found));
        if (!is_found)
            return VKS_OK;
        if (!text_block_add(block, &pair)) {
            log_error(stream->params.log, "%s: out of memory", stream->params.sets->source);
            return VKS_ERR_OOM;
        }
    }
    return VKS_OK;
}
