#include "data/shuffle.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/spill_file.h"

#include <string.h>

// A bucket has half of the memory when it is read, the buffers of all of them when they are
// written.
enum { MIN_BUFFER_BYTES = 1 << 12, MAX_BUFFER_BYTES = 1 << 20 };

// A stretch of the file.
struct chunk {
    uint64_t offset;
    size_t num_bytes;
};

// Records as they were added: a key each, and the pair as text_pair_write has it. What is in chunks
// comes before what is in the buffer.
struct bucket {
    char *buffer;         // owned
    struct chunk *chunks; // owned
    size_t num_buffered, capacity, num_chunks, max_chunks, num_in_chunks;
    uint64_t num_pairs;
};

struct record {
    uint64_t key;
    const char *pair;
};

struct shuffle {
    struct shuffle_params params;
    struct spill_file *file; // NULL: there is one bucket, in memory
    struct bucket *buckets;  // owned; [num_buckets]
    size_t num_buckets, buffer_bytes;
    // Reading: the bucket in memory, and its records in order.
    size_t bucket_idx;
    char *bytes;            // owned
    struct record *records; // owned; [num_records]
    uint64_t num_records, record_idx;
};

static enum vks_status memory_error(const struct shuffle *shuffle) {
    log_error(shuffle->params.log, "out of memory for shuffling the text");
    return VKS_ERR_OOM;
}

enum vks_status shuffle_create(const struct shuffle_params *params, struct shuffle **result) {
    struct shuffle *shuffle = memory_calloc(1, sizeof *shuffle);
    if (!shuffle) {
        log_error(params->log, "out of memory for shuffling the text");
        return VKS_ERR_OOM;
    }
    shuffle->params = *params;
    uint64_t half = params->memory_bytes / 2 + 1, num_buckets = 1;
    if (params->memory_bytes)
        num_buckets = params->num_bytes / half + 1;
    if (num_buckets > UINT32_MAX)
        num_buckets = UINT32_MAX;
    shuffle->num_buckets = (size_t)num_buckets;
    shuffle->buffer_bytes = (size_t)(half / num_buckets);
    if (shuffle->buffer_bytes < MIN_BUFFER_BYTES)
        shuffle->buffer_bytes = MIN_BUFFER_BYTES;
    if (shuffle->buffer_bytes > MAX_BUFFER_BYTES)
        shuffle->buffer_bytes = MAX_BUFFER_BYTES;
    shuffle->buckets = memory_calloc(shuffle->num_buckets, sizeof *shuffle->buckets);
    enum vks_status status = shuffle->buckets ? VKS_OK : memory_error(shuffle);
    if (status == VKS_OK && num_buckets > 1)
        status = spill_file_create(params->folder, params->log, &shuffle->file);
    if (status != VKS_OK)
        shuffle_destroy(&shuffle);
    else
        *result = shuffle;
    return status;
}

static void bucket_finish(struct bucket *bucket) {
    free(bucket->buffer);
    free(bucket->chunks);
    *bucket = (struct bucket){0};
}

void shuffle_destroy(struct shuffle **shuffle_ref) {
    struct shuffle *shuffle = *shuffle_ref;
    if (!shuffle)
        return;
    for (size_t i = 0; i < shuffle->num_buckets && shuffle->buckets; i++)
        bucket_finish(&shuffle->buckets[i]);
    spill_file_destroy(&shuffle->file);
    free(shuffle->buckets);
    free(shuffle->bytes);
    free(shuffle->records);
    free(shuffle);
    *shuffle_ref = NULL;
}

// Moves a bucket's buffer into the file.
static enum vks_status spill(struct shuffle *shuffle, struct bucket *bucket) {
    if (bucket->num_buffered == 0)
        return VKS_OK;
    if (bucket->num_chunks == bucket->max_chunks) {
        size_t max_chunks = bucket->max_chunks ? 2 * bucket->max_chunks : 16, num_bytes;
        struct chunk *chunks = size_mul(max_chunks, sizeof *chunks, &num_bytes)
                                   ? memory_realloc(bucket->chunks, num_bytes)
                                   : NULL;
        if (!chunks)
            return memory_error(shuffle);
        bucket->chunks = chunks;
        bucket->max_chunks = max_chunks;
    }
    struct chunk chunk = {.num_bytes = bucket->num_buffered};
    TRY(spill_file_append(shuffle->file, bucket->buffer, chunk.num_bytes, &chunk.offset));
    bucket->chunks[bucket->num_chunks++] = chunk;
    bucket->num_in_chunks += chunk.num_bytes;
    bucket->num_buffered = 0;
    return VKS_OK;
}

// Room for num_bytes more in a bucket's buffer, which is emptied into the file when it is full.
static enum vks_status make_room(struct shuffle *shuffle, struct bucket *bucket, size_t num_bytes) {
    size_t needed, capacity = bucket->capacity ? bucket->capacity : shuffle->buffer_bytes;
    if (shuffle->file && bucket->num_buffered + num_bytes > shuffle->buffer_bytes)
        TRY(spill(shuffle, bucket));
    if (!size_add(bucket->num_buffered, num_bytes, &needed))
        return memory_error(shuffle);
    if (needed <= bucket->capacity)
        return VKS_OK;
    while (capacity < needed)
        if (!size_mul(capacity, 2, &capacity))
            return memory_error(shuffle);
    char *buffer = memory_realloc(bucket->buffer, capacity);
    if (!buffer)
        return memory_error(shuffle);
    bucket->buffer = buffer;
    bucket->capacity = capacity;
    return VKS_OK;
}

enum vks_status shuffle_add(struct shuffle *shuffle, uint64_t key, const struct text_pair *pair) {
    // Stretches of equal length of all keys.
    size_t bucket_idx = (size_t)((key >> 32) * shuffle->num_buckets >> 32);
    struct bucket *bucket = &shuffle->buckets[bucket_idx];
    size_t num_bytes;
    if (!size_add(sizeof key, text_pair_bytes(pair), &num_bytes))
        return memory_error(shuffle);
    TRY(make_room(shuffle, bucket, num_bytes));
    char *record = bucket->buffer + bucket->num_buffered;
    memcpy(record, &key, sizeof key);
    text_pair_write(pair, record + sizeof key);
    bucket->num_buffered += num_bytes;
    bucket->num_pairs++;
    return VKS_OK;
}

static int compare_records(const void *a, const void *b) {
    const struct record *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    struct text_pair p = text_pair_read(x->pair), q = text_pair_read(y->pair);
    if (p.set_idx != q.set_idx)
        return p.set_idx < q.set_idx ? -1 : 1;
    return p.line < q.line ? -1 : p.line > q.line;
}

// Brings the bytes of a bucket into memory.
static enum vks_status read_bytes(struct shuffle *shuffle, struct bucket *bucket) {
    if (!shuffle->file) {
        shuffle->bytes = bucket->buffer;
        bucket->buffer = NULL;
        return VKS_OK;
    }
    size_t at = 0;
    shuffle->bytes = memory_malloc(bucket->num_in_chunks + 1);
    if (!shuffle->bytes)
        return memory_error(shuffle);
    for (size_t i = 0; i < bucket->num_chunks; i++) {
        const struct chunk *chunk = &bucket->chunks[i];
        TRY(spill_file_read(shuffle->file, chunk->offset, shuffle->bytes + at, chunk->num_bytes));
        at += chunk->num_bytes;
    }
    return VKS_OK;
}

// Takes the current bucket into memory and sorts it.
static enum vks_status open_bucket(struct shuffle *shuffle) {
    struct bucket *bucket = &shuffle->buckets[shuffle->bucket_idx];
    size_t num_bytes, at = 0;
    free(shuffle->bytes);
    free(shuffle->records);
    shuffle->bytes = NULL;
    shuffle->records = NULL;
    shuffle->num_records = shuffle->record_idx = 0;
    if (bucket->num_pairs == 0)
        return VKS_OK;
    TRY(read_bytes(shuffle, bucket));
    if (bucket->num_pairs > SIZE_MAX ||
        !size_mul((size_t)bucket->num_pairs, sizeof *shuffle->records, &num_bytes))
        return memory_error(shuffle);
    shuffle->records = memory_malloc(num_bytes);
    if (!shuffle->records)
        return memory_error(shuffle);
    for (uint64_t i = 0; i < bucket->num_pairs; i++) {
        struct record *record = &shuffle->records[i];
        memcpy(&record->key, shuffle->bytes + at, sizeof record->key);
        record->pair = shuffle->bytes + at + sizeof record->key;
        const struct text_pair pair = text_pair_read(record->pair);
        at += sizeof record->key + text_pair_bytes(&pair);
    }
    shuffle->num_records = bucket->num_pairs;
    qsort(shuffle->records, (size_t)shuffle->num_records, sizeof *shuffle->records,
          compare_records);
    bucket_finish(bucket);
    return VKS_OK;
}

enum vks_status shuffle_begin(struct shuffle *shuffle, uint64_t skip) {
    for (size_t i = 0; i < shuffle->num_buckets && shuffle->file; i++) {
        struct bucket *bucket = &shuffle->buckets[i];
        TRY(spill(shuffle, bucket));
        free(bucket->buffer);
        bucket->buffer = NULL;
        bucket->capacity = 0;
    }
    while (shuffle->bucket_idx < shuffle->num_buckets &&
           skip >= shuffle->buckets[shuffle->bucket_idx].num_pairs) {
        skip -= shuffle->buckets[shuffle->bucket_idx].num_pairs;
        bucket_finish(&shuffle->buckets[shuffle->bucket_idx++]);
    }
    if (shuffle->bucket_idx == shuffle->num_buckets)
        return VKS_OK;
    TRY(open_bucket(shuffle));
    shuffle->record_idx = skip;
    return VKS_OK;
}

enum vks_status shuffle_next(struct shuffle *shuffle, struct text_pair *pair, bool *is_found) {
    while (shuffle->record_idx == shuffle->num_records) {
        if (shuffle->bucket_idx == shuffle->num_buckets ||
            ++shuffle->bucket_idx == shuffle->num_buckets) {
            *is_found = false;
            return VKS_OK;
        }
        TRY(open_bucket(shuffle));
    }
    *pair = text_pair_read(shuffle->records[shuffle->record_idx++].pair);
    *is_found = true;
    return VKS_OK;
}
