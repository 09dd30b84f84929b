/* Flow logs from samples to `vpclab flows`, with a poll that stands in for the kernel. */
#include "tests/test.h"

#include <stdlib.h>

#include "cloud/flow_capture.h"
#include "cloud/flow_s3.h"
#include "cloud/flow_store.h"
#include "cloud/op.h"
#include "cloud/state.h"
#include "netsim/model/instance.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static struct flow_sample pending[8];
static size_t n_pending;
static bool poll_fails;

static bool
poll_pending(struct live *live, const struct network *net, int64_t now_ms, const struct live_flow_listener *listener,
             struct err *err)
{
    (void)live, (void)net, (void)now_ms;
    for (size_t i = 0; i < n_pending; i++) {
        listener->sample(listener->context, &pending[i]);
    }
    n_pending = 0;
    return !poll_fails || err_set(err, ERR_MACHINE, "", "the table cannot be read");
}

static void
pend(const char *eni, const char *src, const char *dst, int dst_port, int action, int64_t at_ms)
{
    struct flow_sample *s = &pending[n_pending++];
    *s = (struct flow_sample){ .src = ip_lit(src),
                               .dst = ip_lit(dst),
                               .src_port = 40000,
                               .dst_port = (uint16_t)dst_port,
                               .protocol = PROTOCOL_TCP,
                               .action = (uint8_t)action,
                               .direction = FLOW_INGRESS,
                               .packets = 2,
                               .bytes = 120,
                               .first_ms = T0 + at_ms,
                               .last_ms = T0 + at_ms };
    strcpy(s->eni_id, eni);
}

/* A lab with eni-1 of i-1 and eni-2, one log on each. */
static struct cloud *
lab_open(void)
{
    struct err err = { 0 };
    struct cloud *cloud = cloud_open(&(struct cloud_options){ .throw_away = true, .bare = true, .seed = 1 }, &err);
    CHECK_OK(&err);
    clock_set_ms(&cloud->clock, T0);
    struct store *store = network_store(cloud->net);
    struct instance *instance = store_add(store, &instance_kind, "i-00000000000000001");
    instance->state_code = INSTANCE_RUNNING;
    for (int i = 1; i <= 2; i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "eni-0000000000000000%d", i);
        struct eni *eni = store_add(store, &eni_kind, id);
        struct eni_address *address = VEC_ADD(&eni->addresses);
        address->primary = true;
        address->ip = ip_v4(0x0a00000a + (uint32_t)i);
        eni->status = xstrdup("in-use");
        strcpy(eni->attachment.instance_id, i == 1 ? instance->obj.id : "");
        snprintf(id, sizeof id, "fl-0000000000000000%d", i);
        struct flow_log *log = store_add(store, &flow_log_kind, id);
        log->resource_id = xstrdup(eni->obj.id);
        log->traffic_type = xstrdup("ALL");
        log->max_interval = 60;
    }
    return cloud;
}

/* The answer of `flows` as text; the caller frees it. */
static char *
flows(struct cloud *cloud, json_t *in, struct err *err)
{
    struct op_result result = { 0 };
    const struct op *op = op_by_name(NULL, "flows");
    struct buf text = { 0 };
    if (op_call(cloud, op, in, NULL, &result, err)) {
        op->text(result.out, &text);
        op_result_done(&result);
    }
    json_decref(in);
    return buf_steal(&text);
}

static void
check_flows(struct cloud *cloud, json_t *in, const char *expected, const char *what)
{
    struct err err = { 0 };
    char *text = flows(cloud, in, &err);
    CHECK_OK(&err, "%s", what);
    CHECK(strstr(text, expected), "%s: expected `%s` in:\n%s", what, expected, text);
    free(text);
}

TEST(flows_shows_what_was_captured)
{
    struct cloud *cloud = lab_open();
    flow_capture_start(cloud, poll_pending);
    pend("eni-00000000000000001", "10.0.0.99", "10.0.0.11", 443, FLOW_ACCEPT, 1000);
    pend("eni-00000000000000001", "10.0.0.99", "10.0.0.11", 22, FLOW_REJECT, 2000);
    pend("eni-00000000000000002", "10.0.0.98", "10.0.0.12", 22, FLOW_REJECT, 3000);
    clock_advance_ms(&cloud->clock, 5000);
    check_flows(cloud, json_object(), "443      6         2        120    1767225601  1767225601  ACCEPT  OK",
                "while an interval runs");
    check_flows(cloud, json_object(), "fl-00000000000000002 (eni-00000000000000002)", "each log by itself");
    check_flows(cloud, json_pack("{s:s}", "Source", "i-00000000000000001"), "ACCEPT", "of an instance");
    check_flows(cloud, json_pack("{s:s, s:i}", "Source", "10.0.0.12", "DstPort", 443), "no record matches",
                "of an address");
    check_flows(cloud, json_pack("{s:s}", "Action", "REJECT"), "22       6", "rejected");
    check_flows(cloud, json_pack("{s:s, s:s}", "Action", "REJECT", "FlowLogId", "fl-00000000000000001"),
                "version  account-id  interface-id", "one log has no title");
    clock_advance_ms(&cloud->clock, 55000);
    struct err err = { 0 };
    CHECK(flow_capture_tick(cloud, false, &err));
    clock_advance_ms(&cloud->clock, 60000);
    CHECK(flow_capture_tick(cloud, false, &err));
    CHECK_OK(&err);
    check_flows(cloud, json_pack("{s:s}", "LogStatus", "NODATA"), "NODATA", "quiet");
    check_flows(cloud, json_pack("{s:s, s:s}", "Since", "5m", "Address", "10.0.0.98"), "REJECT", "since");
    check_flows(cloud, json_pack("{s:s}", "Since", "1s"), "no record matches", "since now");
    flow_capture_stop(cloud);
    check_flows(cloud, json_pack("{s:i}", "DstPort", 443), "ACCEPT", "after the lab went down");
    cloud_close(cloud);
}

TEST(flows_refuses_what_it_cannot_read)
{
    static const struct {
        const char *name, *value, *where, *text;
    } cases[] = {
        { "Since", "yesterday", "since", "yesterday" },
        { "Protocol", "tpc", "rotocol", "tpc" },
        { "Action", "DROP", "ction", "ACCEPT REJECT" },
        { "Address", "10.0.0.300", "ddress", "10.0.0.300" },
        { "Source", "i-00000000000000009", "", "i-00000000000000009" },
    };
    struct cloud *cloud = lab_open();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char *text = flows(cloud, json_pack("{s:s}", cases[i].name, cases[i].value), &err);
        CHECK(err.kind == ERR_USAGE || err.kind == ERR_INPUT, "%s: kind %d", cases[i].value, err.kind);
        CHECK(strstr(err.text, cases[i].text), "%s: %s", cases[i].value, err.text);
        CHECK(strstr(err.where, cases[i].where), "%s: %s", cases[i].value, err.where);
        free(text);
    }
    cloud_close(cloud);
}

TEST(flows_survives_damage)
{
    struct cloud *cloud = lab_open();
    flow_capture_start(cloud, poll_pending);
    pend("eni-00000000000000001", "10.0.0.99", "10.0.0.11", 443, FLOW_ACCEPT, 1000);
    flow_capture_stop(cloud);
    char *path = flow_logs_path(cloud, "fl-00000000000000001");
    FILE *file = fopen(path, "a");
    REQUIRE(file);
    fputs("rubbish\n2 123456789012 eni-0", file); /* killed in the middle of a record */
    fclose(file);
    check_flows(cloud, json_object(), "2 lines are damaged", "the rest is shown");
    check_flows(cloud, json_object(), "ACCEPT", "the rest is shown");
    file = fopen(path, "w");
    REQUIRE(file);
    fputs("when who\n", file);
    fclose(file);
    struct err err = { 0 };
    char *text = flows(cloud, json_object(), &err);
    CHECK_INT(err.kind, ERR_DOCUMENT);
    CHECK(strstr(err.where, "fl-00000000000000001.log"), "%s", err.where);
    CHECK_INT(err.line, 1);
    free(text);
    free(path);
    cloud_close(cloud);
}

TEST(flows_keeps_the_records_of_deleted_logs)
{
    struct cloud *cloud = lab_open();
    flow_capture_start(cloud, poll_pending);
    pend("eni-00000000000000001", "10.0.0.99", "10.0.0.11", 443, FLOW_ACCEPT, 1000);
    flow_capture_stop(cloud);
    struct store *store = network_store(cloud->net);
    store_delete(store, store_get(store, &flow_log_kind, "fl-00000000000000001"));
    check_flows(cloud, json_object(), "fl-00000000000000001 (deleted)", "deleted");
    check_flows(cloud, json_pack("{s:s}", "FlowLogId", "fl-00000000000000001"), "ACCEPT", "by id");
    cloud_close(cloud);
}

TEST(flow_capture_writes_what_it_has_when_polling_fails)
{
    struct cloud *cloud = lab_open();
    struct err err = { 0 };
    flow_capture_start(cloud, poll_pending);
    pend("eni-00000000000000001", "10.0.0.99", "10.0.0.11", 443, FLOW_ACCEPT, 1000);
    poll_fails = true;
    CHECK(!flow_capture_tick(cloud, true, &err));
    CHECK_STR(err.text, "the table cannot be read");
    poll_fails = false;
    flow_capture_stop(cloud);
    check_flows(cloud, json_object(), "ACCEPT", "still there");
    cloud_close(cloud);
}

/* Objects are named by their minute and what they hold: the same records may come again within it. */
TEST(the_same_records_of_one_minute_are_objects_of_their_own)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open();
    struct flow_batch batch = { .home = { .to_s3 = true, .destination = "arn:aws:s3:::bucket" } };
    strcpy(batch.log_id, "fl-00000000000000001");
    buf_str_add(&batch.header, "dstport action");
    buf_str_add(&batch.lines, "5432 ACCEPT\n");
    for (int i = 0; i < 3; i++) {
        CHECK(flow_s3_deliver(cloud, &batch, &err), "%d: %s", i, err.text);
    }
    char *count = xasprintf("test $(find %s/flowlogs/s3/bucket -name '*.log.gz' | wc -l) = 3", cloud->dir->path);
    CHECK(system(count) == 0, "three objects");
    free(count);
    flow_batch_done(&batch);
    cloud_close(cloud);
}

TEST(flows_without_logs_says_how_to_begin_one)
{
    struct err err = { 0 };
    struct cloud *cloud = cloud_open(&(struct cloud_options){ .throw_away = true, .bare = true, .seed = 1 }, &err);
    check_flows(cloud, json_object(), "ec2 create-flow-logs", "no log");
    cloud_close(cloud);
}

TEST_MAIN
