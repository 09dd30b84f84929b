/* A head that is read says the same when it comes in two parts; a body in chunks is what its chunks hold, however it is
 * cut. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/balancer_heads.h"
#include "netsim/live/http.h"

static void
check_head(const char *data, size_t size,
           enum http_progress (*read)(const char *, size_t, struct http_head *, size_t *))
{
    struct http_head head, again;
    size_t used, used_again;
    enum http_progress progress = read(data, size, &head, &used);
    if (progress != HTTP_DONE) {
        FUZZ_CHECK(!head.text && !head.n_fields);
        return;
    }
    FUZZ_CHECK(used > 0 && used <= size && head.n_fields <= HTTP_FIELDS_MAX);
    FUZZ_CHECK(!(head.chunked && head.content_length >= 0));
    for (size_t i = 0; i < head.n_fields; i++) {
        FUZZ_CHECK(*head.fields[i].name && !strpbrk(head.fields[i].value, "\r\n"));
        FUZZ_CHECK(http_field(&head, head.fields[i].name) != NULL);
    }
    /* Its own size is all it needs, and no less will do. */
    FUZZ_CHECK(read(data, used, &again, &used_again) == HTTP_DONE && used_again == used);
    http_head_done(&again);
    FUZZ_CHECK(read(data, used - 1, &again, &used_again) != HTTP_DONE);
    http_head_done(&head);
}

static void
check_chunks(const char *data, size_t size)
{
    struct http_chunks whole = { 0 }, parts = { 0 };
    struct buf a = { 0 }, b = { 0 };
    size_t used, at = 0;
    enum http_progress progress = http_read_chunks(&whole, data, size, &used, &a, 4096), part = HTTP_MORE;
    FUZZ_CHECK(used <= size && a.size <= 4096);
    for (size_t end = 1; end <= size && part == HTTP_MORE; end++) {
        size_t n;
        part = http_read_chunks(&parts, data + at, end - at, &n, &b, 4096);
        at += n;
    }
    if (progress == HTTP_DONE) {
        FUZZ_CHECK(part == HTTP_DONE && at == used && a.size == b.size);
        FUZZ_CHECK(a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    }
    buf_done(&a);
    buf_done(&b);
}

/* A body that is passed on ends at the same place however it is cut, and a balancer's heads can be read again. */
static void
check_passing(const char *data, size_t size)
{
    struct http_head head, again;
    size_t used, taken, at = 0;
    if (http_read_request(data, size, &head, &used) != HTTP_DONE) {
        return;
    }
    struct http_body whole, parts;
    http_body_of_request(&whole, &head);
    http_body_of_request(&parts, &head);
    enum http_progress progress = http_body_pass(&whole, data + used, size - used, &taken), part = HTTP_MORE;
    FUZZ_CHECK(taken <= size - used);
    for (size_t end = 1; end <= size - used && part == HTTP_MORE; end++) {
        size_t n;
        part = http_body_pass(&parts, data + used + at, end - at, &n);
        at += n;
    }
    FUZZ_CHECK(progress != HTTP_DONE || (whole.kind == HTTP_BODY_NONE && !taken) || (part == HTTP_DONE && at == taken));
    struct buf out = { 0 };
    struct balancer_told told = {
        .client = "192.0.2.1", .client_port = 7, .port = 443, .secure = true, .host = "lb.example"
    };
    balancer_write_request(&out, &head, &told);
    enum http_progress written = http_read_request(buf_str(&out), out.size, &again, &taken);
    FUZZ_CHECK(out.size >= HTTP_HEAD_MAX || head.n_fields > HTTP_FIELDS_MAX - 8 || written == HTTP_DONE);
    if (written == HTTP_DONE) {
        FUZZ_CHECK(taken == out.size && again.chunked == head.chunked && again.content_length == head.content_length);
        http_head_done(&again);
    }
    buf_done(&out);
    http_head_done(&head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_head((const char *)data, size, http_read_request);
    check_head((const char *)data, size, http_read_answer);
    check_chunks((const char *)data, size);
    check_passing((const char *)data, size);
    char *plain = http_unescape((const char *)data, size);
    FUZZ_CHECK(!plain || strlen(plain) <= size);
    free(plain);
    return 0;
}
