#include "io/pickle.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 1 << 20, MAX_TEXT_BYTES = 4096 };

enum kind {
    KIND_MARK,
    KIND_OTHER, // None, a truth, a number with a fraction: nothing that tensors are made of
    KIND_INT,
    KIND_TEXT,
    KIND_LIST, // a tuple or a list
    KIND_DICT,
    KIND_FUNCTION,
    KIND_STORAGE_TYPE,
    KIND_STORAGE,
    KIND_TENSOR
};

enum function { MAKE_DICT, REBUILD_TENSOR, REBUILD_PARAMETER };

struct value;

struct list {
    struct value **items; // in the arena
    size_t num, capacity;
};

struct storage {
    const char *key;
    enum safetensors_dtype dtype;
    uint64_t num_elements;
};

struct value {
    enum kind kind;
    union {
        int64_t number;
        const char *text;
        struct list list; // of a dictionary: keys and values in turn
        enum function function;
        enum safetensors_dtype dtype;
        struct storage storage;
        struct pickle_tensor *tensor; // without a name, in the arena
    };
};

// Names that a pickle may say, and what stands for them here.
static const struct {
    const char *module, *name;
    enum kind kind;
    int meaning;
} known_names[] = {
    {"collections", "OrderedDict", KIND_FUNCTION, MAKE_DICT},
    {"torch._utils", "_rebuild_tensor_v2", KIND_FUNCTION, REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", KIND_FUNCTION, REBUILD_PARAMETER},
    {"torch", "DoubleStorage", KIND_STORAGE_TYPE, SAFETENSORS_F64},
    {"torch", "FloatStorage", KIND_STORAGE_TYPE, SAFETENSORS_F32},
    {"torch", "HalfStorage", KIND_STORAGE_TYPE, SAFETENSORS_F16},
    {"torch", "BFloat16Storage", KIND_STORAGE_TYPE, SAFETENSORS_BF16},
    {"torch", "LongStorage", KIND_STORAGE_TYPE, SAFETENSORS_I64},
    {"torch", "IntStorage", KIND_STORAGE_TYPE, SAFETENSORS_I32},
    {"torch", "ShortStorage", KIND_STORAGE_TYPE, SAFETENSORS_I16},
    {"torch", "CharStorage", KIND_STORAGE_TYPE, SAFETENSORS_I8},
    {"torch", "ByteStorage", KIND_STORAGE_TYPE, SAFETENSORS_U8},
    {"torch", "BoolStorage", KIND_STORAGE_TYPE, SAFETENSORS_BOOL},
};

struct reader {
    const char *name;
    const struct vks_log *log;
    struct arena *arena;
    const unsigned char *bytes;
    size_t num_bytes, at, first; // first: of the present instruction
    struct list stack, memo;
    size_t num_values;
};

static enum vks_status fail(const struct reader *reader, const char *fault) {
    log_error(reader->log, "%s: byte %zu of the pickle: %s", reader->name, reader->first, fault);
    return VKS_ERR_FORMAT;
}

static enum vks_status refuse(const struct reader *reader, const char *what) {
    log_error(reader->log, "%s: byte %zu of the pickle: %s is refused: only tensors are read",
              reader->name, reader->first, what);
    return VKS_ERR_UNSUPPORTED;
}

static enum vks_status memory_error(const struct reader *reader) {
    log_error(reader->log, "%s: out of memory", reader->name);
    return VKS_ERR_OOM;
}

// Room for `num` items; those that there are not yet are NULL.
static enum vks_status grow(const struct reader *reader, struct list *list, size_t num) {
    if (num > MAX_VALUES)
        return fail(reader, "more values than tensors need");
    if (num <= list->capacity)
        return VKS_OK;
    size_t capacity = list->capacity ? list->capacity : 8;
    while (capacity < num)
        capacity *= 2;
    struct value **items = ARENA_NEW(reader->arena, struct value *, capacity);
    if (!items)
        return memory_error(reader);
    if (list->num > 0)
        memcpy(items, list->items, list->num * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return VKS_OK;
}

static enum vks_status append(const struct reader *reader, struct list *list, struct value *value) {
    TRY(grow(reader, list, list->num + 1));
    list->items[list->num++] = value;
    return VKS_OK;
}

static enum vks_status push(struct reader *reader, struct value value) {
    struct value *copy = ARENA_NEW(reader->arena, struct value, 1);
    if (!copy)
        return memory_error(reader);
    if (++reader->num_values > MAX_VALUES)
        return fail(reader, "more values than tensors need");
    *copy = value;
    return append(reader, &reader->stack, copy);
}

static enum vks_status pop(struct reader *reader, struct value **value) {
    struct list *stack = &reader->stack;
    if (stack->num == 0 || stack->items[stack->num - 1]->kind == KIND_MARK)
        return fail(reader, "there is no value to take");
    *value = stack->items[--stack->num];
    return VKS_OK;
}

// Takes what lies above the last mark, and the mark. items: valid until the next push.
static enum vks_status pop_to_mark(struct reader *reader, struct list *items) {
    struct list *stack = &reader->stack;
    size_t mark = stack->num;
    while (mark > 0 && stack->items[mark - 1]->kind != KIND_MARK)
        mark--;
    if (mark == 0)
        return fail(reader, "there is no mark");
    *items = (struct list){stack->items + mark, stack->num - mark, 0};
    stack->num = mark - 1;
    return VKS_OK;
}

static enum vks_status top(struct reader *reader, struct value **value) {
    TRY(pop(reader, value));
    reader->stack.num++;
    return VKS_OK;
}

static enum vks_status take(struct reader *reader, size_t num, const unsigned char **bytes) {
    if (num > reader->num_bytes - reader->at)
        return fail(reader, "it ends early");
    *bytes = reader->bytes + reader->at;
    reader->at += num;
    return VKS_OK;
}

static enum vks_status take_number(struct reader *reader, size_t num, uint64_t *value) {
    const unsigned char *bytes;
    TRY(take(reader, num, &bytes));
    *value = 0;
    for (size_t i = 0; i < num; i++)
        *value |= (uint64_t)bytes[i] << 8 * i;
    return VKS_OK;
}

static enum vks_status copy_text(struct reader *reader, const unsigned char *bytes, size_t num,
                                 const char **text) {
    char *copy = num <= MAX_TEXT_BYTES ? arena_alloc(reader->arena, num + 1, 1) : NULL;
    if (num > MAX_TEXT_BYTES || memchr(bytes, 0, num))
        return fail(reader, "a text that is too long, or contains a NUL");
    if (!copy)
        return memory_error(reader);
    memcpy(copy, bytes, num);
    *text = copy;
    return VKS_OK;
}

// A text after its length of length_bytes bytes.
static enum vks_status push_text(struct reader *reader, size_t length_bytes) {
    struct value value = {.kind = KIND_TEXT};
    const unsigned char *bytes;
    uint64_t num;
    TRY(take_number(reader, length_bytes, &num));
    TRY(take(reader, num, &bytes));
    TRY(copy_text(reader, bytes, num, &value.text));
    return push(reader, value);
}

// A number of num bytes; is_signed: in two's complement.
static enum vks_status push_number(struct reader *reader, size_t num, bool is_signed) {
    struct value value = {.kind = KIND_INT};
    uint64_t bits;
    if (num > 8)
        return fail(reader, "a number of more than 8 bytes");
    TRY(take_number(reader, num, &bits));
    if (is_signed && num > 0 && num < 8 && bits >> (8 * num - 1))
        bits |= ~UINT64_C(0) << 8 * num;
    memcpy(&value.number, &bits, sizeof bits);
    return push(reader, value);
}

static enum vks_status push_name(struct reader *reader, const char *module, const char *name) {
    for (size_t i = 0; i < COUNT_OF(known_names); i++) {
        if (strcmp(module, known_names[i].module) != 0 || strcmp(name, known_names[i].name) != 0)
            continue;
        struct value value = {.kind = known_names[i].kind};
        if (value.kind == KIND_FUNCTION)
            value.function = (enum function)known_names[i].meaning;
        else
            value.dtype = (enum safetensors_dtype)known_names[i].meaning;
        return push(reader, value);
    }
    char what[160];
    snprintf(what, sizeof what, "'%.70s.%.70s'", module, name);
    return refuse(reader, what);
}

static enum vks_status take_line(struct reader *reader, const char **text) {
    const unsigned char *bytes = reader->bytes + reader->at;
    const unsigned char *end = memchr(bytes, '\n', reader->num_bytes - reader->at);
    if (!end)
        return fail(reader, "it ends early");
    reader->at += (size_t)(end - bytes) + 1;
    return copy_text(reader, bytes, (size_t)(end - bytes), text);
}

static enum vks_status push_global(struct reader *reader) {
    const char *module, *name;
    TRY(take_line(reader, &module));
    TRY(take_line(reader, &name));
    return push_name(reader, module, name);
}

static enum vks_status push_stack_global(struct reader *reader) {
    struct value *module, *name;
    TRY(pop(reader, &name));
    TRY(pop(reader, &module));
    if (module->kind != KIND_TEXT || name->kind != KIND_TEXT)
        return fail(reader, "a name that is no text");
    return push_name(reader, module->text, name->text);
}

static enum vks_status push_list(struct reader *reader, const struct list *items) {
    struct value value = {.kind = KIND_LIST};
    TRY(grow(reader, &value.list, items->num));
    if (items->num > 0)
        memcpy(value.list.items, items->items, items->num * sizeof *items->items);
    value.list.num = items->num;
    return push(reader, value);
}

// A tuple of the last num values.
static enum vks_status push_tuple(struct reader *reader, size_t num) {
    struct value *values[3];
    for (size_t i = num; i-- > 0;)
        TRY(pop(reader, &values[i]));
    return push_list(reader, &(struct list){values, num, num});
}

static enum vks_status push_marked_tuple(struct reader *reader) {
    struct list items;
    TRY(pop_to_mark(reader, &items));
    return push_list(reader, &items);
}

static enum vks_status remember(struct reader *reader, uint64_t idx) {
    struct value *value;
    TRY(top(reader, &value));
    if (idx >= MAX_VALUES)
        return fail(reader, "a place to remember that is out of range");
    TRY(grow(reader, &reader->memo, idx + 1));
    if (idx >= reader->memo.num)
        reader->memo.num = idx + 1;
    reader->memo.items[idx] = value;
    return VKS_OK;
}

static enum vks_status recall(struct reader *reader, uint64_t idx) {
    if (idx >= reader->memo.num || !reader->memo.items[idx])
        return fail(reader, "nothing was remembered there");
    return append(reader, &reader->stack, reader->memo.items[idx]);
}

static bool is_whole(const struct value *value) {
    return value->kind == KIND_INT && value->number >= 0;
}

// ("storage", type, key, location, elements)
static enum vks_status push_storage(struct reader *reader) {
    struct value *id;
    TRY(pop(reader, &id));
    struct value *const *items = id->list.items;
    if (id->kind != KIND_LIST || id->list.num != 5 || items[0]->kind != KIND_TEXT ||
        strcmp(items[0]->text, "storage") != 0 || items[2]->kind != KIND_TEXT ||
        !is_whole(items[4]))
        return fail(reader, "not a storage as PyTorch describes it");
    if (items[1]->kind != KIND_STORAGE_TYPE)
        return fail(reader, "a storage without a type");
    return push(reader, (struct value){.kind = KIND_STORAGE,
                                       .storage = {.key = items[2]->text,
                                                   .dtype = items[1]->dtype,
                                                   .num_elements = (uint64_t)items[4]->number}});
}

// Elements from the first to the last one, in the storage; false when they are not all there.
static bool fits(const struct pickle_tensor *tensor) {
    size_t last = tensor->offset, extent, num = 1;
    bool is_empty = false;
    for (uint32_t i = 0; i < tensor->num_dims; i++)
        is_empty |= tensor->dims[i] == 0;
    for (uint32_t i = 0; i < tensor->num_dims && !is_empty; i++)
        if (!size_mul(tensor->dims[i] - 1, tensor->strides[i], &extent) ||
            !size_add(last, extent, &last) || !size_mul(num, tensor->dims[i], &num))
            return false;
    return is_empty ? tensor->offset <= tensor->storage_elements
                    : last < tensor->storage_elements && num <= SIZE_MAX / 8;
}

// (storage, offset, size, stride, requires_grad, hooks ...)
static enum vks_status push_tensor(struct reader *reader, const struct list *args) {
    struct value *const *items = args->items;
    if (args->num < 4 || items[0]->kind != KIND_STORAGE || !is_whole(items[1]) ||
        items[2]->kind != KIND_LIST || items[3]->kind != KIND_LIST ||
        items[2]->list.num != items[3]->list.num)
        return fail(reader, "not a tensor as PyTorch describes it");
    const struct list *sizes = &items[2]->list, *strides = &items[3]->list;
    if (sizes->num > SAFETENSORS_MAX_DIMS)
        return refuse(reader, "a tensor of more than 8 dimensions");
    struct pickle_tensor *tensor = ARENA_NEW(reader->arena, struct pickle_tensor, 1);
    if (!tensor)
        return memory_error(reader);
    *tensor = (struct pickle_tensor){.storage = items[0]->storage.key,
                                     .dtype = items[0]->storage.dtype,
                                     .storage_elements = items[0]->storage.num_elements,
                                     .offset = (uint64_t)items[1]->number,
                                     .num_dims = (uint32_t)sizes->num};
    for (size_t i = 0; i < sizes->num; i++) {
        if (!is_whole(sizes->items[i]) || !is_whole(strides->items[i]))
            return fail(reader, "a size or a stride that is no whole number");
        tensor->dims[i] = (uint64_t)sizes->items[i]->number;
        tensor->strides[i] = (uint64_t)strides->items[i]->number;
    }
    if (!fits(tensor))
        return fail(reader, "a tensor that does not lie within its storage");
    return push(reader, (struct value){.kind = KIND_TENSOR, .tensor = tensor});
}

static enum vks_status reduce(struct reader *reader) {
    struct value *args, *function;
    TRY(pop(reader, &args));
    TRY(pop(reader, &function));
    if (function->kind != KIND_FUNCTION || args->kind != KIND_LIST)
        return fail(reader, "a call of what is no function");
    switch (function->function) {
    case MAKE_DICT:
        if (args->list.num > 0)
            return refuse(reader, "a dictionary made of something");
        return push(reader, (struct value){.kind = KIND_DICT});
    case REBUILD_TENSOR:
        return push_tensor(reader, &args->list);
    case REBUILD_PARAMETER:
        break;
    }
    if (args->list.num == 0 || args->list.items[0]->kind != KIND_TENSOR)
        return fail(reader, "a parameter without a tensor");
    return append(reader, &reader->stack, args->list.items[0]);
}

static enum vks_status add_items(struct reader *reader, enum kind kind, const struct list *items) {
    struct value *target;
    TRY(top(reader, &target));
    if (target->kind != kind || (kind == KIND_DICT && items->num % 2 != 0))
        return fail(reader, "items for something that has none");
    for (size_t i = 0; i < items->num; i++)
        TRY(append(reader, &target->list, items->items[i]));
    return VKS_OK;
}

static enum vks_status add_marked(struct reader *reader, enum kind kind) {
    struct list items;
    TRY(pop_to_mark(reader, &items));
    return add_items(reader, kind, &items);
}

static enum vks_status add_last(struct reader *reader, enum kind kind, size_t num) {
    struct value *items[2];
    for (size_t i = num; i-- > 0;)
        TRY(pop(reader, &items[i]));
    return add_items(reader, kind, &(struct list){items, num, num});
}

// What else Python would set in an object: a dictionary's version numbers, which say nothing.
static enum vks_status build(struct reader *reader) {
    struct value *state, *target;
    TRY(pop(reader, &state));
    TRY(top(reader, &target));
    return state->kind == KIND_DICT && target->kind == KIND_DICT
               ? VKS_OK
               : refuse(reader, "state of something that is no dictionary");
}

static enum vks_status skip(struct reader *reader, size_t num) {
    const unsigned char *bytes;
    return take(reader, num, &bytes);
}

static enum vks_status push_skipped(struct reader *reader, size_t num) {
    TRY(skip(reader, num));
    return push(reader, (struct value){.kind = KIND_OTHER});
}

static enum vks_status run_memo(struct reader *reader, unsigned char op) {
    uint64_t idx;
    bool is_long = op == 'r' || op == 'j';
    if (op == 0x94)
        return remember(reader, reader->memo.num);
    TRY(take_number(reader, is_long ? 4 : 1, &idx));
    return op == 'q' || op == 'r' ? remember(reader, idx) : recall(reader, idx);
}

// Instructions that make values out of nothing but the text.
static enum vks_status run_constant(struct reader *reader, unsigned char op) {
    uint64_t num;
    switch (op) {
    case 'X': // BINUNICODE
        return push_text(reader, 4);
    case 0x8c: // SHORT_BINUNICODE
    case 'U':  // SHORT_BINSTRING
        return push_text(reader, 1);
    case 'K': // BININT1
        return push_number(reader, 1, false);
    case 'M': // BININT2
        return push_number(reader, 2, false);
    case 'J': // BININT
        return push_number(reader, 4, true);
    case 0x8a: // LONG1
        TRY(take_number(reader, 1, &num));
        return push_number(reader, num, true);
    case 'G': // BINFLOAT
        return push_skipped(reader, 8);
    case 'N':  // NONE
    case 0x88: // NEWTRUE
    case 0x89: // NEWFALSE
        return push_skipped(reader, 0);
    default:
        break;
    }
    char what[40];
    snprintf(what, sizeof what, "instruction 0x%02x", op);
    return refuse(reader, what);
}

static enum vks_status run(struct reader *reader, unsigned char op) {
    switch (op) {
    case 0x80: // PROTO
        return skip(reader, 1);
    case 0x95: // FRAME
        return skip(reader, 8);
    case '(':
        return push(reader, (struct value){.kind = KIND_MARK});
    case ')': // EMPTY_TUPLE
    case ']': // EMPTY_LIST
        return push(reader, (struct value){.kind = KIND_LIST});
    case '}': // EMPTY_DICT
        return push(reader, (struct value){.kind = KIND_DICT});
    case 't': // TUPLE
        return push_marked_tuple(reader);
    case 0x85: // TUPLE1
    case 0x86:
    case 0x87:
        return push_tuple(reader, op - 0x84u);
    case 'c': // GLOBAL
        return push_global(reader);
    case 0x93: // STACK_GLOBAL
        return push_stack_global(reader);
    case 'R': // REDUCE
        return reduce(reader);
    case 'Q': // BINPERSID
        return push_storage(reader);
    case 'b': // BUILD
        return build(reader);
    case 's': // SETITEM
        return add_last(reader, KIND_DICT, 2);
    case 'u': // SETITEMS
        return add_marked(reader, KIND_DICT);
    case 'a': // APPEND
        return add_last(reader, KIND_LIST, 1);
    case 'e': // APPENDS
        return add_marked(reader, KIND_LIST);
    case 'q':  // BINPUT
    case 'r':  // LONG_BINPUT
    case 0x94: // MEMOIZE
    case 'h':  // BINGET
    case 'j':  // LONG_BINGET
        return run_memo(reader, op);
    default:
        return run_constant(reader, op);
    }
}

static int compare_names(const void *a, const void *b) {
    const struct pickle_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static enum vks_status check_names(const struct reader *reader, const struct pickle_tensor *tensors,
                                   size_t num) {
    const struct pickle_tensor **sorted =
        ARENA_NEW(reader->arena, const struct pickle_tensor *, num + 1);
    if (!sorted)
        return memory_error(reader);
    for (size_t i = 0; i < num; i++)
        sorted[i] = &tensors[i];
    qsort(sorted, num, sizeof *sorted, compare_names);
    for (size_t i = 1; i < num; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            continue;
        log_error(reader->log, "%s: tensor '%.200s': there are two of that name", reader->name,
                  sorted[i]->name);
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static enum vks_status collect(struct reader *reader, struct pickle_tensors *tensors) {
    struct value *dict;
    TRY(pop(reader, &dict));
    if (dict->kind != KIND_DICT)
        return fail(reader, "its value is not a dictionary of tensors");
    size_t count = dict->list.num / 2;
    struct pickle_tensor *found = ARENA_NEW(reader->arena, struct pickle_tensor, count + 1);
    if (!found)
        return memory_error(reader);
    for (size_t i = 0; i < count; i++) {
        const struct value *key = dict->list.items[2 * i], *value = dict->list.items[2 * i + 1];
        if (key->kind != KIND_TEXT || value->kind != KIND_TENSOR)
            return fail(reader, "its value is not a dictionary of tensors");
        found[i] = *value->tensor;
        found[i].name = key->text;
    }
    TRY(check_names(reader, found, count));
    *tensors = (struct pickle_tensors){found, count};
    return VKS_OK;
}

enum vks_status pickle_read_tensors(const void *bytes, size_t num_bytes, const char *name,
                                    const struct vks_log *log, struct arena *arena,
                                    struct pickle_tensors *tensors) {
    struct reader reader = {
        .name = name, .log = log, .arena = arena, .bytes = bytes, .num_bytes = num_bytes};
    for (;;) {
        const unsigned char *op;
        reader.first = reader.at;
        TRY(take(&reader, 1, &op));
        if (*op == '.') // STOP
            return collect(&reader, tensors);
        TRY(run(&reader, *op));
    }
}
