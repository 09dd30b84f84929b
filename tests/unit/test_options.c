/* The options every command takes: shell/options.h. */
#include "shell/options.h"

#include "base/buf.h"
#include "tests/test.h"

TEST(options_are_taken_from_anywhere_before_the_end)
{
    static const struct {
        const char *words[8];
        size_t end; /* 0: all words */
        const char *left, *output, *lab;
        bool quiet;
        const char *error;
    } cases[] = {
        { { "reach", "web", "db" }, 0, "reach web db", NULL, NULL, false, "" },
        { { "-o", "json", "reach", "web", "-q", "db" }, 0, "reach web db", "json", NULL, true, "" },
        { { "x", "--output=table", "--lab", "mine" }, 0, "x", "table", "mine", false, "" },
        { { "x", "-ojson" }, 0, "x", "json", NULL, false, "" },
        { { "x", "--", "-q", "--output", "json" }, 0, "x -- -q --output json", NULL, NULL, false, "" },
        { { "exec", "web", "grep", "-q", "x" }, 2, "exec web grep -q x", NULL, NULL, false, "" },
        { { "x", "--cidr-block", "10.0.0.0/16", "-" }, 0, "x --cidr-block 10.0.0.0/16 -", NULL, NULL, false, "" },
        { { "x", "--profile", "p", "--no-cli-pager", "--endpoint-url=http://localhost" },
          0,
          "x",
          NULL,
          NULL,
          false,
          "" },
        { { "x", "--output", "yaml" }, 0, "", NULL, NULL, false, "`yaml` is not a value of --output" },
        { { "x", "--output", "jso" }, 0, "", NULL, NULL, false, "`jso` is not a value of --output" },
        { { "x", "--lab" }, 0, "", NULL, NULL, false, "`--lab` needs a value: NAME|DIR" },
        { { "x", "--quiet=yes" }, 0, "", NULL, NULL, false, "`--quiet` takes no value" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct options options = { 0 };
        struct err err = { 0 };
        struct buf left = { 0 };
        char *words[8];
        size_t n = 0;
        for (; n < 8 && cases[i].words[n]; n++) {
            words[n] = (char *)cases[i].words[n];
        }
        bool ok = options_take(&options, &n, words, cases[i].end ? cases[i].end : n, &err);
        CHECK(ok == (cases[i].error[0] == '\0'), "case %zu", i);
        CHECK_STR(err.text, cases[i].error, "case %zu", i);
        for (size_t k = 0; ok && k < n; k++) {
            buf_printf(&left, "%s%s", k ? " " : "", words[k]);
        }
        CHECK_STR(buf_str(&left), cases[i].left, "case %zu", i);
        CHECK_STR(options.lab, cases[i].lab, "case %zu", i);
        if (ok) {
            CHECK_STR(options.output, cases[i].output, "case %zu", i);
        }
        CHECK(options.quiet == cases[i].quiet, "case %zu", i);
        buf_done(&left);
    }
}

TEST_MAIN
