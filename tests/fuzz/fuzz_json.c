/* What json_read() accepts, it accepts again in the forms we write, as the same value; what it refuses, it refuses with
 * a place inside the text; json_loc finds every member and item where the text has it. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "base/json_loc.h"
#include "base/json_quick.h"

static void
check_again(const json_t *value, void (*write)(const json_t *value, struct buf *out))
{
    struct buf text = { 0 };
    struct err err = { 0 };
    write(value, &text);
    json_t *again = json_read(buf_str(&text), text.size, "again", &err);
    FUZZ_CHECK(again && json_equal(value, again));
    json_decref(again);
    buf_done(&text);
}

static void
check_places(const struct json_loc *loc, json_node node, const json_t *value, const char *text, size_t size)
{
    struct json_span span = json_loc_span(loc, node);
    FUZZ_CHECK(span.start < span.end && span.end <= size);
    struct json_place place = json_loc_place(loc, span.start);
    FUZZ_CHECK(place.line >= 1 && place.column >= 1);
    if (json_is_object(value)) {
        FUZZ_CHECK(text[span.start] == '{' && text[span.end - 1] == '}');
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member)
        {
            json_node child = json_loc_member(loc, node, key);
            FUZZ_CHECK(child != JSON_NO_NODE);
            check_places(loc, child, member, text, size);
        }
    } else if (json_is_array(value)) {
        FUZZ_CHECK(text[span.start] == '[' && text[span.end - 1] == ']');
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_node child = json_loc_item(loc, node, i);
            FUZZ_CHECK(child != JSON_NO_NODE);
            check_places(loc, child, json_array_get(value, i), text, size);
        }
        FUZZ_CHECK(json_loc_item(loc, node, json_array_size(value)) == JSON_NO_NODE);
    }
}

/* What is read quickly is what jansson reads, members in the same order. */
static void
check_quick(const char *text, size_t size)
{
    json_t *quick = json_quick(text, size);
    json_t *slow = quick ? json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL) : NULL;
    FUZZ_CHECK(!quick || (slow && json_equal(quick, slow)));
    struct buf a = { 0 }, b = { 0 };
    if (quick) {
        json_write_compact(quick, &a);
        json_write_compact(slow, &b);
        FUZZ_CHECK(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    }
    buf_done(&a);
    buf_done(&b);
    json_decref(quick);
    json_decref(slow);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct err err = { 0 };
    check_quick(text, size);
    json_t *value = json_read(text, size, "fuzz", &err);
    if (!value) {
        FUZZ_CHECK(err.kind == ERR_DOCUMENT && err.text[0] && err.line >= 1 && err.column >= 1);
        return 0;
    }
    FUZZ_CHECK(err.kind == ERR_NONE);
    check_again(value, json_write_compact);
    check_again(value, json_write_aws);
    struct json_loc *loc = json_loc_new(text, size);
    FUZZ_CHECK(loc);
    check_places(loc, 0, value, text, size);
    json_loc_free(loc);
    json_decref(value);
    return 0;
}
