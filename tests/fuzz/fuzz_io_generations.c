// Manifests of training states, for two folders whose file "weights" differs.
#include "fuzz.h"

#include "io/files.h"
#include "io/generations.h"

#include <cjson/cJSON.h>

static bool has_weights(const uint8_t *data, size_t num_bytes) {
    cJSON *json = cJSON_ParseWithLength((const char *)data, num_bytes);
    const cJSON *entry;
    bool is_found = false;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "files")) {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "name");
        is_found = is_found || strcmp(cJSON_GetStringValue(name), "weights") == 0;
    }
    cJSON_Delete(json);
    return is_found;
}

static void put_file(const char *directory, const char *path, const char *text) {
    CHECK(directory_create(directory, NULL) == VKS_OK);
    CHECK(file_replace(path, text, strlen(text), NULL) == VKS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (!file_exists("damaged")) {
        put_file("whole", "whole/weights", "vkseq");
        put_file("damaged", "damaged/weights", "vkseQ");
    }
    char fault[GENERATION_FAULT_BYTES];
    bool is_whole = generation_check("whole", (const char *)data, num_bytes, fault);
    bool damaged_is_whole = generation_check("damaged", (const char *)data, num_bytes, fault);
    // One list cannot be right for both folders, unless it leaves the file out.
    CHECK(!is_whole || !damaged_is_whole || !has_weights(data, num_bytes));
    return 0;
}
