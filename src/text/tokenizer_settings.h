// What the JSON files beside a vocabulary say of how text is cut: tokenizer_config.json and
// added_tokens.json, and of config.json and generation_config.json the kind of model and the token
// that translations are forced to begin with.
#ifndef TEXT_TOKENIZER_SETTINGS_H
#define TEXT_TOKENIZER_SETTINGS_H

#include "base/arena.h"
#include "vkseq/tokenizer.h"

enum { SETTINGS_NO_ID = -1, SETTINGS_DEFAULT_OFFSET = 103 };

// A token with an id of its own, beside those of the SentencePiece model.
struct added_token {
    const char *text;
    uint32_t id;                    // below VOCAB_MAX_SIZE
    bool is_special;                // no part of a decoded text
    bool strips_left, strips_right; // takes the white space there with it
};

// Zero-initialised, apart from what tokenizer_settings_init sets, is a directory that says nothing.
struct tokenizer_settings {
    struct arena arena;          // of all texts
    bool is_there;               // tokenizer_config.json is
    const char *tokenizer_class; // NULL: not said, as for all texts here
    const char *model_type;
    const char *languages[2]; // source, target
    const char *language_codes;
    bool language_last; // the older order of NLLB's sources
    bool cleans_up;     // blanks before marks of punctuation are taken out of decoded texts
    uint32_t offset;    // of Pegasus's pieces
    int64_t first_id;   // translations are forced to begin with it; SETTINGS_NO_ID
    struct added_token *added;
    size_t num_added, added_capacity; // in the arena
};

void tokenizer_settings_init(struct tokenizer_settings *settings);
void tokenizer_settings_finish(struct tokenizer_settings *settings);

// Copies a token into the settings. name: what messages call the file it is from.
// Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status tokenizer_settings_add_token(struct tokenizer_settings *settings,
                                                            const struct added_token *token,
                                                            const char *name,
                                                            const struct vks_log *log);

// Which file a text is.
enum settings_file {
    SETTINGS_CONFIG,            // config.json
    SETTINGS_GENERATION_CONFIG, // generation_config.json
    SETTINGS_ADDED_TOKENS,      // added_tokens.json
    SETTINGS_TOKENIZER_CONFIG,  // tokenizer_config.json
    SETTINGS_NUM_FILES
};

// The file's name in a model directory.
const char *tokenizer_settings_file_name(enum settings_file file);

// Takes what a file says; what was said before by others stays where it says nothing. The order of
// the files is that of the enumeration.
//   json  [num_bytes], a NUL stands past the end
// name: what messages call the file. Errors: VKS_ERR_FORMAT for a field of another type, or a
// special token that is not the usual one; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status tokenizer_settings_parse(enum settings_file file, const char *json,
                                                        size_t num_bytes, const char *name,
                                                        const struct vks_log *log,
                                                        struct tokenizer_settings *settings);

// Reads those of the files from `first` on that are in a directory. Errors: those of
// tokenizer_settings_parse, VKS_ERR_IO.
VKS_MUST_CHECK enum vks_status tokenizer_settings_read(const char *model_dir,
                                                       enum settings_file first,
                                                       const struct vks_log *log,
                                                       struct tokenizer_settings *settings);

#endif
