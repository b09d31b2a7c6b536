#include "model/config_class.h"

#include "base/check.h"

#include <string.h>

static const struct {
    const char *type, *name;
    bool pre_norm, embedding_norm;
    enum vks_positions positions;
} classes[] = {
    [VKS_CLASS_MARIAN] = {"marian", "MarianMTModel", false, false, VKS_POSITIONS_HF},
    [VKS_CLASS_PEGASUS] = {"pegasus", "PegasusForConditionalGeneration", true, false,
                           VKS_POSITIONS_HF},
    [VKS_CLASS_M2M_100] = {"m2m_100", "M2M100ForConditionalGeneration", true, false,
                           VKS_POSITIONS_FAIRSEQ},
    [VKS_CLASS_MBART] = {"mbart", "MBartForConditionalGeneration", true, true,
                         VKS_POSITIONS_LEARNED},
};

// Of mBART's learned positions: fairseq's first rows were for <s> and <pad>.
enum { MBART_POSITION_OFFSET = 2 };

const char *config_class_type(enum vks_model_class model_class) {
    return classes[model_class].type;
}

const char *config_class_name(enum vks_model_class model_class) {
    return classes[model_class].name;
}

enum vks_model_class config_class_find(const struct fields_reader *reader) {
    struct fields_reader silent = {.json = reader->json};
    const char *type = fields_read_text(&silent, "model_type", "");
    if (fields_find(reader, "position_formula"))
        return VKS_CLASS_OWN;
    for (size_t i = VKS_CLASS_MARIAN; i < COUNT_OF(classes); i++)
        if (strcmp(type, classes[i].type) == 0)
            return (enum vks_model_class)i;
    return VKS_CLASS_OWN;
}

void config_class_complete(struct fields_reader *reader, struct vks_model_config *c) {
    enum vks_model_class own = c->model_class;
    c->pre_norm = classes[own].pre_norm;
    c->embedding_norm = classes[own].embedding_norm;
    c->positions = classes[own].positions;
    c->pad_in_softmax = true;
    if (own == VKS_CLASS_MBART)
        c->position_offset = MBART_POSITION_OFFSET;
    if (own != VKS_CLASS_M2M_100)
        return;
    c->position_offset = c->pad_id + 1;
    // The class counts positions of tokens that are not <pad>.
    if (c->start_id == c->pad_id)
        fields_fail(reader, "decoder_start_token_id", "another token than <pad>");
}
