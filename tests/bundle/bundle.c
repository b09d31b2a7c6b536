// Runs the test program that the first argument names; without one, lists them.
#include <stdio.h>
#include <string.h>

#define PROGRAM(name) int main_of_##name(void);
#include "bundled.def"
#undef PROGRAM

static const struct program {
    const char *name;
    int (*run)(void);
} programs[] = {
#define PROGRAM(name) {#name, main_of_##name},
#include "bundled.def"
#undef PROGRAM
};

int main(int argc, char **argv) {
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (argc < 2)
            puts(programs[i].name);
        else if (!strcmp(argv[1], programs[i].name))
            return programs[i].run();
    }
    return argc < 2 ? 0 : 2;
}
