/* base/arn.h - arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
 * The resource part keeps its own colons and slashes.  Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct arn_part {
    const char *text; /* borrowed from the parsed string, not terminated */
    size_t size;
};
struct arn {
    struct arn_part partition, service, region, account, resource;
};
/* False unless 'text' has "arn:" and five further fields (fields may be empty).  'text' must outlive 'arn'. */
bool arn_parse(const char *text, struct arn *arn);
bool arn_part_is(struct arn_part part, const char *text);
