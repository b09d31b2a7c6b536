#include "document/po_charset.h"

#include "base/check.h"
#include "base/log.h"
#include "document/growing.h"

#include <stdlib.h>
#include <string.h>

static const char field[] = "charset=";
static const char utf8[] = "UTF-8";

static const char *find(const char *header, size_t *num_bytes) {
    const char *found = header ? strstr(header, field) : NULL;
    if (!found)
        return NULL;
    *num_bytes = strcspn(found + strlen(field), " \t\n;");
    return found + strlen(field);
}

const char *po_charset(po_file_t file, const char *domain, size_t *num_bytes) {
    return find(po_file_domain_header(file, domain), num_bytes);
}

bool po_charset_is_utf8(const char *charset, size_t num_bytes) {
    static const char *const known[] = {utf8, "UTF8", "US-ASCII", "ASCII", "CHARSET"};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (num_bytes == strlen(known[i]) && !strncasecmp(charset, known[i], num_bytes))
            return true;
    return false;
}

// The header's message; one is made if there is none.
static po_message_t header_message(po_file_t file, const char *domain) {
    po_message_iterator_t iterator = po_message_iterator(file, domain);
    po_message_t message;
    while ((message = po_next_message(iterator)))
        if (!*po_message_msgid(message) && !po_message_msgctxt(message) &&
            !po_message_is_obsolete(message))
            break;
    po_message_iterator_free(iterator);
    if (message)
        return message;
    message = po_message_create();
    po_message_set_msgid(message, "");
    po_message_set_msgstr(message, "MIME-Version: 1.0\n");
    iterator = po_message_iterator(file, domain);
    po_message_insert(iterator, message);
    po_message_iterator_free(iterator);
    return message;
}

enum vks_status po_charset_set(po_file_t file, const char *domain) {
    po_message_t message = header_message(file, domain);
    const char *header = po_message_msgstr(message);
    struct text_buffer buffer = {0};
    size_t num_bytes;
    const char *charset = find(header, &num_bytes);
    char *text;
    if (charset && num_bytes == strlen(utf8) && !strncasecmp(charset, utf8, num_bytes))
        return VKS_OK;
    if (charset) {
        text_append(&buffer, header, (size_t)(charset - header));
        text_append_string(&buffer, utf8);
        text_append_string(&buffer, charset + num_bytes);
        TRY(text_take(&buffer, &text, NULL));
    } else {
        text = po_header_set_field(header, "Content-Type", "text/plain; charset=UTF-8");
    }
    char *whole = po_header_set_field(text, "Content-Transfer-Encoding", "8bit");
    po_message_set_msgstr(message, whole);
    free(whole);
    free(text);
    return VKS_OK;
}
