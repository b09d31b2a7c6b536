// Where the files of a Marian model are: what decoder.yml beside it says, or what a folder has.
#ifndef IO_MARIAN_FOLDER_H
#define IO_MARIAN_FOLDER_H

#include "base/arena.h"
#include "vkseq/base.h"

#include <stdbool.h>

// Texts live until marian_folder_finish. Zero-initialised is none.
struct marian_folder {
    struct arena arena;
    const char *model;             // .npz or .bin
    const char *vocabs[2];         // of source and target, .spm or .yml; NULL: none was found
    const char *pieces[2];         // SentencePiece models that cut text for .yml; NULL: none
    const char *shortlist;         // NULL: none is named
    uint32_t shortlist_numbers[2]; // the first words, and the best of a word; 0: not said
    float shortlist_threshold;
    // How to translate where nothing else is asked for; 0: not said.
    uint32_t beam_size;
    float normalize, word_penalty;
};

// Whether a path is a Marian model: a file .npz or .bin, or a folder that holds one and no
// config.json. A path that is nothing is none. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_folder_is(const char *path, const struct vks_log *log,
                                                bool *is_marian);

// Finds the files. A folder's options are those of decoder.yml or *.decoder.yml, else of the only
// *.yml that names models; without one, the only *.npz (but *.optimizer.npz) or model*.bin is the
// model, and the *.spm beside it are its vocabularies, source before target in their order, or else
// *.yml or *.yaml with "vocab" in their names. source.spm and target.spm beside a vocabulary .yml
// cut text for it.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for options that make no sense; VKS_ERR_ARGUMENT where no
// model is found, or several; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_folder_open(const char *path, const struct vks_log *log,
                                                  struct marian_folder *folder);
void marian_folder_finish(struct marian_folder *folder);

#endif
