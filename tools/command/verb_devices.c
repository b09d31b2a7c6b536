// vkseq devices: what there is, what it can do, and why something cannot be used.
#include "command.h"
#include "cli/environment.h"

#include <inttypes.h>

struct values {
    bool json;
};

static const struct cli_option options[] = {
    {"json", 0, CLI_FLAG, offsetof(struct values, json), .help = "Print a JSON array."},
    {0},
};

static void print_features(const struct vks_device_info *info) {
    const struct {
        bool is_there;
        const char *name;
    } features[] = {
        {info->float16, "fp16"},
        {info->storage16, "16-bit storage"},
        {info->bfloat16, "bf16"},
        {info->integer_dot, "integer dot products"},
        {info->cooperative_matrix, "cooperative matrices"},
        {info->buffer_address, "buffer addresses"},
        {info->int64, "64-bit integers"},
        {info->subgroup_operations, "subgroup operations"},
        {info->timestamps, "timestamps"},
    };
    const char *separator = "";
    printf("   supports   ");
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (features[i].is_there) {
            printf("%s%s", separator, features[i].name);
            separator = ", ";
        }
    puts(*separator ? "" : "fp32 only");
}

void print_device(const struct vks_device_info *info) {
    printf("%u: %s\n", info->index, info->name);
    printf("   driver     %s\n", info->driver);
    printf("   Vulkan     %u.%u.%u, %s\n", info->api_major, info->api_minor, info->api_patch,
           vks_device_type_name(info->type));
    printf("   memory     %.1f GiB, up to %.0f MiB a buffer, of which a kernel sees %.0f MiB\n",
           (double)info->memory_bytes / 0x1p30, (double)info->max_allocation_bytes / 0x1p20,
           (double)info->max_binding_bytes / 0x1p20);
    printf("   subgroups  %u", info->subgroup_size);
    if (info->max_subgroup_size)
        printf(" (%u to %u)", info->min_subgroup_size, info->max_subgroup_size);
    printf(", %s", info->subgroup_size_fixed     ? "always"
                   : info->subgroup_size_control ? "as kernels ask"
                                                 : "as the driver chooses");
    printf("; workgroups of up to %u, with %u KiB shared memory\n", info->max_invocations,
           info->shared_memory_bytes / 1024);
    printf("   kernels'   %u storage buffers, %u bytes of push constants\n",
           info->max_storage_buffers, info->push_constant_bytes);
    print_features(info);
    if (info->unusable[0])
        printf("   unusable   %s\n", info->unusable);
    else
        printf("   kernels    %s\n", info->kernels);
}

void print_json_device(const struct vks_device_info *info) {
    const struct {
        const char *key, *text;
    } texts[] = {{"name", info->name},
                 {"driver", info->driver},
                 {"type", vks_device_type_name(info->type)},
                 {"kernels", info->kernels},
                 {"unusable", info->unusable}};
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"vendor_id", info->vendor_id},
                   {"device_id", info->device_id},
                   {"driver_version", info->driver_version},
                   {"memory_bytes", info->memory_bytes},
                   {"max_binding_bytes", info->max_binding_bytes},
                   {"subgroup_size", info->subgroup_size},
                   {"min_subgroup_size", info->min_subgroup_size},
                   {"max_subgroup_size", info->max_subgroup_size},
                   {"max_invocations", info->max_invocations},
                   {"shared_memory_bytes", info->shared_memory_bytes},
                   {"max_allocation_bytes", info->max_allocation_bytes},
                   {"max_storage_buffers", info->max_storage_buffers},
                   {"push_constant_bytes", info->push_constant_bytes}};
    const struct {
        const char *key;
        bool is_there;
    } features[] = {{"float16", info->float16},
                    {"storage16", info->storage16},
                    {"bfloat16", info->bfloat16},
                    {"integer_dot", info->integer_dot},
                    {"cooperative_matrix", info->cooperative_matrix},
                    {"buffer_address", info->buffer_address},
                    {"int64", info->int64},
                    {"subgroup_operations", info->subgroup_operations},
                    {"subgroup_size_fixed", info->subgroup_size_fixed},
                    {"subgroup_size_control", info->subgroup_size_control},
                    {"timestamps", info->timestamps}};
    printf("{\"index\": %u, \"api\": \"%u.%u.%u\"", info->index, info->api_major, info->api_minor,
           info->api_patch);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf(", \"%s\": ", texts[i].key);
        print_json_string(stdout, texts[i].text);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        printf(", \"%s\": %" PRIu64, numbers[i].key, numbers[i].number);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        printf(", \"%s\": %s", features[i].key, features[i].is_there ? "true" : "false");
    putchar('}');
}

// Says which device a verb would take; that it takes none was said before.
static void print_default(void) {
    struct vks_device *device;
    fflush(stdout); // opening a device is where a broken driver would end the process
    if (vks_device_create(NULL, NULL, &device) != VKS_OK) {
        puts("none can be used by default");
        return;
    }
    printf("default: %u\n", vks_device_info(device)->index);
    vks_device_destroy(&device);
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct vks_device_info *infos = NULL;
    size_t num_infos = 0;
    int exit_code = exit_code_of(console, vks_devices_list(&console->log, &infos, &num_infos));
    bool none_works = true;
    for (size_t i = 0; i < num_infos; i++)
        none_works &= infos[i].unusable[0] != '\0';
    if (none_works)
        environment_narrow_vectors();
    if (values->json)
        putchar('[');
    for (size_t i = 0; i < num_infos; i++) {
        if (values->json) {
            fputs(i ? ",\n " : "", stdout);
            print_json_device(&infos[i]);
        } else {
            print_device(&infos[i]);
        }
    }
    if (values->json)
        puts("]");
    else if (exit_code == EXIT_OK)
        print_default();
    vks_free(infos);
    return exit_code;
}

int verb_devices(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq devices",
        .summary =
            "Lists the Vulkan devices of this machine: what they can do, or why one cannot be "
            "used.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
