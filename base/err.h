/* base/err.h - why a call failed, in words for the person at the prompt.
 *
 * A call that can fail returns bool or a pointer, takes 'struct err *' last and changes nothing when it fails.
 * A zeroed err means all is well; the first error set stays, so a caller may go on and report the cause.
 *
 * Used by: everybody. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum err_kind {
    ERR_NONE,     /* all is well */
    ERR_INPUT,    /* the operation refused: 'code' is the AWS error code      exit 4 */
    ERR_USAGE,    /* the command line or a parameter is wrong                 exit 2 */
    ERR_DOCUMENT, /* a document (policy, JSON, Lua, state file) is wrong      exit 3 */
    ERR_MACHINE,  /* this machine cannot: privilege, kernel feature, file     exit 5 */
    ERR_FAULT,    /* a fault in vpclab itself                                 exit 70 */
};

struct err {
    enum err_kind kind;
    char code[64];    /* The AWS error code, "" where there is none; it is what people search for. */
    char where[160];  /* "bucket.json", "Statement[1].Action", "--cidr-block", "lab.lua". */
    int line, column; /* From 1, columns in characters; 0 where the input has no lines. */
    char text[1024];   /* One lowercase sentence, no full stop, the user's words in `backticks`. */
    char hint[512];   /* How to mend it; "" where there is nothing to say. */
};

/* Both always return false, so that a failure is one line.  The first error set stays. 'err' may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool err_vset(struct err *err, enum err_kind kind, const char *code, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

/* Adds what helps to the error already set; a hint or place already there stays. Return false as well. */
bool err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_at(struct err *err, const char *where, int line, int column);

void err_clear(struct err *err);

/* The exit status DESIGN.md fixes for the kind: 0, 4, 2, 3, 5, 70. */
int err_exit_status(const struct err *err);
