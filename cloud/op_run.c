/* cloud/op_run.c - the one way an operation happens: check -> authorize -> run -> save -> kernel -> journal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/authorize.h"
#include "cloud/caller.h"
#include "cloud/idempotency.h"
#include "cloud/inside.h"
#include "cloud/journal.h"
#include "cloud/keeper_link.h"
#include "cloud/op_types.h"
#include "cloud/render.h"
#include "cloud/state.h"
#include "cloud/unmodelled.h"
#include "netsim/live/live.h"
#include "netsim/model/network.h"

/* DryRun is a question to the service, not to the handler. */
static bool
take_dry_run(const struct op *op, json_t *args)
{
    const json_t *flag = op->service ? json_object_get(args, "DryRun") : NULL;
    bool dry = json_is_true(flag);
    if (flag) {
        json_object_del(args, "DryRun");
    }
    return dry;
}

/* Handlers work on the lab as it is; a dry run needs their checks but not what they did. */
static bool
run_dry(struct op_call *call, struct err *err)
{
    size_t size;
    char *before = state_text(call->cloud, &size);
    bool done = call->op->run(call, err);
    state_return_to(call->cloud, before, size);
    free(before);
    if (done) {
        bool kms = strcmp(call->op->service, "kms") == 0; /* KMS has its own word */
        err_set(err, ERR_INPUT, kms ? "DryRunOperationException" : "DryRunOperation",
                "the request would have succeeded, but the DryRun flag is set");
    }
    return false;
}

static bool
apply_live(struct cloud *cloud, const struct op *op, struct err *err)
{
    return !cloud->live || op->mode != OP_WRITE || live_update(cloud->live, cloud->net, err);
}

/* The handler's answer in AWS's order and shape: every face shows the same. */
static bool
run_handler(struct op_call *call, struct err *err)
{
    if (!call->op->run(call, err)) {
        return false;
    }
    const struct aws_operation *aws = op_aws(call->op);
    const struct aws_shape *shape = aws ? aws_shape(aws->output) : NULL;
    if (!aws) {
        return true;
    }
    /* Many operations have nothing to say; EC2's protocol then has <return>true</return>, which only some shapes show.
     */
    if (!shape || !aws_member_find(shape, "Return")) {
        json_object_del(call->out, "Return");
    }
    json_t *ordered = render_ordered(call->op, call->out, err);
    json_decref(call->out);
    call->out = ordered;
    return ordered != NULL;
}

/* Runs the handler and makes its change last, or leaves everything as it was. */
static bool
run_and_save(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    bool write = call->op->mode == OP_WRITE;
    if (!run_handler(call, err)) {
        if (write) {
            state_restore(cloud);
        }
        return false;
    }
    if (!write) {
        return true;
    }
    if (!apply_live(cloud, call->op, err)) {
        state_restore(cloud);
        return false;
    }
    if (!state_save(cloud, err)) {
        state_restore(cloud);
        apply_live(cloud, call->op, NULL);
        return false;
    }
    return true;
}

static bool
prepare(struct op_call *call, const json_t *in, json_t **args, struct err *err)
{
    if (call->op->no_lab || (call->op->inside && inside_node())) {
        *args = op_check(call->op, in, CHECK_CALL, err);
        return *args != NULL;
    }
    if (call->op->mode != OP_WRITE || !call->cloud->dir) {
        if (call->cloud->dir && !call->cloud->live && !state_refresh(call->cloud, err)) {
            return false;
        }
    } else if (!lab_dir_lock(call->cloud->dir, err) || (!call->cloud->live && !state_refresh(call->cloud, err))) {
        return false;
    }
    if (!caller_refresh(call->cloud, err)) {
        return false;
    }
    network_set_owner(call->cloud->net, call->cloud->account, call->cloud->region);
    network_set_limits(call->cloud->net, call->cloud->limits);
    *args = op_check(call->op, in, CHECK_CALL, err);
    return *args && op_resolve_names(call->op, call->cloud, *args, err);
}

static bool
call_here(struct op_call *call, const json_t *in, struct err *err)
{
    json_t *args = NULL;
    bool done = false;
    struct err failure = { 0 };
    if (prepare(call, in, &args, &failure)) {
        bool dry = take_dry_run(call->op, args);
        call->in = args;
        call->out = json_object();
        bool answered = false; /* an earlier call with this ClientToken */
        if (op_authorize(call, &failure) && unmodelled_check(call, &failure) &&
            (dry || idempotency_check(call, &answered, &failure))) {
            done = answered || (dry ? run_dry(call, &failure) : run_and_save(call, &failure));
        }
    }
    bool refused = failure.kind == ERR_INPUT || failure.kind == ERR_DOCUMENT;
    if (done || refused) {
        bool written = journal_append(call->cloud, call->op, args ? args : in, done ? call->out : NULL,
                                      done ? NULL : &failure, err);
        if (!written && done) {
            /* What was done stays done: the journal is a record, not a condition. */
            err_clear(err);
        }
    }
    json_decref(call->cloud->unsigned_by);
    call->cloud->unsigned_by = NULL;
    if (!done && err) {
        *err = failure;
    }
    json_decref(args);
    call->in = NULL;
    return done;
}

bool
op_call(struct cloud *cloud, const struct op *op, const json_t *in, const struct progress *progress,
        struct op_result *result, struct err *err)
{
    *result = (struct op_result){ 0 };
    if (op->mode != OP_LOCAL && !cloud->live && keeper_link_is_live(cloud)) {
        struct err failure = { 0 };
        if (keeper_link_call(cloud, op, in, result, &failure)) {
            return true;
        }
        /* A keeper that died under the question leaves the saved lab, which is enough to read from; whether it had made
         * a change before it died is not ours to guess. */
        if (op->mode != OP_READ || failure.kind != ERR_MACHINE || keeper_link_is_live(cloud)) {
            if (err && !err->kind) {
                *err = failure;
            }
            return false;
        }
    }
    bool held = cloud->dir && cloud->dir->lock_fd >= 0;
    struct op_call call = { .cloud = cloud, .op = op, .progress = progress };
    bool done = call_here(&call, in, err);
    if (cloud->dir && !held) {
        lab_dir_unlock(cloud->dir);
    }
    if (done) {
        result->out = call.out;
        result->no = call.no;
        result->status = call.status;
    } else {
        json_decref(call.out);
    }
    return done;
}

void
op_result_done(struct op_result *result)
{
    json_decref(result->out);
    *result = (struct op_result){ 0 };
}

/* ---- What handlers read ------------------------------------------------------------------------------------------ */

const char *
arg_str(const json_t *in, const char *name)
{
    return json_string_value(json_object_get(in, name));
}

long long
arg_int(const json_t *in, const char *name, long long otherwise)
{
    const json_t *value = json_object_get(in, name);
    return json_is_integer(value) ? (long long)json_integer_value(value) : otherwise;
}

bool
arg_flag(const json_t *in, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(in, name);
    if (json_is_object(value)) {
        value = json_object_get(value, "Value");
    }
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
