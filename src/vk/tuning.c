#include "vk/tuning.h"

#include "base/memory.h"
#include "base/platform.h"
#include "vk/device_file.h"

#include <stdlib.h>
#include <string.h>

static const char file_kind[] = "tiles";

enum { ENTRY_WORDS = TUNING_KEY_WORDS + 1, ENTRY_BYTES = 4 * ENTRY_WORDS };

static struct tuning_entry *find(const struct vks_device *device,
                                 const uint32_t key[TUNING_KEY_WORDS]) {
    const struct tuning *tuning = &device->tuning;
    for (size_t i = 0; i < tuning->num; i++)
        if (memcmp(tuning->entries[i].key, key, sizeof tuning->entries[i].key) == 0)
            return &tuning->entries[i];
    return NULL;
}

bool tuning_find(const struct vks_device *device, const uint32_t key[TUNING_KEY_WORDS],
                 uint32_t *choice) {
    const struct tuning_entry *entry = find(device, key);
    if (entry)
        *choice = entry->choice;
    return entry != NULL;
}

void tuning_set(struct vks_device *device, const uint32_t key[TUNING_KEY_WORDS], uint32_t choice) {
    struct tuning *tuning = &device->tuning;
    struct tuning_entry *entry = find(device, key);
    if (!entry && tuning->num == tuning->capacity) {
        size_t capacity = tuning->capacity ? 2 * tuning->capacity : 64;
        struct tuning_entry *grown = memory_realloc(tuning->entries, capacity * sizeof *grown);
        if (!grown)
            return;
        tuning->entries = grown;
        tuning->capacity = capacity;
    }
    if (!entry)
        entry = &tuning->entries[tuning->num++];
    memcpy(entry->key, key, sizeof entry->key);
    entry->choice = choice;
    tuning->is_changed = true;
}

static uint32_t get_u32(const unsigned char *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void tuning_load(struct vks_device *device) {
    unsigned char *bytes;
    const unsigned char *data;
    size_t num_bytes;
    if (!device_file_read(device, file_kind, &bytes, &data, &num_bytes))
        return;
    for (size_t at = 0; at + ENTRY_BYTES <= num_bytes; at += ENTRY_BYTES) {
        uint32_t words[ENTRY_WORDS];
        for (size_t i = 0; i < ENTRY_WORDS; i++)
            words[i] = get_u32(data + at + 4 * i);
        tuning_set(device, words, words[TUNING_KEY_WORDS]);
    }
    device->tuning.is_changed = false;
    free(bytes);
}

void tuning_save(struct vks_device *device) {
    struct tuning *tuning = &device->tuning;
    unsigned char *data = tuning->is_changed ? memory_malloc(tuning->num * ENTRY_BYTES) : NULL;
    if (!data)
        return;
    for (size_t i = 0; i < tuning->num; i++)
        for (size_t j = 0; j < ENTRY_WORDS; j++) {
            const struct tuning_entry *entry = &tuning->entries[i];
            uint32_t word = j < TUNING_KEY_WORDS ? entry->key[j] : entry->choice;
            for (size_t k = 0; k < 4; k++)
                data[i * ENTRY_BYTES + 4 * j + k] = (unsigned char)(word >> 8 * k);
        }
    device_file_write(device, file_kind, data, tuning->num * ENTRY_BYTES);
    tuning->is_changed = false;
    free(data);
}

void tuning_finish(struct vks_device *device) {
    free(device->tuning.entries);
    device->tuning = (struct tuning){0};
}
