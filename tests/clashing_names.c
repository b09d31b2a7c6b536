// A program on the installed libraries, with functions and data of its own that have names of the
// library's internal ones and of Vulkan's. Prints what it and the library have logged.
#include <stdio.h>
#include <vkseq/document.h>
#include <vkseq/vkseq.h>

void log_write(const char *text);
int vkCreateInstance = 7;

void log_write(const char *text) {
    printf("program: %s\n", text);
}

static void print_message(void *user, enum vks_log_level level, const char *text) {
    (void)user, (void)level;
    printf("library: %s\n", text);
}

int main(int argc, char **argv) {
    const struct vks_log log = {.write = print_message, .level = VKS_LOG_ERROR};
    struct vks_document *document = NULL;
    struct vks_device *device = NULL;
    if (argc != 2)
        return 2;
    log_write("here");
    if (vks_document_open(argv[1], VKS_DOCUMENT_AUTO, &log, &document) != VKS_ERR_IO)
        return 1;
    if (vks_device_create("no such device", &log, &device) == VKS_OK)
        return 1;
    return vkCreateInstance == 7 ? 0 : 1;
}
