// What SentencePiece takes on trust in the bytes of a model.
#ifndef TEXT_SPM_CHECK_H
#define TEXT_SPM_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { SPM_FAULT_BYTES = 128 };

// Whether a .spm file is a whole message with pieces and settings (SentencePiece takes one that was
// cut between two fields for a smaller model) and the rules of normalisation in it lead to nothing
// outside of it; else what is wrong. SentencePiece follows them through memory without looking
// where they lead. Sources: sentencepiece_model.proto (a ModelProto's fields 3 and 5 are
// NormalizerSpecs, whose field 2 is precompiled_charsmap), normalizer.cc;
// https://protobuf.dev/programming-guides/encoding; https://github.com/s-yata/darts-clone.
bool spm_check(const void *model, size_t num_bytes, char fault[SPM_FAULT_BYTES]);

#endif
