#include "io/npz_write.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    ENTRY_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    LOCAL_BYTES = 30,
    ENTRY_BYTES = 46,
    END_BYTES = 22,
    ZIP_VERSION = 20,
    // 1 January 1980: the same model gives the same bytes.
    ZIP_DATE = 1 << 5 | 1,
    MAX_NAME_BYTES = 128,
    NPY_BYTES = 128, // header of an array, a multiple of 64
};

static const struct {
    const char *descr;
    size_t num_bytes;
} types[] = {{"<f4", 4}, {"<f2", 2}, {"|i1", 1}};

// Little-endian fields, one after the other.
struct fields {
    unsigned char *bytes;
    size_t num;
};

static void put(struct fields *fields, uint32_t value, size_t num_bytes) {
    for (size_t i = 0; i < num_bytes; i++)
        fields->bytes[fields->num++] = (unsigned char)(value >> 8 * i);
}

// What a local header and an entry of the directory have in common.
static void put_common(struct fields *fields, uint32_t crc, uint32_t num_bytes, size_t name_bytes) {
    put(fields, ZIP_VERSION, 2);
    put(fields, 0, 2); // flags
    put(fields, 0, 2); // stored
    put(fields, 0, 2); // time
    put(fields, ZIP_DATE, 2);
    put(fields, crc, 4);
    put(fields, num_bytes, 4); // compressed
    put(fields, num_bytes, 4);
    put(fields, (uint32_t)name_bytes, 2);
    put(fields, 0, 2); // extra field
}

// The .npy header: magic, version 1.0, length, a Python literal padded with blanks.
static void print_npy(const struct npz_array *array, unsigned char header[NPY_BYTES]) {
    char shape[64];
    if (array->num_dims == 1)
        snprintf(shape, sizeof shape, "%" PRIu64 ",", array->dims[0]);
    else
        snprintf(shape, sizeof shape, "%" PRIu64 ", %" PRIu64, array->dims[0], array->dims[1]);
    enum { PREFIX_BYTES = 10 };
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    struct fields fields = {header, 8};
    put(&fields, NPY_BYTES - PREFIX_BYTES, 2);
    int num = snprintf((char *)header + PREFIX_BYTES, NPY_BYTES - PREFIX_BYTES,
                       "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                       types[array->type].descr, shape);
    CHECK(num > 0 && num < NPY_BYTES - PREFIX_BYTES);
    memset(header + PREFIX_BYTES + num, ' ', NPY_BYTES - PREFIX_BYTES - (size_t)num);
    header[NPY_BYTES - 1] = '\n';
}

static uint32_t checksum(const unsigned char *header, const void *data, size_t num_bytes) {
    uLong crc = crc32(0, header, NPY_BYTES);
    const unsigned char *bytes = data;
    while (num_bytes > 0) { // by parts that zlib can count
        uInt part = num_bytes < 1u << 30 ? (uInt)num_bytes : 1u << 30;
        crc = crc32(crc, bytes, part);
        bytes += part;
        num_bytes -= part;
    }
    return (uint32_t)crc;
}

static enum vks_status add_entry(struct npz_writer *writer, const char *name, uint32_t crc,
                                 uint32_t num_bytes) {
    size_t name_bytes = strlen(name), needed = writer->directory_bytes + ENTRY_BYTES + name_bytes;
    if (needed > writer->directory_capacity) {
        unsigned char *grown = memory_realloc(writer->directory, 2 * needed);
        if (!grown) {
            log_error(writer->file.log, "%s: out of memory", writer->file.path);
            return VKS_ERR_OOM;
        }
        writer->directory = grown;
        writer->directory_capacity = 2 * needed;
    }
    struct fields fields = {writer->directory + writer->directory_bytes, 0};
    put(&fields, ENTRY_SIGNATURE, 4);
    put(&fields, ZIP_VERSION, 2);
    put_common(&fields, crc, num_bytes, name_bytes);
    put(&fields, 0, 2); // comment
    put(&fields, 0, 2); // volume
    put(&fields, 0, 2); // attributes
    put(&fields, 0, 4);
    put(&fields, (uint32_t)writer->file.num_bytes, 4);
    memcpy(fields.bytes + fields.num, name, name_bytes);
    writer->directory_bytes = needed;
    writer->num_arrays++;
    return VKS_OK;
}

// Whether the archive can grow by so many bytes and still end below 4 GiB.
static enum vks_status check_size(const struct npz_writer *writer, uint64_t num_bytes) {
    uint64_t overhead = LOCAL_BYTES + ENTRY_BYTES + 2 * MAX_NAME_BYTES + END_BYTES;
    if (num_bytes < UINT32_MAX && writer->num_arrays < UINT16_MAX - 1 &&
        writer->file.num_bytes + num_bytes + writer->directory_bytes + overhead < UINT32_MAX)
        return VKS_OK;
    log_error(writer->file.log,
              "%s: would have more than 4 GiB or 65534 arrays, which readers of "
              ".npz do not know",
              writer->file.path);
    return VKS_ERR_UNSUPPORTED;
}

enum vks_status npz_writer_open(struct npz_writer *writer, const char *path,
                                const struct vks_log *log) {
    *writer = (struct npz_writer){0};
    return file_writer_open(&writer->file, path, log);
}

enum vks_status npz_writer_add(struct npz_writer *writer, const struct npz_array *array) {
    CHECK(array->num_dims == 1 || array->num_dims == 2);
    size_t num_bytes = types[array->type].num_bytes;
    char name[MAX_NAME_BYTES];
    unsigned char npy[NPY_BYTES], local[LOCAL_BYTES];
    int name_bytes = snprintf(name, sizeof name, "%s.npy", array->name);
    CHECK(name_bytes > 0 && name_bytes < MAX_NAME_BYTES);
    for (uint32_t i = 0; i < array->num_dims; i++)
        if (!size_mul(num_bytes, array->dims[i], &num_bytes))
            num_bytes = SIZE_MAX;
    TRY(check_size(writer, num_bytes));
    print_npy(array, npy);
    uint32_t crc = checksum(npy, array->data, num_bytes);
    uint32_t stored_bytes = (uint32_t)(NPY_BYTES + num_bytes);
    TRY(add_entry(writer, name, crc, stored_bytes));
    struct fields fields = {local, 0};
    put(&fields, LOCAL_SIGNATURE, 4);
    put_common(&fields, crc, stored_bytes, (size_t)name_bytes);
    TRY(file_writer_write(&writer->file, local, sizeof local));
    TRY(file_writer_write(&writer->file, name, (size_t)name_bytes));
    TRY(file_writer_write(&writer->file, npy, sizeof npy));
    return file_writer_write(&writer->file, array->data, num_bytes);
}

enum vks_status npz_writer_commit(struct npz_writer *writer) {
    unsigned char end[END_BYTES];
    struct fields fields = {end, 0};
    put(&fields, END_SIGNATURE, 4);
    put(&fields, 0, 4); // volumes
    put(&fields, writer->num_arrays, 2);
    put(&fields, writer->num_arrays, 2);
    put(&fields, (uint32_t)writer->directory_bytes, 4);
    put(&fields, (uint32_t)writer->file.num_bytes, 4);
    put(&fields, 0, 2); // comment
    enum vks_status status =
        file_writer_write(&writer->file, writer->directory, writer->directory_bytes);
    if (status == VKS_OK)
        status = file_writer_write(&writer->file, end, sizeof end);
    if (status == VKS_OK)
        status = file_writer_commit(&writer->file);
    npz_writer_abort(writer);
    return status;
}

void npz_writer_abort(struct npz_writer *writer) {
    file_writer_abort(&writer->file);
    free(writer->directory);
    *writer = (struct npz_writer){0};
}
