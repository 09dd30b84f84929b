#include "base/base64.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_text(const void *data, size_t size)
{
    const unsigned char *in = data;
    char *out = xmalloc((size + 2) / 3 * 4 + 1), *to = out;
    for (size_t i = 0; i < size; i += 3) {
        unsigned n = (unsigned)in[i] << 16 | (i + 1 < size ? in[i + 1] : 0u) << 8 | (i + 2 < size ? in[i + 2] : 0u);
        *to++ = digits[n >> 18];
        *to++ = digits[n >> 12 & 63];
        *to++ = i + 1 < size ? digits[n >> 6 & 63] : '=';
        *to++ = i + 2 < size ? digits[n & 63] : '=';
    }
    *to = '\0';
    return out;
}

char *
base64_bytes(const char *text, size_t *size)
{
    char *out = xmalloc(strlen(text) / 4 * 3 + 4);
    unsigned group = 0, n = 0, padding = 0;
    bool good = true;
    *size = 0;
    for (const char *p = text; *p && good; p++) {
        const char *digit = strchr(digits, *p);
        if (*p == '\n' || *p == '\r') {
            continue;
        }
        good = *p == '=' ? n >= 2 : digit && !padding;
        padding += *p == '=';
        group = group << 6 | (*p == '=' || !digit ? 0u : (unsigned)(digit - digits));
        if (++n == 4) {
            for (unsigned i = 0; i < 3 - padding && padding <= 2; i++) {
                out[(*size)++] = (char)(group >> (16 - 8 * i) & 255);
            }
            good = good && padding <= 2;
            group = n = 0;
        }
    }
    out[*size] = '\0';
    if (!good || n) {
        free(out);
        *size = 0;
        return NULL;
    }
    return out;
}
