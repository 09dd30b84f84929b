#include "tests/unit/model.h"

#define AMI "ami-0123456789abcdef0"

TEST(run_checks_the_request)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/28");
    struct eni *eni = model_eni(net, subnet, NULL);
    const char *eni_id = eni->obj.id;
    const struct {
        const char *what;
        struct instance_spec spec;
        size_t count;
        const char *code;
    } cases[] = {
        { "no image", { .eni.subnet_id = subnet->obj.id }, 1, "MissingParameter" },
        { "odd image", { .image_id = "debian", .eni.subnet_id = subnet->obj.id }, 1, "InvalidAMIID.Malformed" },
        { "by parameter",
          { .image_id = "resolve:ssm:/aws/service/ami-amazon-linux-latest/x", .eni.subnet_id = subnet->obj.id },
          1,
          "" },
        { "odd type",
          { .image_id = AMI, .type = "large", .eni.subnet_id = subnet->obj.id },
          1,
          "InvalidParameterValue" },
        { "odd type",
          { .image_id = AMI, .type = "T3.micro", .eni.subnet_id = subnet->obj.id },
          1,
          "InvalidParameterValue" },
        { "metal", { .image_id = AMI, .type = "u-6tb1.112xlarge", .eni.subnet_id = subnet->obj.id }, 1, "" },
        { "no default VPC", { .image_id = AMI }, 1, "VPCIdNotSpecified" },
        { "one address for two",
          { .image_id = AMI, .eni = { .subnet_id = subnet->obj.id, .ip = ip_lit("10.0.1.9") } },
          2,
          "InvalidParameterCombination" },
        { "one interface for two",
          { .image_id = AMI, .eni_ids = &eni_id, .n_eni_ids = 1 },
          2,
          "InvalidParameterCombination" },
        { "too many", { .image_id = AMI, .eni.subnet_id = subnet->obj.id }, 9, "InsufficientFreeAddressesInSubnet" },
        { "an interface that is there", { .image_id = AMI, .eni_ids = &eni_id, .n_eni_ids = 1 }, 1, "" },
        { "and is taken now",
          { .image_id = AMI, .eni_ids = &eni_id, .n_eni_ids = 1 },
          1,
          "InvalidNetworkInterface.InUse" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct instance *out[16];
        size_t instances = store_count(network_store(net), &instance_kind),
               enis = store_count(network_store(net), &eni_kind);
        bool ok = instances_run(net, &cases[i].spec, cases[i].count, out, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].what, err.text);
        CHECK_INT(store_count(network_store(net), &instance_kind), instances + (ok ? cases[i].count : 0), "%s",
                  cases[i].what);
        CHECK(ok || store_count(network_store(net), &eni_kind) == enis, "%s left interfaces behind", cases[i].what);
    }
    network_free(net);
}

TEST(without_a_subnet_the_default_vpc)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct instance *instances[2];
    REQUIRE(network_create_default_vpc(net, &err), "%s", err.text);
    REQUIRE(instances_run(net, &(struct instance_spec){ .image_id = AMI, .public_ip = -1 }, 2, instances, &err), "%s",
            err.text);
    CHECK_STR(instances[0]->zone, "us-east-1a");
    CHECK_STR(instances[0]->reservation_id, instances[1]->reservation_id);
    CHECK_INT(instances[1]->launch_index, 1);
    const struct eni *eni = instance_eni(net, instances[0], 0);
    REQUIRE(eni);
    CHECK(eni_public_ip(eni, eni_primary_ip(eni)), "default subnets give public addresses");
    network_free(net);
}

TEST(stop_and_start_change_the_public_address_only)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct subnet *subnet = model_subnet(net, model_vpc(net, "10.0.0.0/16", false), "10.0.1.0/24");
    struct instance *instance = model_instance(net, subnet, 1);
    struct eni *eni = instance_eni(net, instance, 0);
    struct ip private_ip = *eni_primary_ip(eni), public_ip = *eni_public_ip(eni, &private_ip);
    CHECK(instance_start(net, instance, &err), "starting what runs is no error");
    CHECK(instance_stop(net, instance, &err), "%s", err.text);
    CHECK_STR(instance->state_name, "stopped");
    CHECK(!eni_public_ip(eni, &private_ip));
    CHECK(!network_eni_by_public_ip(net, &public_ip, NULL));
    CHECK(instance_stop(net, instance, &err), "stopping what is stopped is no error");
    struct network *copy = model_reload(net); /* stop and start may be two runs of the program */
    struct instance *again = store_get(network_store(copy), &instance_kind, instance->obj.id);
    CHECK(instance_start(copy, again, &err), "%s", err.text);
    eni = instance_eni(copy, again, 0);
    CHECK(ip_equal(eni_primary_ip(eni), &private_ip));
    const struct ip *now = eni_public_ip(eni, &private_ip);
    REQUIRE(now);
    CHECK(!ip_equal(now, &public_ip), "%s again", ip_str(now));
    network_free(copy);
    network_free(net);
}

TEST(an_imported_instance_gets_a_new_public_address_too)
{
    struct network *net = model_new();
    struct err err = { 0 };
    const char *dump =
        "[{\"Instances\":[{\"InstanceId\":\"i-1\",\"State\":{\"Name\":\"running\"},\"NetworkInterfaces\":["
        "{\"NetworkInterfaceId\":\"eni-1\",\"PrivateIpAddress\":\"10.0.0.9\",\"Association\":{\"PublicIp\":"
        "\"203.0.113.1\",\"IpOwnerId\":\"amazon\"}}]}]}]";
    json_t *json = json_read(dump, strlen(dump), "test", &err);
    REQUIRE(network_load_kind(net, &instance_kind, json, "Reservations", NULL, &err), "%s", err.text);
    json_decref(json);
    struct instance *instance = store_get(network_store(net), &instance_kind, "i-1");
    struct eni *eni = instance_eni(net, instance, 0);
    CHECK(instance_stop(net, instance, &err) && !eni_public_ip(eni, eni_primary_ip(eni)), "%s", err.text);
    CHECK(instance_start(net, instance, &err), "%s", err.text);
    const struct ip *now = eni_public_ip(eni, eni_primary_ip(eni));
    REQUIRE(now);
    CHECK_STR(ip_str(now), "203.0.113.2");
    network_free(net);
}

TEST(an_elastic_ip_survives_stop_and_start)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    model_igw(net, vpc);
    struct instance *instance = model_instance(net, subnet, 1);
    struct eni *eni = instance_eni(net, instance, 0);
    struct elastic_ip *eip = elastic_ip_allocate(net, &err);
    CHECK(elastic_ip_associate(net, eip, eni, NULL, false, &err), "%s", err.text);
    CHECK(ip_equal(eni_public_ip(eni, eni_primary_ip(eni)), &eip->public_ip),
          "it takes the place of the auto-assigned one");
    CHECK_STR(eip->instance_id, instance->obj.id);
    CHECK(instance_stop(net, instance, &err) && instance_start(net, instance, &err), "%s", err.text);
    CHECK(ip_equal(eni_public_ip(eni, eni_primary_ip(eni)), &eip->public_ip));
    CHECK(instance_terminate(net, instance, &err), "%s", err.text);
    CHECK(!eip->association_id[0] && !eip->instance_id[0] && !eip->eni_id[0],
          "the address is free again, and still ours");
    CHECK(elastic_ip_release(net, eip, &err), "%s", err.text);
    network_free(net);
}

TEST(terminate_deletes_what_came_along_and_detaches_the_rest)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct subnet *subnet = model_subnet(net, model_vpc(net, "10.0.0.0/16", false), "10.0.1.0/24");
    struct instance *instance = model_instance(net, subnet, 0);
    struct eni *kept = model_eni(net, subnet, NULL);
    CHECK(eni_attach(net, kept, instance->obj.id, 1, &err), "%s", err.text);
    instance->disable_api_termination = true;
    CHECK(!instance_terminate(net, instance, &err));
    CHECK_STR(err.code, "OperationNotPermitted");
    err_clear(&err);
    instance->disable_api_termination = false;
    CHECK(instance_terminate(net, instance, &err), "%s", err.text);
    CHECK_INT(store_count(network_store(net), &eni_kind), 1);
    CHECK(!kept->attached);
    CHECK_STR(instance->state_name, "terminated");
    CHECK(!instance->subnet_id[0]);
    CHECK(instance_terminate(net, instance, &err), "terminating twice is no error");
    CHECK(!instance_start(net, instance, &err));
    CHECK_STR(err.code, "IncorrectInstanceState");
    err_clear(&err);
    CHECK(!instance_stop(net, instance, &err));
    CHECK_STR(err.code, "IncorrectInstanceState");
    network_free(net);
}

TEST(describe_gathers_what_the_interfaces_know)
{
    struct network *net = model_new();
    struct subnet *subnet = model_subnet(net, model_vpc(net, "10.0.0.0/16", false), "10.0.1.0/24");
    struct instance *instance = model_instance(net, subnet, 1);
    json_t *described = object_describe(network_store(net), instance);
    CHECK_STR(json_str(described, "PrivateIpAddress"), "10.0.1.4");
    CHECK_STR(json_str(described, "PublicIpAddress"), "203.0.113.1");
    CHECK_STR(json_str(described, "PrivateDnsName"), "ip-10-0-1-4.ec2.internal");
    CHECK_STR(json_str(described, "PublicDnsName"), "", "DNS hostnames are off");
    json_t *eni = json_array_get(json_object_get(described, "NetworkInterfaces"), 0);
    CHECK(json_at(eni, "Attachment.DeleteOnTermination") == json_true());
    CHECK(!json_object_get(eni, "TagSet") && !json_at(eni, "Attachment.InstanceId"),
          "the nested shape has fewer members");
    CHECK_STR(json_str(json_array_get(json_object_get(described, "SecurityGroups"), 0), "GroupName"), "default");
    json_t *list = json_pack("[O]", described), *reservations = instances_to_reservations(net, list);
    CHECK_INT(json_array_size(reservations), 1);
    json_t *flat = instances_from_reservations(reservations);
    CHECK_STR(json_str(json_array_get(flat, 0), "ReservationId"), instance->reservation_id);
    json_decref(flat);
    json_decref(reservations);
    json_decref(list);
    json_decref(described);
    network_free(net);
}

TEST_MAIN
