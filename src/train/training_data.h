// The text that is trained on, as batches: in memory as a whole, or out of a stream.
#ifndef TRAIN_TRAINING_DATA_H
#define TRAIN_TRAINING_DATA_H

#include "data/batcher.h"
#include "vkseq/trainer.h"

// Zero-initialised is closed. All is owned.
struct training_data {
    struct vks_text_set *sets;
    struct encoder_params encoder;
    struct corpus *corpus; // in memory; NULL: it is a stream
    struct mixture mixture;
    struct pair_stream *stream;
    struct batcher *batcher;
    uint64_t num_pairs; // of all sets; 0 for standard input
    uint64_t hash;      // under 2^53: of what batches follow from beside a trainer's parameters
    // Batches of an epoch, and their target tokens. Of a stream they are estimated by its first
    // pool, and 0 where that cannot be read beforehand.
    double num_batches, num_tokens;
};

struct training_data_params {
    const struct vks_trainer_params *trainer; // borrowed while the data is open, as its strings
    const struct vks_tokenizer *tokenizer;    // borrowed while the data is open
    uint32_t max_words;                       // of a side of a batch
    uint32_t max_length;                      // of a side of a pair, without </s>
    uint32_t start_id;                        // begins the decoder's input
    uint32_t link_words;                      // of a row of the batches' links; 0: without them
};

// Whether parameters name a text for both sides.
bool training_data_is_named(const struct vks_trainer_params *params);

// Whether parameters ask for a stream: where the text is kept on disk, comes from standard input,
// or is cut into other pieces in each epoch.
bool training_data_is_streamed(const struct vks_trainer_params *params);

// What stands around the tokens of both sides: the languages of the parameters, and </s>.
// Errors: VKS_ERR_ARGUMENT for a language that is unknown or missing.
VKS_MUST_CHECK enum vks_status training_data_frames(const struct vks_trainer_params *params,
                                                    const struct vks_tokenizer *tokenizer,
                                                    struct token_frame frames[NUM_SIDES]);

// Whether some sentences or words have weights.
bool training_data_has_weights(const struct vks_trainer_params *params);

// Whether some text has alignments.
bool training_data_has_alignments(const struct vks_trainer_params *params);

// Opens the text, and is at its begin. Errors: those of corpus_load, pair_stream_open and
// batcher_create; there is something to close in any case.
VKS_MUST_CHECK enum vks_status training_data_open(const struct training_data_params *params,
                                                  struct training_data *data);
void training_data_close(struct training_data *data);

// The corpora of parameters; borrowed from them. set: for those that name two files.
const struct vks_text_set *training_data_sets(const struct vks_trainer_params *params,
                                              struct vks_text_set *set, uint32_t *num_sets);

#endif
