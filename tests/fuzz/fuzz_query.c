/* A JMESPath expression answers or is refused with a word; the same expression answers the same twice. */
#include "tests/fuzz/fuzz.h"

#include "cloud/query.h"

static const char value_text[] =
    "{\"a\":{\"b\":[1,2,{\"c\":\"x\"}]},\"n\":[3,1,2],\"s\":[\"b\",\"a\"],\"t\":\"text\",\"z\":null,\"e\":[],"
    "\"m\":[{\"k\":\"b\",\"v\":1},{\"k\":\"a\",\"v\":1.5},{}]}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) {
        return 0;
    }
    char *text = fuzz_text(data, size);
    struct err err = { 0 }, again_err = { 0 };
    json_t *value = json_read(value_text, sizeof value_text - 1, "value", &err);
    FUZZ_CHECK(value);
    json_t *out = query_run(text, value, &err), *again = query_run(text, value, &again_err);
    FUZZ_CHECK(out ? err.kind == ERR_NONE : err.kind == ERR_USAGE && err.text[0]);
    FUZZ_CHECK(out ? json_equal(out, again) : !again);
    json_decref(out);
    json_decref(again);
    json_decref(value);
    free(text);
    return 0;
}
