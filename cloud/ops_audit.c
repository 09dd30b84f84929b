/* cloud/ops_audit.c - `vpclab audit`: what a reviewer would remark on the network, as text, JSON or SARIF.
 * Source of the SARIF members: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/op.h"
#include "netsim/analysis/audit.h"
#include "netsim/analysis/wording.h"

static json_t *
finding_json(const struct audit_finding *finding)
{
    const struct object *object = finding->object;
    const char *name = component_name(object);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Code", finding->check->code, "Severity",
                  audit_severity_str(finding->check->severity), "ResourceId", object->id, "ResourceType",
                  object->kind->name, "OwnerId", object->account, "Region", object->region, "Reason", finding->reason);
    const struct {
        const char *key, *value;
    } optional[] = { { "ResourceName", name }, { "Rule", finding->rule }, { "Mend", finding->mend } };
    for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
        if (optional[i].value) {
            json_object_set_new(json, optional[i].key, json_string(optional[i].value));
        }
    }
    return json;
}

static bool
audit_handler(struct op_call *call, struct err *err)
{
    (void)err;
    const char *fail_on = arg_str(call->in, "FailOn"), *format = arg_str(call->in, "Format");
    size_t counts[AUDIT_HIGH + 1] = { 0 };
    json_t *list = json_array(), *summary = json_object();
    struct audit audit;
    audit_run(&audit, call->cloud->net);
    for (size_t i = 0; i < audit.findings.n; i++) {
        json_array_append_new(list, finding_json(&audit.findings.items[i]));
        counts[audit.findings.items[i].check->severity]++;
    }
    for (int s = AUDIT_HIGH; s >= AUDIT_LOW; s--) {
        json_object_set_new(summary, audit_severity_str(s), json_integer((json_int_t)counts[s]));
    }
    /* From the mildest: once the wanted severity is met, all that are graver count too. */
    bool counted = false;
    for (int s = AUDIT_LOW; s <= AUDIT_HIGH; s++) {
        counted |= strcmp(fail_on ? fail_on : "high", audit_severity_str(s)) == 0;
        call->no |= counted && counts[s] > 0;
    }
    audit_done(&audit);
    json_object_set_new(call->out, "Findings", list);
    json_object_set_new(call->out, "Summary", summary);
    json_object_set_new(call->out, "Format", json_string(format ? format : "text"));
    return true;
}

/* ---- Formats ---------------------------------------------------------------------------------------------------- */

static void
print_text(const json_t *out, struct buf *text)
{
    const json_t *list = json_object_get(out, "Findings"), *summary = json_object_get(out, "Summary");
    const char *severity = "";
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *f = json_array_get(list, i);
        if (strcmp(severity, json_str(f, "Severity")) != 0) {
            buf_printf(text, "%s%s\n", *severity ? "\n" : "", json_str(f, "Severity"));
            severity = json_str(f, "Severity");
        }
        const char *name = json_str(f, "ResourceName"), *rule = json_str(f, "Rule"), *mend = json_str(f, "Mend");
        buf_printf(text, "  %-20s  %s%s%s%s\n", json_str(f, "Code"), json_str(f, "ResourceId"), name ? " (" : "",
                   name ? name : "", name ? ")" : "");
        if (rule) {
            buf_printf(text, "      rule: %s\n", rule);
        }
        buf_printf(text, "      %s\n", json_str(f, "Reason"));
        if (mend) {
            buf_printf(text, "      mend: %s\n", mend);
        }
    }
    buf_printf(text, "%s%d high, %d medium, %d low\n", *severity ? "\n" : "",
               (int)json_integer_value(json_object_get(summary, "high")),
               (int)json_integer_value(json_object_get(summary, "medium")),
               (int)json_integer_value(json_object_get(summary, "low")));
}

static void
print_json(const json_t *out, struct buf *text)
{
    json_t *plain = json_pack("{s:O, s:O}", "Findings", json_object_get(out, "Findings"), "Summary",
                              json_object_get(out, "Summary"));
    json_write_aws(plain, text);
    json_decref(plain);
}

static const char *
sarif_level(const char *severity)
{
    return strcmp(severity, "high") == 0 ? "error" : strcmp(severity, "medium") == 0 ? "warning" : "note";
}

/* Where the code stands among the rules of the run. */
static int
rule_index(const char *code)
{
    int i = 0;
    while (audit_checks[i].code && strcmp(audit_checks[i].code, code) != 0) {
        i++;
    }
    return i;
}

static json_t *
sarif_result(const json_t *f)
{
    const char *name = json_str(f, "ResourceName"), *rule = json_str(f, "Rule"), *mend = json_str(f, "Mend");
    const char *id = json_str(f, "ResourceId");
    struct buf message = { 0 };
    buf_printf(&message, "%s: %s%s%s%s", id, rule ? rule : "", rule ? ": " : "", json_str(f, "Reason"),
               mend ? ". " : "");
    if (mend) {
        buf_printf(&message, "Mend: vpclab %s", mend);
    }
    json_t *result =
        json_pack("{s:s, s:s, s:{s:s}, s:[{s:[{s:s, s:s, s:s}]}]}", "ruleId", json_str(f, "Code"), "level",
                  sarif_level(json_str(f, "Severity")), "message", "text", buf_str(&message), "locations",
                  "logicalLocations", "name", name ? name : id, "fullyQualifiedName", id, "kind", "resource");
    /* By what a code scanning page knows a finding again: its wording may change. */
    char *print = xasprintf("%s/%s/%s", json_str(f, "Code"), id, rule ? rule : "");
    json_object_set_new(result, "ruleIndex", json_integer(rule_index(json_str(f, "Code"))));
    json_object_set_new(result, "partialFingerprints", json_pack("{s:s}", "finding/v1", print));
    free(print);
    buf_done(&message);
    return result;
}

static void
print_sarif(const json_t *out, struct buf *text)
{
    json_t *rules = json_array(), *results = json_array();
    for (const struct audit_check *c = audit_checks; c->code; c++) {
        json_array_append_new(rules,
                              json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", c->code, "shortDescription", "text", c->what,
                                        "defaultConfiguration", "level", sarif_level(audit_severity_str(c->severity))));
    }
    const json_t *list = json_object_get(out, "Findings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_array_append_new(results, sarif_result(json_array_get(list, i)));
    }
    json_t *sarif =
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema",
                  "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name",
                  "vpclab", "version", VPCLAB_VERSION, "rules", rules, "results", results);
    json_write_aws(sarif, text);
    json_decref(sarif);
}

static void
audit_text(const json_t *out, struct buf *text)
{
    static const struct {
        const char *name;
        void (*print)(const json_t *out, struct buf *text);
    } formats[] = { { "text", print_text }, { "json", print_json }, { "sarif", print_sarif } };
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (strcmp(json_str(out, "Format"), formats[i].name) == 0) {
            formats[i].print(out, text);
        }
    }
}

static const struct op_param audit_params[] = {
    { "Format", OP_STRING, OP_OPTIONAL, "how the findings are printed", NULL, "text json sarif" },
    { "FailOn", OP_STRING, OP_OPTIONAL, "exit status 1 from this severity on; high if not given", NULL,
      "high medium low none" },
    { 0 },
};

const struct op ops_audit[] = {
    { .name = "audit",
      .mode = OP_READ,
      .run = audit_handler,
      .text = audit_text,
      .params = audit_params,
      .group = "ask",
      .help = "List what is open to the world, lost on the way or of no use in the network, with the command that "
              "mends it.",
      .examples = "audit                                     exit status 1 if anything grave is found\n"
                  "audit --fail-on medium --format sarif     for a code scanning page\n" },
    { 0 },
};
