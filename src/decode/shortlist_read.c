#include "decode/shortlist_read.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/shortlist_text.h"
#include "io/files.h"
#include "io/marian_folder.h"

#include <stdlib.h>
#include <string.h>

// A binary file: 64-bit words, little-endian as the files are, then offsets of 64 bits for each
// source token and the end, then target tokens of 32 bits.
enum {
    WORD_MAGIC,
    WORD_CHECKSUM,
    WORD_FIRST,
    WORD_BEST,
    WORD_NUM_OFFSETS,
    WORD_NUM_TARGETS,
    HEADER_WORDS
};
static const uint64_t MAGIC = 0xF11A48D5013417F5;
enum { DEFAULT_FIRST = 100, DEFAULT_BEST = 100 };
#define MAX_FILE_BYTES ((size_t)1 << 31)

// Without <pad>, which Marian's vocabularies do not have.
static uint32_t vocab_size(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    uint32_t size = vks_tokenizer_vocab_size(tokenizer, side);
    return vks_tokenizer_pad_id(tokenizer, side) + 1 == size ? size - 1 : size;
}

static enum vks_status create(const struct vks_tokenizer *tokenizer, uint64_t num_targets,
                              struct vks_shortlist **result) {
    struct vks_shortlist *shortlist = memory_calloc(1, sizeof *shortlist);
    if (!shortlist)
        return VKS_ERR_OOM;
    shortlist->source_vocab = vocab_size(tokenizer, VKS_SOURCE);
    shortlist->target_vocab = vocab_size(tokenizer, VKS_TARGET);
    shortlist->is_joint = vks_tokenizer_is_joint(tokenizer);
    shortlist->offsets =
        memory_calloc((size_t)shortlist->source_vocab + 1, sizeof *shortlist->offsets);
    shortlist->targets = memory_calloc((size_t)num_targets + 1, sizeof *shortlist->targets);
    if (!shortlist->offsets || !shortlist->targets) {
        vks_shortlist_destroy(&shortlist);
        return VKS_ERR_OOM;
    }
    *result = shortlist;
    return VKS_OK;
}

static uint64_t word_at(const unsigned char *bytes, uint64_t idx) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)bytes[8 * idx + i] << 8 * i;
    return word;
}

static uint32_t half_at(const unsigned char *bytes, uint64_t idx) {
    const unsigned char *at = bytes + 4 * idx;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// Over whole words from the first number on, as Marian's.
static uint64_t checksum(const unsigned char *bytes, size_t num_bytes) {
    uint64_t sum = 0;
    for (uint64_t i = WORD_FIRST; i < num_bytes / 8; i++)
        sum ^= word_at(bytes, i) + 0x9e3779b9u + (sum << 6) + (sum >> 2);
    return sum;
}

static enum vks_status fail(const struct vks_shortlist_params *params, const char *fault) {
    log_error(params->log, "%s: not a binary shortlist for these vocabularies: %s", params->path,
              fault);
    return VKS_ERR_FORMAT;
}

static enum vks_status read_binary(const unsigned char *bytes, size_t num_bytes,
                                   const struct vks_shortlist_params *params,
                                   struct vks_shortlist *shortlist) {
    uint64_t num_targets = word_at(bytes, WORD_NUM_TARGETS), before = 0;
    const unsigned char *targets = bytes + 8 * ((size_t)HEADER_WORDS + shortlist->source_vocab + 1);
    if (checksum(bytes, num_bytes) != word_at(bytes, WORD_CHECKSUM))
        return fail(params, "its checksum says that it is damaged");
    uint64_t first = word_at(bytes, WORD_FIRST);
    shortlist->first = first < shortlist->target_vocab ? (uint32_t)first : shortlist->target_vocab;
    for (uint32_t id = 0; id <= shortlist->source_vocab; id++) {
        uint64_t offset = word_at(bytes, (uint64_t)HEADER_WORDS + id);
        if (offset < before || offset > num_targets)
            return fail(params, "its offsets do not ascend to its end");
        before = shortlist->offsets[id] = offset;
    }
    for (uint64_t i = 0; i < num_targets; i++) {
        shortlist->targets[i] = half_at(targets, i);
        if (shortlist->targets[i] >= shortlist->target_vocab)
            return fail(params, "a target token is beyond the vocabulary");
    }
    return VKS_OK;
}

static enum vks_status parse_binary(const unsigned char *bytes, size_t num_bytes,
                                    const struct vks_shortlist_params *params,
                                    const struct vks_tokenizer *tokenizer,
                                    struct vks_shortlist **result) {
    struct vks_shortlist *shortlist;
    uint64_t source_vocab = vocab_size(tokenizer, VKS_SOURCE);
    uint64_t header_bytes = 8 * (HEADER_WORDS + source_vocab + 1);
    if (num_bytes < 8 * HEADER_WORDS)
        return fail(params, "it is shorter than its header");
    if (word_at(bytes, WORD_NUM_OFFSETS) != source_vocab + 1)
        return fail(params, "it is for another number of source tokens");
    if (num_bytes < header_bytes || (num_bytes - header_bytes) % 4 != 0 ||
        (num_bytes - header_bytes) / 4 != word_at(bytes, WORD_NUM_TARGETS))
        return fail(params, "it does not have the size that its header says");
    TRY(create(tokenizer, (num_bytes - header_bytes) / 4, &shortlist));
    enum vks_status status = read_binary(bytes, num_bytes, params, shortlist);
    if (status != VKS_OK)
        vks_shortlist_destroy(&shortlist);
    else
        *result = shortlist;
    return status;
}

static enum vks_status parse_text(const char *bytes, size_t num_bytes,
                                  const struct vks_shortlist_params *params,
                                  const struct vks_tokenizer *tokenizer,
                                  struct vks_shortlist **result) {
    struct shortlist_links links = {0};
    struct vks_shortlist *shortlist = NULL;
    enum vks_status status = shortlist_text_read(bytes, num_bytes, params, tokenizer, &links);
    if (status == VKS_OK)
        status = create(tokenizer, links.num, &shortlist);
    for (size_t i = 0; i < links.num && status == VKS_OK; i++) {
        shortlist->targets[i] = links.items[i].target;
        shortlist->offsets[links.items[i].source + 1] = i + 1;
    }
    for (uint32_t id = 0; status == VKS_OK && id < shortlist->source_vocab; id++)
        if (shortlist->offsets[id + 1] == 0) // it has none
            shortlist->offsets[id + 1] = shortlist->offsets[id];
    free(links.items);
    if (status != VKS_OK)
        return status;
    shortlist->first = params->first;
    *result = shortlist;
    return VKS_OK;
}

enum vks_status shortlist_parse(const void *bytes, size_t num_bytes,
                                const struct vks_shortlist_params *given,
                                const struct vks_tokenizer *tokenizer,
                                struct vks_shortlist **shortlist) {
    struct vks_shortlist_params params = *given;
    params.first = params.first ? params.first : DEFAULT_FIRST;
    params.best = params.best ? params.best : DEFAULT_BEST;
    bool is_binary = num_bytes >= 8 && word_at(bytes, WORD_MAGIC) == MAGIC;
    enum vks_status status = is_binary
                                 ? parse_binary(bytes, num_bytes, &params, tokenizer, shortlist)
                                 : parse_text(bytes, num_bytes, &params, tokenizer, shortlist);
    if (status == VKS_ERR_OOM)
        log_error(params.log, "%s: out of memory for the shortlist", params.path);
    return status;
}

enum vks_status vks_shortlist_load(const struct vks_shortlist_params *params,
                                   const struct vks_tokenizer *tokenizer,
                                   struct vks_shortlist **shortlist) {
    unsigned char *bytes;
    size_t num_bytes;
    TRY(file_read(params->path, MAX_FILE_BYTES, params->log, &bytes, &num_bytes));
    enum vks_status status = shortlist_parse(bytes, num_bytes, params, tokenizer, shortlist);
    free(bytes);
    return status;
}

enum vks_status vks_shortlist_load_for_model(const char *model_dir,
                                             const struct vks_tokenizer *tokenizer,
                                             const struct vks_log *log,
                                             struct vks_shortlist **shortlist) {
    struct marian_folder folder;
    enum vks_status status = VKS_OK;
    bool is_marian;
    *shortlist = NULL;
    TRY(marian_folder_is(model_dir, log, &is_marian));
    if (!is_marian)
        return VKS_OK;
    TRY(marian_folder_open(model_dir, log, &folder));
    const struct vks_shortlist_params params = {.path = folder.shortlist,
                                                .first = folder.shortlist_numbers[0],
                                                .best = folder.shortlist_numbers[1],
                                                .threshold = folder.shortlist_threshold,
                                                .log = log};
    if (params.path)
        status = vks_shortlist_load(&params, tokenizer, shortlist);
    marian_folder_finish(&folder);
    return status;
}
