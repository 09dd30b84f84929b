/* Which ids an answer holds: shell/answer.h. */
#include "shell/answer.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tests/test.h"

TEST(answer_ids_are_what_the_next_command_takes)
{
    static const struct {
        const char *answer, *ids;
    } cases[] = {
        { "{'Vpc': {'OwnerId': '123456789012', 'VpcId': 'vpc-0123456789abcdef0', 'DhcpOptionsId': "
          "'dopt-0123456789abcdef0'}}",
          "vpc-0123456789abcdef0" },
        /* another resource's id stands first */
        { "{'Subnet': {'VpcId': 'vpc-0123456789abcdef0', 'SubnetId': 'subnet-0123456789abcdef0'}}",
          "subnet-0123456789abcdef0" },
        { "{'Tags': [{'Key': 'Name', 'Value': 'web'}], 'GroupId': 'sg-01234567'}", "sg-01234567" },
        { "{'PublicIp': '203.0.113.7', 'AllocationId': 'eipalloc-0123456789abcdef0'}", "eipalloc-0123456789abcdef0" },
        { "{'AssociationId': 'rtbassoc-01234567', 'AssociationState': {'State': 'associated'}}", "rtbassoc-01234567" },
        { "{'Groups': [], 'Instances': [{'InstanceId': 'i-01234567', 'VpcId': 'vpc-01234567'}, {'InstanceId': "
          "'i-01234568'}], "
          "'ReservationId': 'r-01234567'}",
          "i-01234567 i-01234568" },
        { "{'Reservations': [{'ReservationId': 'r-01234567', 'Instances': [{'InstanceId': 'i-01234567'}]}]}",
          "i-01234567" },
        { "{'Addresses': [{'InstanceId': 'i-01234567', 'AllocationId': 'eipalloc-01234567'}]}", "eipalloc-01234567" },
        { "{'SecurityGroups': [{'OwnerId': '1', 'GroupId': 'sg-01234567', 'VpcId': 'vpc-01234567'}]}", "sg-01234567" },
        { "{'FlowLogIds': ['fl-01234567'], 'Unsuccessful': []}", "fl-01234567" },
        /* IAM: options take names, and ARNs of managed policies */
        { "{'User': {'Path': '/', 'UserName': 'alice', 'UserId': 'AIDAX', 'Arn': 'arn:aws:iam::1:user/alice'}}",
          "alice" },
        { "{'Policy': {'PolicyName': 'p', 'PolicyId': 'ANPAX', 'Arn': 'arn:aws:iam::1:policy/p'}}",
          "arn:aws:iam::1:policy/p" },
        { "{'Listeners': [{'ListenerArn': 'arn:l', 'LoadBalancerArn': 'arn:b', 'Port': 80}]}", "arn:l" },
        { "{'Buckets': [{'Name': 'logs', 'CreationDate': 'x'}]}", "logs" },
        { "{'Return': true}", "" },
        { "{'Vpcs': []}", "" },
        { "{}", "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf ids = { 0 };
        answer_ids found = { 0 };
        json_t *answer = NULL;
        char *text = xstrdup(cases[i].answer);
        for (char *c = text; *c; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        struct err err = { 0 };
        answer = json_read(text, strlen(text), "case", &err);
        CHECK_OK(&err, "%s", text);
        answer_find_ids(answer, &found);
        for (size_t k = 0; k < found.n; k++) {
            buf_printf(&ids, "%s%s", k ? " " : "", found.items[k]);
        }
        CHECK_STR(buf_str(&ids), cases[i].ids, "%s", text);
        VEC_DONE(&found);
        json_decref(answer);
        buf_done(&ids);
        free(text);
    }
}

TEST_MAIN
