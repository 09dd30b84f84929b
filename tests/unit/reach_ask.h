/* tests/unit/reach_ask.h - questions put as `reach --batch` takes them, on a network of tests/reach, and tables of their answers. */
#pragma once
#include <stdlib.h>

#include "netsim/analysis/batch.h"
#include "tests/unit/reach_lab.h"

#define I(x)    "\"instance\": \"" x "\""
#define E(x)    "\"eni\": \"" x "\""
#define G(x)    "\"gateway\": \"" x "\""
#define V(x)    "\"endpoint\": \"" x "\""
#define IP(x)   "\"ip\": \"" x "\""
#define PORT(n) ", \"dstPort\": " #n

struct reach_case {
    const char *from, *to, *rest, *answer; /* "reachable allowed", or the reason and its first code */
};

/* Of tcp, unless 'rest' says otherwise. */
__attribute__((unused)) static json_t *
ask(const struct network *net, const char *from, const char *to, const char *rest)
{
    char text[512];
    struct err err = { 0 };
    snprintf(text, sizeof text, "{\"from\": {%s}, \"to\": {%s}%s%s}", from, to,
             strstr(rest, "\"protocol\"") ? "" : ", \"protocol\": \"tcp\"", rest);
    json_t *question = json_loads(text, 0, NULL);
    REQUIRE(question != NULL, "%s", text);
    json_t *answer = batch_answer(net, question, &err);
    json_decref(question);
    REQUIRE(answer != NULL, "%s: %s", text, err.text);
    return answer;
}

__attribute__((unused)) static void
check_case(const struct network *net, const struct reach_case *c)
{
    json_t *a = ask(net, c->from, c->to, c->rest);
    const char *why = json_str(a, "why"), *reply = json_str(a, "reply");
    char text[160];
    snprintf(text, sizeof text, "%s %s", why ? why : json_str(a, "verdict"),
             why     ? json_string_value(json_array_get(json_object_get(a, "codes"), 0))
             : reply ? reply
                     : "-");
    char *all = json_dumps(a, JSON_COMPACT);
    CHECK_STR(text, c->answer, "%s -> %s%s: %s", c->from, c->to, c->rest, all);
    free(all);
    json_decref(a);
}

__attribute__((unused)) static void
ask_cases(const char *path, const struct reach_case *cases, size_t n)
{
    struct lab lab;
    lab_init(&lab, path);
    for (size_t i = 0; i < n; i++) {
        check_case(lab.net, &cases[i]);
    }
    lab_done(&lab);
}
