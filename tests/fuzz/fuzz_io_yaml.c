// YAML documents: what is read can be walked, within the limits.
#include "fuzz.h"

#include "io/yaml.h"

static size_t check_node(const struct yaml_node *node, uint32_t depth, bool is_in_map) {
    size_t num = 1;
    CHECK(depth < YAML_MAX_DEPTH && node->line >= 1);
    CHECK(!node->key == !is_in_map && !node->text == (node->kind != YAML_TEXT));
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        CHECK(node->kind != YAML_TEXT);
        num += check_node(item, depth + 1, node->kind == YAML_MAP);
    }
    return num;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct arena arena = {0};
    struct yaml_node *root;
    char *text = fuzz_text(data, num_bytes);
    if (fuzz_is_ok(yaml_parse(text, num_bytes, "input", &log, &arena, &root), num_messages)) {
        CHECK(check_node(root, 0, false) <= num_bytes + 1);
        for (const struct yaml_node *item = root->first; item && item->key; item = item->next)
            CHECK(yaml_find(root, item->key));
    }
    arena_finish(&arena);
    free(text);
    return 0;
}
