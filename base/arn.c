#include "base/arn.h"

#include <string.h>

bool
arn_parse(const char *text, struct arn *arn)
{
    if (strncmp(text, "arn:", 4) != 0) {
        return false;
    }
    struct arn_part parts[5];
    const char *p = text + 4;
    for (int i = 0; i < 4; i++) {
        const char *colon = strchr(p, ':');
        if (!colon) {
            return false;
        }
        parts[i] = (struct arn_part){ p, (size_t)(colon - p) };
        p = colon + 1;
    }
    parts[4] = (struct arn_part){ p, strlen(p) };
    *arn = (struct arn){ parts[0], parts[1], parts[2], parts[3], parts[4] };
    return true;
}

bool
arn_part_is(struct arn_part part, const char *text)
{
    return strncmp(part.text, text, part.size) == 0 && text[part.size] == '\0';
}
