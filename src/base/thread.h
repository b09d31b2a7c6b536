// Threads, and monitors through which they share.
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

struct thread {
    pthread_t handle;
};

// Runs run(user) in a thread. False if there cannot be one more.
bool thread_start(struct thread *thread, void *(*run)(void *), void *user);
// Waits until it has returned; once for each thread that was started.
void thread_join(struct thread *thread);

// A lock, and a condition on what it guards.
struct monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

// False if the system has no more of them; there is nothing to finish then.
bool monitor_init(struct monitor *monitor);
void monitor_finish(struct monitor *monitor);

void monitor_enter(struct monitor *monitor);
void monitor_leave(struct monitor *monitor);
// Leaves, waits for monitor_notify (or, rarely, for nothing), and enters again.
void monitor_wait(struct monitor *monitor);
// Wakes all who wait.
void monitor_notify(struct monitor *monitor);

#endif
