// vkseq report: one HTML page about a training, from what stands in its model directory.
#include "command.h"
#include "cli/folders.h"
#include "line_files.h"
#include "report_chart.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *model, *output;
};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .help = "Model directory that vkseq train made.", .group = "General"},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE",
     .help = "The page; - is stdout. (default: DIR/report.html)"},
    {0},
};
// clang-format on

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2430;--dim:#5d6878;--line:#d5dbe3;--paper:#fff;"
    "--card:#f6f8fa;--one:#1f6feb;--two:#c2410c}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ef;--dim:#98a4b5;--line:#384252;"
    "--paper:#12171f;--card:#1a212c;--one:#6ea8fe;--two:#fb923c}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:24px;background:"
    "var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:0 0 4px}h2{font-size:1.15rem;margin:36px 0 12px}"
    "p{color:var(--dim);margin:0 0 12px}\n"
    ".tiles,.charts{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}"
    ".charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}\n"
    ".tile,figure{background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:12px 14px;margin:0}.tile b{display:block;font-size:1.3rem}"
    ".tile span,figcaption{color:var(--dim);font-size:.9rem}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:var(--dim);font:12px system-ui,"
    "sans-serif}.grid{stroke:var(--line)}.curve{fill:none;stroke:var(--one);stroke-width:2;"
    "stroke-linejoin:round}.dot{fill:var(--one)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.95rem}td,th{text-align:left;"
    "vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);"
    "overflow-wrap:anywhere}th{font-weight:500;color:var(--dim);width:30%}\n"
    ".sample{border-left:3px solid var(--one);padding:2px 0 2px 14px;margin:0 0 16px;"
    "overflow-wrap:anywhere}.sample div{display:grid;grid-template-columns:6.5rem 1fr;gap:8px}"
    ".sample span{color:var(--dim)}@media(max-width:520px){.sample div{display:block}.sample "
    "span{display:block}}\n";

// What the curves are called, in the order of the page. Others follow by their tag.
static const struct {
    const char *tag, *title;
    bool is_validation;
} known[] = {
    {"train/cost", "Training cost (smoothed labels), nats a token", false},
    {"valid/ce-mean-words", "Validation cross-entropy, nats a token", true},
    {"valid/bleu", "BLEU of the validation text", true},
    {"valid/chrf", "chrF of the validation text", true},
    {"valid/perplexity", "Validation perplexity", true},
    {"valid/cross-entropy", "Validation cross-entropy, nats a sentence", true},
    {"train/learn_rate", "Learning rate", false},
    {"train/gradient_norm", "Gradient norm", false},
    {"train/words_per_second", "Target tokens a second", false},
};

enum { NUM_KNOWN = sizeof known / sizeof *known, MAX_FILE_BYTES = 1 << 28 };

struct report {
    const char *dir;
    struct console *console;
    struct line_block lines; // of history.jsonl
    struct chart_series series[NUM_KNOWN];
    cJSON *config, *samples, *run;
    double last_update, epoch;
};

// A JSON file of the model directory; NULL if it is not there or is none.
static cJSON *read_json(const char *dir, const char *name) {
    char *path = path_append(dir, name);
    FILE *file = path ? fopen(path, "rb") : NULL;
    cJSON *json = NULL;
    free(path);
    if (!file)
        return NULL;
    long num_bytes = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    size_t num = num_bytes > 0 && num_bytes <= MAX_FILE_BYTES ? (size_t)num_bytes : 0;
    char *text = malloc(num + 1);
    rewind(file);
    if (text && fread(text, 1, num, file) == num)
        json = cJSON_ParseWithLength(text, num);
    free(text);
    fclose(file);
    return json;
}

static double number_of(const cJSON *json, const char *name, double otherwise) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static const char *text_of(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text ? text : "";
}

static bool take_line(struct report *report, const char *line) {
    cJSON *json = cJSON_Parse(line);
    double update = number_of(json, "update", -1);
    bool ok = update >= 0;
    for (size_t i = 0; ok && i < NUM_KNOWN; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, known[i].tag);
        if (cJSON_IsNumber(item))
            ok = chart_series_add(&report->series[i], update, item->valuedouble);
    }
    report->last_update = update;
    report->epoch = number_of(json, "train/epoch", report->epoch);
    cJSON_Delete(json);
    return ok;
}

static enum vks_status read_report(struct report *report) {
    char *path = path_append(report->dir, "history.jsonl");
    enum vks_status status = path ? VKS_OK : VKS_ERR_OOM;
    if (path)
        status = read_all_lines(path, report->console, &report->lines);
    for (size_t i = 0; status == VKS_OK && i < report->lines.num; i++) {
        if (take_line(report, report->lines.lines[i]))
            continue;
        console_error(report->console, "%s, line %zu: not a line of a training's history", path,
                      i + 1);
        status = VKS_ERR_FORMAT;
    }
    free(path);
    report->config = read_json(report->dir, "config.json");
    report->samples = read_json(report->dir, "samples.json");
    report->run = read_json(report->dir, "training_run.json");
    return status;
}

static void print_tile(FILE *file, const char *value, const char *label) {
    fprintf(file, "<div class=\"tile\"><b>");
    print_html(file, value);
    fprintf(file, "</b><span>%s</span></div>\n", label);
}

static void print_tiles(const struct report *report, FILE *file) {
    char text[64];
    fprintf(file, "<div class=\"tiles\">\n");
    snprintf(text, sizeof text, "%.0f", report->last_update);
    print_tile(file, text, "updates");
    snprintf(text, sizeof text, "%.0f", report->epoch);
    print_tile(file, text, "epoch");
    for (size_t i = 0; i < NUM_KNOWN; i++) {
        const struct chart_series *series = &report->series[i];
        if (!known[i].is_validation || series->num == 0)
            continue;
        bool rises = !strcmp(known[i].tag, "valid/bleu") || !strcmp(known[i].tag, "valid/chrf");
        char label[64];
        snprintf(text, sizeof text, "%.4g", chart_series_best(series, rises));
        snprintf(label, sizeof label, "best %s", strchr(known[i].tag, '/') + 1);
        print_tile(file, text, label);
    }
    fprintf(file, "</div>\n");
}

static void print_charts(const struct report *report, FILE *file) {
    fprintf(file, "<h2>Curves</h2>\n<div class=\"charts\">\n");
    for (size_t i = 0; i < NUM_KNOWN; i++)
        if (report->series[i].num > 0)
            chart_print(file, &report->series[i], report->last_update, known[i].title);
    fprintf(file, "</div>\n");
}

static void print_row(FILE *file, const char *name, const char *value) {
    fprintf(file, "<tr><th>");
    print_html(file, name);
    fprintf(file, "</th><td>");
    print_html(file, value);
    fprintf(file, "</td></tr>\n");
}

// Every member of an object as a row; lists are joined by blanks.
static void print_rows(FILE *file, const cJSON *object) {
    const cJSON *item, *part;
    cJSON_ArrayForEach(item, object) {
        char text[1024] = "", *printed = NULL;
        size_t used = 0;
        cJSON_ArrayForEach(part, item) {
            if (used < sizeof text && cJSON_IsString(part))
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                         part->valuestring);
        }
        if (!used && !cJSON_IsString(item))
            printed = cJSON_PrintUnformatted(item);
        print_row(file, item->string,
                  cJSON_IsString(item) ? item->valuestring
                  : printed            ? printed
                                       : text);
        cJSON_free(printed);
    }
}

static void print_settings(const struct report *report, FILE *file) {
    if (report->run) {
        fprintf(file, "<h2>Training</h2>\n<table>\n");
        print_rows(file, report->run);
        fprintf(file, "</table>\n");
    }
    fprintf(file, "<h2>Model</h2>\n<table>\n");
    print_rows(file, report->config);
    fprintf(file, "</table>\n");
}

static void print_samples(const struct report *report, FILE *file) {
    static const char *const parts[] = {"source", "reference", "translation"};
    const cJSON *sample;
    if (!report->samples)
        return;
    fprintf(file,
            "<h2>Sample translations</h2>\n<p>Of the validation text, after %.0f updates.</p>\n",
            number_of(report->samples, "update", 0));
    cJSON_ArrayForEach(sample, cJSON_GetObjectItemCaseSensitive(report->samples, "samples")) {
        fprintf(file, "<div class=\"sample\">\n");
        for (size_t i = 0; i < 3; i++) {
            fprintf(file, "<div><span>%s</span><b style=\"font-weight:%d\">", parts[i],
                    i == 2 ? 600 : 400);
            print_html(file, text_of(sample, parts[i]));
            fprintf(file, "</b></div>\n");
        }
        fprintf(file, "</div>\n");
    }
}

// The last part of a path that is more than slashes.
static const char *base_name(const char *path) {
    const char *name = path;
    for (const char *at = path; *at; at++)
        if (*at == '/' && at[1] && at[1] != '/')
            name = at + 1;
    return name;
}

static void print_page(const struct report *report, FILE *file) {
    const char *name = base_name(report->dir);
    fprintf(file,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    print_html(file, name);
    fprintf(file, " - vkseq</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    print_html(file, name);
    fprintf(file, "</h1>\n<p>A training of vkseq");
    if (report->run) {
        fprintf(file, " on ");
        print_html(file, text_of(report->run, "device"));
    }
    fprintf(file, ".</p>\n");
    print_tiles(report, file);
    print_charts(report, file);
    print_samples(report, file);
    print_settings(report, file);
    fprintf(file, "</body></html>\n");
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct report report = {.dir = values->model, .console = console};
    struct line_output output;
    char *path = path_append(values->model, "report.html");
    enum vks_status status = path ? read_report(&report) : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = line_output_open(&output, values->output ? values->output : path, console);
    if (status == VKS_OK) {
        print_page(&report, output.file);
        status = line_output_close(&output, VKS_OK);
    }
    for (size_t i = 0; i < NUM_KNOWN; i++)
        chart_series_free(&report.series[i]);
    line_block_free(&report.lines);
    cJSON_Delete(report.config);
    cJSON_Delete(report.samples);
    cJSON_Delete(report.run);
    free(path);
    return exit_code_of(console, status);
}

int verb_report(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq report",
        .summary =
            "Writes one self-contained HTML page about a training: curves, settings, sample\n"
            "translations beside references.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, NULL, run);
}
