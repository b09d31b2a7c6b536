#include "document/sharing.h"

#include "document/characters.h"
#include "document/wrapping.h"
#include "text/placeholders.h"

#include <string.h>

// A place between two words.
struct place {
    size_t at;      // behind the white space
    size_t columns; // before it
    int depth;      // of tags that are open
    bool is_clause; // punctuation stands before it
};

static bool is_clause_mark(uint32_t c) {
    return strchr(",;:.!?-", (int)(c < 0x80 ? c : 'a')) || c == 0x3001 || c == 0x3002 ||
           c == 0xFF0C || c == 0xFF1B || c == 0x2013 || c == 0x2014 || c == 0x2026;
}

// Moves to the next place; false, with the place at the text's end, if there is none.
static bool next_place(const char *text, size_t num_bytes, struct place *place) {
    while (place->at < num_bytes) {
        size_t begin = place->at, length = placeholders_length(text, num_bytes, begin);
        if (length > 0) {
            if (text[begin] == '<')
                place->depth += text[begin + 1] == '/' ? -1 : text[begin + length - 2] != '/';
            place->columns += shown_columns(text + begin, length);
            place->at += length;
            continue;
        }
        uint32_t c = char_take(text, num_bytes, &place->at);
        uint32_t after = char_at(text, num_bytes, place->at);
        place->columns += char_is_wide(c) ? 2 : 1;
        bool is_between = char_is_space(c) ? !char_is_space(after)
                                           : chars_join_tightly(c, after) && after &&
                                                 (char_is_alphanumeric(after) || is_clause_mark(c));
        if (!is_between || place->at == num_bytes)
            continue;
        size_t words = 0, end = place->at;
        text_trim(text, &words, &end);
        place->is_clause = is_clause_mark(char_before(text, end));
        return true;
    }
    return false;
}

static size_t num_places(const char *text, size_t num_bytes, struct place place) {
    size_t num = 0;
    while (next_place(text, num_bytes, &place))
        num++;
    return num;
}

// How bad it is to cut there rather than at the column that the weights ask for.
static double cost(const struct place *place, double column, double total, size_t num) {
    double distance = (double)place->columns - column, part = total / (double)num;
    distance = distance < 0 ? -distance : distance;
    return distance - (place->is_clause ? part / 4 : 0) + (place->depth != 0 ? total : 0);
}

void share_text(const char *text, const size_t *weights, size_t num, size_t *ends) {
    size_t num_bytes = strlen(text), left, weight = 0, weight_sum = 0;
    double total = (double)shown_columns(text, num_bytes);
    struct place place = {.at = 0};
    for (size_t i = 0; i < num; i++)
        weight_sum += weights[i];
    left = num_places(text, num_bytes, place);
    for (size_t i = 0; i + 1 < num; i++) {
        struct place best = place, next = place;
        double best_cost = 0, column;
        size_t num_passed = 0, num_best = 0;
        weight += weights[i];
        column = weight_sum ? total * (double)weight / (double)weight_sum : total;
        // A place is left for each of the parts that follow, if there are as many.
        while (num_passed + (num - 2 - i) < left && next_place(text, num_bytes, &next)) {
            double next_cost = cost(&next, column, total, num);
            num_passed++;
            if (num_best == 0 || next_cost < best_cost) {
                best = next;
                best_cost = next_cost;
                num_best = num_passed;
            }
            if (next.depth == 0 && (double)next.columns > column + total / (double)num)
                break;
        }
        if (num_best == 0 && left > 0 && next_place(text, num_bytes, &next)) {
            best = next;
            num_best = 1;
        }
        place = best;
        left -= num_best;
        ends[i] = place.at > 0 || left > 0 ? place.at : num_bytes;
    }
    ends[num - 1] = num_bytes;
}
