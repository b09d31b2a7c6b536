#include "io/zip.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

// Bytes of the records' fixed parts, and what they begin with.
enum {
    END_BYTES = 22,
    LARGE_LOCATOR_BYTES = 20,
    LARGE_END_BYTES = 56,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    MAX_COMMENT_BYTES = 65535
};
static const uint32_t END_MARK = 0x06054b50, LARGE_LOCATOR_MARK = 0x07064b50,
                      LARGE_END_MARK = 0x06064b50, CENTRAL_MARK = 0x02014b50,
                      LOCAL_MARK = 0x04034b50;
// What a field has whose value stands in the record for large files.
static const uint32_t ELSEWHERE_32 = 0xffffffff, ELSEWHERE_16 = 0xffff;
enum { LARGE_EXTRA_ID = 1, FLAG_ENCRYPTED = 1, METHOD_STORED = 0 };

struct zip {
    struct arena arena;
    const struct vks_log *log;
    const char *name;
    const unsigned char *bytes;
    size_t num_bytes;
    struct zip_entry *entries; // in strcmp order
    size_t num_entries;
};

// Where the directory lies.
struct directory {
    uint64_t num_entries, num_bytes, offset;
};

static uint64_t get(const unsigned char *at, unsigned num_bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < num_bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static enum vks_status fail(const struct zip *zip, const char *fault) {
    log_error(zip->log, "%s: not a zip archive that can be read: %s", zip->name, fault);
    return VKS_ERR_FORMAT;
}

// Bytes offset .. offset + num are all there.
static bool is_inside(const struct zip *zip, uint64_t offset, uint64_t num) {
    return offset <= zip->num_bytes && num <= zip->num_bytes - offset;
}

static const unsigned char *find_end(const struct zip *zip) {
    for (size_t comment = 0; comment <= MAX_COMMENT_BYTES; comment++) {
        if (zip->num_bytes < END_BYTES + comment)
            return NULL;
        const unsigned char *end = zip->bytes + zip->num_bytes - END_BYTES - comment;
        if (get(end, 4) == END_MARK && get(end + 20, 2) == comment)
            return end;
    }
    return NULL;
}

static enum vks_status find_large_end(const struct zip *zip, const unsigned char *end,
                                      struct directory *directory) {
    size_t before = (size_t)(end - zip->bytes);
    const unsigned char *locator = end - LARGE_LOCATOR_BYTES;
    if (before < LARGE_LOCATOR_BYTES || get(locator, 4) != LARGE_LOCATOR_MARK)
        return fail(zip, "there is no record for large files at its end");
    uint64_t offset = get(locator + 8, 8);
    if (!is_inside(zip, offset, LARGE_END_BYTES) || get(zip->bytes + offset, 4) != LARGE_END_MARK)
        return fail(zip, "the record for large files is not where it should be");
    const unsigned char *record = zip->bytes + offset;
    *directory = (struct directory){get(record + 32, 8), get(record + 40, 8), get(record + 48, 8)};
    return VKS_OK;
}

static enum vks_status find_directory(const struct zip *zip, struct directory *directory) {
    const unsigned char *end = find_end(zip);
    if (!end)
        return fail(zip, "there is no directory at its end");
    *directory = (struct directory){get(end + 10, 2), get(end + 12, 4), get(end + 16, 4)};
    if (directory->num_entries == ELSEWHERE_16 || directory->num_bytes == ELSEWHERE_32 ||
        directory->offset == ELSEWHERE_32)
        TRY(find_large_end(zip, end, directory));
    if (!is_inside(zip, directory->offset, directory->num_bytes) ||
        directory->num_entries > directory->num_bytes / CENTRAL_BYTES)
        return fail(zip, "its directory does not lie within it");
    return VKS_OK;
}

// Of an entry, as the directory has them: what is elsewhere comes from the extra field, in order.
struct extent {
    uint64_t full_bytes, stored_bytes, offset;
};

static bool read_large_extent(const unsigned char *extra, size_t extra_bytes,
                              struct extent *extent) {
    uint64_t *const fields[] = {&extent->full_bytes, &extent->stored_bytes, &extent->offset};
    for (size_t at = 0; at + 4 <= extra_bytes;) {
        size_t id = get(extra + at, 2), num_bytes = get(extra + at + 2, 2), used = 0;
        at += 4;
        if (num_bytes > extra_bytes - at)
            return false;
        for (size_t i = 0; i < COUNT_OF(fields) && id == LARGE_EXTRA_ID; i++) {
            if (*fields[i] != ELSEWHERE_32)
                continue;
            if (used + 8 > num_bytes)
                return false;
            *fields[i] = get(extra + at + used, 8);
            used += 8;
        }
        if (id == LARGE_EXTRA_ID)
            return true;
        at += num_bytes;
    }
    return extent->full_bytes != ELSEWHERE_32 && extent->stored_bytes != ELSEWHERE_32 &&
           extent->offset != ELSEWHERE_32;
}

static enum vks_status find_data(const struct zip *zip, const struct extent *extent,
                                 struct zip_entry *entry) {
    if (extent->full_bytes != extent->stored_bytes)
        return fail(zip, "a file has two sizes");
    if (!is_inside(zip, extent->offset, LOCAL_BYTES) ||
        get(zip->bytes + extent->offset, 4) != LOCAL_MARK)
        return fail(zip, "a file's header is not where it should be");
    const unsigned char *local = zip->bytes + extent->offset;
    uint64_t begin = extent->offset + LOCAL_BYTES + get(local + 26, 2) + get(local + 28, 2);
    if (!is_inside(zip, begin, extent->stored_bytes))
        return fail(zip, "a file's data end after the archive");
    entry->data = zip->bytes + begin;
    entry->num_bytes = (size_t)extent->stored_bytes;
    return VKS_OK;
}

// One record of the directory, at `at`; *record_bytes: how long it is.
static enum vks_status read_entry(struct zip *zip, const unsigned char *at, size_t left,
                                  struct zip_entry *entry, size_t *record_bytes) {
    if (left < CENTRAL_BYTES || get(at, 4) != CENTRAL_MARK)
        return fail(zip, "its directory ends early");
    size_t name_bytes = get(at + 28, 2), extra_bytes = get(at + 30, 2);
    *record_bytes = CENTRAL_BYTES + name_bytes + extra_bytes + get(at + 32, 2);
    if (*record_bytes > left)
        return fail(zip, "its directory ends early");
    char *name = arena_alloc(&zip->arena, name_bytes + 1, 1);
    if (!name)
        return VKS_ERR_OOM;
    memcpy(name, at + CENTRAL_BYTES, name_bytes);
    if (strlen(name) != name_bytes)
        return fail(zip, "a name in it contains a NUL");
    entry->name = name;
    entry->crc = (uint32_t)get(at + 16, 4);
    if ((get(at + 8, 2) & FLAG_ENCRYPTED) || get(at + 10, 2) != METHOD_STORED) {
        log_error(zip->log, "%s: '%.200s' in it is compressed or encrypted: expected stored files",
                  zip->name, name);
        return VKS_ERR_UNSUPPORTED;
    }
    struct extent extent = {get(at + 24, 4), get(at + 20, 4), get(at + 42, 4)};
    if (!read_large_extent(at + CENTRAL_BYTES + name_bytes, extra_bytes, &extent))
        return fail(zip, "the record of a large file in it ends early");
    return find_data(zip, &extent, entry);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct zip_entry *)a)->name, ((const struct zip_entry *)b)->name);
}

static enum vks_status read_directory(struct zip *zip) {
    struct directory directory;
    TRY(find_directory(zip, &directory));
    zip->entries = ARENA_NEW(&zip->arena, struct zip_entry, directory.num_entries + 1);
    if (!zip->entries)
        return VKS_ERR_OOM;
    const unsigned char *at = zip->bytes + directory.offset;
    size_t left = directory.num_bytes, record_bytes;
    for (; zip->num_entries < directory.num_entries; zip->num_entries++) {
        TRY(read_entry(zip, at, left, &zip->entries[zip->num_entries], &record_bytes));
        at += record_bytes;
        left -= record_bytes;
    }
    qsort(zip->entries, zip->num_entries, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->num_entries; i++)
        if (compare_names(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return fail(zip, "two files in it have one name");
    return VKS_OK;
}

enum vks_status zip_parse(const void *bytes, size_t num_bytes, const char *name,
                          const struct vks_log *log, struct zip **zip) {
    struct zip *parsed = memory_calloc(1, sizeof *parsed);
    enum vks_status status = VKS_ERR_OOM;
    if (parsed) {
        parsed->log = log;
        parsed->bytes = bytes;
        parsed->num_bytes = num_bytes;
        parsed->name = arena_strdup(&parsed->arena, name);
    }
    if (parsed && parsed->name)
        status = read_directory(parsed);
    if (status == VKS_ERR_OOM)
        log_error(log, "%s: out of memory", name);
    if (status != VKS_OK)
        zip_close(&parsed);
    else
        *zip = parsed;
    return status;
}

void zip_close(struct zip **zip) {
    if (!*zip)
        return;
    arena_finish(&(*zip)->arena);
    free(*zip);
    *zip = NULL;
}

size_t zip_num_entries(const struct zip *zip) {
    return zip->num_entries;
}

const struct zip_entry *zip_at(const struct zip *zip, size_t entry_idx) {
    CHECK(entry_idx < zip->num_entries);
    return &zip->entries[entry_idx];
}

const struct zip_entry *zip_find(const struct zip *zip, const char *name) {
    const struct zip_entry key = {.name = name};
    return bsearch(&key, zip->entries, zip->num_entries, sizeof *zip->entries, compare_names);
}

enum vks_status zip_check(const struct zip *zip, const struct zip_entry *entry) {
    uint32_t crc = (uint32_t)crc32_z(0, entry->data, entry->num_bytes);
    if (crc == entry->crc)
        return VKS_OK;
    log_error(zip->log,
              "%s: the checksum of '%.200s' in it is %08" PRIx32 ", expected %08" PRIx32
              ": the file is damaged",
              zip->name, entry->name, crc, entry->crc);
    return VKS_ERR_FORMAT;
}
