// Choices among kernels that give the same bits, made by timing them on this device; kept in a file
// (vk/device_file.h) for the next time.
#ifndef VK_TUNING_H
#define VK_TUNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vks_device;

enum { TUNING_KEY_WORDS = 6 };

struct tuning_entry {
    uint32_t key[TUNING_KEY_WORDS]; // what it is for; whoever chooses knows what the words mean
    uint32_t choice;
};

struct tuning {
    struct tuning_entry *entries; // owned
    size_t num, capacity;
    bool is_changed; // since it was read
};

// Reads the device's file, if there is one.
void tuning_load(struct vks_device *device);
// Writes it if there is something new.
void tuning_save(struct vks_device *device);
void tuning_finish(struct vks_device *device);

// False if nothing was chosen yet.
bool tuning_find(const struct vks_device *device, const uint32_t key[TUNING_KEY_WORDS],
                 uint32_t *choice);
// Keeps a choice, instead of an earlier one. Without memory nothing is kept.
void tuning_set(struct vks_device *device, const uint32_t key[TUNING_KEY_WORDS], uint32_t choice);

#endif
