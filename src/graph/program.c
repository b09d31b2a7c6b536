#include "graph/program.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "graph/cost.h"

#include <stdlib.h>
#include <string.h>

enum { GROUP_WORDS = 4, POISON = 0x7fc07fc0 };

// Workgroup counts of a dispatch, worked out when the header is written.
struct group_rule {
    struct {
        uint32_t dim, per, fixed;
    } axis[3];
};

struct slot {
    struct vk_buffer upload, readback; // header, groups and inputs; outputs
    struct recording *recording;
};

// A command of a program that is profiled.
struct profiled {
    const char *op;
    struct op_dispatch dispatch; // without its push constants; of a copy: without a shader
};

struct program {
    struct graph *graph; // owned
    struct program_params params;
    struct plan plan;
    struct vk_buffer arenas[PLAN_MAX_ARENAS];
    struct slot slots[PROGRAM_MAX_SLOTS];
    struct group_rule groups[GRAPH_MAX_GROUPS];
    uint32_t num_groups;
    uint64_t upload_bytes, readback_bytes;
    struct profiled *profiled; // owned; of slot 0
    size_t num_profiled, profiled_capacity;
};

struct recorder {
    struct program *program;
    struct slot *slot;
    const char *op;      // whose node is being recorded
    bool only_pipelines; // nothing is recorded: kernels are noted (pipeline_want)
};

static const uint64_t GROUPS_OFFSET = HEADER_WORDS * sizeof(uint32_t);

static void place_slot_tensors(struct program *program) {
    uint64_t upload = GROUPS_OFFSET + GRAPH_MAX_GROUPS * GROUP_WORDS * sizeof(uint32_t);
    uint64_t readback = 0;
    for (size_t i = 0; i < program->graph->num_tensors; i++) {
        struct tensor *tensor = program->graph->tensors[i];
        uint64_t *end = tensor->kind == TENSOR_INPUT    ? &upload
                        : tensor->kind == TENSOR_OUTPUT ? &readback
                                                        : NULL;
        if (!end)
            continue;
        tensor->offset = *end;
        *end = round_up_u64(*end + tensor->bytes, BUFFER_ALIGNMENT);
    }
    program->upload_bytes = upload;
    program->readback_bytes = readback;
}

static struct vk_range tensor_range(const struct recorder *recorder, const struct tensor *tensor) {
    switch (tensor->kind) {
    case TENSOR_ACTIVATION:
        return (struct vk_range){&recorder->program->arenas[tensor->arena_idx], tensor->offset,
                                 tensor->bytes};
    case TENSOR_INPUT:
        return (struct vk_range){&recorder->slot->upload, tensor->offset, tensor->bytes};
    case TENSOR_OUTPUT:
        return (struct vk_range){&recorder->slot->readback, tensor->offset, tensor->bytes};
    case TENSOR_STORED:
        break;
    }
    return tensor->stored;
}

// The place of a group rule in the header; equal rules share one.
static uint32_t intern_groups(struct program *program, const struct group_rule *rule) {
    for (uint32_t i = 0; i < program->num_groups; i++)
        if (memcmp(&program->groups[i], rule, sizeof *rule) == 0)
            return i;
    CHECK(program->num_groups < GRAPH_MAX_GROUPS);
    program->groups[program->num_groups] = *rule;
    return program->num_groups++;
}

const struct graph *recorder_graph(const struct recorder *recorder) {
    return recorder->program->graph;
}

struct op_groups groups_for_lanes(const struct recorder *recorder, uint32_t items) {
    return (struct op_groups){.fixed = div_up_u32(items, recorder->program->graph->device->wave)};
}

// The part of a tensor that a dispatch sees.
static enum vks_status window_range(const struct recorder *recorder, const struct op_dispatch *op,
                                    int binding, struct vk_range *result) {
    const struct vks_device *device = recorder->program->graph->device;
    const struct tensor *tensor = op->binds[binding].tensor;
    const struct op_window *window = &op->windows[binding];
    struct vk_range range = tensor_range(recorder, tensor);
    uint64_t element_bytes = tensor_element_bytes(tensor);
    uint64_t row_bytes = tensor->stride * element_bytes;
    if (window->num_rows) {
        CHECK((uint64_t)window->first_row + window->num_rows <= tensor->rows.capacity);
        range.offset += window->first_row * row_bytes;
        range.bytes = window->num_rows * row_bytes;
    }
    range.offset += window->first_col * element_bytes;
    range.bytes -= window->first_col * element_bytes;
    if (range.bytes > device->info.max_binding_bytes) {
        log_error(device->log,
                  "%s: %.1f MiB of a tensor of %u x %u are more than the %.1f MiB that %s binds at "
                  "once%s",
                  op->key.shader, (double)range.bytes / 0x1p20, tensor->rows.capacity, tensor->cols,
                  (double)device->info.max_binding_bytes / 0x1p20, device->info.name,
                  tensor->kind == TENSOR_STORED ? "" : "; use a smaller batch");
        return VKS_ERR_UNSUPPORTED;
    }
    *result = range;
    return VKS_OK;
}

static enum vks_status add_profiled(struct recorder *recorder, const struct op_dispatch *op) {
    struct program *program = recorder->program;
    if (!program->params.profile || recorder->slot != &program->slots[0])
        return VKS_OK;
    if (program->num_profiled == program->profiled_capacity) {
        size_t capacity = program->profiled_capacity ? 2 * program->profiled_capacity : 256;
        struct profiled *grown =
            memory_realloc(program->profiled, capacity * sizeof *program->profiled);
        if (!grown)
            return VKS_ERR_OOM;
        program->profiled = grown;
        program->profiled_capacity = capacity;
    }
    struct profiled *profiled = &program->profiled[program->num_profiled++];
    *profiled = (struct profiled){recorder->op, *op};
    profiled->dispatch.push = NULL;
    return VKS_OK;
}

// The operator's key, with what the elements of its matrices are.
static struct pipeline_key key_of(const struct op_dispatch *op) {
    struct pipeline_key key = op->key;
    for (uint32_t i = 1; i < MAX_BINDINGS; i++)
        if (op->binds[i].tensor)
            key.elements |= op->binds[i].tensor->element << 2 * i;
    return key;
}

enum vks_status recorder_dispatch(struct recorder *recorder, const struct op_dispatch *op) {
    struct slot *slot = recorder->slot;
    const struct pipeline_key key = key_of(op);
    if (recorder->only_pipelines)
        return pipeline_want(recorder->program->graph->device, &key);
    struct dispatch dispatch = {.key = key,
                                .push = op->push,
                                .push_bytes = op->push_bytes,
                                .flops = op->pairs ? 0 : op->flops};
    struct group_rule rule;
    memset(&rule, 0, sizeof rule);
    for (int i = 0; i < 3; i++) {
        rule.axis[i].dim = op->groups[i].per ? op->groups[i].dim.idx : 0;
        rule.axis[i].per = op->groups[i].per;
        rule.axis[i].fixed = op->groups[i].fixed ? op->groups[i].fixed : 1;
        CHECK(rule.axis[i].fixed <= RECORDER_MAX_GROUPS);
    }
    uint32_t idx = intern_groups(recorder->program, &rule);
    dispatch.groups = (struct vk_range){
        &slot->upload, GROUPS_OFFSET + idx * GROUP_WORDS * sizeof(uint32_t), 3 * sizeof(uint32_t)};
    dispatch.binds[0] =
        (struct bind){{&slot->upload, 0, HEADER_WORDS * sizeof(uint32_t)}, ACCESS_READ, 0};
    for (int i = 1; i < MAX_BINDINGS; i++) {
        if (!op->binds[i].tensor)
            continue;
        dispatch.binds[i].access = op->binds[i].access;
        dispatch.binds[i].element = op->binds[i].tensor->element;
        TRY(window_range(recorder, op, i, &dispatch.binds[i].range));
    }
    TRY(add_profiled(recorder, op));
    return recording_dispatch(slot->recording, &dispatch);
}

enum vks_status recorder_copy(struct recorder *recorder, const struct tensor *from,
                              const struct tensor *to) {
    if (recorder->only_pipelines)
        return VKS_OK;
    TRY(add_profiled(
        recorder,
        &(struct op_dispatch){.binds = {[1] = {from, ACCESS_READ}, [2] = {to, ACCESS_WRITE}}}));
    return recording_copy(recorder->slot->recording, tensor_range(recorder, from),
                          tensor_range(recorder, to));
}

static enum vks_status poison_births(struct recorder *recorder, uint32_t node_idx) {
    const struct graph *graph = recorder->program->graph;
    for (size_t i = 0; i < graph->num_tensors; i++) {
        const struct tensor *tensor = graph->tensors[i];
        if (tensor->kind == TENSOR_ACTIVATION && tensor->first_node == node_idx)
            TRY(recording_fill(recorder->slot->recording, tensor_range(recorder, tensor), POISON));
    }
    return VKS_OK;
}

// Makes the pipelines of all nodes at once.
static enum vks_status make_pipelines(struct program *program) {
    const struct graph *graph = program->graph;
    struct recorder recorder = {.program = program, .only_pipelines = true};
    for (uint32_t i = 0; i < graph->num_nodes; i++)
        TRY(graph->nodes[i]->op->record(&recorder, graph->nodes[i]));
    return pipeline_make_wanted(graph->device);
}

static enum vks_status record(struct program *program, struct slot *slot) {
    const struct graph *graph = program->graph;
    const struct recording_params params = {.barrier_everywhere =
                                                program->params.barrier_everywhere,
                                            .profile = program->params.profile,
                                            .timed = program->params.timed};
    struct recorder recorder = {.program = program, .slot = slot};
    TRY(buffer_init(graph->device, BUFFER_UPLOAD, program->upload_bytes, &slot->upload));
    memset(slot->upload.mapped, 0, program->upload_bytes);
    TRY(buffer_init(graph->device, BUFFER_READBACK, program->readback_bytes, &slot->readback));
    TRY(recording_create(graph->device, &params, &slot->recording));
    for (uint32_t i = 0; i < graph->num_nodes; i++) {
        if (program->params.poison)
            TRY(poison_births(&recorder, i));
        recorder.op = graph->nodes[i]->op->name;
        TRY(graph->nodes[i]->op->record(&recorder, graph->nodes[i]));
    }
    return recording_end(slot->recording);
}

enum vks_status program_create(struct graph **graph_ref, const struct program_params *params,
                               struct program **result) {
    struct graph *graph = *graph_ref;
    *graph_ref = NULL;
    struct program *program = memory_calloc(1, sizeof *program);
    if (!program) {
        graph_destroy(&graph);
        return VKS_ERR_OOM;
    }
    program->graph = graph;
    program->params = *params;
    if (program->params.num_slots == 0)
        program->params.num_slots = PROGRAM_MAX_SLOTS;
    enum vks_status status;
    TRY_GOTO(status, graph->status, failed);
    TRY_GOTO(status, plan_make(graph, &program->plan), failed);
    place_slot_tensors(program);
    for (uint32_t i = 0; i < program->plan.num_arenas; i++)
        TRY_GOTO(status,
                 buffer_init(graph->device, BUFFER_DEVICE, program->plan.arena_bytes[i],
                             &program->arenas[i]),
                 failed);
    TRY_GOTO(status, make_pipelines(program), failed);
    for (uint32_t i = 0; i < program->params.num_slots; i++)
        TRY_GOTO(status, record(program, &program->slots[i]), failed);
    *result = program;
    return VKS_OK;
failed:
    program_destroy(&program);
    return status;
}

void program_destroy(struct program **program_ref) {
    struct program *program = *program_ref;
    if (!program)
        return;
    struct vks_device *device = program->graph->device;
    for (uint32_t i = 0; i < PROGRAM_MAX_SLOTS; i++) {
        recording_destroy(&program->slots[i].recording);
        buffer_finish(device, &program->slots[i].upload);
        buffer_finish(device, &program->slots[i].readback);
    }
    for (uint32_t i = 0; i < PLAN_MAX_ARENAS; i++)
        buffer_finish(device, &program->arenas[i]);
    graph_destroy(&program->graph);
    free(program->profiled);
    free(program);
    *program_ref = NULL;
}

static uint32_t *header(struct program *program, uint32_t slot) {
    return program->slots[slot].upload.mapped;
}

void program_set_dim(struct program *program, uint32_t slot, struct dim dim, uint32_t value) {
    CHECK(value <= dim.capacity && program->graph->dims[dim.idx].kind == DIM_SET);
    header(program, slot)[HEADER_DIMS + dim.idx] = value;
}

void program_set_uint(struct program *program, uint32_t slot, uint32_t word, uint32_t value) {
    CHECK(word >= HEADER_MAX_DIMS && word < HEADER_WORDS);
    header(program, slot)[word] = value;
}

void program_set_float(struct program *program, uint32_t slot, uint32_t word, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    program_set_uint(program, slot, word, bits);
}

void *program_input(struct program *program, uint32_t slot, const struct tensor *tensor) {
    CHECK(tensor->kind == TENSOR_INPUT);
    return (char *)program->slots[slot].upload.mapped + tensor->offset;
}

const void *program_output(const struct program *program, uint32_t slot,
                           const struct tensor *tensor) {
    CHECK(tensor->kind == TENSOR_OUTPUT);
    return (const char *)program->slots[slot].readback.mapped + tensor->offset;
}

// Works out the dimensions that follow from others, and every dispatch's workgroup counts.
static void finish_header(struct program *program, uint32_t slot) {
    const struct graph *graph = program->graph;
    uint32_t *dims = header(program, slot) + HEADER_DIMS;
    for (uint32_t i = 0; i < graph->num_dims; i++) {
        const struct dim_rule *rule = &graph->dims[i];
        if (rule->kind == DIM_FIXED)
            dims[i] = rule->value;
        if (rule->kind == DIM_REST)
            dims[i] = dims[rule->base] > rule->value
                          ? min_u32(dims[rule->base] - rule->value, rule->capacity)
                          : 0;
        if (rule->kind == DIM_PER)
            dims[i] = div_up_u32(dims[rule->base], rule->value);
    }
    uint32_t *counts = header(program, slot) + HEADER_WORDS;
    for (uint32_t i = 0; i < program->num_groups; i++) {
        for (int axis = 0; axis < 3; axis++) {
            uint32_t per = program->groups[i].axis[axis].per;
            uint32_t value = dims[program->groups[i].axis[axis].dim];
            counts[i * GROUP_WORDS + axis] =
                per ? min_u32(div_up_u32(value, per), RECORDER_MAX_GROUPS)
                    : program->groups[i].axis[axis].fixed;
        }
    }
}

enum vks_status program_submit(struct program *program, uint32_t slot) {
    finish_header(program, slot);
    return recording_submit(program->slots[slot].recording);
}

enum vks_status program_wait(struct program *program, uint32_t slot) {
    return recording_wait(program->slots[slot].recording);
}

// A dispatch's table of blocks: the host's, or what the last run has left on the device, *owned.
static enum vks_status find_pairs(struct program *program, const struct tensor *table,
                                  const void **pairs, void **owned) {
    *pairs = *owned = NULL;
    if (table && table->kind == TENSOR_INPUT)
        *pairs = program_input(program, 0, table);
    if (!table || table->kind == TENSOR_INPUT)
        return VKS_OK;
    CHECK(table->kind == TENSOR_STORED);
    void *words = memory_malloc(table->bytes);
    if (!words)
        return VKS_ERR_OOM;
    enum vks_status status = buffer_read(program->graph->device, table->stored, words);
    if (status != VKS_OK) {
        free(words);
        return status;
    }
    *pairs = *owned = words;
    return VKS_OK;
}

static enum vks_status find_cost(struct program *program, const struct op_dispatch *dispatch,
                                 struct cost *cost) {
    const void *pairs;
    void *owned;
    TRY(find_pairs(program, dispatch->pairs, &pairs, &owned));
    *cost = cost_of_dispatch(dispatch, header(program, 0) + HEADER_DIMS, pairs);
    free(owned);
    return VKS_OK;
}

enum vks_status program_costs(struct program *program, struct program_cost **result, size_t *num) {
    struct program_cost *costs = memory_calloc(program->num_profiled + 1, sizeof *costs);
    double *ns = memory_calloc(program->num_profiled + 1, sizeof *ns);
    enum vks_status status = costs && ns ? VKS_OK : VKS_ERR_OOM;
    size_t num_timed = 0;
    if (status == VKS_OK)
        num_timed =
            recording_profile(program->slots[0].recording, (uint32_t)program->num_profiled, ns);
    for (size_t i = 0; i < program->num_profiled && status == VKS_OK; i++) {
        const struct profiled *profiled = &program->profiled[i];
        struct cost cost = {0};
        status = find_cost(program, &profiled->dispatch, &cost);
        costs[i] = (struct program_cost){
            .op = profiled->op,
            .kernel = profiled->dispatch.key.shader ? profiled->dispatch.key.shader : "copy",
            .ns = i < num_timed ? ns[i] : -1,
            .flops = cost.flops,
            .bytes = cost.bytes,
        };
    }
    free(ns);
    if (status != VKS_OK) {
        free(costs);
        return status;
    }
    *result = costs;
    *num = program->num_profiled;
    return VKS_OK;
}

uint64_t program_bytes(const struct program *program) {
    uint64_t bytes = program->params.num_slots * (program->upload_bytes + program->readback_bytes);
    for (uint32_t i = 0; i < program->plan.num_arenas; i++)
        bytes += program->plan.arena_bytes[i];
    return bytes;
}

// Whether what lies outside of windows can be bound (window_range).
static bool can_bind(const struct graph *graph) {
    for (size_t i = 0; i < graph->num_tensors; i++)
        if (graph->tensors[i]->kind != TENSOR_STORED &&
            graph->tensors[i]->bytes > graph->device->info.max_binding_bytes)
            return false;
    return true;
}

enum vks_status program_measure(struct graph **graph_ref, const struct program_params *params,
                                uint64_t *bytes) {
    struct program program = {.graph = *graph_ref, .params = *params};
    *graph_ref = NULL;
    if (program.params.num_slots == 0)
        program.params.num_slots = PROGRAM_MAX_SLOTS;
    enum vks_status status = program.graph->status;
    if (status == VKS_OK)
        status = plan_make(program.graph, &program.plan);
    if (status == VKS_OK)
        place_slot_tensors(&program);
    uint64_t limit = program.graph->device->info.max_allocation_bytes;
    bool fits = status == VKS_OK && can_bind(program.graph) && program.upload_bytes <= limit &&
                program.readback_bytes <= limit;
    graph_destroy(&program.graph);
    if (status == VKS_ERR_OOM)
        return status;
    *bytes = fits ? program_bytes(&program) : UINT64_MAX;
    return VKS_OK;
}

struct recording *program_recording(struct program *program, uint32_t slot) {
    return program->slots[slot].recording;
}

const struct graph *program_graph(const struct program *program) {
    return program->graph;
}

const struct plan *program_plan(const struct program *program) {
    return &program->plan;
}
