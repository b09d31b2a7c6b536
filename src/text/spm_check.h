// What SentencePiece takes on trust in the bytes of a model.
#ifndef TEXT_SPM_CHECK_H
#define TEXT_SPM_CHECK_H

#include <stddef.h>

// NULL if the rules of normalisation in a .spm file lead to nothing outside of it, or what is
// wrong. SentencePiece follows them through memory without looking where they lead. Sources:
// sentencepiece_model.proto (a ModelProto's fields 3 and 5 are NormalizerSpecs, whose field 2 is
// precompiled_charsmap), normalizer.cc; https://protobuf.dev/programming-guides/encoding;
// https://github.com/s-yata/darts-clone.
const char *spm_check(const void *model, size_t num_bytes);

#endif
