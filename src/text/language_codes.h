// Codes of languages in the order in which models have been trained with them: a code's id is the
// first one's and its place. Blanks part them.
#ifndef TEXT_LANGUAGE_CODES_H
#define TEXT_LANGUAGE_CODES_H

extern const char language_codes_m2m100[];  // M2M100, 100 languages
extern const char language_codes_wmt21[];   // M2M100 of WMT21, 8
extern const char language_codes_nllb[];    // NLLB-200, 202
extern const char language_codes_mbart50[]; // mBART-50, 52

#endif
