#include "precision_option.h"

#include <string.h>

const char *const precision_names[] = {"float32", "float16", "bfloat16", NULL};

enum vks_precision precision_of_name(const char *name) {
    int idx = VKS_FLOAT32;
    while (strcmp(name, precision_names[idx]) != 0)
        idx++;
    return (enum vks_precision)idx;
}
