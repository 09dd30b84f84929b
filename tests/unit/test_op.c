/* Operations from words to answers: finding the row, reading and checking parameters, names of resources, dry runs, the
 * journal. */
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

#include "base/buf.h"
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/journal.h"
#include "cloud/keeper_link.h"
#include "cloud/op_types.h"
#include "cloud/state.h"
#include "cloud/suggest.h"
#include "netsim/live/keeper.h"
#include "netsim/model/changes.h"
#include "netsim/model/network.h"

TEST(suggestions_are_near_and_few)
{
    static const struct {
        const char *word, *candidate;
        bool near;
    } cases[] = {
        { "creat-vpc", "create-vpc", true },
        { "create-vcp", "create-vpc", true },
        { "crete-vcp", "create-vpc", true },
        { "cret-vp", "create-vpc", false },
        { "vpc", "vpcs", true },
        { "vpc", "igw", false },
        { "up", "down", false },
        { "reahc", "reach", true },
        { "", "x", true },
        { "subnet-id", "subnet-ids", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct suggest suggest = suggest_start(cases[i].word);
        suggest_offer(&suggest, cases[i].candidate);
        CHECK((suggest.best != NULL) == cases[i].near, "%s %s", cases[i].word, cases[i].candidate);
    }
}

TEST(names_are_spelled_for_every_face)
{
    static const struct {
        const char *name, *option;
    } cases[] = { { "Port", "port" },
                  { "SrcIp", "src-ip" },
                  { "DestinationPort", "destination-port" },
                  { "ARNs", "arns" },
                  { "VPCId", "vpc-id" } };
    char out[64];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        option_spelling(cases[i].name, '-', out, sizeof out);
        if (strcmp(cases[i].name, "ARNs") != 0) { /* aws special-cases plurals of acronyms; the lab has none */
            CHECK_STR(out, cases[i].option, "%s", cases[i].name);
        }
    }
    CHECK(same_spelling("CidrBlock", "cidr_block"));
    CHECK(same_spelling("CidrBlock", "cidr-block"));
    CHECK(!same_spelling("CidrBlock", "cidr_blocks"));
    CHECK(!same_spelling("CidrBlocks", "cidr_block"));
}

/* One kind of error for each way to be wrong, with its place and help. */
TEST(wrong_lines_say_what_is_wrong)
{
    static const struct {
        const char *line;
        enum err_kind kind;
        const char *code, *part, *hint;
    } cases[] = {
        { "ec2 creat-tags", ERR_USAGE, "", "`creat-tags`", "`create-tags`" },
        { "ce2 create-vpc", ERR_USAGE, "", "`ce2`", "`ec2`" },
        { "ec2", ERR_USAGE, "", "needs an operation", "help ec2" },
        { "ec2 describe-vpcs --vpc-idz x", ERR_USAGE, "", "`--vpc-idz`", "`--vpc-ids`" },
        { "ec2 describe-vpcs --max 5", ERR_USAGE, "", "`--max`", "`--max-results`" },
        { "ec2 describe-vpcs x", ERR_USAGE, "", "one word too many", "--" },
        { "ec2 describe-vpcs --no-filters", ERR_USAGE, "", "not a flag", "" },
        { "ec2 describe-vpcs --dry-run=maybe", ERR_USAGE, "", "takes no value", "" },
        { "ec2 describe-vpcs --max-results", ERR_USAGE, "", "needs a value", "" },
        { "ec2 describe-vpcs --max-results 1", ERR_USAGE, "", "between 5 and", "" },
        { "ec2 describe-vpcs --max-results 5000", ERR_INPUT, "InvalidParameterValue", "not between 5 and 1000", "" },
        { "ec2 describe-vpcs --max-results five", ERR_USAGE, "", "`five` is not an integer", "" },
        { "ec2 describe-vpcs --filters Name=a,Values=[b", ERR_USAGE, "", "`,` or `]`", "JSON" },
        { "ec2 describe-vpcs --filters Name=a,Value=b", ERR_USAGE, "", "`Value`", "`Values`" },
        { "ec2 describe-vpcs --filters [{", ERR_DOCUMENT, "", "", "" },
        { "ec2 describe-vpcs --filters file:///no/such/file", ERR_MACHINE, "", "/no/such/file", "" },
        { "ec2 create-tags --tags Key=a,Value=b", ERR_USAGE, "", "`--resources` is missing", "" },
        { "ec2 describe-vpcs --vpc-ids nonesuch", ERR_INPUT, "InvalidVpcID.NotFound", "`nonesuch`", "" },
        { "lab new", ERR_USAGE, "", "`NAME` is missing", "name of the new lab" },
        { "lab new a b", ERR_USAGE, "", "one word too many", "" },
        { "lab new a --seed x", ERR_USAGE, "", "`x` is not an integer", "" },
        { "journal --limt 3", ERR_USAGE, "", "`--limt`", "`--limit`" },
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        err_clear(&err);
        json_t *out = lab_run(cloud, cases[i].line, &err);
        CHECK(!out, "%s", cases[i].line);
        CHECK_INT(err.kind, cases[i].kind, "%s: %s", cases[i].line, err.text);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].line, err.text);
        CHECK(strstr(err.text, cases[i].part) != NULL, "%s: `%s` has no `%s`", cases[i].line, err.text, cases[i].part);
        CHECK(strstr(err.hint, cases[i].hint) != NULL, "%s: hint `%s` has no `%s`", cases[i].line, err.hint,
              cases[i].hint);
        json_decref(out);
    }
    cloud_close(cloud);
}

/* The same mistakes from a face that has no options: AWS's codes, the member's path. */
TEST(wrong_objects_get_the_codes_of_their_service)
{
    static const struct {
        const char *service, *name, *in, *code, *where;
    } cases[] = {
        { "ec2", "CreateVpc", "{\"CidrBlok\":\"10.0.0.0/16\"}", "UnknownParameter", "" },
        { "ec2", "CreateVpc", "{\"CidrBlock\":5.5}", "InvalidParameterValue", "CidrBlock" },
        { "ec2", "CreateVpc", "{\"InstanceTenancy\":\"defaul\"}", "InvalidParameterValue", "InstanceTenancy" },
        { "ec2", "CreateSubnet", "{}", "MissingParameter", "VpcId" },
        { "ec2", "DescribeVpcs", "{\"Filters\":[{\"Name\":\"a\",\"Values\":[\"b\",[]]}]}", "InvalidParameterValue",
          "Filters[0].Values[1]" },
        { "ec2", "DescribeVpcs", "{\"VpcIds\":\"vpc-1\"}", "InvalidParameterValue", "VpcIds" },
        { "ec2", "DescribeVpcs", "{\"MaxResults\":4}", "InvalidParameterValue", "MaxResults" },
        { "iam", "CreateUser", "{}", "ValidationError", "UserName" },
        { "iam", "CreateUser", "{\"UserName\":\"a b\"}", "ValidationError", "UserName" },
        { "iam", "CreateUser", "{\"UserName\":\"a\",\"Path\":\"eng/\"}", "ValidationError", "Path" },
        { "iam", "CreateUser", "{\"UserName\":\"a+=,.@-_9\",\"Path\":\"/eng/\"}", "", "" },
        { "iam", "SetDefaultPolicyVersion",
          "{\"PolicyArn\":\"arn:aws:iam::123456789012:policy/p\",\"VersionId\":\"1\"}", "ValidationError",
          "VersionId" },
        { "logs", "CreateLogGroup", "{}", "InvalidParameterException", "logGroupName" },
        { "organizations", "CreatePolicy", "{}", "InvalidInputException", "Content" },
        { "accessanalyzer", "ValidatePolicy", "{}", "ValidationException", "policyDocument" },
        { "s3api", "CreateBucket", "{}", "InvalidRequest", "Bucket" },
        { "ec2", "DescribeVpcs", "{\"MaxResults\":\"50\",\"DryRun\":\"true\"}", "", "" },
        { "iam", "PutUserPolicy", "{\"UserName\":\"a\",\"PolicyName\":\"p\",\"PolicyDocument\":{\"Statement\":[]}}", "",
          "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct op op = { .service = cases[i].service, .name = cases[i].name };
        struct err err = { 0 };
        json_t *in = json_read(cases[i].in, strlen(cases[i].in), "test", &err);
        REQUIRE(in != NULL, "%s", err.text);
        json_t *out = op_check(&op, in, CHECK_CALL, &err);
        CHECK_STR(err.code, cases[i].code, "%s %s: %s", cases[i].name, cases[i].in, err.text);
        CHECK_STR(err.where, cases[i].where, "%s %s: %s", cases[i].name, cases[i].in, err.text);
        CHECK((out != NULL) == (cases[i].code[0] == '\0'), "%s", cases[i].in);
        json_decref(in);
        json_decref(out);
    }
}

TEST(objects_may_be_spelled_as_lua_does)
{
    static const struct {
        const char *name, *in, *out;
    } cases[] = {
        { "CreateVpc", "{\"cidr_block\":\"10.0.0.0/16\"}", "{\"CidrBlock\":\"10.0.0.0/16\"}" },
        { "CreateVpc", "{\"CidrBlock\":\"10.0.0.0/16\"}", "{\"CidrBlock\":\"10.0.0.0/16\"}" },
        { "AuthorizeSecurityGroupIngress",
          "{\"ip_permissions\":[{\"ip_protocol\":\"tcp\",\"ip_ranges\":[{\"cidr_ip\":\"x\"}]}]}",
          "{\"IpPermissions\":[{\"IpProtocol\":\"tcp\",\"IpRanges\":[{\"CidrIp\":\"x\"}]}]}" },
        { "DescribeVpcs", "{\"vpc_ids\":\"vpc-1\"}", "{\"VpcIds\":[\"vpc-1\"]}" },
        { "DescribeVpcs", "{\"vpc_ids\":{}}", "{\"VpcIds\":[]}" },
        { "ModifyVpcAttribute", "{\"enable_dns_support\":false}", "{\"EnableDnsSupport\":{\"Value\":false}}" },
        { "CreateVpc", "{\"cidr_blok\":\"10.0.0.0/16\"}", NULL },
        { "AuthorizeSecurityGroupIngress", "{\"ip_permissions\":[{\"protocol\":\"tcp\"}]}", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct op op = { .service = "ec2", .name = cases[i].name };
        struct err err = { 0 };
        struct buf text = { 0 };
        json_t *in = json_read(cases[i].in, strlen(cases[i].in), "test", &err);
        json_t *out = op_read_object(&op, in, &err);
        if (out) {
            json_write_compact(out, &text);
        }
        CHECK_STR(out ? buf_str(&text) : NULL, cases[i].out, "%s: %s", cases[i].in, err.text);
        CHECK(out || err.kind == ERR_USAGE, "%s", cases[i].in);
        buf_done(&text);
        json_decref(in);
        json_decref(out);
    }
}

TEST(members_that_hold_ids_are_known_by_their_names)
{
    static const struct {
        const char *service, *member, *kind;
    } cases[] = {
        { "ec2", "VpcId", "vpc" },
        { "ec2", "PeerVpcId", "vpc" },
        { "ec2", "VpcIds", "vpc" },
        { "ec2", "SubnetIds", "subnet" },
        { "ec2", "SecurityGroupIds", "sg" },
        { "ec2", "GroupId", "sg" },
        { "ec2", "GatewayId", "" },
        { "ec2", "NatGatewayId", "nat" },
        { "ec2", "NetworkAclId", "acl" },
        { "ec2", "RouteTableId", "rtb" },
        { "ec2", "TransitGatewayRouteTableId", "tgw-rtb" },
        { "ec2", "CidrBlock", NULL },
        { "ec2", "GroupName", NULL },
        { "ec2", "AssociationId", NULL },
        { "ec2", "Resources", "" },
        { "ec2", "Groups", "sg" },
        { "ec2", "ImageId", NULL },
        { "iam", "VpcId", NULL },
        { "elbv2", "Subnets", "subnet" },
        { "elbv2", "SecurityGroups", "sg" },
        { "ec2", "SecurityGroups", NULL },
        { "ec2", "EgressOnlyInternetGatewayId", "eigw" },
        { "ec2", "LocalGatewayId", NULL },
        { "ec2", "InternetGatewayIds", "igw" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct op op = { .service = cases[i].service, .name = "X" };
        CHECK_STR(op_member_kind(&op, cases[i].member), cases[i].kind, "%s %s", cases[i].service, cases[i].member);
    }
}

static const char *
first_id(struct cloud *cloud, const struct kind *kind)
{
    const struct object *object = store_first(network_store(cloud->net), kind);
    return object ? object->id : "";
}

TEST(resources_are_found_by_what_a_person_writes)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    char vpc[ID_SIZE], subnet[ID_SIZE], line[256], id[ID_SIZE], begin[16];
    snprintf(vpc, sizeof vpc, "%s", first_id(cloud, network_kind_of_id("vpc-0")));
    const struct object *one = store_first(network_store(cloud->net), network_kind_of_id("subnet-0"));
    const struct object *two = store_next(network_store(cloud->net), one);
    snprintf(subnet, sizeof subnet, "%s", one->id);
    snprintf(line, sizeof line, "ec2 create-tags --resources %s %s %s --tags Key=Name,Value=app", vpc, one->id,
             two->id);
    json_t *out = lab_run(cloud, line, &err);
    REQUIRE(out != NULL, "%s", err.text);
    json_decref(out);
    snprintf(begin, sizeof begin, "%.9s", vpc);
    CHECK(cloud_resolve(cloud, "vpc", vpc, id, &err));
    CHECK_STR(id, vpc);
    CHECK(cloud_resolve(cloud, "vpc", "app", id, &err));
    CHECK_STR(id, vpc);
    CHECK(cloud_resolve(cloud, "vpc", begin, id, &err));
    CHECK_STR(id, vpc);
    CHECK(cloud_resolve(cloud, NULL, "internet", id, &err), "what names nothing stays as it is");
    CHECK_STR(id, "internet");
    CHECK(cloud_resolve(cloud, "vpc", "vpc-0123456789abcdef0", id, &err),
          "the form of an id is the operation's business");
    CHECK_STR(id, "vpc-0123456789abcdef0");
    CHECK_OK(&err);
    CHECK(!cloud_resolve(cloud, "subnet", "app", id, &err), "two have the name");
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK(strstr(err.text, subnet) != NULL, "%s", err.text);
    err_clear(&err);
    CHECK(!cloud_resolve(cloud, "vpc", "apq", id, &err));
    CHECK_STR(err.code, "InvalidVpcID.NotFound");
    CHECK(strstr(err.hint, "`app`") != NULL, "%s", err.hint);
    err_clear(&err);
    snprintf(cloud->region, sizeof cloud->region, "eu-west-1");
    CHECK(!cloud_resolve(cloud, "vpc", "app", id, &err), "it is in another region");
    cloud_close(cloud);
}

static size_t
count_events(struct cloud *cloud, const char *line)
{
    struct err err = { 0 };
    json_t *out = lab_run(cloud, line, &err);
    size_t n = json_array_size(json_object_get(out, "Events"));
    CHECK_OK(&err, "%s", line);
    json_decref(out);
    return n;
}

TEST(a_dry_run_changes_nothing_and_says_so)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    char line[256];
    size_t before_size, after_size;
    char *before = state_text(cloud, &before_size);
    snprintf(line, sizeof line, "ec2 create-tags --dry-run --resources %s --tags Key=a,Value=b",
             first_id(cloud, network_kind_of_id("vpc-0")));
    CHECK(!lab_run(cloud, line, &err));
    CHECK_STR(err.code, "DryRunOperation");
    CHECK_INT(err.kind, ERR_INPUT);
    char *after = state_text(cloud, &after_size);
    CHECK_STR(after, before);
    free(after);
    err_clear(&err);
    CHECK(!lab_run(cloud, "ec2 create-tags --dry-run --resources vpc-0123456789abcdef0 --tags Key=a,Value=b", &err));
    CHECK_STR(err.code, "InvalidVpcID.NotFound", "a dry run finds what would be refused");
    after = state_text(cloud, &after_size);
    CHECK_STR(after, before);
    free(after);
    free(before);
    CHECK_INT(count_events(cloud, "journal --refused"), 2);
    cloud_close(cloud);
}

TEST(the_journal_has_cloudtrails_events)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    char line[256];
    json_decref(lab_run(cloud, "ec2 describe-vpcs", &err));
    snprintf(line, sizeof line, "ec2 create-tags --resources %s --tags Key=a,Value=b",
             first_id(cloud, network_kind_of_id("vpc-0")));
    json_decref(lab_run(cloud, line, &err));
    CHECK_OK(&err);
    json_decref(lab_run(cloud, "ec2 describe-vpcs --vpc-ids vpc-0123456789abcdef0", &err));
    json_t *out = lab_run(cloud, "journal", &(struct err){ 0 });
    const json_t *events = json_object_get(out, "Events");
    REQUIRE(json_array_size(events) == 3);
    static const struct {
        const char *member, *values[3];
    } cases[] = {
        { "eventName", { "DescribeVpcs", "CreateTags", "DescribeVpcs" } },
        { "eventSource", { "ec2.amazonaws.com", "ec2.amazonaws.com", "ec2.amazonaws.com" } },
        { "awsRegion", { "us-east-1", "us-east-1", "us-east-1" } },
        { "errorCode", { NULL, NULL, "InvalidVpcID.NotFound" } },
        { "eventCategory", { "Management", "Management", "Management" } },
        { "userIdentity.type", { "Root", "Root", "Root" } },
    };
    static const char *const members[] = { "eventVersion", "eventTime",         "sourceIPAddress",
                                           "userAgent",    "requestParameters", "responseElements",
                                           "requestID",    "eventID",           "readOnly",
                                           "eventType",    "managementEvent",   "recipientAccountId" };
    for (size_t i = 0; i < 3; i++) {
        const json_t *event = json_array_get(events, i);
        for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
            CHECK_STR(json_string_value(json_at(event, cases[c].member)), cases[c].values[i], "%zu %s", i,
                      cases[c].member);
        }
        for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
            CHECK(json_object_get(event, members[m]) != NULL, "%zu has no %s", i, members[m]);
        }
        CHECK(json_flag(event, "readOnly", false) == (i != 1));
        CHECK(i == 0 || strcmp(json_str(event, "eventID"), json_str(json_array_get(events, 0), "eventID")) != 0);
    }
    CHECK_STR(json_string_value(
                  json_at(json_array_get(json_at(json_array_get(events, 1), "requestParameters.tags"), 0), "key")),
              "a");
    json_decref(out);
    CHECK_INT(count_events(cloud, "journal --changes"), 1);
    CHECK_INT(count_events(cloud, "journal --limit 2"), 2);
    CHECK_INT(count_events(cloud, "journal --event DescribeVpcs"), 2);
    cloud_close(cloud);
}

/* Every operation that can be asked without parameters: its answer has AWS's members (op_call() fails with ERR_FAULT
 * otherwise). */
TEST(answers_have_the_shape_of_awss)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    size_t n = 0;
    for (const struct op *const *op = ops_all(); *op; op++) {
        const struct op_param_info *params;
        size_t n_params = op_params(*op, &params);
        bool asks = !(*op)->service || (*op)->mode != OP_READ;
        for (size_t i = 0; i < n_params; i++) {
            asks |= params[i].required;
        }
        if (asks) {
            continue;
        }
        struct op_result result;
        json_t *in = json_object();
        err_clear(&err);
        bool done = op_call(cloud, *op, in, NULL, &result, &err);
        CHECK(done || err.kind == ERR_INPUT, "%s %s: %s", (*op)->service, (*op)->name, err.text);
        n += done;
        op_result_done(&result);
        json_decref(in);
    }
    CHECK(n > 10, "only %zu operations answered", n);
    cloud_close(cloud);
}

/* Rows name operations that AWS has, no two the same, each with help; those of a service stand together, as help and
 * manual print them. */
TEST(rows_are_sound)
{
    json_t *services = json_object();
    const char *last = "";
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *service = (*op)->service ? (*op)->service : "";
        if ((*op)->service && strcmp(service, last) != 0) {
            CHECK(!json_object_get(services, service), "%s %s stands apart from its service", service, (*op)->name);
            json_object_set_new(services, service, json_true());
            last = service;
        }
        CHECK(!(*op)->service || aws_operation_find((*op)->service, (*op)->name), "%s %s is not in the model", service,
              (*op)->name);
        CHECK((*op)->run != NULL, "%s %s", service, (*op)->name);
        CHECK((*op)->help && (*op)->help[0] && (*op)->help[strlen((*op)->help) - 1] == '.',
              "%s %s: help is one sentence", service, (*op)->name);
        CHECK(op_by_name((*op)->service, (*op)->name) == *op, "%s %s has two rows", service, (*op)->name);
        CHECK((*op)->service || (*op)->group, "%s has no group", (*op)->name);
    }
    json_decref(services);
}

static json_t *
serve(struct cloud *cloud, const char *text)
{
    struct keeper_message request = { 0 }, reply = { 0 };
    struct err err = { 0 };
    request.json = json_read(text, strlen(text), "request", &err);
    REQUIRE(request.json != NULL, "%s", err.text);
    CHECK(keeper_link_serve(cloud, &request, &reply), "%s", text);
    json_decref(request.json);
    return reply.json;
}

TEST(a_keeper_does_what_a_message_asks)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    json_t *reply = serve(cloud, "{\"op\":[\"ec2\",\"DescribeVpcs\"],\"in\":{},\"as\":{\"region\":\"us-east-1\"}}");
    CHECK_INT(json_array_size(json_at(reply, "out.Vpcs")), 1);
    json_decref(reply);
    reply = serve(cloud, "{\"op\":[\"ec2\",\"DescribeVpcs\"],\"in\":{},\"as\":{\"region\":\"eu-west-1\"}}");
    CHECK_INT(json_array_size(json_at(reply, "out.Vpcs")), 0, "another region");
    json_decref(reply);
    reply = serve(cloud, "{\"op\":[null,\"ops\"],\"in\":{\"Coverage\":true}}");
    CHECK(json_at(reply, "out.Services") != NULL);
    json_decref(reply);
    reply = serve(cloud, "{\"op\":[\"ec2\",\"CreateSubnet\"],\"in\":{}}");
    err_from_json(json_object_get(reply, "error"), &err);
    CHECK_STR(err.code, "MissingParameter");
    CHECK_STR(err.where, "VpcId");
    CHECK_INT(err.kind, ERR_INPUT);
    json_decref(reply);
    err_clear(&err);
    reply = serve(cloud, "{\"op\":[\"ec2\",\"NoSuch\"],\"in\":{}}");
    err_from_json(json_object_get(reply, "error"), &err);
    CHECK_INT(err.kind, ERR_FAULT);
    json_decref(reply);
    struct keeper_message other = { .json = json_pack("{s:b}", "stop", 1) }, none = { 0 };
    CHECK(!keeper_link_serve(cloud, &other, &none), "not ours");
    json_decref(other.json);
    cloud_close(cloud);
}

TEST(places_are_named_as_the_person_wrote_them)
{
    static const struct {
        const char *line, *where;
        int number;
        const char *spelled;
    } cases[] = {
        { "--vpc-ids a", "VpcIds[0]", 0, "--vpc-ids[0]" },
        { "--filters file://f.json", "Filters", 3, "f.json" },
        { "--filters=file://f.json", "Filters", 3, "f.json" },
        { "--filters file://f.json", "Filters", 0, "--filters" },
        { "--vpc-ids file://f.json", "Filters", 3, "--filters" },
        { "", "state.json", 3, "state.json" },
        { "", "", 0, "" },
    };
    static const struct op op = { .service = "ec2", .name = "DescribeVpcs" },
                           put = { .service = "iam", .name = "PutUserPolicy" };
    char *policy[] = { "--policy-name", "q", "--policy-document", "file://p.json" };
    struct err named = {
        .kind = ERR_DOCUMENT, .code = "MalformedPolicyDocument", .line = 3, .where = "q Statement[0]"
    };
    op_spell_where(&put, 4, policy, &named);
    CHECK_STR(named.where, "p.json");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char line[64], *words[4], *save = NULL;
        size_t n = 0;
        snprintf(line, sizeof line, "%s", cases[i].line);
        for (char *word = strtok_r(line, " ", &save); word && n < 4; word = strtok_r(NULL, " ", &save)) {
            words[n++] = word;
        }
        err_set(&err, ERR_INPUT, "X", "wrong");
        err_at(&err, cases[i].where, cases[i].number, 0);
        op_spell_where(&op, n, words, &err);
        CHECK_STR(err.where, cases[i].spelled, "%s %s", cases[i].line, cases[i].where);
    }
}

TEST(the_journal_hides_secrets)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    const struct op op = { .service = "iam", .name = "CreateAccessKey", .mode = OP_WRITE };
    json_t *in = json_pack("{s:s}", "UserName", "alice");
    json_t *out = json_pack("{s:{s:s, s:s}}", "AccessKey", "AccessKeyId", "AKIAX", "SecretAccessKey", "secret");
    json_t *event = journal_event(cloud, &op, in, out, NULL);
    CHECK_STR(json_string_value(json_at(event, "requestParameters.userName")), "alice");
    CHECK_STR(json_string_value(json_at(event, "responseElements.accessKey.accessKeyId")), "AKIAX");
    CHECK_STR(json_string_value(json_at(event, "responseElements.accessKey.secretAccessKey")),
              "HIDDEN_DUE_TO_SECURITY_REASONS");
    CHECK_STR(json_str(event, "eventSource"), "iam.amazonaws.com");
    json_decref(event);
    json_decref(out);
    json_decref(in);
    cloud_close(cloud);
}

/* A live lab goes on from what has changed: a tag is nothing to it, unless it is one of its own words. */
TEST(tags_change_nothing_in_the_kernel_but_those_of_the_lab)
{
    static const struct {
        const char *line;
        bool noted;
    } cases[] = {
        { "create-tags --resources VPC --tags Key=Name,Value=main", true },
        { "create-tags --resources VPC --tags Key=vpclabel,Value=x Key=Team,Value=y", true },
        { "delete-tags --resources VPC --tags Key=Team", true },
        { "create-tags --resources VPC --tags Key=Team,Value=y Key=vpclab:host,Value=tap", false },
        { "delete-tags --resources VPC --tags Key=vpclab:host", false },
        { "create-tags --resources VPC --tags Key=vpclab:host,Value=tap", false },
        { "delete-tags --resources VPC", false },
        { "delete-tags --resources VPC", true },
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    json_t *vpc = cloud ? lab_run(cloud, "ec2 create-vpc --cidr-block 10.0.0.0/16", &err) : NULL;
    REQUIRE(vpc != NULL, "%s", err.text);
    const char *id = json_string_value(json_at(vpc, "Vpc.VpcId"));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *place = strstr(cases[i].line, "VPC");
        char line[200];
        snprintf(line, sizeof line, "ec2 %.*s%s%s", (int)(place - cases[i].line), cases[i].line, id, place + 3);
        network_changes_seen(cloud->net);
        json_t *out = lab_run(cloud, line, &err);
        const struct network_change *changes;
        size_t n;
        bool noted = network_changes(cloud->net, &changes, &n) && n == 1 && changes[0].kind == CHANGED_TAGS;
        CHECK(out && noted == cases[i].noted, "%s: %s", line, err.text);
        json_decref(out);
    }
    json_decref(vpc);
    cloud_close(cloud);
}

TEST_MAIN
