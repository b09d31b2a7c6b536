// The field Plural-Forms in the header of a PO file: nplurals=2; plural=(n != 1);
#ifndef DOCUMENT_PLURAL_FORMS_H
#define DOCUMENT_PLURAL_FORMS_H

#include <stdbool.h>
#include <stddef.h>

enum { MAX_PLURAL_FORMS = 32 };

struct plural_forms {
    size_t num;          // 1 to MAX_PLURAL_FORMS
    size_t one;          // the form for one thing
    bool is_one_for_all; // other numbers have that form too
};

// False, with *forms untouched, for what is malformed, or gives a form that is not there.
// Source: the GNU gettext manual, "Additional functions for plural forms".
bool plural_forms_read(const char *field, struct plural_forms *forms);

#endif
