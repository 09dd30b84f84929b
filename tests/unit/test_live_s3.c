/* The live lab's S3: what a request carries in its query and fields goes to the operation, or is refused. */
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

#include "cloud/live_services.h"
#include "netsim/live/http_server.h"

static void
run(struct cloud *cloud, const char *line)
{
    struct err err = { 0 };
    json_t *out = lab_run(cloud, line, &err);
    CHECK_OK(&err, "%s", line);
    json_decref(out);
}

static struct cloud *
lab_with_objects(void)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    run(cloud, "s3api create-bucket --bucket box");
    run(cloud,
        "s3api put-public-access-block --bucket box --public-access-block-configuration BlockPublicPolicy=false");
    run(cloud,
        "s3api put-bucket-policy --bucket box --policy "
        "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\","
        "\"Resource\":[\"arn:aws:s3:::box\",\"arn:aws:s3:::box/*\"]}]}'");
    run(cloud, "s3api put-object --bucket box --key a/1");
    run(cloud, "s3api put-object --bucket box --key a/2");
    run(cloud, "s3api put-object --bucket box --key 'b c%'");
    return cloud;
}

TEST(requests_say_what_they_carry)
{
    static const struct {
        const char *request, *fields;
        int status;
        const char *part; /* of the answer */
    } cases[] = {
        { "GET /box?list-type=2", "", 200, "<KeyCount>3</KeyCount>" },
        { "GET /box?list-type=2&delimiter=/", "", 200, "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>" },
        { "GET /box?list-type=2&prefix=a/&max-keys=1", "", 200, "<IsTruncated>true</IsTruncated>" },
        { "GET /box?prefix=b&encoding-type=url", "", 200, "<Key>b+c%25</Key>" },
        { "GET /box?fetch-owner=true&prefix=b", "", 200, "<Owner><ID>123456789012</ID></Owner>" },
        { "GET /box?acl", "", 501, "`acl`" },
        { "GET /box?versions", "", 501, "`versions`" },
        { "GET /box?list-type=2&max-keys=x", "", 400, "InvalidArgument" },
        { "PUT /box/n?tagging", "", 501, "`tagging`" },
        { "PUT /box/n", "x-amz-copy-source: box/a/1\r\n", 501, "`x-amz-copy-source`" },
        { "PUT /box/n", "x-amz-acl: public-read\r\n", 501, "`ACL`" },
        { "PUT /box/n", "x-amz-sdk-checksum-algorithm: CRC32\r\nx-amz-checksum-crc32: AAAAAA==\r\n", 200, "" },
        { "PUT /box/a/1", "If-None-Match: *\r\n", 412, "PreconditionFailed" },
        { "HEAD /box/a/1", "Range: bytes=0-1\r\n", 501, "" },
        { "HEAD /box/a/1?versionId=none", "", 404, "" },
        { "HEAD /box/a/1", "x-amz-checksum-mode: ENABLED\r\n", 200, "" },
        { "DELETE /box/a/1", "x-amz-mfa: 123\r\n", 501, "`MFA`" },
    };
    struct cloud *cloud = lab_with_objects();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_head head = { 0 };
        size_t used;
        char *text =
            xasprintf("%s HTTP/1.1\r\nHost: s3.us-east-1.amazonaws.com\r\n%s\r\n", cases[i].request, cases[i].fields);
        REQUIRE(http_read_request(text, strlen(text), &head, &used) == HTTP_DONE, "%s", text);
        struct http_exchange x = { .request = &head, .body = "", .status = 200 };
        REQUIRE(ip_parse("10.0.0.4", &x.peer));
        live_hook_s3(cloud, "", &x);
        CHECK_INT(x.status, cases[i].status, "%s: %s", text, buf_str(&x.answer));
        CHECK(strstr(buf_str(&x.answer), cases[i].part), "%s: %s", text, buf_str(&x.answer));
        buf_done(&x.fields);
        buf_done(&x.answer);
        http_head_done(&head);
        free(text);
    }
    cloud_close(cloud);
}

TEST_MAIN
