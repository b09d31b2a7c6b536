// --precision, as several verbs have it.
#ifndef COMMAND_PRECISION_OPTION_H
#define COMMAND_PRECISION_OPTION_H

#include "vkseq/model.h"

// By enum vks_precision; ends with NULL.
extern const char *const precision_names[];

// name: one of these.
enum vks_precision precision_of_name(const char *name);

#endif
