// The lock of a model directory, for those who prepare it before there is a trainer.
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "vkseq/trainer.h"

#include <stdlib.h>

struct vks_model_lock {
    struct lock lock;
};

enum vks_status vks_model_lock_create(const char *model_dir, const struct vks_log *log,
                                      struct vks_model_lock **result) {
    struct vks_model_lock *lock = memory_calloc(1, sizeof *lock);
    if (!lock)
        return VKS_ERR_OOM;
    enum vks_status status = directory_create(model_dir, log);
    if (status == VKS_OK)
        status = lock_acquire(model_dir, log, &lock->lock);
    if (status != VKS_OK)
        free(lock);
    else
        *result = lock;
    return status;
}

void vks_model_lock_destroy(struct vks_model_lock **lock) {
    if (!*lock)
        return;
    lock_release(&(*lock)->lock);
    free(*lock);
    *lock = NULL;
}
