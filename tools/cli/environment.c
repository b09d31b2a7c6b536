#include "environment.h"

#include "system.h"
#include "folders.h"

#include "vkseq/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char width_name[] = "LP_NATIVE_VECTOR_WIDTH";

// How the process was started, and what was made of that.
static struct {
    char **arguments;
    bool has_chosen_width;
    char *shader_caches; // where folders for vector widths are; NULL: nowhere
} prepared;

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

static bool has_avx512(void) {
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

// Without a folder that can be made, nothing is kept, and nothing said.
static void set_cache(const char *caches) {
    if (folder_create(caches))
        system_set_environment("VKSEQ_CACHE_DIR", caches);
}

// Mesa's own folder would mix the code of vector widths.
static void set_shader_cache(const char *caches) {
    char name[64];
    snprintf(name, sizeof name, "mesa-%.32s", is_set(width_name) ? getenv(width_name) : "native");
    char *folder = caches && *caches ? path_append(caches, name) : NULL;
    if (folder && folder_create(folder))
        system_set_environment("MESA_SHADER_CACHE_DIR", folder);
    else
        system_set_environment("MESA_SHADER_CACHE_DISABLE", "true");
    free(folder);
}

static void add_driver(const char *caches) {
    static const char name[] = "lavapipe/lvp_icd.json";
    char *path = path_append(caches, name);
    if (path && folder_has(caches, name))
        system_set_environment("VK_ADD_DRIVER_FILES", path);
    free(path);
}

void environment_prepare(char **arguments) {
    const char *chosen = getenv("VKSEQ_CACHE_DIR");
    char *home = user_folder("XDG_CACHE_HOME", ".cache", "vkseq");
    const char *caches = chosen ? chosen : home;
    if (!chosen && home)
        set_cache(home);
    bool has_shader_cache = is_set("MESA_SHADER_CACHE_DIR");
    bool chooses_width = !is_set(width_name) && has_avx512();
    if (chooses_width)
        system_set_environment(width_name, "512");
    if (has_shader_cache)
        caches = getenv("MESA_SHADER_CACHE_DIR");
    prepared.arguments = arguments;
    prepared.has_chosen_width = chooses_width;
    prepared.shader_caches = caches ? strdup(caches) : NULL;
    if (!has_shader_cache || chooses_width)
        set_shader_cache(prepared.shader_caches);
    if (home && !is_set("VK_DRIVER_FILES") && !is_set("VK_ICD_FILENAMES") &&
        !is_set("VK_ADD_DRIVER_FILES"))
        add_driver(home);
    free(home);
}

bool environment_has_chosen_width(void) {
    return prepared.has_chosen_width;
}

void environment_narrow_vectors(void) {
    struct vks_device_info *infos = NULL;
    size_t num_infos = 0;
    bool would_help = false;
    if (!prepared.has_chosen_width || vks_devices_list(NULL, &infos, &num_infos) != VKS_OK)
        return;
    for (size_t i = 0; i < num_infos; i++)
        would_help |= strstr(infos[i].unusable, width_name) != NULL;
    vks_free(infos);
    if (!would_help)
        return;
    system_set_environment(width_name, "256");
    set_shader_cache(prepared.shader_caches);
    system_restart(prepared.arguments);
}
