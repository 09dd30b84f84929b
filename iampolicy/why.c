#include "iampolicy/why.h"

#include <string.h>
#include "iampolicy/explain.h"

json_t *
iam_why(const struct iam_policies *policies, struct iam_request *request)
{
    struct iam_result result = { .want_looks = true };
    iam_decide(policies, request, &result);
    json_t *out = iam_explain(policies, request, &result);
    json_object_set_new(out, "KeysThatMatter", iam_why_keys(policies, request));
    json_object_set_new(out, "Changes",
                        result.decision == IAM_ALLOW ? json_array() : iam_why_changes(policies, request));
    iam_result_done(&result);
    return out;
}

static void
print_key(const json_t *item, struct buf *text)
{
    bool list = json_flag(item, "Multivalued", false);
    const json_t *with = json_object_get(item, "With");
    const char *key;
    json_t *value;
    buf_printf(text, "  %s=%s%s%s", json_str(item, "Key"), list ? "[" : "", json_str(item, "Value"), list ? "]" : "");
    json_object_foreach((json_t *)with, key, value)
    {
        buf_printf(text, " with %s=%s", key, json_string_value(value));
    }
    buf_printf(text, "  -> %s\n", json_str(item, "Decision"));
}

void
iam_why_text(const json_t *why, struct buf *text)
{
    const json_t *keys = json_object_get(why, "KeysThatMatter"), *changes = json_object_get(why, "Changes"), *item;
    size_t i;
    iam_explain_text(why, text);
    json_array_foreach(keys, i, item)
    {
        buf_str_add(text, i == 0 ? "\nkeys of the request that would change the answer\n" : "");
        print_key(item, text);
    }
    json_array_foreach(changes, i, item)
    {
        buf_str_add(text, i == 0 ? "\nit would be allowed after\n" : "");
        buf_printf(text, "  %zu. %s", i + 1, json_str(item, "Text"));
        if (json_int(item, "Line", 0)) {
            buf_printf(text, " (%s:%lld:%lld)", json_str(item, "Policy"), json_int(item, "Line", 0),
                       json_int(item, "Column", 0));
        }
        buf_char(text, '\n');
    }
    if (json_array_size(changes) == 0 && strcmp(json_str(why, "Decision"), "allowed") != 0) {
        buf_str_add(text, "\nno change of a policy would allow it\n");
    }
}
