// What values that are not argv's borrow: texts, and lists of them.
#ifndef CLI_OPTION_TEXTS_H
#define CLI_OPTION_TEXTS_H

#include <stddef.h>

struct cli_texts {
    void **items;
    size_t num;
};

// A copy that lives until cli_texts_free; NULL when there is no memory.
void *cli_texts_keep(struct cli_texts *texts, const void *data, size_t num_bytes);
void cli_texts_free(struct cli_texts *texts);

#endif
