/* Shorthand is read or refused with a word, and what was read can be written as JSON. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "cloud/shorthand.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct err err = { 0 };
    json_t *value = shorthand_read(text, &err);
    FUZZ_CHECK(value ? json_is_object(value) : err.kind == ERR_USAGE && err.text[0]);
    if (value) {
        struct buf out = { 0 };
        json_write_compact(value, &out);
        json_t *again = json_read(buf_str(&out), out.size, "again", &err);
        FUZZ_CHECK(again && json_equal(value, again));
        json_decref(again);
        buf_done(&out);
    }
    json_decref(value);
    free(text);
    return 0;
}
