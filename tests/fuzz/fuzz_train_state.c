// state.json: a state that is read is bit for bit the same when it is printed and read again.
#include "fuzz.h"

#include "train/training_state_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct training_state state, again;
    memset(&state, 0, sizeof state);
    memset(&again, 0, sizeof again);
    if (!fuzz_is_ok(training_state_parse((const char *)data, num_bytes, "input", &log, &state),
                    num_messages))
        return 0;
    char *printed = training_state_print(&state);
    CHECK(printed);
    CHECK(training_state_parse(printed, strlen(printed), "printed", NULL, &again) == VKS_OK);
    CHECK(memcmp(&state, &again, sizeof state) == 0);
    free(printed);
    return 0;
}
