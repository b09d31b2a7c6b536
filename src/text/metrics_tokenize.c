#include "text/metrics_tokenize.h"

#include "base/check.h"

#include <string.h>
#include <unicode/uchar.h>

// The tokenisations are chains of substitutions, each of which goes once through the line, left to
// right, and never looks again at what it wrote. Source: sacreBLEU 2.6.0, sacrebleu/tokenizers,
// after the NIST's mteval-v13a.pl and mteval-v14.pl.

static bool has_category(uint32_t code, uint32_t mask) {
    return (U_GET_GC_MASK((UChar32)code) & mask) != 0;
}

static bool is_punctuation(uint32_t code) {
    return has_category(code, U_GC_P_MASK);
}

static bool is_symbol(uint32_t code) {
    return has_category(code, U_GC_S_MASK);
}

static bool is_no_number(uint32_t code) {
    return !has_category(code, U_GC_N_MASK);
}

static bool is_no_digit(uint32_t code) {
    return !code_is_digit(code);
}

static bool is_dash(uint32_t code) {
    return code == '-';
}

static bool is_period_or_comma(uint32_t code) {
    return code == '.' || code == ',';
}

// ASCII's signs but ' , - and .
static bool is_ascii_sign(uint32_t code) {
    return (code >= ' ' && code <= '&') || (code >= '(' && code <= '+') || code == '/' ||
           (code >= ':' && code <= '@') || (code >= '[' && code <= '`') ||
           (code >= '{' && code <= '~');
}

static bool is_chinese(uint32_t code) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        // The first range stands where sacreBLEU means U+20000 to U+2A6D6: its four-digit escape
        // reads as U+2000 and a "0". Its U+2F800 to U+2FA1D likewise falls into a range below.
        {0x2001, 0x2a6d}, {0x2e80, 0x2eff}, {0x2f00, 0x2fdf}, {0x2ff0, 0x2fff}, {0x3000, 0x303f},
        {0x3100, 0x312f}, {0x31a0, 0x31bf}, {0x31c0, 0x31ef}, {0x3200, 0x33ff}, {0x3400, 0x4db5},
        {0x4e00, 0x9fbb}, {0xf900, 0xfa2d}, {0xfa30, 0xfa6a}, {0xfa70, 0xfad9}, {0xfe10, 0xfe1f},
        {0xfe30, 0xfe4f}, {0xff00, 0xffef},
    };
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

// Puts blanks around each character that is_apart.
static void set_apart(const struct codes *line, bool (*is_apart)(uint32_t code),
                      struct codes *out) {
    out->num = 0;
    for (size_t i = 0; i < line->num; i++) {
        bool apart = is_apart(line->items[i]);
        if (apart)
            codes_push(out, ' ');
        codes_push(out, line->items[i]);
        if (apart)
            codes_push(out, ' ');
    }
}

// In each pair of characters that are is_first and is_second, puts a blank between the two, and
// one before the pair if blank_before, else after it.
static void split_pairs(const struct codes *line, bool (*is_first)(uint32_t code),
                        bool (*is_second)(uint32_t code), bool blank_before, struct codes *out) {
    out->num = 0;
    for (size_t i = 0; i < line->num; i++) {
        bool is_pair =
            i + 1 < line->num && is_first(line->items[i]) && is_second(line->items[i + 1]);
        if (is_pair && blank_before)
            codes_push(out, ' ');
        codes_push(out, line->items[i]);
        if (!is_pair)
            continue;
        codes_push(out, ' ');
        codes_push(out, line->items[++i]);
        if (!blank_before)
            codes_push(out, ' ');
    }
}

static bool starts_with(const struct codes *line, size_t at, const char *ascii) {
    for (; *ascii; ascii++, at++)
        if (at >= line->num || line->items[at] != (unsigned char)*ascii)
            return false;
    return true;
}

// Puts the character `to`, or nothing if it is NUL, for each occurrence of `from`.
static void replace(const struct codes *line, const char *from, char to, struct codes *out) {
    out->num = 0;
    for (size_t i = 0; i < line->num;) {
        bool is_found = starts_with(line, i, from);
        if (!is_found)
            codes_push(out, line->items[i]);
        else if (to)
            codes_push(out, (unsigned char)to);
        i += is_found ? strlen(from) : 1;
    }
}

static void swap(struct codes *a, struct codes *b) {
    struct codes kept = *a;
    *a = *b;
    *b = kept;
}

// The steps below pass the line from one buffer to the other and back.

static void tokenize_western(struct codes *line, struct codes *spare) {
    set_apart(line, is_ascii_sign, spare);
    split_pairs(spare, is_no_digit, is_period_or_comma, false, line);
    split_pairs(line, is_period_or_comma, is_no_digit, true, spare);
    split_pairs(spare, code_is_digit, is_dash, false, line);
}

static void tokenize_13a(struct codes *line, struct codes *spare) {
    replace(line, "<skipped>", '\0', spare);
    replace(spare, "-\n", '\0', line);
    replace(line, "\n", ' ', spare);
    replace(spare, "&quot;", '"', line);
    replace(line, "&amp;", '&', spare);
    replace(spare, "&lt;", '<', line);
    replace(line, "&gt;", '>', spare);
    line->num = 0;
    codes_push(line, ' ');
    for (size_t i = 0; i < spare->num; i++)
        codes_push(line, spare->items[i]);
    codes_push(line, ' ');
    tokenize_western(line, spare);
}

static void tokenize_intl(struct codes *line, struct codes *spare) {
    split_pairs(line, is_no_number, is_punctuation, false, spare);
    split_pairs(spare, is_punctuation, is_no_number, true, line);
    set_apart(line, is_symbol, spare);
    swap(line, spare);
}

static void tokenize_zh(struct codes *line, struct codes *spare) {
    set_apart(line, is_chinese, spare);
    swap(line, spare);
    tokenize_western(line, spare);
}

static bool is_any(uint32_t code) {
    (void)code;
    return true;
}

static void tokenize_char(struct codes *line, struct codes *spare) {
    set_apart(line, is_any, spare);
    swap(line, spare);
}

// Cuts white space off the end, and off the start if is_both.
static void strip(struct codes *line, bool is_both) {
    while (line->num && code_is_space(line->items[line->num - 1]))
        line->num--;
    size_t num_leading = 0;
    while (is_both && num_leading < line->num && code_is_space(line->items[num_leading]))
        num_leading++;
    line->num -= num_leading;
    if (num_leading)
        memmove(line->items, line->items + num_leading, line->num * sizeof *line->items);
}

enum vks_status metrics_tokenize(enum vks_bleu_tokenize tokenize, struct codes *line) {
    struct codes spare = {0};
    strip(line, tokenize == VKS_BLEU_ZH);
    switch (tokenize) {
    case VKS_BLEU_13A:
        tokenize_13a(line, &spare);
        break;
    case VKS_BLEU_INTL:
        tokenize_intl(line, &spare);
        break;
    case VKS_BLEU_ZH:
        tokenize_zh(line, &spare);
        break;
    case VKS_BLEU_CHAR:
        tokenize_char(line, &spare);
        break;
    }
    bool is_out_of_memory = line->is_out_of_memory || spare.is_out_of_memory;
    codes_finish(&spare);
    return is_out_of_memory ? VKS_ERR_OOM : VKS_OK;
}
