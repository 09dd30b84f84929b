#include "cloud/keeper_link.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cloud/state.h"
#include "netsim/live/keeper.h"

bool
keeper_link_is_live(const struct cloud *cloud)
{
    /* Asking costs a connection; a lab that is not live has no socket file. */
    return cloud->live ||
           (cloud->dir && access(cloud->dir->socket_path, F_OK) == 0 && keeper_is_alive(cloud->dir->socket_path));
}

json_t *
err_to_json(const struct err *err)
{
    return json_pack("{s:i, s:s, s:s, s:i, s:i, s:s, s:s}", "kind", (int)err->kind, "code", err->code, "where",
                     err->where, "line", err->line, "column", err->column, "text", err->text, "hint", err->hint);
}

static const char *
text_of(const json_t *json, const char *name)
{
    const char *text = json_str(json, name);
    return text ? text : "";
}

void
err_from_json(const json_t *json, struct err *err)
{
    enum err_kind kind = (enum err_kind)json_int(json, "kind", ERR_FAULT);
    err_set(err, kind == ERR_NONE ? ERR_FAULT : kind, text_of(json, "code"), "%s", text_of(json, "text"));
    if (text_of(json, "where")[0]) {
        err_at(err, text_of(json, "where"), (int)json_int(json, "line", 0), (int)json_int(json, "column", 0));
    }
    if (text_of(json, "hint")[0]) {
        err_hint(err, "%s", text_of(json, "hint"));
    }
}

bool
keeper_link_call(const struct cloud *cloud, const struct op *op, const json_t *in, struct op_result *result,
                 struct err *err)
{
    struct keeper_message request = { 0 }, reply = { 0 };
    const char *region = cloud->dir->saved ? cloud->region : NULL; /* not read: the lab's own */
    json_t *service = op->service ? json_string(op->service) : json_null();
    request.json = json_pack("{s:[o,s], s:O, s:{s:s*, s:s*}}", "op", service, op->name, "in", in, "as", "region",
                             region, "principal", cloud->as);
    bool done = keeper_call(cloud->dir->socket_path, &request, &reply, err);
    json_decref(request.json);
    if (!done) {
        return false;
    }
    const json_t *error = json_object_get(reply.json, "error");
    if (error) {
        err_from_json(error, err);
    } else {
        json_t *out = json_object_get(reply.json, "out");
        result->out = out ? json_incref(out) : json_object();
        result->no = json_flag(reply.json, "no", false);
    }
    keeper_message_done(&reply);
    return !error;
}

bool
keeper_link_serve(struct cloud *cloud, const struct keeper_message *request, struct keeper_message *reply)
{
    const json_t *words = json_object_get(request->json, "op"), *in = json_object_get(request->json, "in");
    if (!words) {
        return false;
    }
    const char *name = json_string_value(json_array_get(words, 1));
    const struct op *op = name ? op_by_name(json_string_value(json_array_get(words, 0)), name) : NULL;
    const char *region = json_str(json_object_get(request->json, "as"), "region");
    struct op_result result = { 0 };
    struct err err = { 0 };
    snprintf(cloud->region, sizeof cloud->region, "%s", region ? region : cloud->home_region);
    if (!op || !json_is_object(in)) {
        err_set(&err, ERR_FAULT, "", "the keeper does not know the operation `%s`", name ? name : "");
        err_hint(&err, "it may be of another version: `vpclab down`, then `vpclab up`");
    } else if (cloud_act_as(cloud, json_str(json_object_get(request->json, "as"), "principal"), &err) &&
               op_call(cloud, op, in, NULL, &result, &err)) {
        reply->json = json_pack("{s:O, s:b}", "out", result.out, "no", result.no);
    }
    if (!reply->json) {
        json_t *error = err_to_json(&err);
        reply->json = json_pack("{s:o}", "error", error);
    }
    op_result_done(&result);
    return true;
}
