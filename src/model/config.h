// Checking a model's shape, and Hugging Face's config.json.
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "vkseq/model.h"

// Puts defaults in the place of zeros, and checks that the shape makes sense.
// name: what messages call the model, e.g. the path of its configuration.
// Errors: VKS_ERR_ARGUMENT, said in the log.
enum vks_status config_complete(struct vks_model_config *config, const char *name,
                                const struct vks_log *log);

// Reads config.json of a folder, and generation_config.json if there is one. model_type "marian",
// "pegasus", "m2m_100" or "mbart" is Hugging Face's class; with "position_formula", "marian" is
// vkseq's own post-norm and "pegasus" its pre-norm; "vkseq" says what no class expresses.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_OOM; the log names key and value.
enum vks_status config_read(const char *dir, const struct vks_log *log,
                            struct vks_model_config *config);

// A text in memory. name: what messages call it.
struct config_text {
    const char *text; // [num_bytes]
    size_t num_bytes;
    const char *name;
};

// The same for texts in memory; generation NULL: there is none.
enum vks_status config_parse(const struct config_text *config_text,
                             const struct config_text *generation, const struct vks_log *log,
                             struct vks_model_config *config);

// The text of a config.json; owned by the caller (free). NULL when there is no memory.
char *config_print(const struct vks_model_config *config);

// Writes config.json and generation_config.json into a directory.
enum vks_status config_write(const struct vks_model_config *config, const char *dir,
                             const struct vks_log *log);

#endif
