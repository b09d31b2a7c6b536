#include "option_texts.h"

#include <stdlib.h>
#include <string.h>

void *cli_texts_keep(struct cli_texts *texts, const void *data, size_t num_bytes) {
    void **items = realloc(texts->items, (texts->num + 1) * sizeof *items);
    if (!items)
        return NULL;
    texts->items = items;
    void *copy = malloc(num_bytes);
    if (!copy)
        return NULL;
    items[texts->num++] = copy;
    return memcpy(copy, data, num_bytes);
}

void cli_texts_free(struct cli_texts *texts) {
    for (size_t i = 0; i < texts->num; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct cli_texts){0};
}
