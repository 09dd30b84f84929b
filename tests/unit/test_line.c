/* The grammar of a typed line: shell/line.h. */
#include "shell/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/test.h"

static const char *
lookup(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "vpc") == 0 ? "vpc-1" : strcmp(name, "_") == 0 ? "last" : NULL;
}

/* The commands of a text on one line: words in <>, then what follows; "MORE", "WRONG" and the error where it ends. */
static void
describe(const char *text, bool tolerant, struct buf *out)
{
    struct line_reader reader;
    struct line_command command;
    struct err err = { 0 };
    enum line_status status;
    line_reader_init(&reader, text, lookup, NULL);
    reader.tolerant = tolerant;
    while ((status = line_next(&reader, &command, &err)) == LINE_COMMAND) {
        if (out->size) {
            buf_str_add(out, " ; ");
        }
        if (command.variable) {
            buf_printf(out, "%s = ", command.variable);
        }
        for (size_t i = 0; i < command.words.n; i++) {
            buf_printf(out, "<%s>", command.words.items[i].text);
        }
        if (command.host) {
            buf_printf(out, "!(%s)", command.host);
        }
        if (command.sink == LINE_PIPE) {
            buf_printf(out, " |(%s)", command.target);
        } else if (command.sink) {
            buf_printf(out, " %.*s(%s)", command.sink == LINE_APPEND ? 2 : 1, ">>", command.target);
        }
        if (command.open) {
            buf_printf(out, " open %c", command.open);
        }
        line_command_done(&command);
    }
    if (status != LINE_END) {
        buf_printf(out, "%s%s %d:%d %s", out->size ? " ; " : "", status == LINE_MORE ? "MORE" : "WRONG", err.line,
                   err.column, err.text);
    }
}

TEST(line_reads_the_grammar)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "", "" },
        { "  # only a comment", "" },
        { "ec2 describe-vpcs", "<ec2><describe-vpcs>" },
        { "reach web db --port 5432 # why", "<reach><web><db><--port><5432>" },
        { "a#b", "<a#b>" },
        { "a; b ;; c\nd", "<a> ; <b> ; <c> ; <d>" },
        /* quotes */
        { "say 'a $vpc \\ b' \"c $vpc\" d\\ e", "<say><a $vpc \\ b><c vpc-1><d e>" },
        { "'a'\"b\"c", "<abc>" },
        { "x ''", "<x><>" },
        { "x \"a\\\"b\\n\"", "<x><a\"b\\n>" },
        { "x 'a\nb'", "<x><a\nb>" },
        /* variables */
        { "x $vpc ${vpc}s $_ $5 $", "<x><vpc-1><vpc-1s><last><$5><$>" },
        { "x ${aws:username} '${vpc}'", "<x><${aws:username}><${vpc}>" },
        { "x --id=$vpc", "<x><--id=vpc-1>" },
        { "x $nope", "WRONG 1:3 there is no variable `$nope`" },
        { "vpc = ec2 create-vpc --cidr-block 10.0.0.0/16", "vpc = <ec2><create-vpc><--cidr-block><10.0.0.0/16>" },
        { "vpc =", "<vpc><=>" },
        { "'vpc' = x", "<vpc><=><x>" },
        /* JSON */
        { "x {\"a\": [1, 2]}", "<x><{\"a\": [1, 2]}>" },
        { "x [{\"a\": \"]} ; | > $vpc '\"},\n 2] y", "<x><[{\"a\": \"]} ; | > $vpc '\"},\n 2]><y>" },
        { "x --filters=[ {\"Name\": 1} ]", "<x><--filters=[ {\"Name\": 1} ]>" },
        { "x Key=v,Other=[a,b]", "<x><Key=v,Other=[a,b]>" },
        { "x --query Vpcs[?Size>`4`].Id", "<x><--query><Vpcs[?Size>`4`].Id>" },
        { "x --query [0].A", "<x><--query><[0].A>" },
        { "x {]", "WRONG 1:4 `]` does not close the `{` before it" },
        { "x\ny [\n{\n", "<x> ; MORE 3:1 `{` is never closed" },
        /* sinks */
        { "a b | grep 'x;y' ; c", "<a><b> |(grep 'x;y' ) ; <c>" },
        { "a > out.json", "<a> >(out.json)" },
        { "a >> 'my file'", "<a> >>(my file)" },
        { "a>b", "<a> >(b)" },
        { "a > b c", "WRONG 1:7 nothing may follow the file after `>`" },
        { "a |", "WRONG 1:3 `|` needs a command of the host after it" },
        { "a >", "WRONG 1:3 `>` needs a file name after it" },
        { "| a", "WRONG 1:1 there is no command before `|`" },
        { "!ls -l; id # x", "!(ls -l; id # x)" },
        /* lines */
        { "ec2 create-vpc \\\n  --cidr-block 10.0.0.0/16", "<ec2><create-vpc><--cidr-block><10.0.0.0/16>" },
        { "ec2 \\\r\n x", "<ec2><x>" },
        { "a \\", "MORE 1:3 a `\\` at the end goes on with the next line, and there is none" },
        { "a 'b", "MORE 1:3 the quote ' is never closed" },
        { "\xc3\xa9\xc3\xa9 \"b", "MORE 1:4 the quote \" is never closed" },
        /* heredocs */
        { "p <<END --x y\none $vpc ${aws:a}\ntwo\nEND\nz", "<p><one vpc-1 ${aws:a}\ntwo\n><--x><y> ; <z>" },
        { "p <<'END'\n$vpc\nEND", "<p><$vpc\n>" },
        { "p <<-END\n\t\ta\n\tEND\n", "<p><a\n>" },
        { "p <<A <<B\n1\nA\n2\nB\nq", "<p><1\n><2\n> ; <q>" },
        { "p --policy=<<A\n1\nA", "<p><--policy=1\n>" },
        { "p <<json\n{\"a\":\n [1]}\nq", "<p><{\"a\":\n [1]}> ; <q>" },
        { "p <<END\na\n", "MORE 1:3 the text after `<<END` does not end" },
        { "p <<json\n{\"a\": \n", "MORE 1:3 the text after `<<json` does not end" },
        { "p <<", "WRONG 1:3 `<<` needs the word that ends the text" },
        { "p <<E\n$nope\nE", "WRONG 2:1 there is no variable `$nope`" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = { 0 };
        describe(cases[i].text, false, &out);
        CHECK_STR(buf_str(&out), cases[i].expected, "case %zu: %s", i, cases[i].text);
        buf_done(&out);
    }
}

TEST(line_read_for_completion_takes_what_is_open)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "x 'a b", "<x><a b> open '" },
        { "x \"$nope c", "<x>< c> open \"" },
        { "x {\"a\": \"b", "<x><{\"a\": \"b> open \"" },
        { "x $no", "<x><>" },
        { "x \\", "<x><>" },
        { "x > ", "<x> >((null))" },
        { "a ; b", "<a> ; <b>" },
        { "p <<END\nabc", "<p><abc\n> open <" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = { 0 };
        describe(cases[i].text, true, &out);
        CHECK_STR(buf_str(&out), cases[i].expected, "case %zu: %s", i, cases[i].text);
        buf_done(&out);
    }
}

TEST(line_check_tells_incomplete_from_wrong)
{
    static const struct {
        const char *text;
        enum line_status status;
    } cases[] = {
        { "a b", LINE_END },    { "a $unknown", LINE_END },   { "a '", LINE_MORE },
        { "a \\\n", LINE_END }, { "a {\"b\":", LINE_MORE },   { "a <<X\nb\n", LINE_MORE },
        { "a | ", LINE_WRONG }, { "a > $f; b '", LINE_MORE }, { "a <<X\nb\nX\n", LINE_END },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        CHECK_INT(line_check(cases[i].text, &err), cases[i].status, "%s", cases[i].text);
    }
}

TEST(line_quote_is_read_back_the_same)
{
    static const char *const words[] = { "a",   "",     "a b",   "it's", "$vpc",   "{\"a\": 1}", "#x", "!x",
                                         "a;b", "x\ny", "Key=v", "<<A",  "--fs=[", "a=[b",       "x{" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        char *quoted = line_quote(words[i]);
        char *text = xasprintf("c %s", quoted);
        struct line_reader reader;
        struct line_command command;
        struct err err = { 0 };
        line_reader_init(&reader, text, lookup, NULL);
        CHECK_INT(line_next(&reader, &command, &err), LINE_COMMAND, "%s", quoted);
        CHECK_INT(command.words.n, 2, "%s", quoted);
        CHECK_STR(command.words.items[1].text, words[i], "%s", quoted);
        line_command_done(&command);
        free(text);
        free(quoted);
    }
}

TEST_MAIN
