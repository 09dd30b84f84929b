/* tests/fuzz/fuzz.h - what fuzz targets share: FUZZ_CHECK ends the run with the rule that was broken; fuzz_text() is
 * the input as a C string. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition_)                                                                                         \
    do {                                                                                                               \
        if (!(condition_)) {                                                                                           \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition_);                                   \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Up to the first NUL; the caller frees it. */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text) {
        abort();
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}
