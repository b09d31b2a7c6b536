#include "document/po_document.h"

#include "base/check.h"
#include "base/memory.h"
#include "document/accelerator.h"
#include "document/plural_forms.h"
#include "document/po_calls.h"
#include "document/po_charset.h"
#include "document/survival.h"
#include "document/units.h"

enum { NUM_PREVIOUS = 3 };
static const char markers[] = {'_', '&', '~'};

struct domain {
    const char *name;
    po_message_iterator_t iterator; // owned; for checks
    struct plural_forms forms;
    bool has_forms;
};

// A msgid or msgid_plural, cut into segments.
struct original {
    char *text; // owned; without accelerator
    size_t num_bytes;
    struct accelerator accelerator;
    struct units units;
};

enum entry_state { ENTRY_UNTRANSLATED, ENTRY_TRANSLATED, ENTRY_LOST };

// A message that is to be translated, and what it was before.
struct entry {
    po_message_t message;
    struct original originals[2];
    size_t num_originals;
    size_t first_segment, num_segments;
    const struct domain *domain;
    const char *forms[MAX_PLURAL_FORMS]; // NULL: there was none
    const char *previous[NUM_PREVIOUS];  // msgctxt, msgid and msgid_plural of a fuzzy message
    bool was_fuzzy;
    enum entry_state state;
};

struct po {
    po_file_t file;
    struct domain *domains; // owned
    size_t num_domains;
    struct entry *entries; // owned
    size_t num_entries, capacity;
    size_t num_messages; // that are neither header nor obsolete
    size_t num_formless; // that have plural forms, of which the header says nothing
    bool is_usual[sizeof markers];
    bool has_crlf, is_ascii;
};

static bool is_usual(void *user, char marker) {
    const struct po *po = user;
    for (size_t i = 0; i < sizeof markers; i++)
        if (markers[i] == marker)
            return po->is_usual[i];
    return false;
}

static bool is_header(po_message_t message) {
    return !*po_message_msgid(message) && !po_message_msgctxt(message);
}

// Names and addresses of translators, which GNOME and KDE ask for.
static bool is_credits(po_message_t message) {
    static const char *const contexts[] = {"NAME OF TRANSLATORS", "EMAIL OF TRANSLATORS"};
    static const char *const msgids[] = {"translator-credits", "translator_credits"};
    const char *context = po_message_msgctxt(message);
    for (size_t i = 0; i < COUNT_OF(contexts); i++)
        if (!strcmp(po_message_msgid(message), msgids[i]) ||
            (context && !strcmp(context, contexts[i])))
            return true;
    return false;
}

static size_t num_forms(const struct domain *domain, po_message_t message) {
    if (!po_message_msgid_plural(message))
        return 1;
    return domain->has_forms ? domain->forms.num : 0;
}

static const char *form_of(po_message_t message, size_t form) {
    return po_message_msgid_plural(message) ? po_message_msgstr_plural(message, (int)form)
                                            : po_message_msgstr(message);
}

static bool is_translated(const struct domain *domain, po_message_t message) {
    size_t num = num_forms(domain, message);
    for (size_t i = 0; i < num; i++) {
        const char *form = form_of(message, i);
        if (!form || !*form)
            return false;
    }
    return num > 0;
}

// Reading

static enum vks_status cut_original(struct vks_document *document, const char *text,
                                    struct original *original) {
    struct text_buffer buffer = {0};
    enum vks_status status =
        accelerator_take(text, is_usual, document->state, &buffer, &original->accelerator);
    if (status != VKS_OK) {
        text_buffer_finish(&buffer);
        return status;
    }
    TRY(text_take(&buffer, &original->text, &original->num_bytes));
    return units_cut(document, original->text, original->num_bytes, &original->units);
}

static enum vks_status keep_text(struct vks_document *document, const char *text,
                                 const char **copy) {
    *copy = text ? arena_strdup(&document->arena, text) : NULL;
    return text && !*copy ? VKS_ERR_OOM : VKS_OK;
}

static enum vks_status keep_old(struct vks_document *document, const struct domain *domain,
                                struct entry *entry) {
    po_message_t message = entry->message;
    const char *const previous[NUM_PREVIOUS] = {po_message_prev_msgctxt(message),
                                                po_message_prev_msgid(message),
                                                po_message_prev_msgid_plural(message)};
    entry->was_fuzzy = po_message_is_fuzzy(message);
    for (size_t i = 0; i < num_forms(domain, message); i++)
        TRY(keep_text(document, form_of(message, i), &entry->forms[i]));
    for (size_t i = 0; i < NUM_PREVIOUS; i++)
        TRY(keep_text(document, previous[i], &entry->previous[i]));
    return VKS_OK;
}

// Adds a message, unless there is nothing in it to translate.
static enum vks_status add_entry(struct vks_document *document, const struct domain *domain,
                                 po_message_t message) {
    struct po *po = document->state;
    const char *const texts[] = {po_message_msgid(message), po_message_msgid_plural(message)};
    size_t first = document->num_segments;
    struct entry *entries =
        items_grown(po->entries, po->num_entries, &po->capacity, sizeof *po->entries);
    if (!entries)
        return VKS_ERR_OOM;
    po->entries = entries;
    struct entry *entry = &entries[po->num_entries];
    *entry = (struct entry){.message = message, .domain = domain, .first_segment = first};
    entry->num_originals = texts[1] ? 2 : 1;
    po->num_entries++; // from here on there is something to release
    TRY(keep_old(document, domain, entry));
    for (size_t i = 0; i < entry->num_originals; i++)
        TRY(cut_original(document, texts[i], &entry->originals[i]));
    entry->num_segments = document->num_segments - first;
    for (size_t i = first; i < document->num_segments; i++)
        document->segments[i].owner = po->num_entries - 1;
    return VKS_OK;
}

// Adds the messages that have no translation, or those that have a fuzzy one.
static enum vks_status add_entries(struct vks_document *document, const struct domain *domain,
                                   bool is_fuzzy) {
    struct po *po = document->state;
    po_message_iterator_t iterator = po_message_iterator(po->file, domain->name);
    enum vks_status status = VKS_OK;
    for (po_message_t message; status == VKS_OK && (message = po_next_message(iterator));) {
        if (is_header(message) || po_message_is_obsolete(message))
            continue;
        po->num_messages += !is_fuzzy;
        bool has_old = is_translated(domain, message), has_forms = num_forms(domain, message) > 0;
        po->num_formless += !is_fuzzy && !has_forms && !has_old;
        if (has_forms && !is_credits(message) &&
            (is_fuzzy ? has_old && po_message_is_fuzzy(message) : !has_old))
            status = add_entry(document, domain, message);
    }
    po_message_iterator_free(iterator);
    return status;
}

static bool is_text(const char *text) {
    return !text || vks_utf8_is_valid(text, strlen(text));
}

// Escapes in a file of UTF-8 can make a text that is none: "\377".
static enum vks_status check_messages(const struct vks_document *document,
                                      const struct domain *domain) {
    const struct po *po = document->state;
    po_message_iterator_t iterator = po_message_iterator(po->file, domain->name);
    bool is_valid = true;
    size_t num = 0;
    for (po_message_t message; is_valid && (message = po_next_message(iterator)); num++) {
        is_valid =
            is_text(po_message_msgctxt(message)) && is_text(po_message_msgid(message)) &&
            is_text(po_message_msgid_plural(message)) && is_text(po_message_msgstr(message)) &&
            is_text(po_message_prev_msgctxt(message)) && is_text(po_message_prev_msgid(message)) &&
            is_text(po_message_prev_msgid_plural(message));
        for (int i = 0; is_valid && po_message_msgstr_plural(message, i); i++)
            is_valid = is_text(po_message_msgstr_plural(message, i));
    }
    po_message_iterator_free(iterator);
    if (is_valid)
        return VKS_OK;
    log_error(document->log, "%s: message %zu: its escapes make text that is not UTF-8",
              document->name, num);
    return VKS_ERR_FORMAT;
}

// Which markers stand at starts of words, so that they are accelerators within words as well.
static void find_usual(struct po *po, const struct domain *domain) {
    po_message_iterator_t iterator = po_message_iterator(po->file, domain->name);
    for (po_message_t message; (message = po_next_message(iterator));)
        for (size_t i = 0; i < sizeof markers; i++)
            po->is_usual[i] |= accelerator_is_certain(po_message_msgid(message), markers[i]);
    po_message_iterator_free(iterator);
}

static enum vks_status read_header(struct vks_document *document, struct domain *domain) {
    const struct po *po = document->state;
    const char *header = po_file_domain_header(po->file, domain->name);
    size_t num_bytes;
    const char *charset = po_charset(po->file, domain->name, &num_bytes);
    if (charset && !po_charset_is_utf8(charset, num_bytes)) {
        log_error(document->log,
                  "%s: the header says charset=%.*s; expected UTF-8, as msgconv --to-code=UTF-8 "
                  "makes it",
                  document->name, (int)num_bytes, charset);
        return VKS_ERR_FORMAT;
    }
    char *forms = header ? po_header_field(header, "Plural-Forms") : NULL;
    domain->has_forms = forms && plural_forms_read(forms, &domain->forms);
    free(forms);
    return VKS_OK;
}

static enum vks_status read_domains(struct vks_document *document) {
    struct po *po = document->state;
    const char *const *names = po_file_domains(po->file);
    size_t num = 0;
    while (names[num])
        num++;
    po->domains = memory_calloc(num + 1, sizeof *po->domains);
    if (!po->domains)
        return VKS_ERR_OOM;
    for (; po->num_domains < num; po->num_domains++) {
        struct domain *domain = &po->domains[po->num_domains];
        domain->name = names[po->num_domains];
        domain->iterator = po_message_iterator(po->file, domain->name);
        find_usual(po, domain);
    }
    for (size_t i = 0; i < num; i++) {
        TRY(check_messages(document, &po->domains[i]));
        TRY(read_header(document, &po->domains[i]));
        TRY(add_entries(document, &po->domains[i], false));
    }
    if (po->num_formless > 0)
        log_warn(document->log,
                 "%s: %zu entries with plural forms are left: the header has no valid Plural-Forms",
                 document->name, po->num_formless);
    return VKS_OK;
}

// The bytes without a byte-order mark, which msgfmt refuses, and with line ends as libgettextpo
// takes them.
static enum vks_status read_file(struct vks_document *document, struct po *po) {
    size_t begin = document_mark_bytes(document), end = document->num_bytes;
    const char *newline = memchr(document->bytes, '\n', end);
    struct text_buffer plain = {0};
    po->is_ascii = true;
    for (size_t i = begin; i < end; i++)
        po->is_ascii &= (unsigned char)document->bytes[i] < 0x80;
    po->has_crlf = newline && newline > document->bytes && newline[-1] == '\r';
    for (size_t line = begin; line < end;) {
        newline = memchr(document->bytes + line, '\n', end - line);
        size_t next = newline ? (size_t)(newline - document->bytes) + 1 : end;
        size_t num = next - line;
        bool is_crlf = num > 1 && newline && newline[-1] == '\r';
        text_append(&plain, document->bytes + line, is_crlf ? num - 2 : num);
        text_append(&plain, "\n", is_crlf);
        line = next;
    }
    enum vks_status status = document_report(document, plain.is_short ? VKS_ERR_OOM : VKS_OK);
    if (status == VKS_OK)
        status = po_read(plain.text ? plain.text : "", plain.num_bytes, document->name,
                         document->log, &po->file);
    text_buffer_finish(&plain);
    return status;
}

static enum vks_status parse_po(struct vks_document *document) {
    struct po *po = memory_calloc(1, sizeof *po);
    if (!po)
        return document_report(document, VKS_ERR_OOM);
    document->state = po;
    TRY(read_file(document, po));
    return document_report(document, read_domains(document));
}

static enum vks_status include_fuzzy(struct vks_document *document) {
    const struct po *po = document->state;
    for (size_t i = 0; i < po->num_domains; i++)
        TRY(document_report(document, add_entries(document, &po->domains[i], true)));
    return VKS_OK;
}

// Translating

static void set_form(const struct entry *entry, size_t form, const char *text) {
    if (entry->num_originals == 2)
        po_message_set_msgstr_plural(entry->message, (int)form, text);
    else
        po_message_set_msgstr(entry->message, text ? text : "");
}

static void set_previous(const struct entry *entry, const char *const *previous) {
    po_message_set_prev_msgctxt(entry->message, previous[0]);
    po_message_set_prev_msgid(entry->message, previous[1]);
    po_message_set_prev_msgid_plural(entry->message, previous[2]);
}

// Makes the message what it was. The last forms go first: only they can be taken away.
static void restore(const struct entry *entry) {
    for (size_t i = num_forms(entry->domain, entry->message); i-- > 0;)
        set_form(entry, i, entry->forms[i]);
    po_message_set_fuzzy(entry->message, entry->was_fuzzy);
    set_previous(entry, entry->previous);
}

// The translation of the msgid or the msgid_plural; owned by the caller (free).
static enum vks_status compose(const struct vks_document *document, const struct original *original,
                               char **text) {
    struct text_buffer buffer = {0};
    units_fill(document, &original->units, original->text, original->num_bytes, &buffer);
    accelerator_put(&original->accelerator, &buffer);
    return text_take(&buffer, text, NULL);
}

// Fills the forms that are empty or fuzzy. with_singular: the form for one thing comes from the
// msgid, all others from the msgid_plural.
static bool fill(const struct entry *entry, char *const *texts, bool with_singular) {
    static const char *const none[NUM_PREVIOUS] = {NULL};
    for (size_t i = 0; i < num_forms(entry->domain, entry->message); i++) {
        bool is_kept = !entry->was_fuzzy && entry->forms[i] && *entry->forms[i];
        bool is_singular =
            entry->num_originals == 1 || (with_singular && i == entry->domain->forms.one);
        if (!is_kept)
            set_form(entry, i, texts[is_singular ? 0 : 1]);
    }
    po_message_set_fuzzy(entry->message, true);
    set_previous(entry, none);
    return po_is_sound(entry->message, entry->domain->iterator);
}

// Whether the form for one thing may come from the msgid: no other number has it ("One file" in
// Russian, where 21 has that form), or the msgid says the number too.
static enum vks_status has_singular(const struct entry *entry, bool *result) {
    const struct plural_forms *forms = &entry->domain->forms;
    *result = entry->num_originals == 2 && forms->num > 1;
    if (!*result || !forms->is_one_for_all)
        return VKS_OK;
    return placeholders_survived(po_message_msgid(entry->message),
                                 po_message_msgid_plural(entry->message), result);
}

static enum vks_status fill_entry(const struct vks_document *document, struct entry *entry) {
    char *texts[2] = {NULL};
    bool with_singular = false;
    enum vks_status status = has_singular(entry, &with_singular);
    for (size_t i = 0; i < entry->num_originals && status == VKS_OK; i++)
        status = compose(document, &entry->originals[i], &texts[i]);
    if (status == VKS_OK) {
        bool is_sound = fill(entry, texts, with_singular);
        if (!is_sound && with_singular)
            is_sound = fill(entry, texts, false);
        if (!is_sound)
            restore(entry);
        entry->state = is_sound ? ENTRY_TRANSLATED : ENTRY_LOST;
    }
    free(texts[0]);
    free(texts[1]);
    return status;
}

// An entry has all its translations or none.
static enum vks_status update_po(struct vks_document *document, size_t segment_idx) {
    const struct po *po = document->state;
    struct entry *entry = &po->entries[document->segments[segment_idx].owner];
    const struct document_segment *segments = document->segments + entry->first_segment;
    bool is_whole = true;
    if (entry->state == ENTRY_TRANSLATED)
        restore(entry);
    entry->state = ENTRY_UNTRANSLATED;
    for (size_t i = 0; i < entry->num_segments; i++) {
        is_whole &= segments[i].translation != NULL;
        if (segments[i].is_lost)
            entry->state = ENTRY_LOST;
    }
    return is_whole ? document_report(document, fill_entry(document, entry)) : VKS_OK;
}

static void count_po(const struct vks_document *document, struct vks_document_counts *counts) {
    const struct po *po = document->state;
    counts->num_untranslated = po->num_formless;
    for (size_t i = 0; i < po->num_entries; i++) {
        const struct entry *entry = &po->entries[i];
        bool is_translated_now = entry->state == ENTRY_TRANSLATED;
        counts->num_translated += is_translated_now;
        counts->num_untranslated += !is_translated_now && entry->num_segments > 0;
        counts->num_lost += entry->state == ENTRY_LOST;
    }
    counts->num_kept = po->num_messages - counts->num_translated - counts->num_untranslated;
}

// Writing

static enum vks_status write_po(const struct vks_document *document, struct text_buffer *buffer) {
    const struct po *po = document->state;
    struct vks_document_counts counts = {0};
    struct text_buffer plain = {0};
    count_po(document, &counts);
    for (size_t i = 0; i < po->num_domains && (!po->is_ascii || counts.num_translated > 0); i++)
        TRY(document_report(document, po_charset_set(po->file, po->domains[i].name)));
    enum vks_status status =
        po_write(po->file, document->name, document->log, po->has_crlf ? &plain : buffer);
    for (size_t at = 0, end; at < plain.num_bytes && status == VKS_OK; at = end) {
        const char *newline = memchr(plain.text + at, '\n', plain.num_bytes - at);
        end = newline ? (size_t)(newline - plain.text) + 1 : plain.num_bytes;
        text_append(buffer, plain.text + at, end - at - (newline != NULL));
        text_append(buffer, "\r\n", newline ? 2 : 0);
    }
    buffer->is_short |= plain.is_short;
    text_buffer_finish(&plain);
    return status;
}

static void finish_po(struct vks_document *document) {
    struct po *po = document->state;
    for (size_t i = 0; po && i < po->num_entries; i++)
        for (size_t j = 0; j < COUNT_OF(po->entries[i].originals); j++) {
            free(po->entries[i].originals[j].text);
            free(po->entries[i].originals[j].units.items);
        }
    for (size_t i = 0; po && i < po->num_domains; i++)
        po_message_iterator_free(po->domains[i].iterator);
    if (po && po->file)
        po_file_free(po->file);
    if (po) {
        free(po->entries);
        free(po->domains);
    }
    free(po);
}

const struct document_kind document_po = {
    .unit = "entries",
    .parse = parse_po,
    .update = update_po,
    .write = write_po,
    .count = count_po,
    .include_fuzzy = include_fuzzy,
    .finish = finish_po,
};
