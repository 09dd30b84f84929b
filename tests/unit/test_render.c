/* Answers for a person: tables and records.  What aws prints too is compared in tests/vectors/test_aws_cli.c. */
#include "tests/test.h"

#include <stdlib.h>
#include "base/buf.h"
#include "cloud/op.h"
#include "cloud/render.h"

static json_t *
read_json(const char *text)
{
    struct err err = { 0 };
    json_t *value = json_read(text, strlen(text), "test", &err);
    REQUIRE(value != NULL, "%s: %s", text, err.text);
    return value;
}

TEST(tables_have_columns_for_people)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "{\"Rows\":[{\"Name\":\"a\",\"HopCount\":1},{\"Name\":\"bbbbb\",\"HopCount\":100}]}",
          "NAME   HOP COUNT\na              1\nbbbbb        100\n" },
        { "{\"Rows\":[]}", "" },
        { "[]", "" },
        { "{\"Subnets\":[{\"Size\":\"x\",\"SubnetId\":\"subnet-1\",\"Ipv6Native\":false,\"SubnetArn\":\"arn:..\"}]}",
          "SUBNET ID  SIZE\nsubnet-1   x\n" },
        { "{\"Labs\":[{\"Name\":\"x\",\"Live\":false}]}", "NAME  LIVE\nx     no\n" },
        { "{\"Rows\":[{\"A\":1,\"B\":null},{\"A\":2}]}", "A\n1\n2\n" },
        { "{\"Rows\":[{\"A\":\"x\"},{\"B\":\"y\"}]}", "A  B\nx\n   y\n" },
        { "{\"Rows\":[{\"T\":[{\"Key\":\"Name\",\"Value\":\"web\"}],\"S\":{\"Code\":16,\"Name\":\"running\"},\"L\":["
          "\"a\",\"b\"]}]}",
          "T         S        L\nName=web  running  a,b\n" },
        { "{\"Rows\":[{\"A\":\"\\u00fcber\",\"B\":\"x\"},{\"A\":\"uber\",\"B\":\"y\"}]}", "A     B\n\xc3\xbc"
                                                                                          "ber  x\nuber  y\n" },
        { "{\"Rows\":[{\"A\":\"two\\nlines\\tand\",\"B\":1}]}", "A              B\ntwo lines and  1\n" },
        { "[[\"a\",1],[\"bb\",22]]", "a    1\nbb  22\n" },
        { "[\"a\",\"b\"]", "a\nb\n" },
        { "\"text\"", "text\n" },
        { "null", "" },
        { "{\"Name\":\"x\",\"Size\":3}", "Name:  x\nSize:  3\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf text = { 0 };
        json_t *value = read_json(cases[i].in);
        render_table(value, &text);
        CHECK_STR(buf_str(&text), cases[i].out, "%s", cases[i].in);
        buf_done(&text);
        json_decref(value);
    }
}

TEST(records_show_everything)
{
    json_t *value = read_json("{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"IsDefault\":true,\"Tags\":[{\"Key\":\"a\",\"Value\":"
                              "\"b\"}]},{\"VpcId\":\"vpc-2\"}]}");
    struct buf text = { 0 };
    render_record(value, &text);
    CHECK_STR(buf_str(&text), "VpcId:      vpc-1\nIsDefault:  yes\nTags:\n  Key:    a\n  Value:  b\n\nVpcId:  vpc-2\n");
    buf_done(&text);
    json_decref(value);
}

TEST(answers_are_put_in_awss_order_and_shape)
{
    static const struct {
        const char *in, *out, *fault;
    } cases[] = {
        { "{\"NextToken\":\"t\",\"Vpcs\":[{\"CidrBlock\":\"x\",\"VpcId\":\"v\",\"OwnerId\":\"o\"}]}",
          "{\"NextToken\":\"t\",\"Vpcs\":[{\"OwnerId\":\"o\",\"VpcId\":\"v\",\"CidrBlock\":\"x\"}]}", NULL },
        { "{\"Vpcs\":[{\"Tags\":null}]}", "{\"Vpcs\":[{}]}", NULL },
        { "{\"Vpcs\":[{\"Cidr\":\"x\"}]}", NULL, "Vpcs.Cidr" },
        { "{\"Vpc\":[]}", NULL, "Vpc" },
        { "{\"Vpcs\":{}}", NULL, "Vpcs" },
        { "{\"Vpcs\":[\"x\"]}", NULL, "Vpcs" },
    };
    struct op op = { .service = "ec2", .name = "DescribeVpcs" };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        json_t *value = read_json(cases[i].in), *out = render_ordered(&op, value, &err);
        struct buf text = { 0 };
        if (out) {
            json_write_compact(out, &text);
        }
        CHECK_STR(out ? buf_str(&text) : NULL, cases[i].out, "%s: %s", cases[i].in, err.text);
        CHECK(!cases[i].fault || (err.kind == ERR_FAULT && strstr(err.text, cases[i].fault)), "%s: %s", cases[i].in,
              err.text);
        buf_done(&text);
        json_decref(out);
        json_decref(value);
    }
}

TEST(a_format_or_query_that_is_none_is_refused)
{
    struct op op = { .name = "x" };
    json_t *value = read_json("{\"A\":1}");
    struct buf text = { 0 };
    struct err err = { 0 };
    CHECK(!render(&op, value, "jsn", NULL, &text, &err));
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK(strstr(err.hint, "json") != NULL, "%s", err.hint);
    err_clear(&err);
    CHECK(!render(&op, value, "json", "A[", &text, &err));
    CHECK_STR(err.where, "--query");
    CHECK_INT(err.column, 3);
    CHECK_INT(text.size, 0);
    err_clear(&err);
    CHECK(render(&op, value, NULL, NULL, &text, &err));
    CHECK_STR(buf_str(&text), "A:  1\n", "a lab verb without a form of its own");
    buf_done(&text);
    json_decref(value);
}

TEST_MAIN
