// A vocabulary: pieces of text and their ids, as Hugging Face's vocab.json holds them.
#ifndef TEXT_VOCAB_H
#define TEXT_VOCAB_H

#include "base/arena.h"
#include "vkseq/base.h"

struct spm;

enum { VOCAB_MAX_SIZE = 1 << 24 };

// Immutable once made. Read size, pieces and the special ids freely; the rest is vocab.c's own.
struct vocab {
    uint32_t size;       // highest id + 1
    const char **pieces; // [size]; NULL for an id that no piece has
    uint32_t eos_id, unk_id, pad_id;
    uint32_t *slots; // [num_slots] id + 1, or 0: a hash table with open addressing
    uint32_t num_slots;
    struct arena arena;
};

// Reads a JSON object of piece: id. It must hold </s>, <unk> and <pad>; ids may leave gaps.
//   json  [num_bytes], a NUL stands past the end
// name: what messages call the file. log: borrowed for the call.
// Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status vocab_parse(const char *json, size_t num_bytes, const char *name,
                                           const struct vks_log *log, struct vocab **vocab);

// The pieces of a model with its ids, and <pad> after them. name: what messages call the model.
// Errors: VKS_ERR_ARGUMENT if the model has a <pad>, or lacks </s> or <unk>; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status vocab_from_spm(const struct spm *spm, const char *name,
                                              const struct vks_log *log, struct vocab **vocab);

// A text in memory. name: what messages call it.
struct vocab_text {
    const char *bytes; // [num_bytes]
    size_t num_bytes;
    const char *name;
};

struct vocab_entry {
    const char *piece;
    uint32_t id;
};

// Pieces in any order, </s>, <unk> and <pad> among them.
struct vocab_entries {
    struct vocab_entry *items; // [num]
    size_t num;
    uint32_t size; // highest id + 1
};

// The vocabulary of given pieces, which are copied. Errors: VKS_ERR_FORMAT for a piece or an id
// that is there twice, or a special piece that is not; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status vocab_from_entries(const struct vocab_entries *entries,
                                                  const char *name, const struct vks_log *log,
                                                  struct vocab **vocab);
// Pieces by their ids; NULL for an id that no piece has. They must include </s>, <unk> and <pad>.
//   pieces  [num], copied
// name: what messages call them. Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status vocab_from_pieces(const char *const *pieces, uint32_t num,
                                                 const char *name, const struct vks_log *log,
                                                 struct vocab **vocab);

// The vocabulary as a JSON object, in the order of ids. *json is allocated and owned by the caller
// (free). Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status vocab_print(const struct vocab *vocab, const struct vks_log *log,
                                           char **json);

// The id of a piece, which need not end with a NUL; unk_id if it has none.
uint32_t vocab_find(const struct vocab *vocab, const char *piece, size_t piece_bytes);
void vocab_destroy(struct vocab **vocab);

#endif
