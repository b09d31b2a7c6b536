#include "document/plural_forms.h"

#include <string.h>

// Numbers for which the formula is tried, as msgfmt does; and how deep it may be nested.
enum { NUM_TRIED = 1001, MAX_DEPTH = 100 };

// A formula in C's syntax that is computed while it is read.
struct formula {
    const char *at;
    unsigned long n;
    int depth;
    bool is_bad;
};

// Binary operators in C's order of precedence, the loosest first; of two that begin alike the
// longer one comes first.
static const struct operator{
    const char *text;
    int precedence;
}
operators[] = {{"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4},
               {">", 4},  {"+", 5},  {"-", 5},  {"*", 6},  {"/", 6},  {"%", 6}};
enum { NUM_OPERATORS = sizeof operators / sizeof *operators };

static unsigned long read_choice(struct formula *formula);

static bool take(struct formula *formula, const char *text) {
    while (*formula->at == ' ' || *formula->at == '\t' || *formula->at == '\n')
        formula->at++;
    size_t num = strlen(text);
    if (strncmp(formula->at, text, num) != 0)
        return false;
    formula->at += num;
    return true;
}

static unsigned long read_number(struct formula *formula) {
    unsigned long number = 0;
    formula->is_bad |= *formula->at < '0' || *formula->at > '9';
    for (; *formula->at >= '0' && *formula->at <= '9'; formula->at++) {
        formula->is_bad |= number > 100000000;
        number = number * 10 + (unsigned long)(*formula->at - '0');
    }
    return number;
}

static unsigned long read_operand(struct formula *formula) {
    unsigned long value;
    if (++formula->depth > MAX_DEPTH)
        formula->is_bad = true;
    if (formula->is_bad) {
        value = 0;
    } else if (take(formula, "!")) {
        value = !read_operand(formula);
    } else if (take(formula, "(")) {
        value = read_choice(formula);
        formula->is_bad |= !take(formula, ")");
    } else {
        value = take(formula, "n") ? formula->n : read_number(formula);
    }
    formula->depth--;
    return value;
}

static unsigned long apply(struct formula *formula, const char *operator, unsigned long a,
                           unsigned long b) {
    bool is_longer = operator[1] == '=';
    switch (*operator) {
    case '|':
        return a || b;
    case '&':
        return a && b;
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return is_longer ? a <= b : a < b;
    case '>':
        return is_longer ? a >= b : a > b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        break;
    }
    formula->is_bad |= b == 0;
    if (b == 0)
        return 0;
    return *operator== '/' ? a / b : a % b;
}

// Operators of at least that precedence.
static unsigned long read_binary(struct formula *formula, int precedence) {
    unsigned long value = read_operand(formula);
    for (int i = 0; i < NUM_OPERATORS && !formula->is_bad;) {
        if (operators[i].precedence < precedence || !take(formula, operators[i].text)) {
            i++;
            continue;
        }
        unsigned long right = read_binary(formula, operators[i].precedence + 1);
        value = apply(formula, operators[i].text, value, right);
        i = 0;
    }
    return value;
}

static unsigned long read_choice(struct formula *formula) {
    unsigned long condition = read_binary(formula, 1), yes, no;
    if (formula->is_bad || !take(formula, "?"))
        return condition;
    if (++formula->depth > MAX_DEPTH)
        formula->is_bad = true;
    yes = read_choice(formula);
    formula->is_bad |= !take(formula, ":");
    no = formula->is_bad ? 0 : read_choice(formula);
    formula->depth--;
    return condition ? yes : no;
}

static bool evaluate(const char *text, unsigned long n, size_t num_forms, size_t *form) {
    struct formula formula = {.at = text, .n = n};
    unsigned long value = read_choice(&formula);
    (void)take(&formula, ";");
    (void)take(&formula, "");
    *form = (size_t)value;
    return !formula.is_bad && *formula.at == '\0' && value < num_forms;
}

bool plural_forms_read(const char *field, struct plural_forms *forms) {
    struct plural_forms found = {.num = 0};
    size_t form;
    const char *num = strstr(field, "nplurals"), *plural = strstr(field, "plural=");
    if (!num)
        return false;
    struct formula formula = {.at = num + strlen("nplurals")};
    bool has_equals = take(&formula, "=") && take(&formula, "");
    found.num = read_number(&formula);
    if (!has_equals || !plural || formula.is_bad || found.num == 0 ||
        found.num > MAX_PLURAL_FORMS || !evaluate(plural + 7, 1, found.num, &found.one))
        return false;
    for (unsigned long n = 0; n < NUM_TRIED; n++) {
        if (!evaluate(plural + 7, n, found.num, &form))
            return false;
        found.is_one_for_all |= n != 1 && form == found.one;
    }
    *forms = found;
    return true;
}
