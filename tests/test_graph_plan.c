// Where activations lie; needs no device.
#include "graph/plan.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct graph *new_graph(struct vks_device *device) {
    struct graph *graph = NULL;
    *device = (struct vks_device){
        .info = {.max_binding_bytes = 1u << 30, .max_allocation_bytes = 1ull << 31}};
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    return graph;
}

static struct tensor *add(struct graph *graph, uint32_t rows, uint32_t first, uint32_t last) {
    struct tensor *tensor = graph_activation(graph, (struct dim){0, rows}, 64);
    assert_non_null(tensor);
    tensor->first_node = first;
    tensor->last_node = last;
    return tensor;
}

static void random_lifetimes_never_share_a_byte(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        struct vks_device device;
        struct graph *graph = new_graph(&device);
        struct rng rng = {variants_seed(), round, 0};
        struct plan plan;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t first = rng_below(&rng, 300);
            sum += add(graph, 1 + rng_below(&rng, 1000), first, first + rng_below(&rng, 60))->bytes;
        }
        assert_int_equal(plan_make(graph, &plan), VKS_OK);
        assert_true(plan_is_sound(graph, &plan));
        assert_int_equal(plan.num_arenas, 1);
        assert_true(plan.arena_bytes[0] < sum / 2);
        for (size_t i = 0; i < graph->num_tensors; i++)
            assert_int_equal(graph->tensors[i]->offset % 256, 0);
        graph_destroy(&graph);
    }
}

static void lifetimes_one_after_another_take_one_place(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    for (uint32_t i = 0; i < 20; i++)
        add(graph, 100, 2 * i, 2 * i + 1);
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_int_equal(plan.arena_bytes[0], 100 * 64 * 4);
    graph_destroy(&graph);
}

static void tensors_of_one_node_do_not_share(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    struct tensor *a = add(graph, 100, 3, 5), *b = add(graph, 100, 5, 9);
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_true(a->offset != b->offset);
    graph_destroy(&graph);
}

static void unsound_plans_are_found(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    struct tensor *a = add(graph, 100, 0, 4), *b = add(graph, 100, 2, 6);
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_true(plan_is_sound(graph, &plan));
    uint64_t right = b->offset;
    b->offset = a->offset;
    assert_false(plan_is_sound(graph, &plan));
    b->offset = right;
    plan.arena_bytes[0] -= 4;
    assert_false(plan_is_sound(graph, &plan));
    graph_destroy(&graph);
}

static void large_activations_take_more_arenas(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        add(graph, 2000000, 0, 4);
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_int_equal(plan.num_arenas, 3);
    assert_true(plan_is_sound(graph, &plan));
    graph_destroy(&graph);
}

static void arenas_are_no_larger_than_an_allocation(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    device.info.max_allocation_bytes = 65536 + 255;
    for (uint32_t i = 0; i < 5; i++)
        add(graph, 100, 0, 4);
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_int_equal(plan.num_arenas, 3);
    for (uint32_t i = 0; i < plan.num_arenas; i++)
        assert_true(plan.arena_bytes[i] <= 65536);
    assert_true(plan_is_sound(graph, &plan));
    graph_destroy(&graph);
}

static void tensor_of_no_node_takes_no_memory(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    struct plan plan;
    (void)state;
    assert_non_null(graph_activation(graph, (struct dim){0, 100}, 64));
    assert_int_equal(plan_make(graph, &plan), VKS_OK);
    assert_int_equal(plan.num_arenas, 0);
    graph_destroy(&graph);
}

static void tensor_beyond_an_allocation_is_rejected(void **state) {
    struct vks_device device;
    struct graph *graph = new_graph(&device);
    (void)state;
    device.info.max_allocation_bytes = 1024;
    assert_null(graph_activation(graph, (struct dim){0, 100}, 64));
    assert_int_equal(graph->status, VKS_ERR_UNSUPPORTED);
    graph_destroy(&graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lifetimes_never_share_a_byte),
        cmocka_unit_test(lifetimes_one_after_another_take_one_place),
        cmocka_unit_test(tensors_of_one_node_do_not_share),
        cmocka_unit_test(unsound_plans_are_found),
        cmocka_unit_test(large_activations_take_more_arenas),
        cmocka_unit_test(arenas_are_no_larger_than_an_allocation),
        cmocka_unit_test(tensor_of_no_node_takes_no_memory),
        cmocka_unit_test(tensor_beyond_an_allocation_is_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
