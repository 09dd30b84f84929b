/* tests/unit/lab_story.h - command lines told one after the other to a lab, each with what it answers or how it is
 * refused. */
#pragma once
#include "tests/unit/cloud_lab.h"

#include "base/buf.h"
#include "cloud/query.h"

/* A line of a story: it is refused with 'code' (and the text has 'part'), or answers, and then 'part' stands in the
 * compact answer. */
struct step {
    const char *line, *code, *part;
};

static void
tell(struct cloud *cloud, const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = { 0 };
        struct buf text = { 0 };
        const char *query = strstr(steps[i].line, " --query ");
        char *line = xstrndup(steps[i].line, query ? (size_t)(query - steps[i].line) : strlen(steps[i].line));
        json_t *out = lab_run(cloud, line, &err);
        json_t *shown = out && query ? query_run(query + strlen(" --query "), out, &err) : json_incref(out);
        if (shown) {
            json_write_compact(shown, &text);
        }
        CHECK_STR(err.code, steps[i].code, "%s: %s: %s", steps[i].line, err.where, err.text);
        CHECK((out != NULL) == (steps[i].code[0] == '\0' && err.kind == ERR_NONE), "%s: %s: %s", steps[i].line,
              err.where, err.text);
        const char *said = out ? buf_str(&text) : err.text;
        CHECK(strstr(said, steps[i].part), "%s\n    said %s\n    not  %s", steps[i].line, said, steps[i].part);
        json_decref(shown);
        json_decref(out);
        buf_done(&text);
        free(line);
    }
}
#define TELL(cloud, steps) tell(cloud, steps, ARRAY_SIZE(steps))
