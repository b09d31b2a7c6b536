#include "text/spm_check.h"

#include "base/check.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WIRE_VARINT, WIRE_64_BITS, WIRE_BYTES, WIRE_32_BITS = 5 };
enum { NORMALIZER = 3, DENORMALIZER = 5, CHARSMAP = 2 };
enum { BLOCK_UNITS = 256 };

// A part of the model that is being read.
struct span {
    const unsigned char *at, *end;
};

static size_t span_bytes(const struct span *span) {
    return (size_t)(span->end - span->at);
}

static bool read_varint(struct span *span, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && span->at < span->end; shift += 7) {
        unsigned char byte = *span->at++;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

// Reads a field; *value is empty where it does not consist of bytes. False if it is malformed.
static bool read_field(struct span *span, uint32_t *number, struct span *value) {
    uint64_t tag, num_bytes;
    *value = (struct span){0};
    if (!read_varint(span, &tag) || tag > UINT32_MAX)
        return false;
    *number = (uint32_t)tag >> 3;
    switch (tag & 7) {
    case WIRE_VARINT:
        return read_varint(span, &num_bytes);
    case WIRE_64_BITS:
        num_bytes = 8;
        break;
    case WIRE_32_BITS:
        num_bytes = 4;
        break;
    case WIRE_BYTES:
        if (!read_varint(span, &num_bytes))
            return false;
        break;
    default:
        return false;
    }
    if (num_bytes > span_bytes(span))
        return false;
    if ((tag & 7) == WIRE_BYTES)
        *value = (struct span){span->at, span->at + num_bytes};
    span->at += num_bytes;
    return true;
}

static uint32_t unit_at(const unsigned char *units, size_t unit_idx) {
    uint32_t unit;
    memcpy(&unit, units + unit_idx * sizeof unit, sizeof unit);
    return unit;
}

// A charsmap is the size of a double array, the array, and texts that end with a NUL. A unit of the
// array leads to 256 others, and to a leaf if bit 8 is set; a leaf, bit 31 set, to a text.
static bool is_charsmap(struct span map) {
    uint32_t array_bytes;
    if (span_bytes(&map) < sizeof array_bytes)
        return false;
    memcpy(&array_bytes, map.at, sizeof array_bytes);
    map.at += sizeof array_bytes;
    const unsigned char *units = map.at;
    size_t num_units = array_bytes / sizeof(uint32_t);
    if (array_bytes >= span_bytes(&map) || num_units == 0 ||
        array_bytes % (BLOCK_UNITS * sizeof(uint32_t)) != 0 || map.end[-1] != 0)
        return false;
    size_t text_bytes = span_bytes(&map) - array_bytes;
    for (size_t i = 0; i < num_units; i++) {
        uint32_t unit = unit_at(units, i);
        if (i > 0 && unit >> 31)
            continue;
        size_t next = i ^ (size_t)(unit >> 10) << (unit >> 9 & 1 ? 8 : 0);
        if (next >= num_units)
            return false;
        if (unit >> 8 & 1 && (unit_at(units, next) & 0x7FFFFFFF) >= text_bytes)
            return false;
    }
    return true;
}

static bool is_normalizer(struct span normalizer) {
    while (normalizer.at < normalizer.end) {
        uint32_t number;
        struct span value;
        if (!read_field(&normalizer, &number, &value))
            return false;
        if (number == CHARSMAP && value.at < value.end && !is_charsmap(value))
            return false;
    }
    return true;
}

bool spm_check(const void *model, size_t num_bytes, char fault[SPM_FAULT_BYTES]) {
    static const char *const parts[] = {"pieces", "trainer settings", "normaliser settings"};
    bool has_part[COUNT_OF(parts)] = {false};
    const unsigned char *begin = model;
    struct span span = {.at = begin, .end = begin + num_bytes};
    while (span.at < span.end) {
        size_t at = (size_t)(span.at - begin);
        uint32_t number;
        struct span value;
        if (!read_field(&span, &number, &value)) {
            snprintf(fault, SPM_FAULT_BYTES, "malformed at byte %zu of %zu", at, num_bytes);
            return false;
        }
        if ((number == NORMALIZER || number == DENORMALIZER) && !is_normalizer(value)) {
            snprintf(fault, SPM_FAULT_BYTES, "its rules of normalisation are damaged");
            return false;
        }
        if (number >= 1 && number <= COUNT_OF(parts))
            has_part[number - 1] = true;
    }
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!has_part[i]) {
            snprintf(fault, SPM_FAULT_BYTES, "it has no %s", parts[i]);
            return false;
        }
    return true;
}
