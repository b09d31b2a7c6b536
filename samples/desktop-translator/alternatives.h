// The popover with other words for one of the translation.
#ifndef DESKTOP_ALTERNATIVES_H
#define DESKTOP_ALTERNATIVES_H

#include "lookup.h"

struct alternatives;

// Uses the target view, the worker and the two functions of params.
struct alternatives *alternatives_create(const struct lookup_params *params);
void alternatives_destroy(struct alternatives **alternatives);

// Looks for alternatives to a word of a translated segment, and shows them at a place in the view.
void alternatives_show(struct alternatives *alternatives, const struct segment *segment,
                       struct span word, const GdkRectangle *place);
bool alternatives_are_open(const struct alternatives *alternatives);
void alternatives_hide(struct alternatives *alternatives);

#endif
