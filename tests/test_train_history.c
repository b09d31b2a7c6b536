// The history of a training: lines of JSON, and TensorBoard's event files, read back byte by byte.
#include "scratch.h"
#include "train/history.h"

#include <math.h>

enum { MAX_BYTES = 1 << 20 };

static const struct event_value values[] = {{"train/cost", 2.5}, {"valid/bleu", 17.25}};

static char *read_text(const struct scratch *scratch, const char *name, size_t *num_bytes) {
    unsigned char *data;
    char *path = scratch_path(scratch, name);
    assert_int_equal(file_read(path, MAX_BYTES, &scratch->log, &data, num_bytes), VKS_OK);
    free(path);
    return (char *)data;
}

static size_t count_lines(const char *text) {
    size_t num = 0;
    for (; *text; text++)
        num += *text == '\n';
    return num;
}

static struct history *open_history(struct scratch *scratch, uint64_t updates) {
    struct history *history;
    assert_int_equal(history_open(scratch->dir, NULL, updates, &scratch->log, &history), VKS_OK);
    return history;
}

static void figures_are_lines_of_json(void **state) {
    struct scratch *scratch = *state;
    size_t num_bytes;
    struct history *history = open_history(scratch, 0);
    history_add(history, 100, values, 2);
    history_add(history, 200, &(struct event_value){"train/cost", (double)NAN}, 1);
    history_close(&history);
    char *text = read_text(scratch, "history.jsonl", &num_bytes);
    assert_int_equal(count_lines(text), 2);
    assert_non_null(strstr(text, "{\"update\":100,\"time\":"));
    assert_non_null(strstr(text, ",\"train/cost\":2.5,\"valid/bleu\":17.25}\n"));
    assert_null(strstr(strchr(text, '\n'), "train/cost"));
    free(text);
}

static void a_resumed_training_repeats_no_line(void **state) {
    struct scratch *scratch = *state;
    size_t num_bytes;
    struct history *history = open_history(scratch, 0);
    for (uint64_t update = 100; update <= 500; update += 100)
        history_add(history, update, values, 2);
    history_close(&history);
    history = open_history(scratch, 300);
    history_add(history, 400, values, 1);
    history_close(&history);
    char *text = read_text(scratch, "history.jsonl", &num_bytes);
    assert_int_equal(count_lines(text), 4);
    assert_null(strstr(text, "\"update\":500"));
    free(text);
}

static void a_torn_line_is_dropped(void **state) {
    struct scratch *scratch = *state;
    static const char torn[] = "{\"update\":1}\n{\"update\":2,\"ti";
    size_t num_bytes;
    scratch_put(scratch, "history.jsonl", torn, sizeof torn - 1);
    struct history *history = open_history(scratch, 10);
    history_add(history, 20, values, 1);
    history_close(&history);
    char *text = read_text(scratch, "history.jsonl", &num_bytes);
    assert_int_equal(count_lines(text), 2);
    assert_memory_equal(text, "{\"update\":1}\n{\"update\":20,", 25);
    free(text);
}

// CRC-32C of a record's part, masked as TensorBoard does.
static uint32_t masked_crc(const unsigned char *data, size_t num_bytes) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < num_bytes * 8; i++)
        crc = crc >> 1 ^ (((crc ^ (data[i / 8] >> i % 8)) & 1) ? 0x82f63b78u : 0);
    crc = ~crc;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t little_endian(const unsigned char *data, size_t num_bytes) {
    uint64_t value = 0;
    for (size_t i = num_bytes; i-- > 0;)
        value = value << 8 | data[i];
    return value;
}

static void the_check_sum_is_crc32c(void **state) {
    (void)state; // RFC 3720, appendix B.4: 32 bytes of zeros, 0x8a9136aa
    static const unsigned char zeros[32];
    assert_int_equal(masked_crc(zeros, 32),
                     ((0x8a9136aau >> 15) | (0x8a9136aau << 17)) + 0xa282ead8u);
}

static void event_files_are_records_of_events(void **state) {
    struct scratch *scratch = *state;
    // Event{wall_time 1.5, step 300, summary{value{tag "train/cost", simple_value 2.5}}}
    static const unsigned char expected[] = {0x09, 0,    0,    0,    0,    0,    0,    0xf8, 0x3f,
                                             0x10, 0xac, 0x02, 0x2a, 0x13, 0x0a, 0x11, 0x0a, 0x0a,
                                             't',  'r',  'a',  'i',  'n',  '/',  'c',  'o',  's',
                                             't',  0x15, 0,    0,    0x20, 0x40};
    struct event_file *events;
    size_t num_bytes, at = 0, num_records = 0;
    assert_int_equal(event_file_create(scratch->dir, 1.5, 7, &scratch->log, &events), VKS_OK);
    assert_int_equal(event_file_add(events, 1.5, 300, values, 1), VKS_OK);
    event_file_close(&events);
    unsigned char *data =
        (unsigned char *)read_text(scratch, "events.out.tfevents.1500.vkseq", &num_bytes);
    while (at < num_bytes) {
        size_t length = little_endian(data + at, 8);
        const unsigned char *record = data + at + 12;
        assert_true(num_bytes - at >= 16 && length <= num_bytes - at - 16);
        assert_int_equal(little_endian(data + at + 8, 4), masked_crc(data + at, 8));
        assert_int_equal(little_endian(record + length, 4), masked_crc(record, length));
        if (++num_records == 3) {
            assert_int_equal(length, sizeof expected);
            assert_memory_equal(record, expected, length);
        }
        at += length + 16;
    }
    assert_int_equal(num_records, 3);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(figures_are_lines_of_json),
        SCRATCH_TEST(a_resumed_training_repeats_no_line),
        SCRATCH_TEST(a_torn_line_is_dropped),
        cmocka_unit_test(the_check_sum_is_crc32c),
        SCRATCH_TEST(event_files_are_records_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
