// Linear layers against the oracle.
#include "base/check.h"
#include "ops/linear.h"
#include "selftest/linear_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void linear_matches_the_oracle(void **state) {
    // One row, primes, one past a tile, none, few rows (the short tile), many of them.
    static const struct linear_shape shapes[] = {
        {1, 1, 3, 3},      {40, 33, 37, 65},  {64, 0, 12, 5},     {16, 16, 64, 129},
        {300, 97, 20, 31}, {16, 3, 131, 257}, {4096, 65, 33, 36}, {640, 611, 4, 8},
    };
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++)
        assert_check(linear_case_check(&check, i, &shapes[i]), &check);
}

// Slices of rows: a batch of one, of more of which the last has one row, and of none.
static void gradients_in_slices_match_the_oracle(void **state) {
    static const struct linear_shape shapes[] = {
        {2500, 2101, 19, 31}, {3000, 1025, 37, 8}, {4000, 1024, 12, 9}, {2048, 0, 5, 3}};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++)
        assert_check(linear_case_check(&check, i, &shapes[i]), &check);
}

static void gradients_do_not_depend_on_the_capacity(void **state) {
    struct linear_shape shape = {1800, 1700, 21, 37};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 105, 0};
    struct linear_case c;
    linear_case_make(&arena, &rng, &shape, &c);
    assert_int_equal(harness_run(&h, linear_case_build, &c), VKS_OK);
    struct linear_case roomy = c;
    roomy.shape.capacity = 6000;
    roomy.dweight = matrix_like(&arena, c.dweight);
    roomy.dbias = matrix_like(&arena, c.dbias);
    assert_int_equal(harness_run(&h, linear_case_build, &roomy), VKS_OK);
    assert_same_rows("dweight", c.dweight, 0, roomy.dweight);
    assert_same_rows("dbias", c.dbias, 0, roomy.dbias);
    arena_finish(&arena);
}

static void halves_match_the_oracle(void **state) {
    static const struct linear_shape shapes[] = {
        {1, 1, 3, 3},      {40, 33, 37, 65},  {64, 0, 12, 5},   {16, 16, 64, 129},
        {16, 3, 131, 257}, {300, 97, 20, 31}, {640, 611, 4, 8},
    };
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t element = ELEMENT_F16; element <= ELEMENT_BF16; element++) {
        for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
            check.element = element;
            assert_check(linear_case_check(&check, i, &shapes[i]), &check);
        }
    }
}

// Two layers with one weight and bias, and one input read twice.
static void build_tied(struct harness *h, void *user) {
    struct linear_case *c = user;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_leaf(h, rows, c->x, c->dx);
    struct tensor *weight = harness_parameter(h, c->weight, c->dweight);
    struct tensor *bias = harness_parameter(h, c->bias, c->dbias);
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
    harness_result(h, op_linear(h->graph, x, weight, bias), NULL, c->r);
}

static void gradients_of_two_uses_add_up(void **state) {
    const struct linear_shape shape = {64, 35, 24, 41};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 100, 0};
    struct linear_case c;
    linear_case_make(&arena, &rng, &shape, &c);
    variants_run(&h, build_tied, &c);
    const struct oracle_linear_gradient reference = {
        matrix_like(&arena, c.x), matrix_like(&arena, c.weight), matrix_like(&arena, c.bias)};
    oracle_linear_gradient(c.x, c.weight, c.r, &reference);
    oracle_linear_gradient(c.x, c.weight, c.r, &reference);
    assert_gradient("dx", c.dx, reference.x);
    assert_gradient("dweight", c.dweight, reference.weight);
    assert_gradient("dbias", c.dbias, reference.bias);
    arena_finish(&arena);
}

// Two layers with one weight, but a bias each.
struct shared_weight_case {
    struct linear_case first;
    struct matrix *bias, *dbias;
};

static void build_shared_weight(struct harness *h, void *user) {
    struct shared_weight_case *s = user;
    struct linear_case *c = &s->first;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_leaf(h, rows, c->x, c->dx);
    struct tensor *weight = harness_parameter(h, c->weight, c->dweight);
    struct tensor *bias = harness_parameter(h, c->bias, c->dbias);
    struct tensor *other_bias = harness_parameter(h, s->bias, s->dbias);
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
    harness_result(h, op_linear(h->graph, x, weight, other_bias), NULL, c->r);
}

static void layers_with_one_weight_may_have_a_bias_each(void **state) {
    const struct linear_shape shape = {64, 35, 24, 41};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 101, 0};
    struct shared_weight_case s;
    struct linear_case *c = &s.first;
    linear_case_make(&arena, &rng, &shape, c);
    s.bias = matrix_random(&arena, &rng, 1, shape.outputs, 1);
    s.dbias = matrix_like(&arena, s.bias);
    variants_run(&h, build_shared_weight, &s);
    struct matrix *dbias = matrix_like(&arena, c->bias);
    oracle_linear_gradient(c->x, c->weight, c->r, &(struct oracle_linear_gradient){.bias = dbias});
    assert_gradient("dbias", c->dbias, dbias);
    assert_gradient("the other dbias", s.dbias, dbias);
    arena_finish(&arena);
}

static void row_alone_has_the_same_bits(void **state) {
    const struct linear_shape shape = {128, 77, 45, 70}, alone_shape = {1, 1, 45, 70};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 102, 0};
    struct linear_case c, alone;
    linear_case_make(&arena, &rng, &shape, &c);
    c.has_bias = true;
    variants_run(&h, linear_case_build, &c);
    for (uint32_t row = 0; row < shape.rows; row += 38) {
        linear_case_make(&arena, &rng, &alone_shape, &alone);
        alone.has_bias = true;
        alone.weight = c.weight;
        alone.bias = c.bias;
        for (uint32_t i = 0; i < shape.inputs; i++)
            AT(alone.x, 0, i) = AT(c.x, row, i);
        for (uint32_t i = 0; i < shape.outputs; i++)
            AT(alone.r, 0, i) = AT(c.r, row, i);
        variants_run(&h, linear_case_build, &alone);
        assert_same_rows("y", c.y, row, alone.y);
        assert_same_rows("dx", c.dx, row, alone.dx);
    }
    arena_finish(&arena);
}

static void run_with_tile(struct vks_device *device, enum tile tile, struct linear_case *c,
                          uint32_t element) {
    struct harness h = {.device = device, .element = element};
    const enum tile usual = device->tile;
    const bool was_fixed = device->has_fixed_tiles;
    device->tile = tile;
    device->has_fixed_tiles = true;
    assert_int_equal(harness_run(&h, linear_case_build, c), VKS_OK);
    assert_true(h.num_different == 0 && h.num_dirty_pads == 0);
    device->tile = usual;
    device->has_fixed_tiles = was_fixed;
}

// Each size of blocks has its own elements: software drivers take seconds to compile a kernel.
static void check_tiles(struct vks_device *device, const struct linear_shape *shape) {
    static const struct {
        enum tile tile;
        uint32_t element;
    } kinds[] = {
        {TILE_TALL, ELEMENT_F32}, {TILE_BLOCK, ELEMENT_F32}, {TILE_LARGE_BLOCK, ELEMENT_BF16}};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 103, 0};
    struct linear_case expected, c;
    linear_case_make(&arena, &rng, shape, &expected);
    linear_case_make(&arena, &rng, shape, &c);
    c.x = expected.x;
    c.weight = expected.weight;
    c.bias = expected.bias;
    c.r = expected.r;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        run_with_tile(device, TILE_SHORT, &expected, kinds[i].element);
        run_with_tile(device, kinds[i].tile, &c, kinds[i].element);
        assert_same_rows("y", expected.y, 0, c.y);
        assert_same_rows("dx", expected.dx, 0, c.dx);
        assert_same_rows("dweight", expected.dweight, 0, c.dweight);
        assert_same_rows("dbias", expected.dbias, 0, c.dbias);
    }
    arena_finish(&arena);
}

// More than a block each way, the last ones in part; the same, and two slices of rows.
static void blocks_give_the_bits_of_other_tiles(void **state) {
    check_tiles(*state, &(struct linear_shape){200, 139, 45, 71});
    check_tiles(*state, &(struct linear_shape){1300, 1290, 45, 71});
}

static void narrow_layers_are_rejected(void **state) {
    static const uint32_t shapes[][2] = {{1, 8}, {8, 2}, {2, 1}};
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    device->log = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct graph *graph = NULL;
        assert_int_equal(graph_create(device, &graph), VKS_OK);
        struct tensor *x = graph_activation(graph, graph_dim(graph, 8), shapes[i][0]);
        struct tensor *weight =
            graph_activation(graph, graph_dim_fixed(graph, shapes[i][1]), shapes[i][0]);
        assert_null(op_linear(graph, x, weight, NULL));
        assert_int_equal(graph->status, VKS_ERR_SHAPE);
        graph_destroy(&graph);
    }
    device->log = log;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_matches_the_oracle),
        cmocka_unit_test(gradients_in_slices_match_the_oracle),
        cmocka_unit_test(gradients_do_not_depend_on_the_capacity),
        cmocka_unit_test(halves_match_the_oracle),
        cmocka_unit_test(gradients_of_two_uses_add_up),
        cmocka_unit_test(layers_with_one_weight_may_have_a_bias_each),
        cmocka_unit_test(row_alone_has_the_same_bits),
        cmocka_unit_test(blocks_give_the_bits_of_other_tiles),
        cmocka_unit_test(narrow_layers_are_rejected),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
