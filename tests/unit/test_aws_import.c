#include <glob.h>
#include "netsim/model/gateways.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpc.h"
#include "tests/unit/import_lab.h"

#define VECTORS "../shared/vectors/net"

/* ---- what is there and what is not ------------------------------------------------------------------------------- */

TEST(every_vector_is_imported)
{
    glob_t found = { 0 };
    if (glob(VECTORS "/*/aws", 0, NULL, &found) != 0) {
        TEST_SKIP("%s is not there", VECTORS);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct network *net = new_network();
        struct err err = { 0 };
        json_t *report = json_object();
        CHECK(aws_import(net, found.gl_pathv[i], report, &err), "%s: %s:%d:%d %s", found.gl_pathv[i], err.where,
              err.line, err.column, err.text);
        CHECK(json_array_size(json_object_get(report, "Imported")) > 0, "%s", found.gl_pathv[i]);
        json_decref(report);
        network_free(net);
    }
    globfree(&found);
}

TEST(export_and_import_is_the_identity)
{
    glob_t found = { 0 };
    if (glob(VECTORS "/*/aws", 0, NULL, &found) != 0) {
        TEST_SKIP("%s is not there", VECTORS);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (strstr(found.gl_pathv[i], "multi-account")) {
            continue; /* objects of several accounts come back in the order of accounts */
        }
        struct network *net = new_network();
        struct err err = { 0 };
        json_t *report = json_object();
        REQUIRE(aws_import(net, found.gl_pathv[i], report, &err), "%s", err.text);
        json_object_clear(report);
        CHECK(aws_export(net, make_directory(), report, &err), "%s %s", err.where, err.text);
        struct network *again = network_new(&ids, &now);
        CHECK(aws_import(again, directory, report, &err), "%s: %s:%d:%d %s", found.gl_pathv[i], err.where, err.line,
              err.column, err.text);
        char *before = network_text(net), *after = network_text(again);
        size_t same = 0;
        while (before[same] && before[same] == after[same]) {
            same++;
        }
        CHECK(strcmp(before, after) == 0, "%s: ...%.100s | ...%.100s", found.gl_pathv[i],
              before + (same > 40 ? same - 40 : 0), after + (same > 40 ? same - 40 : 0));
        CHECK_INT(json_array_size(json_object_get(report, "SkippedMembers")), 0, "%s", found.gl_pathv[i]);

        /* A second export would mix with the first one. */
        struct err refused = { 0 };
        CHECK(!aws_export(again, directory, report, &refused) && refused.kind == ERR_INPUT, "%s", refused.text);
        remove_directory();
        free(before);
        free(after);
        network_free(again);
        network_free(net);
        json_decref(report);
    }
    globfree(&found);
}

TEST(folders_say_whose_it_is)
{
    static const struct {
        const char *file, *text, *account, *region;
    } cases[] = {
        { "accounts/111/us-west-1/Vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"554773406868\"}]}", "111",
          "us-west-1" },
        { "123412341234/eu-central-1/x.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\"}]}", "123412341234", "eu-central-1" },
        { "us-gov-west-1/Vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"554773406868\"}]}", "554773406868",
          "us-gov-west-1" },
        { "2024/dump/Vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\"}]}", "123456789012", "us-east-1" },
        { "all.json",
          "{\"Vpcs\":[{\"VpcId\":\"vpc-1\"}],\"Subnets\":[{\"SubnetId\":\"subnet-1\",\"OwnerId\":\"777777777777\","
          "\"AvailabilityZone\":\"ap-south-1b\"}]}",
          "777777777777", "ap-south-1" },
        { "all.json",
          "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"888888888888\"}],\"Subnets\":[{\"SubnetId\":\"subnet-1\","
          "\"OwnerId\":"
          "\"777777777777\"},{\"SubnetId\":\"subnet-2\",\"OwnerId\":\"777777777777\"}]}",
          "888888888888", "us-east-1" }, /* without a folder an object's own OwnerId counts */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_directory();
        put(cases[i].file, cases[i].text);
        struct network *net = new_network();
        struct err err = { 0 };
        json_t *report = json_object();
        CHECK(aws_import(net, directory, report, &err), "%s: %s", cases[i].file, err.text);
        const struct object *vpc = store_get(network_store(net), &vpc_kind, "vpc-1");
        if (CHECK(vpc, "%s", cases[i].file)) {
            CHECK_STR(vpc->account, cases[i].account, "case %zu", i);
            CHECK_STR(vpc->region, cases[i].region, "case %zu", i);
        }
        json_decref(report);
        network_free(net);
        remove_directory();
    }
}

TEST(an_object_listed_twice_is_one_and_the_richer_record_counts)
{
    make_directory();
    put("accounts/111111111111/us-east-1/Vpcs.json",
        "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"222222222222\","
        "\"CidrBlock\":\"10.0.0.0/16\",\"State\":\"available\",\"DhcpOptionsId\":\"poor\"}]}");
    put("accounts/222222222222/us-east-1/Vpcs.json",
        "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"222222222222\",\"CidrBlock\":\"10.0.0.0/16\",\"IsDefault\":true,"
        "\"InstanceTenancy\":\"default\",\"DhcpOptionsId\":\"rich\"}, {\"VpcId\":\"vpc-2\"}]}");
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *report = json_object();
    CHECK(aws_import(net, directory, report, &err), "%s", err.text);
    const struct vpc *vpc = store_get(network_store(net), &vpc_kind, "vpc-1");
    CHECK_INT(store_count(network_store(net), &vpc_kind), 2);
    CHECK_STR(vpc->obj.account, "222222222222");
    CHECK(vpc->is_default);
    CHECK_STR(vpc->dhcp_options_id, "rich", "where they differ");
    CHECK_STR(vpc->state, "available", "from the poorer record");
    CHECK_INT(json_int(report, "Merged", 0), 1);
    json_decref(report);
    network_free(net);
    remove_directory();
}

TEST(nothing_is_dropped_silently)
{
    make_directory();
    put("Vpcs.json",
        "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"Color\":\"red\",\"Empty\":[],\"Nothing\":null}],\"NextToken\":\"x\"}");
    put("Subnets.json",
        "{\"Subnets\":[{\"SubnetId\":\"subnet-1\",\"VpcId\":\"vpc-9\"},{\"SubnetId\":\"subnet-2\",\"VpcId\":\"vpc-8\"},"
        "{\"SubnetId\":\"subnet-3\",\"VpcId\":\"vpc-1\",\"Tags\":[{\"Key\":\"VpcId\",\"Value\":\"vpc-7\"}]}]}");
    put("NatGateways.json", "{\"NatGateways\":[]}");
    put("Hosts.json", "{\"Hosts\":[{\"HostId\":\"h-1\"},{\"HostId\":\"h-2\"}]}");
    put("more/list.json", "[1]");
    put("more/README.txt", "notes");
    put(".git/Vpcs.json", "broken");
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *report = json_object();
    CHECK(aws_import(net, directory, report, &err), "%s %s", err.where, err.text);
    char *text = compact(report);
    CHECK_STR(text,
              "{\"Accounts\":[\"123456789012\"],\"Regions\":[\"us-east-1\"],"
              "\"Imported\":[{\"Type\":\"vpc\",\"Count\":1},{\"Type\":\"subnet\",\"Count\":3}],\"Merged\":0,"
              "\"Skipped\":[{\"List\":\"Hosts\",\"Ids\":[\"h-1\",\"h-2\"],\"Count\":2,\"Files\":[\"Hosts.json\"]}],"
              "\"SkippedFiles\":[{\"File\":\"more/README.txt\",\"Reason\":\"not named .json\"},"
              "{\"File\":\"more/list.json\",\"Reason\":\"a list without its name, as `aws --query` prints it\"}],"
              "\"SkippedMembers\":[{\"Type\":\"vpc\",\"Member\":\"Color\",\"Count\":1,\"Ids\":[\"vpc-1\"]}],"
              "\"Warnings\":[\"Vpcs.json is one page of several: it ends with a NextToken, so objects are missing\","
              "\"subnet `subnet-1` names the vpc `vpc-9` in VpcId, which is not in the import (2 such in "
              "all)\"],\"Shared\":[]}");
    free(text);
    json_decref(report);
    network_free(net);
    remove_directory();
}

TEST(what_another_accounts_dump_lists_is_shared_with_it)
{
    make_directory();
    static const char list[] = "{\"TransitGateways\":[{\"TransitGatewayId\":\"tgw-1\",\"OwnerId\":\"111122223333\"}]}";
    put("accounts/111122223333/us-east-1/TransitGateways.json", list);
    put("accounts/444455556666/us-east-1/TransitGateways.json", list);
    put("accounts/444455556666/us-east-1/Vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"OwnerId\":\"444455556666\"}]}");
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *report = json_object();
    CHECK(aws_import(net, directory, report, &err), "%s %s", err.where, err.text);
    char *text = compact(json_object_get(report, "Shared"));
    CHECK_STR(text, "[{\"Id\":\"tgw-1\",\"Account\":\"444455556666\"}]");
    const struct object *tgw = store_get(network_store(net), &transit_gateway_kind, "tgw-1");
    CHECK_STR(tgw ? tgw->account : "", "111122223333");
    free(text);
    json_decref(report);
    network_free(net);
    remove_directory();
}

TEST(entries_of_a_prefix_list_come_from_a_file_of_its_name)
{
    static const struct {
        const char *file, *entries, *warning;
        size_t n;
    } cases[] = {
        { "pl-1.json", "{\"Entries\":[{\"Cidr\":\"10.0.0.0/8\",\"Description\":\"x\"},{\"Cidr\":\"192.0.2.0/24\"}]}",
          NULL, 2 },
        { "entries-of-pl-1.json", "{\"Entries\":[{\"Cidr\":\"10.0.0.0/8\"}]}", NULL, 1 },
        { "x.json", "{}", "prefix-list `pl-1` came without entries", 0 },
        { "pl-2.json", "{\"Entries\":[]}", "pl-2.json holds entries of `pl-2`", 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_directory();
        put("lists.json", "{\"PrefixLists\":[{\"PrefixListId\":\"pl-1\",\"PrefixListName\":\"n\",\"MaxEntries\":1}]}");
        put(cases[i].file, cases[i].entries);
        struct network *net = new_network();
        struct err err = { 0 };
        json_t *report = json_object();
        CHECK(aws_import(net, directory, report, &err), "%s: %s", cases[i].file, err.text);
        const struct prefix_list *list = store_get(network_store(net), &prefix_list_kind, "pl-1");
        CHECK_INT(list->entries.n, cases[i].n, "%s", cases[i].file);
        CHECK(list->max_entries >= (int)cases[i].n);
        const char *warning = json_string_value(json_array_get(json_object_get(report, "Warnings"), 0));
        CHECK(cases[i].warning ? warning && strncmp(warning, cases[i].warning, strlen(cases[i].warning)) == 0
                               : !warning,
              "%s: %s", cases[i].file, warning);
        CHECK_INT(json_array_size(json_object_get(report, "Skipped")), 0, "%s", cases[i].file);
        json_decref(report);
        network_free(net);
        remove_directory();
    }
    make_directory();
    put("lists.json", "{\"PrefixLists\":[{\"PrefixListId\":\"pl-1\"}]}");
    put("pl-1.json", "{\"Entries\":[\n{\"Cidr\":\"10.0.0.0/8\"},\n {\"Cidr\":\"nonsense\"}]}");
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *report = json_object();
    CHECK(!aws_import(net, directory, report, &err));
    CHECK(strstr(err.where, "pl-1.json") && err.line == 3 && err.column == 10, "%s:%d:%d %s", err.where, err.line,
          err.column, err.text);
    json_decref(report);
    network_free(net);
    remove_directory();
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* Calls about one object at a time, and calls that show other members of it. */
TEST(parts_of_an_object_come_from_several_lists)
{
    make_directory();
    put("TransitGatewayAttachments.json",
        "{\"TransitGatewayAttachments\":[{\"TransitGatewayAttachmentId\":\"tgw-attach-1\",\"TransitGatewayId\":"
        "\"tgw-1\",\"ResourceType\":\"vpc\",\"ResourceId\":\"vpc-1\",\"State\":\"available\",\"Association\":{"
        "\"TransitGatewayRouteTableId\":\"tgw-rtb-1\"}}]}");
    put("TransitGatewayVpcAttachments.json",
        "{\"TransitGatewayVpcAttachments\":[{\"TransitGatewayAttachmentId\":\"tgw-attach-1\",\"VpcId\":\"vpc-1\","
        "\"SubnetIds\":[\"subnet-1\"],\"Options\":{\"ApplianceModeSupport\":\"enable\"}}]}");
    put("TransitGatewayPropagations.json",
        "{\"TransitGatewayPropagations\":[{\"TransitGatewayRouteTableId\":\"tgw-rtb-9\","
        "\"TransitGatewayRouteTablePropagations\":[]}]}");
    put("LoadBalancerListeners.json",
        "{\"LoadBalancerListeners\":[{\"LoadBalancerArn\":\"arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/"
        "a/1\",\"Listeners\":[{\"ListenerArn\":\"l\",\"Port\":80,\"Protocol\":\"TCP\"}]}]}");
    put("LoadBalancers.json",
        "{\"LoadBalancers\":[{\"LoadBalancerArn\":\"arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/1\","
        "\"Type\":\"network\"}]}");
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *report = json_object();
    REQUIRE(aws_import(net, directory, report, &err), "%s: %s", err.where, err.text);
    const struct tgw_attachment *attachment = store_get(network_store(net), &tgw_attachment_kind, "tgw-attach-1");
    const struct load_balancer *lb = store_get(network_store(net), &load_balancer_kind, "net/a/1");
    REQUIRE(attachment && lb);
    CHECK_STR(attachment->table_id, "tgw-rtb-1");
    CHECK_INT(attachment->subnet_ids.n, 1);
    CHECK(tgw_attachment_is_appliance(attachment));
    CHECK(tgw_vpc_attachment(net, "tgw-1", "vpc-1") == attachment);
    REQUIRE(lb->listeners.n == 1);
    CHECK_INT(lb->listeners.items[0].port, 80);
    CHECK_INT(store_count(network_store(net), &tgw_route_table_kind), 0);
    char *text = compact(report);
    CHECK(strstr(text, "tells of the transit-gateway-route-table `tgw-rtb-9`, which is not in the import"), "%s", text);
    free(text);
    json_object_clear(report);
    remove_directory();
    CHECK(aws_export(net, make_directory(), report, &err), "%s %s", err.where, err.text);
    text = compact(json_object_get(report, "Files"));
    CHECK(strstr(text, "/LoadBalancerListeners.json") && strstr(text, "/TransitGatewayVpcAttachments.json"), "%s",
          text);
    free(text);
    remove_directory();
    json_decref(report);
    network_free(net);
}

TEST(bad_input_is_refused_with_its_place)
{
    static const struct {
        const char *file, *text;
        enum err_kind kind;
        const char *says;
        int line, column;
    } cases[] = {
        { "Vpcs.json", "{\"Vpcs\": [\n  {\"VpcId\": \"vpc-1\",}\n]}", ERR_DOCUMENT, "a comma before `}`", 2, 20 },
        { "Vpcs.json", "", ERR_DOCUMENT, "none of the 1 JSON files", 0, 0 },
        { "Vpcs.json", "{\"Vpcs\": {}}", ERR_DOCUMENT, "Vpcs: expected a list of vpc objects", 1, 10 },
        { "Vpcs.json", "{\"Vpcs\": [\n 3]}", ERR_DOCUMENT, "Vpcs[0]: expected an object", 2, 2 },
        { "Vpcs.json", "{\"Vpcs\": [\n {}]}", ERR_DOCUMENT, "Vpcs[0]: a vpc needs an id in `VpcId`", 2, 2 },
        { "Vpcs.json", "{\"Vpcs\": [\n {\"VpcId\": 7}]}", ERR_DOCUMENT, "a vpc needs an id in `VpcId`", 2, 2 },
        { "Vpcs.json",
          "{\"Vpcs\": [{\"VpcId\": \"vpc-1\"},\n {\"VpcId\": \"vpc-2\",\n  \"CidrBlock\": \"10.0.0.0/40\"}]}",
          ERR_DOCUMENT, "Vpcs[1].CidrBlock: `10.0.0.0/40` is not a CIDR block", 3, 16 },
        { "r.json", "{\"Reservations\": [{\"Instances\": [{\"InstanceId\": \"i-1\",\n \"SubnetId\": true}]}]}",
          ERR_DOCUMENT, "Reservations[0].Instances[0].SubnetId: expected a string, found true", 2, 14 },
        { "r.json", "{\"Reservations\": [7]}", ERR_DOCUMENT, "Reservations[0]: expected an object", 1, 19 },
        { "sg.json",
          "{\"SecurityGroups\": [{\"GroupId\": \"sg-1\", \"IpPermissions\": [\n{\"IpProtocol\": \"tcp\", \"IpRanges\": "
          "[{\"CidrIp\": "
          "\"10.0.0.0/99\"}]}]}]}",
          ERR_DOCUMENT, "SecurityGroups[0].IpPermissions[0]", 2, -1 },
        { "Tags.json", "{\"Tags\": [{\"Key\": \"x\"}]}", ERR_DOCUMENT, "none of the 1 JSON files", 0, 0 },
        { "notes.txt", "hello", ERR_DOCUMENT, "there are no JSON files", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_directory();
        put(cases[i].file, cases[i].text);
        struct network *net = new_network();
        struct err err = { 0 };
        json_t *report = json_object();
        CHECK(!aws_import(net, directory, report, &err), "%s", cases[i].text);
        CHECK_INT(err.kind, cases[i].kind, "%s", cases[i].text);
        CHECK(strstr(err.text, cases[i].says), "%s: `%s`", cases[i].text, err.text);
        CHECK_INT(err.line, cases[i].line, "%s: %s", cases[i].text, err.text);
        if (cases[i].column >= 0) {
            CHECK_INT(err.column, cases[i].column, "%s: %s", cases[i].text, err.text);
        }
        if (cases[i].line > 0) {
            CHECK(strstr(err.where, cases[i].file), "%s", err.where);
        }
        CHECK_INT(json_object_size(report), 0);
        json_decref(report);
        network_free(net);
        remove_directory();
    }
}

TEST(directories_that_cannot_be_read_are_named)
{
    struct network *net = new_network();
    json_t *report = json_object();
    make_directory();
    put("file.json", "{}");
    char *file = xasprintf("%s/file.json", directory), *absent = xasprintf("%s/absent", directory);
    struct err err = { 0 };
    CHECK(!aws_import(net, file, report, &err) && err.kind == ERR_MACHINE, "%s", err.text);
    CHECK_STR(err.where, file);
    err = (struct err){ 0 };
    CHECK(!aws_import(net, absent, report, &err) && err.kind == ERR_MACHINE, "%s", err.text);
    CHECK_STR(err.where, absent);
    err = (struct err){ 0 };
    CHECK(!aws_export(net, file, report, &err) && err.kind == ERR_MACHINE, "%s", err.text);
    free(file);
    free(absent);
    remove_directory();
    json_decref(report);
    network_free(net);
}

TEST(an_id_of_the_lab_is_not_imported_again)
{
    make_directory();
    put("Vpcs.json", "{\"Vpcs\": [\n  {\"VpcId\": \"vpc-1\"}]}");
    struct network *net = new_network();
    json_t *report = json_object();
    struct err err = { 0 };
    CHECK(aws_import(net, directory, report, &err), "%s", err.text);
    CHECK(!aws_import(net, directory, report, &err));
    CHECK_STR(err.code, "ResourceAlreadyExists");
    CHECK_INT(err.line, 2);
    CHECK(strstr(err.hint, "--replace"), "%s", err.hint);
    json_decref(report);
    network_free(net);
    remove_directory();
}

TEST_MAIN
