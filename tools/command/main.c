// The vkseq command: a verb, then its options.
#include "command.h"

#include "cli/system.h"
#include "cli/environment.h"

#include <errno.h>
#include <string.h>

static const struct verb {
    const char *name, *summary;
    int (*run)(const char *program, int argc, char **argv);
} verbs[] = {
    {"train", "train a model on parallel text, or go on with it", verb_train},
    {"translate", "translate text, a line in, a line out, or a document", verb_translate},
    {"score", "log probability of given translations", verb_score},
    {"evaluate", "BLEU, chrF and chrF++ of translations", verb_evaluate},
    {"attention", "where a model looks, for one line and its translation", verb_attention},
    {"average", "the mean of several models or training states", verb_average},
    {"convert", "write a model of another format as vkseq's own", verb_convert},
    {"export", "write a model for transformers, Marian or CTranslate2", verb_export},
    {"inspect", "what a model is, and whether vkseq can use it", verb_inspect},
    {"encode", "the vocabulary's ids of a text", verb_encode},
    {"decode", "the text of ids", verb_decode},
    {"report", "an HTML page about a training", verb_report},
    {"devices", "list Vulkan devices and what they can do", verb_devices},
    {"selftest", "check that a device computes what it should", verb_selftest},
    {"bench", "measure speed on random data", verb_bench},
    {"profile", "where the time of training and decoding steps goes", verb_profile},
    {"tune", "find the fastest kernels on a device", verb_tune},
};

enum { NUM_VERBS = sizeof verbs / sizeof *verbs };

static void print_help(FILE *file) {
    fputs("Usage: vkseq [--cache-dir DIR] VERB [OPTIONS]\n"
          "Trains Transformer translation models and translates with them, on any Vulkan device.\n"
          "\nVerbs (vkseq VERB --help lists the options):\n",
          file);
    for (int i = 0; i < NUM_VERBS; i++)
        fprintf(file, "  %-12s%s\n", verbs[i].name, verbs[i].summary);
    fputs(
        "\n"
        "  --cache-dir DIR  where to keep compiled kernels for the next time\n"
        "  -h, --help       print this and end\n"
        "  --version        print the version and end\n"
        "\n"
        "Exit codes:\n"
        "  0  done\n"
        "  1  failed; stderr says why\n"
        "  2  wrong options\n"
        "  3  no Vulkan loader, no driver, or no device that can be used\n"
        "  4  selftest: the device computes something wrong\n"
        "\n"
        "Environment:\n"
        "  VKSEQ_DEVICE            what -d/--device would say\n"
        "  VKSEQ_CACHE_DIR         what --cache-dir would say, or empty: nothing is kept; unless\n"
        "                          set, ${XDG_CACHE_HOME:-~/.cache}/vkseq\n"
        "  VKSEQ_MODEL_PATH        folders, ':' between them, in which a model is looked for that\n"
        "                          --model names; then in ${XDG_DATA_HOME:-~/.local/share}/vkseq/\n"
        "                          models, and in share/vkseq/models of the installation\n"
        "  VKSEQ_KERNELS           highest kernel family: shared, subgroup, address or texel\n"
        "  VKSEQ_TILES             tiles of matrix products, whatever was tuned: short,\n"
        "                          medium, tall, block, large-block; in float16 with\n"
        "                          cooperative matrices small-mma, mma, large-mma\n"
        "  VKSEQ_COOPERATIVE       0: no cooperative matrices; 1: on software drivers, too\n"
        "  LP_NATIVE_VECTOR_WIDTH  vector width of the software driver lavapipe; unless set,\n"
        "                          512 is taken where processor and driver can have that\n"
        "  MESA_SHADER_CACHE_DIR   Mesa's compiled shaders, in a folder for the vector width if\n"
        "                          the command chooses it; unless set, VKSEQ_CACHE_DIR\n"
        "  VK_DRIVER_FILES         drivers to use; unless set, the lavapipe that\n"
        "                          tools/setup has unpacked is used beside the system's drivers\n",
        file);
}

static int report_unknown(const char *word) {
    const char *names[NUM_VERBS];
    for (int i = 0; i < NUM_VERBS; i++)
        names[i] = verbs[i].name;
    fprintf(stderr, "vkseq: unknown verb '%s'; did you mean '%s'?\n", word,
            cli_nearest(word, names, NUM_VERBS));
    return EXIT_USAGE;
}

// Takes the options in front of the verb; the exit code if there is nothing to do then, else -1.
static int take_options(int *argc, char ***argv) {
    static const char name[] = "--cache-dir";
    size_t length = sizeof name - 1;
    while (*argc > 1 && !strncmp((*argv)[1], name, length)) {
        const char *folder = (*argv)[1] + length;
        int num = *folder == '=' ? 1 : 2;
        if (*folder && *folder != '=')
            break;
        folder = *folder ? folder + 1 : (*argv)[2];
        if (!folder) {
            fprintf(stderr, "vkseq: option '--cache-dir' needs a value: a folder\n");
            return EXIT_USAGE;
        }
        system_set_environment("VKSEQ_CACHE_DIR", folder);
        (*argv)[num] = (*argv)[0];
        *argc -= num;
        *argv += num;
    }
    return -1;
}

static int run(int argc, char **argv) {
    int exit_code = take_options(&argc, &argv);
    if (exit_code >= 0)
        return exit_code;
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("vkseq " VKS_VERSION_STRING);
        return EXIT_OK;
    }
    environment_prepare(argv);
    for (int i = 0; i < NUM_VERBS; i++)
        if (!strcmp(argv[1], verbs[i].name))
            return verbs[i].run(argv[0], argc - 1, argv + 1);
    return report_unknown(argv[1]);
}

int main(int argc, char **argv) {
    system_prepare();
    int exit_code = run(argc, argv);
    if (exit_code != EXIT_OK || (fflush(stdout) == 0 && !ferror(stdout)))
        return exit_code;
    fprintf(stderr, "vkseq: standard output cannot be written: %s\n", strerror(errno));
    return EXIT_FAILED;
}
