#include "base/inject.h"

#include "base/platform.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum kind { ALLOC, DEVICE_ALLOC, VK, LOST, SKIP, WRITE, KILL, SEGMENTS, NUM_KINDS };
enum { MAX_FAULTS = 8, MAX_WORD = 48, CUT_ONE_IN = 4 };

static const char *const kind_names[NUM_KINDS] = {"alloc", "device-alloc", "vk",   "lost",
                                                  "skip",  "write",        "kill", "segments"};

struct fault {
    enum kind kind;
    char call[MAX_WORD]; // VK
    int error;           // WRITE
    uint64_t first;      // SEGMENTS: the seed
    bool goes_on;
    uint64_t count;
};

// At file scope because an allocation knows no object that could hold it. Only tests set it.
enum { UNREAD, OFF, ON, INVALID };
static _Atomic int mode = UNREAD;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // guards what follows
static struct fault faults[MAX_FAULTS];
static size_t num_faults;
static uint32_t num_done;
static bool is_lost;

// Cuts the text up to the next colon off; false when there is none left, or it is too long.
static bool next_word(const char **text, const char *end, char word[MAX_WORD]) {
    size_t num = 0;
    if (*text >= end)
        return false;
    while (*text + num < end && (*text)[num] != ':')
        num++;
    if (num == 0 || num >= MAX_WORD)
        return false;
    memcpy(word, *text, num);
    word[num] = '\0';
    *text += num + (*text + num < end);
    return true;
}

static bool read_count(const char *word, struct fault *fault) {
    char *rest;
    if (*word < '0' || *word > '9')
        return false;
    fault->first = strtoull(word, &rest, 10);
    fault->goes_on = *rest == '+';
    return rest[fault->goes_on] == '\0' && (fault->first > 0 || fault->kind == SEGMENTS);
}

static bool read_error(const char *word, struct fault *fault) {
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EIO", EIO}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(word, errors[i].name) == 0)
            fault->error = errors[i].error;
    return fault->error != 0;
}

static bool read_fault(const char *text, const char *end, struct fault *fault) {
    char word[MAX_WORD];
    memset(fault, 0, sizeof *fault);
    fault->kind = NUM_KINDS;
    if (!next_word(&text, end, word))
        return false;
    for (int i = 0; i < NUM_KINDS; i++)
        if (strcmp(word, kind_names[i]) == 0)
            fault->kind = (enum kind)i;
    if (fault->kind == NUM_KINDS || (fault->kind == VK && !next_word(&text, end, fault->call)))
        return false;
    if (!next_word(&text, end, word) || !read_count(word, fault))
        return false;
    if (fault->kind == WRITE && (!next_word(&text, end, word) || !read_error(word, fault)))
        return false;
    return text == end;
}

// The caller holds the mutex.
static int read_list(const char *list) {
    num_faults = 0;
    num_done = 0;
    is_lost = false;
    if (!list)
        return OFF;
    while (*list) {
        const char *end = list + strcspn(list, ",");
        if (num_faults == MAX_FAULTS || !read_fault(list, end, &faults[num_faults])) {
            num_faults = 0;
            return INVALID;
        }
        num_faults++;
        list = end + (*end == ',');
    }
    return ON;
}

static int current_mode(void) {
    int found = atomic_load_explicit(&mode, memory_order_relaxed);
    if (found != UNREAD)
        return found;
    pthread_mutex_lock(&mutex);
    found = atomic_load(&mode);
    if (found == UNREAD) {
        found = read_list(getenv("VKSEQ_INJECT"));
        atomic_store(&mode, found);
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

bool inject_set(const char *list) {
    pthread_mutex_lock(&mutex);
    int found = read_list(list);
    atomic_store(&mode, found);
    pthread_mutex_unlock(&mutex);
    return found != INVALID;
}

bool inject_is_on(void) {
    return current_mode() == ON;
}

bool inject_is_valid(void) {
    return current_mode() != INVALID;
}

uint32_t inject_num_done(void) {
    pthread_mutex_lock(&mutex);
    uint32_t num = num_done;
    pthread_mutex_unlock(&mutex);
    return num;
}

uint64_t inject_num_passed(void) {
    pthread_mutex_lock(&mutex);
    uint64_t num = num_faults ? faults[0].count : 0;
    pthread_mutex_unlock(&mutex);
    return num;
}

// Counts a passing of the place; the fault that is due, or NULL. The list does not change while
// the places are passed.
static const struct fault *pass(enum kind kind, const char *call) {
    const struct fault *due = NULL;
    if (current_mode() != ON)
        return NULL;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < num_faults; i++) {
        struct fault *fault = &faults[i];
        if (fault->kind != kind ||
            (call && strcmp(fault->call, "*") != 0 && strcmp(fault->call, call) != 0))
            continue;
        fault->count++;
        if (fault->count == fault->first || (fault->goes_on && fault->count > fault->first))
            due = fault;
    }
    if (due)
        num_done++;
    pthread_mutex_unlock(&mutex);
    return due;
}

bool inject_alloc(void) {
    bool fails = pass(ALLOC, NULL) != NULL;
    if (fails)
        errno = ENOMEM;
    return fails;
}

bool inject_device_alloc(void) {
    return pass(DEVICE_ALLOC, NULL) != NULL;
}

bool inject_vk(const char *call) {
    return pass(VK, call) != NULL;
}

bool inject_skip(void) {
    return pass(SKIP, NULL) != NULL;
}

bool inject_lost(void) {
    if (current_mode() != ON)
        return false;
    bool is_due = pass(LOST, NULL) != NULL;
    pthread_mutex_lock(&mutex);
    is_lost |= is_due;
    bool answer = is_lost;
    pthread_mutex_unlock(&mutex);
    return answer;
}

void inject_reopened(void) {
    if (current_mode() != ON)
        return;
    pthread_mutex_lock(&mutex);
    is_lost = false;
    pthread_mutex_unlock(&mutex);
}

void inject_kill(void) {
    if (pass(KILL, NULL))
        platform_kill();
}

bool inject_write(void) {
    inject_kill();
    const struct fault *fault = pass(WRITE, NULL);
    if (fault)
        errno = fault->error;
    return fault != NULL;
}

// Source: Steele et al. 2014, "Fast splittable pseudorandom number generators" (SplitMix64).
static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

bool inject_cut(void) {
    bool cuts = false;
    if (current_mode() != ON)
        return false;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < num_faults; i++)
        if (faults[i].kind == SEGMENTS)
            cuts |= mix((faults[i].first << 32) + ++faults[i].count) % CUT_ONE_IN == 0;
    num_done += cuts;
    pthread_mutex_unlock(&mutex);
    return cuts;
}
