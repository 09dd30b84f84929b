/* scenarios/lua_run.h - scenarios: Lua programs whose functions are the operations.
 *
 *     local vpc = ec2.create_vpc{ cidr_block = "10.0.0.0/16" }.Vpc       AWS's or snake_case names in, AWS's names out
 *     lab.up()
 *     lab.expect_reachable{ source = "web", destination = "db", port = 5432 }
 *
 * Every row of cloud/op.h is bound: ec2.create_vpc, iam.create_user, lab.reach.  A refused operation is a Lua error
 * with the place in the scenario.  The standard libraries are there; os.exit ends the scenario, and a throw-away lab
 * goes with it.
 *
 * Uses: cloud/, Lua (only here).   Used by: shell/builtin.c */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/progress.h"

struct scenario_options {
    const char *path; /* "three-tier.lua"; "-" is standard input */
    size_t n_args;
    char *const *args; /* `arg` in Lua */
    const char *lab;   /* NULL: a throw-away lab */
    const char *region;
    const char *as; /* who acts; NULL: root */
    uint64_t seed; /* of a throw-away lab */
    bool color;    /* verdicts in colour */
    const struct progress *progress;
    const volatile sig_atomic_t *interrupted; /* set by Ctrl-C: the scenario ends with an error; may be NULL */
};

/* Runs it; what it prints goes to standard output.  Returns the exit status: 0, 1 when an expectation failed, what
 * os.exit was given, or, with 'err' set, err_exit_status(): ERR_DOCUMENT for Lua's own errors with file and line, an
 * operation's error with its code. */
int scenario_run(const struct scenario_options *options, struct err *err);

/* The file for what a person wrote: the path itself, or a shipped scenario by its name ("three-tier"), looked for
 * beside the program and in $prefix/share/vpclab/scenarios.  The caller frees it. */
char *scenario_find(const char *name);
