/* cloud/ops_resolve.c - `vpclab resolve`: what does a name mean to an instance, and who says so? */
#include <string.h>
#include "cloud/names.h"
#include "cloud/op.h"
#include "netsim/model/network.h"

static bool
run_resolve(struct op_call *call, struct err *err)
{
    const struct network *net = call->cloud->net;
    const char *from = arg_str(call->in, "From"), *type = arg_str(call->in, "Type");
    const char *vpc_id = vpc_of_end(net, from);
    if (from && !vpc_id && strcmp(from, "internet") != 0) {
        err_set(err, ERR_USAGE, "", "`%s` is in no VPC whose resolver it could ask", from);
        err_hint(err, "an instance, an interface, a subnet, a VPC or `internet`");
        return err_at(err, "--from", 0, 0);
    }
    struct dns_answer answer = { 0 };
    if (!names_ask(call->cloud, vpc_id, subnet_of_end(net, from), arg_str(call->in, "Name"),
                   type ? dns_type_parse(type) : 0, &answer, err)) {
        return false;
    }
    json_decref(call->out);
    call->out = names_json(net, vpc_id, &answer);
    call->no = answer.outcome != DNS_ANSWERED;
    dns_answer_done(&answer);
    return true;
}

static void
resolve_text(const json_t *out, struct buf *text)
{
    const json_t *records = json_object_get(out, "Records");
    const char *resolver = json_str(out, "Resolver"), *hint = json_str(out, "Hint");
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *r = json_array_get(records, i);
        buf_printf(text, "%s  %s  %s\n", json_str(r, "Name"), json_str(r, "Type"), json_str(r, "Value"));
    }
    const json_t *possible = json_object_get(out, "AlsoPossible");
    for (size_t i = 0; i < json_array_size(possible); i++) {
        const json_t *r = json_array_get(possible, i);
        buf_printf(text, "%s  %s  %s  (also possible)\n", json_str(r, "Name"), json_str(r, "Type"),
                   json_str(r, "Value"));
    }
    if (strcmp(json_str(out, "Status"), "NOERROR") != 0) {
        buf_printf(text, "%s: %s\n", json_str(out, "Name"), json_str(out, "Status"));
    }
    buf_printf(text, "  %s%s: %s\n", resolver ? "the resolver " : "the public DNS", resolver ? resolver : "",
               json_str(out, "Reason"));
    if (hint) {
        buf_printf(text, "  hint: %s\n", hint);
    }
}

static const struct op_param resolve_params[] = {
    { "Name", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "the name to look up", NULL, NULL },
    { "From", OP_ENDPOINT, OP_OPTIONAL,
      "who asks: an instance, interface, subnet or VPC; `internet`, as without it, asks the public DNS", NULL, NULL },
    { "Type", OP_STRING, OP_OPTIONAL, "the type of record; an address of either family if not given", NULL,
      "A AAAA CNAME MX NS PTR SOA SRV TXT CAA" },
    { 0 },
};
const struct op ops_resolve[] = {
    { .name = "resolve",
      .mode = OP_READ,
      .run = run_resolve,
      .params = resolve_params,
      .text = resolve_text,
      .group = "ask",
      .help = "Show what a domain name means to an instance, as the resolver of its VPC answers, and why.",
      .examples = "resolve db.corp.internal --from web   what does the web server get?\n"
                  "resolve sts.us-east-1.amazonaws.com --from web   the service, or the VPC's own endpoint?\n"
                  "resolve corp.internal --from main --type NS" },
    { 0 },
};
