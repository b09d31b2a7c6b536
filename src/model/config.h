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

// How the weights are written that a config.json is for; zero-initialised: in float32, without
// what follows from the configuration.
struct config_form {
    bool has_positions; // sinusoidal positions too, so that classes with others can have them
    bool is_half;       // float16
};

// The class of transformers that computes what the model does, given the form (NULL: all zero).
// VKS_CLASS_OWN: there is none, and *why, if not NULL, is a text that says why, or what the form
// lacks; a literal.
enum vks_model_class config_expressed_by(const struct vks_model_config *config,
                                         const struct config_form *form, const char **why);

// The text of a config.json; owned by the caller (free). NULL when there is no memory.
// form: NULL means all zero.
char *config_print(const struct vks_model_config *config, const struct config_form *form);

// Writes config.json and generation_config.json into a directory. form: as above.
enum vks_status config_write(const struct vks_model_config *config, const struct config_form *form,
                             const char *dir, const struct vks_log *log);

#endif
