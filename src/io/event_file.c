#include "io/event_file.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "io/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RECORD_BYTES = 4096, MAX_TAG_BYTES = 200, MAX_NAME_BYTES = 64 };

// Fields of tensorflow.Event, .Summary, .Summary.Value and .SessionLog.
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SESSION = 7 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_NUMBER = 2, SESSION_STATUS = 1, SESSION_START = 1 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct event_file {
    FILE *file;
    char *path;
    const struct vks_log *log;
};

// A protocol buffer being written.
struct message {
    unsigned char data[MAX_RECORD_BYTES];
    size_t num_bytes;
};

// CRC-32C (Castagnoli), bit by bit: records are short.
static uint32_t crc32c(const unsigned char *data, size_t num_bytes) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < num_bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static uint32_t masked_crc(const unsigned char *data, size_t num_bytes) {
    uint32_t crc = crc32c(data, num_bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void put_little_endian(unsigned char *data, uint64_t value, size_t num_bytes) {
    for (size_t i = 0; i < num_bytes; i++)
        data[i] = (unsigned char)(value >> 8 * i);
}

static void add_bytes(struct message *message, const void *data, size_t num_bytes) {
    CHECK(num_bytes <= MAX_RECORD_BYTES - message->num_bytes);
    memcpy(message->data + message->num_bytes, data, num_bytes);
    message->num_bytes += num_bytes;
}

static void add_varint(struct message *message, uint64_t value) {
    do {
        unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        add_bytes(message, &byte, 1);
        value >>= 7;
    } while (value);
}

static void add_key(struct message *message, int field, int wire) {
    add_varint(message, (uint64_t)(field << 3 | wire));
}

static void add_fixed(struct message *message, int field, const void *number, size_t num_bytes) {
    unsigned char data[8];
    uint64_t bits = 0;
    if (num_bytes == 8) {
        memcpy(&bits, number, 8);
    } else {
        uint32_t half;
        memcpy(&half, number, 4);
        bits = half;
    }
    put_little_endian(data, bits, num_bytes);
    add_key(message, field, num_bytes == 8 ? WIRE_64 : WIRE_32);
    add_bytes(message, data, num_bytes);
}

static void add_text(struct message *message, int field, const void *data, size_t num_bytes) {
    add_key(message, field, WIRE_BYTES);
    add_varint(message, num_bytes);
    add_bytes(message, data, num_bytes);
}

static struct message begin_event(double time_s, uint64_t step) {
    struct message event = {.num_bytes = 0};
    add_fixed(&event, EVENT_TIME, &time_s, sizeof time_s);
    add_key(&event, EVENT_STEP, WIRE_VARINT);
    add_varint(&event, step);
    return event;
}

static enum vks_status write_event(struct event_file *file, const struct message *event) {
    unsigned char head[12], tail[4];
    put_little_endian(head, event->num_bytes, 8);
    put_little_endian(head + 8, masked_crc(head, 8), 4);
    put_little_endian(tail, masked_crc(event->data, event->num_bytes), 4);
    if (fwrite(head, sizeof head, 1, file->file) == 1 &&
        fwrite(event->data, event->num_bytes, 1, file->file) == 1 &&
        fwrite(tail, sizeof tail, 1, file->file) == 1 && fflush(file->file) == 0)
        return VKS_OK;
    log_error(file->log, "%s: %s", file->path, strerror(errno));
    return VKS_ERR_IO;
}

// What every file begins with: its version, and from where on it counts.
static enum vks_status write_head(struct event_file *file, double time_s, uint64_t first_step) {
    static const char version[] = "brain.Event:2";
    struct message event = begin_event(time_s, 0), session = {.num_bytes = 0};
    add_text(&event, EVENT_VERSION, version, sizeof version - 1);
    TRY(write_event(file, &event));
    event = begin_event(time_s, first_step);
    add_key(&session, SESSION_STATUS, WIRE_VARINT);
    add_varint(&session, SESSION_START);
    add_text(&event, EVENT_SESSION, session.data, session.num_bytes);
    return write_event(file, &event);
}

enum vks_status event_file_create(const char *dir, double time_s, uint64_t first_step,
                                  const struct vks_log *log, struct event_file **result) {
    char name[MAX_NAME_BYTES];
    TRY(directory_create(dir, log));
    struct event_file *file = memory_calloc(1, sizeof *file);
    snprintf(name, sizeof name, "events.out.tfevents.%.0f.vkseq", time_s * 1000);
    char *path = path_join(dir, name);
    if (!file || !path) {
        free(file);
        free(path);
        return VKS_ERR_OOM;
    }
    *file = (struct event_file){.path = path, .log = log, .file = fs_open_stream(path, "wb")};
    enum vks_status status = VKS_ERR_IO;
    if (file->file)
        status = write_head(file, time_s, first_step);
    else
        log_error(log, "%s: %s", path, strerror(errno));
    if (status != VKS_OK)
        event_file_close(&file);
    else
        *result = file;
    return status;
}

enum vks_status event_file_add(struct event_file *file, double time_s, uint64_t step,
                               const struct event_value *values, size_t num_values) {
    struct message event = begin_event(time_s, step), summary = {.num_bytes = 0};
    for (size_t i = 0; i < num_values; i++) {
        struct message value = {.num_bytes = 0};
        float number = (float)values[i].value;
        size_t tag_bytes = strnlen(values[i].tag, MAX_TAG_BYTES);
        add_text(&value, VALUE_TAG, values[i].tag, tag_bytes);
        add_fixed(&value, VALUE_NUMBER, &number, sizeof number);
        add_text(&summary, SUMMARY_VALUE, value.data, value.num_bytes);
    }
    add_text(&event, EVENT_SUMMARY, summary.data, summary.num_bytes);
    return write_event(file, &event);
}

void event_file_close(struct event_file **file_ref) {
    struct event_file *file = *file_ref;
    if (!file)
        return;
    if (file->file)
        fclose(file->file);
    free(file->path);
    free(file);
    *file_ref = NULL;
}
