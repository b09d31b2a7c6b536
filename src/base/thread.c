#include "base/thread.h"

bool thread_start(struct thread *thread, void *(*run)(void *), void *user) {
    return pthread_create(&thread->handle, NULL, run, user) == 0;
}

void thread_join(struct thread *thread) {
    pthread_join(thread->handle, NULL);
}

bool monitor_init(struct monitor *monitor) {
    if (pthread_mutex_init(&monitor->mutex, NULL) != 0)
        return false;
    if (pthread_cond_init(&monitor->changed, NULL) == 0)
        return true;
    pthread_mutex_destroy(&monitor->mutex);
    return false;
}

void monitor_finish(struct monitor *monitor) {
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->mutex);
}

void monitor_enter(struct monitor *monitor) {
    pthread_mutex_lock(&monitor->mutex);
}

void monitor_leave(struct monitor *monitor) {
    pthread_mutex_unlock(&monitor->mutex);
}

void monitor_wait(struct monitor *monitor) {
    pthread_cond_wait(&monitor->changed, &monitor->mutex);
}

void monitor_notify(struct monitor *monitor) {
    pthread_cond_broadcast(&monitor->changed);
}
