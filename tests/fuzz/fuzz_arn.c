/* An ARN is its parts with colons between them. */
#include "tests/fuzz/fuzz.h"

#include "base/arn.h"
#include "base/buf.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct arn arn;
    if (arn_parse(text, &arn)) {
        const struct arn_part parts[] = { arn.partition, arn.service, arn.region, arn.account, arn.resource };
        struct buf joined = { 0 };
        buf_str_add(&joined, "arn");
        for (size_t i = 0; i < 5; i++) {
            buf_char(&joined, ':');
            buf_add(&joined, parts[i].text, parts[i].size);
            FUZZ_CHECK(i == 4 || !memchr(parts[i].text, ':', parts[i].size));
        }
        FUZZ_CHECK(strcmp(buf_str(&joined), text) == 0);
        FUZZ_CHECK(arn_part_is(arn.resource, arn.resource.text));
        buf_done(&joined);
    }
    free(text);
    return 0;
}
