#include "shell/man.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "shell/builtin.h"
#include "shell/help.h"
#include "shell/options.h"

/* Text as troff prints it: a dash that can be copied, no macro at the start of a line. */
static void
add_text(struct buf *out, const char *text)
{
    /* Signs that troff would set as something else: they must stay what a person can copy. */
    static const struct {
        char sign;
        const char *name;
    } signs[] = { { '\\', "\\e" },   { '-', "\\-" },   { '`', "\\(ga" },
                  { '\'', "\\(aq" }, { '^', "\\(ha" }, { '~', "\\(ti" } };
    for (const char *c = text; *c; c++) {
        const char *name = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
            name = signs[i].sign == *c ? signs[i].name : name;
        }
        if (name) {
            buf_str_add(out, name);
        } else {
            buf_printf(out, *c == '.' && (c == text || c[-1] == '\n') ? "\\&%c" : "%c", *c);
        }
    }
}

/* .TP, the term in bold, its explanation. */
static void
term(struct buf *out, const char *name, const char *text)
{
    buf_str_add(out, ".TP\n\\fB");
    add_text(out, name);
    buf_str_add(out, "\\fR\n");
    add_text(out, text && *text ? text : "\\ ");
    buf_char(out, '\n');
}

static void
add_examples(struct buf *out, const char *lines)
{
    buf_str_add(out, ".RS\n.nf\n");
    add_text(out, lines);
    buf_str_add(out, lines[strlen(lines) - 1] == '\n' ? ".fi\n.RE\n" : "\n.fi\n.RE\n");
}

static void
verb(struct buf *out, const struct op *op)
{
    struct buf usage = { 0 };
    const struct op_param_info *params;
    size_t n = op_params(op, &params);
    help_usage(op, &usage);
    term(out, buf_str(&usage), op->help);
    buf_str_add(out, n ? ".RS\n" : "");
    for (size_t i = 0; i < n; i++) {
        struct buf name = { 0 };
        help_param(&params[i], &name);
        term(out, buf_str(&name), params[i].help[0] ? params[i].help : params[i].type);
        buf_done(&name);
    }
    buf_str_add(out, n ? ".RE\n" : "");
    if (op->examples && *op->examples) {
        add_examples(out, op->examples);
    }
    buf_done(&usage);
}

static void
verbs(struct buf *out)
{
    for (const struct help_task *task = help_tasks; task->name; task++) {
        bool titled = false;
        for (const struct op *const *op = ops_all(); *op; op++) {
            if (!(*op)->service && (*op)->group && strcmp((*op)->group, task->name) == 0) {
                buf_printf(out, titled ? "" : ".SS %s\n", task->title);
                titled = true;
                verb(out, *op);
            }
        }
        for (const struct builtin *b = builtins; b->name; b++) {
            if (b->group && strcmp(b->group, task->name) == 0) {
                struct buf usage = { 0 };
                buf_printf(out, titled ? "" : ".SS %s\n", task->title);
                titled = true;
                buf_printf(&usage, "%s%s%s", b->name, b->usage[0] ? " " : "", b->usage);
                term(out, buf_str(&usage), b->help);
                buf_done(&usage);
            }
        }
    }
}

static void
aws_operations(struct buf *out)
{
    const char *service = "";
    for (const struct op *const *op = ops_all(); *op; op++) {
        struct buf usage = { 0 };
        if (!(*op)->service) {
            continue;
        }
        if (strcmp((*op)->service, service) != 0) {
            service = (*op)->service;
            buf_printf(out, ".SS %s\n", service);
        }
        help_usage(*op, &usage);
        term(out, buf_str(&usage), (*op)->help);
        buf_done(&usage);
    }
}

static const char line_grammar[] =
    ".SH LINES\n"
    "In the shell, in files and after\n.B \\-c\na line holds commands, separated by\n.BR ; .\n"
    "Words are quoted as in\n.BR sh (1),\nwithout expansion of * and backquotes;\n"
    "a word that begins with { or [ is JSON up to its closing bracket, newlines included.\n"
    ".TP\n\\fINAME\\fR = \\fICOMMAND\\fR\nKeeps the id that the command makes; \\fB$\\fINAME\\fR stands for it, "
    "\\fB$_\\fR for the last id made.\n"
    ".TP\n\\fINODE\\fR \\fICOMMAND\\fR\nRuns a program in an instance of the live lab: \\fBweb ping \\-c1 db\\fR.\n"
    ".TP\n\\fICOMMAND\\fR | \\fIPROGRAM\\fR, \\fICOMMAND\\fR > \\fIFILE\\fR, \\fICOMMAND\\fR >> \\fIFILE\\fR\nAs in "
    "sh.\n"
    ".TP\n\\fB!\\fIPROGRAM\\fR\nRuns a program of this machine.\n"
    ".TP\n\\fB<<\\fIEND\\fR\nA value on the lines that follow, up to \\fIEND\\fR; \\fB<<'END'\\fR takes them as they "
    "are, \\fB<<\\-END\\fR without "
    "leading tabs, \\fB<<json\\fR ends with the JSON.\n"
    ".TP\n\\fBfile://\\fIPATH\\fR, \\fBfileb://\\fIPATH\\fR, \\fB\\-\\fR\nA value from a file or from standard "
    "input.\n";

static const char the_rest[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone; allowed; reachable; all checks pass\n"
    ".TP\n.B 1\nthe answer is no: denied, blocked, a check failed\n"
    ".TP\n.B 2\nthe command line is wrong\n"
    ".TP\n.B 3\na document is wrong: a policy, JSON, Lua, the state of a lab\n"
    ".TP\n.B 4\nthe operation refused, with AWS's error code\n"
    ".TP\n.B 5\nthis machine cannot: no privilege, a missing kernel feature, an unreadable file\n"
    ".TP\n.B 70\na fault in vpclab itself\n"
    ".PP\nA file of commands stops at the first status above 1.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B VPCLAB_LAB\nthe lab, where \\fB\\-\\-lab\\fR names none\n"
    ".TP\n.B VPCLAB_OUTPUT\nthe format of answers\n"
    ".TP\n.B VPCLAB_PAGER\\fR, \\fBPAGER\nthe pager of long answers; empty: none\n"
    ".TP\n.B VPCLAB_HISTFILE\nthe file of typed lines; empty: none\n"
    ".TP\n.B NO_COLOR\nno colour\n"
    ".SH FILES\n"
    ".TP\n.I $XDG_DATA_HOME/vpclab/labs/\nlabs, one directory each (~/.local/share)\n"
    ".TP\n.I $XDG_STATE_HOME/vpclab/history\nlines typed in the shell (~/.local/state)\n"
    ".TP\n.I $XDG_CONFIG_HOME/vpclab/vpclabrc\ncommands run when the shell starts (~/.config)\n"
    ".SH SEE ALSO\n.BR ip (8),\n.BR nft (8)\n";

void
man_page(struct buf *out)
{
    buf_str_add(out, ".TH VPCLAB 1 \"\" \"vpclab " VPCLAB_VERSION "\" \"User Commands\"\n"
                     ".SH NAME\nvpclab \\- a laboratory for AWS networking and access control\n"
                     ".SH SYNOPSIS\n"
                     ".B vpclab\n[\\fIOPTION\\fR]...\n.br\n"
                     ".B vpclab\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR...\n.br\n"
                     ".B vpclab\n[\\fIOPTION\\fR]... \\fB\\-c\\fR \\fICOMMANDS\\fR | \\fB\\-f\\fR \\fIFILE\\fR\n"
                     ".SH DESCRIPTION\n"
                     "Holds a model of AWS accounts (VPCs, gateways, security groups, users, roles, bucket policies), "
                     "answers whether a packet "
                     "arrives and whether a request may be made, with the reason, and builds the same network out of "
                     "Linux namespaces so that "
                     "real packets prove the answer.\n.PP\n"
                     "Commands of AWS are the lines of its own command line tool: \\fBec2 create\\-vpc "
                     "\\-\\-cidr\\-block 10.0.0.0/16\\fR.  "
                     "Commands of the laboratory are short verbs.  Without a command vpclab is a shell on a terminal "
                     "and reads commands from "
                     "standard input elsewhere.\n"
                     ".SH OPTIONS\nBefore or after the command.\n");
    for (const struct global_option *o = global_options; o->name; o++) {
        struct buf name = { 0 };
        if (o->help) {
            buf_printf(&name, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
            if (o->letter) {
                buf_printf(&name, ", -%c", o->letter);
            }
            term(out, buf_str(&name), o->help);
        }
        buf_done(&name);
    }
    term(out, "-c COMMANDS", "run commands from the argument; before any command");
    term(out, "-f FILE", "run commands from a file; - is standard input");
    buf_str_add(out, line_grammar);
    buf_str_add(out, ".SH COMMANDS OF THE LABORATORY\n");
    verbs(out);
    buf_str_add(out, ".SH COMMANDS OF AWS\nThe words, options and answers of AWS's command line tool; \\fICOMMAND\\fR "
                     "\\fB\\-\\-help\\fR lists "
                     "all options.\n");
    aws_operations(out);
    buf_str_add(out, the_rest);
}
