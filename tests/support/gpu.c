#include "support/gpu.h"

#include <stdio.h>
#include <stdlib.h>

static void write_stderr(void *user, enum vks_log_level level, const char *text) {
    (void)user;
    (void)level;
    fprintf(stderr, "%s\n", text);
}

const struct vks_log gpu_log = {write_stderr, NULL, VKS_LOG_WARN};

int gpu_setup(void **state) {
    struct vks_device *device = NULL;
    enum vks_status status = vks_device_create(NULL, &gpu_log, &device);
    if (status == VKS_ERR_NO_DEVICE)
        exit(77);
    *state = device;
    return status == VKS_OK ? 0 : -1;
}

int gpu_teardown(void **state) {
    struct vks_device *device = *state;
    vks_device_destroy(&device);
    return 0;
}
