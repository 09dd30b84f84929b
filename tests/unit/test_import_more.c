/* Calls that tell of what other calls list: tags of anything, services of other accounts. */
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/private_service.h"
#include "netsim/model/transit_gateway.h"
#include "tests/unit/import_lab.h"

/* Imports the directory; the report as text, the caller's. */
static char *
import_all(struct network *net)
{
    struct err err = { 0 };
    json_t *report = json_object();
    REQUIRE(aws_import(net, directory, report, &err), "%s:%d: %s", err.where, err.line, err.text);
    char *text = compact(report);
    json_decref(report);
    return text;
}

static const char *
tag_of(const struct network *net, const char *id, const char *key)
{
    const struct object *object = store_find(network_store(net), id);
    REQUIRE(object, "%s", id);
    const char *value = object_tag(object, key);
    return value ? value : "";
}

TEST(describe_tags_go_to_what_they_name)
{
    make_directory();
    put("tags.json",
        "{\"Tags\":["
        "{\"Key\":\"Name\",\"ResourceId\":\"vpc-1\",\"ResourceType\":\"vpc\",\"Value\":\"main\"},"
        "{\"Key\":\"Env\",\"ResourceId\":\"vpc-1\",\"ResourceType\":\"vpc\",\"Value\":\"old\"},"
        "{\"Key\":\"Name\",\"ResourceId\":\"i-1\",\"ResourceType\":\"instance\",\"Value\":\"web\"},"
        "{\"Key\":\"Name\",\"ResourceId\":\"eni-1\",\"ResourceType\":\"network-interface\",\"Value\":\"e\"},"
        "{\"Key\":\"Name\",\"ResourceId\":\"vol-1\",\"ResourceType\":\"volume\",\"Value\":\"disk\"},"
        "{\"Key\":\"Env\",\"ResourceId\":\"vol-1\",\"ResourceType\":\"volume\",\"Value\":\"dev\"},"
        "{\"Key\":\"NoValue\",\"ResourceId\":\"vpc-1\",\"Value\":null}]}");
    put("vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"Tags\":[{\"Key\":\"Env\",\"Value\":\"prod\"}]}]}");
    put("z/vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\"}]}");
    put("instances.json", "{\"Reservations\":[{\"Instances\":[{\"InstanceId\":\"i-1\"}]}]}");
    put("enis.json", "{\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"eni-1\",\"VpcId\":\"vpc-1\"}]}");
    struct network *net = new_network();
    char *text = import_all(net);
    CHECK_STR(tag_of(net, "vpc-1", "Name"), "main");
    CHECK_STR(tag_of(net, "vpc-1", "Env"), "prod", "what the object's own call shows counts");
    CHECK_STR(tag_of(net, "i-1", "Name"), "web");
    CHECK_STR(tag_of(net, "eni-1", "Name"), "e");
    CHECK(strstr(text, "{\"List\":\"Tags\",\"Ids\":[\"vol-1\",\"vpc-1\"],\"Count\":3,") ||
              strstr(text, "{\"List\":\"Tags\",\"Ids\":[\"vol-1\"],\"Count\":2,"),
          "%s", text);
    free(text);
    network_free(net);
    remove_directory();
}

#define SERVICE "com.amazonaws.vpce.us-east-1.vpce-svc-0aa"
#define DETAILS(owner)                                                                                                 \
    "{\"ServiceNames\":[\"" SERVICE "\",\"com.amazonaws.us-east-1.s3\"],\"ServiceDetails\":["                          \
    "{\"ServiceName\":\"com.amazonaws.us-east-1.s3\",\"ServiceId\":\"vpce-svc-0s3\",\"Owner\":\"amazon\","             \
    "\"ServiceType\":[{\"ServiceType\":\"Gateway\"}]},"                                                                \
    "{\"ServiceName\":\"com.amazonaws.us-east-1.strange\",\"ServiceId\":\"vpce-svc-0st\",\"Owner\":\"amazon\","        \
    "\"ServiceType\":[{\"ServiceType\":\"Interface\"}],\"VpcEndpointPolicySupported\":true,"                           \
    "\"PrivateDnsName\":\"strange.us-east-1.amazonaws.com\","                                                          \
    "\"PrivateDnsNames\":[{\"PrivateDnsName\":\"strange.us-east-1.amazonaws.com\"}],"                                  \
    "\"PrivateDnsNameVerificationState\":\"verified\"},"                                                               \
    "{\"ServiceName\":\"" SERVICE "\",\"ServiceId\":\"vpce-svc-0aa\",\"Owner\":\"" owner "\","                         \
    "\"ServiceType\":[{\"ServiceType\":\"Interface\"}],\"AvailabilityZones\":[\"us-east-1a\"],"                        \
    "\"BaseEndpointDnsNames\":[\"vpce-svc-0aa.us-east-1.vpce.amazonaws.com\"],\"AcceptanceRequired\":false,"           \
    "\"ManagesVpcEndpoints\":false,\"VpcEndpointPolicySupported\":false,\"SupportedIpAddressTypes\":[\"ipv4\"],"       \
    "\"Tags\":[]}]}"

TEST(services_of_others_are_known_by_what_their_users_see)
{
    make_directory();
    put("accounts/111111111111/us-east-1/details.json", DETAILS("999999999999"));
    put("accounts/111111111111/us-east-1/vpcs.json", "{\"Vpcs\":[{\"VpcId\":\"vpc-1\"}]}");
    struct network *net = new_network();
    char *text = import_all(net);
    const struct private_service *service = network_private_service(net, SERVICE);
    REQUIRE(service, "%s", text);
    CHECK_STR(service->obj.account, "999999999999");
    CHECK(private_service_admits(service, "111111111111", NULL), "who is shown it may use it");
    CHECK(!private_service_admits(service, "222222222222", NULL));
    CHECK(!private_service_has_balancer(net, service));
    CHECK(!network_private_service(net, "com.amazonaws.us-east-1.s3"), "the lab has that one by itself");
    const struct private_service *strange = network_private_service(net, "com.amazonaws.us-east-1.strange");
    REQUIRE(strange, "%s", text);
    CHECK_STR(private_service_dns_name(strange), "strange.us-east-1.amazonaws.com");
    CHECK(private_service_admits(strange, "222222222222", NULL) && strange->takes_policy);
    CHECK(strstr(text, "\"SkippedMembers\":[]") && strstr(text, "\"Skipped\":[{\"List\":\"ServiceNames\"") == NULL,
          "%s", text);
    free(text);
    char *before = network_text(net);
    remove_directory();
    struct err err = { 0 };
    json_t *report = json_object();
    REQUIRE(aws_export(net, make_directory(), report, &err), "%s", err.text);
    struct network *again = new_network();
    text = import_all(again);
    char *after = network_text(again);
    CHECK_STR(after, before);
    CHECK(strstr(text, "\"SkippedMembers\":[]"), "%s", text);
    json_decref(report);
    free(before);
    free(after);
    free(text);
    network_free(again);
    network_free(net);
    remove_directory();
}

TEST(the_owners_view_and_the_users_view_are_one_service)
{
    make_directory();
    put("accounts/111111111111/us-east-1/details.json", DETAILS("999999999999"));
    put("accounts/999999999999/us-east-1/services.json",
        "{\"ServiceConfigurations\":[{\"ServiceName\":\"" SERVICE "\",\"ServiceId\":\"vpce-svc-0aa\",\"ServiceState\":"
        "\"Available\",\"NetworkLoadBalancerArns\":[\"arn:aws:elasticloadbalancing:us-east-1:999999999999:"
        "loadbalancer/net/x/1\"]}]}");
    put("accounts/999999999999/us-east-1/details.json", DETAILS("999999999999"));
    struct network *net = new_network();
    char *text = import_all(net);
    const struct private_service *service = network_private_service(net, SERVICE);
    REQUIRE(service, "%s", text);
    CHECK_STR(service->obj.account, "999999999999");
    CHECK_STR(service->state, "Available");
    CHECK_INT(service->nlb_arns.n, 1);
    CHECK_INT(service->zones.n, 1);
    CHECK(private_service_admits(service, "111111111111", NULL));
    free(text);
    network_free(net);
    remove_directory();
}

/* As the AWS CLI and SDKs print: lists that are null, paging words, tables named by their file, one thing at a time. */
TEST(what_calls_about_one_thing_print_is_taken_by_the_name_of_the_file)
{
    make_directory();
    put("tables.json",
        "{\"TransitGatewayRouteTables\":[{\"TransitGatewayRouteTableId\":\"tgw-rtb-0a1\"}],\"nextToken\":null}");
    put("routes-tgw-rtb-0a1.json",
        "{\"Routes\":[{\"DestinationCidrBlock\":\"10.1.0.0/16\",\"Type\":\"propagated\",\"State\":\"active\","
        "\"TransitGatewayAttachments\":[{\"TransitGatewayAttachmentId\":\"tgw-attach-1\",\"ResourceType\":\"vpc\"}]},"
        "{\"DestinationCidrBlock\":\"10.9.0.0/16\",\"Type\":\"propagated\",\"State\":\"active\","
        "\"TransitGatewayAttachments\":[{\"TransitGatewayAttachmentId\":\"tgw-attach-2\",\"ResourceType\":\"vpn\"}]},"
        "{\"DestinationCidrBlock\":\"0.0.0.0/0\",\"Type\":\"static\",\"State\":\"blackhole\"}],"
        "\"AdditionalRoutesAvailable\":false}");
    put("p/tgw-rtb-0a1.json", "{\"TransitGatewayRouteTablePropagations\":[{\"TransitGatewayAttachmentId\":"
                              "\"tgw-attach-1\",\"ResourceType\":\"vpc\",\"State\":\"enabled\"}],\"NextToken\":null}");
    put("elb.json", "{\"LoadBalancerDescriptions\":[{\"LoadBalancerName\":\"web\"},{\"LoadBalancerName\":\"old\"}]}");
    put("attributes-web.json",
        "{\"LoadBalancerAttributes\":{\"CrossZoneLoadBalancing\":{\"Enabled\":true},\"ConnectionDraining\":{"
        "\"Enabled\":"
        "false,\"Timeout\":300},\"ConnectionSettings\":{\"IdleTimeout\":77},\"AccessLog\":{\"Enabled\":true}}}");
    put("subnets.json", "{\"Subnets\":null}");
    put("empty.json", "{\"Reservations\":[{\"ReservationId\":\"r-1\",\"Instances\":null}]}");
    put("addresses.json", "{\"Addresses\":[{\"PublicIp\":\"198.51.100.7\",\"Domain\":\"standard\"}]}");
    put("attr.json", "{\"VpcId\":\"vpc-9\",\"EnableDnsSupport\":{\"Value\":true},\"Return\":true}");
    struct network *net = new_network();
    char *text = import_all(net);
    const struct tgw_route_table *table = store_find(network_store(net), "tgw-rtb-0a1");
    REQUIRE(table, "%s", text);
    CHECK_INT(table->routes.n, 2, "what a VPC propagates follows from the propagation");
    CHECK_INT(table->propagations.n, 1);
    const struct classic_balancer *web = store_find(network_store(net), "web"),
                                  *old = store_find(network_store(net), "old");
    REQUIRE(web && old);
    CHECK(web->cross_zone && web->idle_s == 77 && !old->cross_zone);
    CHECK(store_find(network_store(net), "198.51.100.7"), "an address of EC2-Classic");
    static const char *const reported[] = { "\"List\":\"ClassicLoadBalancerAttributes\"",
                                            "\"List\":\"EnableDnsSupport\"", "\"List\":\"VpcId\",\"Ids\":[\"vpc-9\"]",
                                            "\"List\":\"Return\"" };
    for (size_t i = 0; i < ARRAY_SIZE(reported); i++) {
        CHECK(strstr(text, reported[i]), "%s: %s", reported[i], text);
    }
    CHECK(!strstr(text, "Token") && !strstr(text, "several"), "%s", text);
    free(text);
    network_free(net);
    remove_directory();
}

TEST_MAIN
