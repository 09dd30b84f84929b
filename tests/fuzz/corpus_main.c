/* Runs a fuzz target over files without a fuzzer: every file given, or else those of tests/fuzz/corpus/NAME/ for
 * fuzz_NAME; each whole and, if it is short, every prefix of it, which finds most of what reads past an end. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_files;

static void
run_exactly(const char *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* of this very size, so that a sanitizer sees a read past it */
    if (!copy) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void
run_file(const char *path)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    if (!buf_read_file(&text, path, 16u << 20, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    run_exactly(buf_str(&text), text.size);
    for (size_t size = 0; size < text.size && text.size <= 4096; size++) {
        run_exactly(text.data, size);
    }
    n_files++;
    buf_done(&text);
}

static void
run_directory(const char *directory)
{
    struct dirent **names;
    int n = scandir(directory, &names, NULL, alphasort);
    if (n < 0) {
        fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        if (names[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
            run_file(path);
        }
        free(names[i]);
    }
    free(names);
}

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            run_directory(argv[i]);
        } else {
            run_file(argv[i]);
        }
    }
    if (argc == 1) {
        char directory[4096];
        snprintf(directory, sizeof directory, "tests/fuzz/corpus/%s", strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name);
        run_directory(directory);
    }
    printf("%s: %d passed, %d failed\n", name, n_files, n_files == 0);
    return n_files == 0;
}
