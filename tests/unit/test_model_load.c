/* Dumps of describe-* calls as they come from AWS: what a verdict needs is still there after loading, after saving and
 * loading. */
#include <unistd.h>
#include "base/json_cursor.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/random_net.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "tests/test.h"

static struct id_gen ids;
static const struct clock clock_fixed = { .fixed = true, .base_ms = 1767312000000 };

static struct network *
new_network(void)
{
    id_gen_seed(&ids, 7);
    return network_new(&ids, &clock_fixed);
}

static json_t *
parse(const char *text)
{
    struct err err = { 0 };
    json_t *json = json_read(text, strlen(text), "test", &err);
    REQUIRE(json, "%s: %s", text, err.text);
    return json;
}

static void
load(struct network *net, const struct kind *kind, const char *text)
{
    struct err err = { 0 };
    json_t *json = parse(text);
    CHECK(network_load_kind(net, kind, json, kind->list, NULL, &err), "%s %s", err.where, err.text);
    json_decref(json);
}

/* What was written is read back as its JSON value would be. */
static void
check_read(const struct kind *kind, const json_t *json, const struct buf *text)
{
    struct network *a = new_network(), *b = new_network();
    struct json_cursor at = { buf_str(text), buf_str(text) + text->size, 0 };
    struct buf x = { 0 }, y = { 0 };
    const void *loaded = store_load_object(network_store(a), kind, json, "", NULL, NULL);
    const void *read = store_read_object(network_store(b), kind, &at);
    REQUIRE(loaded && read && at.at == at.end, "%s", buf_str(text));
    store_write_object(loaded, &x);
    store_write_object(read, &y);
    CHECK_STR(buf_str(&y), buf_str(&x));
    buf_done(&x);
    buf_done(&y);
    network_free(a);
    network_free(b);
}

/* Every kind as state.json holds it. */
static char *
save(const struct network *net)
{
    struct buf text = { 0 };
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        json_t *array = store_save_kind(network_store(net), *kind);
        json_write_aws(array, &text);
        json_decref(array);
        for (const void *o = store_first(network_store(net), *kind); o; o = store_next(network_store(net), o)) {
            struct buf direct = { 0 }, printed = { 0 };
            json_t *one = store_save_object(o);
            json_write_compact(one, &printed);
            store_write_object(o, &direct);
            CHECK_STR(buf_str(&direct), buf_str(&printed));
            check_read(*kind, one, &direct);
            json_decref(one);
            buf_done(&direct);
            buf_done(&printed);
        }
    }
    return buf_steal(&text);
}

static struct network *
saved_and_loaded(const struct network *net)
{
    struct network *copy = new_network();
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        struct err err = { 0 };
        json_t *array = store_save_kind(network_store(net), *kind);
        CHECK(network_load_kind(copy, *kind, array, (*kind)->list, NULL, &err), "%s %s", err.where, err.text);
        json_decref(array);
    }
    return copy;
}

/* In the order of network_kinds, as the importer does: an interface's own record counts more than the copy inside an
 * instance. */
static size_t
load_case(struct network *net, const char *name)
{
    size_t n = 0;
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        struct err err = { 0 };
        const char *list = *kind == &instance_kind ? "Reservations" : (*kind)->list;
        char *path = xasprintf("../shared/vectors/net/%s/aws/%s.json", name, list);
        if (access(path, R_OK) == 0) {
            json_t *json = json_read_file(path, &err);
            CHECK(network_load_kind(net, *kind, json_object_get(json, list), path, NULL, &err), "%s %s", err.where,
                  err.text);
            json_decref(json);
            n++;
        }
        free(path);
    }
    return n;
}

TEST(real_dumps_survive_saving)
{
    static const char *const cases[] = { "nat-gateway",   "public-subnet",      "public-subnet-nacl",
                                         "same-subnet",   "basic-two-subnets",  "nacl-tiers",
                                         "sg-references", "prefix-list-egress", "security-group-rules",
                                         "vpc-peering",   "transit-gateway",    "load-balancer" };
    size_t loaded = 0;
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        struct network *net = new_network();
        loaded += load_case(net, cases[c]);
        struct network *copy = saved_and_loaded(net);
        char *before = save(net), *after = save(copy);
        CHECK_STR(after, before, "%s", cases[c]);
        for (struct subnet *s = store_first(network_store(net), &subnet_kind); s;
             s = store_next(network_store(net), s)) {
            CHECK(network_subnet_route_table(net, s), "%s %s has no route table", cases[c], s->obj.id);
        }
        free(before);
        free(after);
        network_free(copy);
        network_free(net);
    }
    if (!loaded) {
        TEST_SKIP("no ../shared/vectors/net");
    }
}

/* Rows of one name would be written twice, and one beside rows below it ("A" and "A.B") apart from them; and the
 * store's own members must be nobody else's. */
static void
check_names(const char *kind, const struct field *fields, bool top)
{
    for (const struct field *f = fields; f && f->name; f++) {
        size_t length = strlen(f->name);
        CHECK(!top || (strcmp(f->name, "OwnerId") != 0 && strcmp(f->name, "Region") != 0), "%s: %s", kind, f->name);
        for (const struct field *other = fields; other->name; other++) {
            bool clash = other != f && strncmp(other->name, f->name, length) == 0 && strchr(".", other->name[length]);
            CHECK(!clash, "%s: %s and %s", kind, f->name, other->name);
        }
        check_names(kind, f->fields, false);
    }
}

TEST(every_member_has_one_row)
{
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        check_names((*kind)->name, (*kind)->fields, true);
    }
}

/* A text with a byte changed: who reads it directly either refuses it or reads what its JSON value says. */
static void
check_damaged(struct random_net *r, const struct kind *kind, const struct buf *whole)
{
    static const char odd[] = "\"\\{}[],:0-9.eE \n\x01\xc3ntf";
    struct buf text = { 0 };
    buf_add(&text, whole->data, whole->size);
    size_t place = (size_t)lot(r, (int)text.size), n = 1 + (size_t)lot(r, 12);
    switch (lot(r, 4)) {
    case 0:
        memmove(text.data + place, text.data + place + 1, text.size - place); /* one less */
        text.size--;
        break;
    case 1: /* some twice */
        buf_cut(&text, place);
        buf_add(&text, whole->data + (place > n ? place - n : 0), whole->size - (place > n ? place - n : 0));
        break;
    default:
        text.data[place] = odd[lot(r, sizeof odd - 1)];
    }
    struct network *a = new_network(), *b = new_network();
    struct json_cursor at = { buf_str(&text), buf_str(&text) + text.size, 0 };
    const void *read = store_read_object(network_store(b), kind, &at);
    if (read && at.at == at.end) {
        struct err err = { 0 };
        json_t *json = json_read(buf_str(&text), text.size, "test", &err);
        const void *loaded = json ? store_load_object(network_store(a), kind, json, "", NULL, &err) : NULL;
        struct buf x = { 0 }, y = { 0 };
        REQUIRE(loaded, "%s: %s", buf_str(&text), err.text);
        store_write_object(loaded, &x);
        store_write_object(read, &y);
        CHECK_STR(buf_str(&y), buf_str(&x), "%s", buf_str(&text));
        buf_done(&x);
        buf_done(&y);
        json_decref(json);
    }
    buf_done(&text);
    network_free(a);
    network_free(b);
}

TEST(reading_text_directly_is_loading_its_value)
{
    for (int seed = 1; seed <= 6; seed++) {
        struct random_net r;
        if (seed % 2) {
            random_net_make(&r, (uint64_t)seed, true, false);
        } else {
            random_net_make_joined(&r, (uint64_t)seed);
        }
        free(save(r.net)); /* which reads every object back */
        for (const struct kind *const *kind = network_kinds; *kind; kind++) {
            for (const void *o = store_first(network_store(r.net), *kind); o; o = store_next(network_store(r.net), o)) {
                struct buf text = { 0 };
                store_write_object(o, &text);
                for (int i = 0; i < 30; i++) {
                    check_damaged(&r, *kind, &text);
                }
                buf_done(&text);
            }
        }
        random_net_done(&r);
    }
}

TEST(interfaces_that_only_an_instance_lists_are_found)
{
    struct network *net = new_network();
    load(net, &instance_kind,
         "[{\"ReservationId\":\"r-1\",\"OwnerId\":\"111122223333\",\"Instances\":[{\"InstanceId\":\"i-1\",\"State\":{"
         "\"Code\":16,\"Name\":\"running\"},"
         "\"SubnetId\":\"subnet-1\",\"VpcId\":\"vpc-1\",\"Placement\":{\"AvailabilityZone\":\"us-east-1b\"},"
         "\"NetworkInterfaces\":["
         "{\"NetworkInterfaceId\":\"eni-1\",\"PrivateIpAddress\":\"10.0.0.9\",\"Groups\":[{\"GroupId\":\"sg-1\"}],"
         "\"Association\":{\"PublicIp\":\"203.0.113.9\",\"IpOwnerId\":\"amazon\"},\"Ipv6Addresses\":[{\"Ipv6Address\":"
         "\"2001:db8::9\"}],"
         "\"SubnetId\":\"subnet-1\",\"VpcId\":\"vpc-1\",\"Attachment\":{\"AttachmentId\":\"eni-attach-1\","
         "\"DeviceIndex\":0}}]}]}]");
    const struct instance *instance = store_get(network_store(net), &instance_kind, "i-1");
    REQUIRE(instance);
    const struct eni *eni = instance_eni(net, instance, 0);
    REQUIRE(eni);
    CHECK_STR(eni->obj.id, "eni-1");
    CHECK_STR(instance->obj.account, "111122223333");
    CHECK_STR(instance->reservation_id, "r-1");
    CHECK(eni->source_dest_check, "absent means on");
    struct ip address = ip_lit("203.0.113.9"), private_ip, v6 = ip_lit("2001:db8::9");
    CHECK(network_eni_by_public_ip(net, &address, &private_ip) == eni);
    CHECK_STR(ip_str(&private_ip), "10.0.0.9");
    CHECK(network_eni_by_public_ip(net, &v6, NULL) == eni);
    CHECK(network_eni_by_address(net, "vpc-1", &private_ip) == eni);
    CHECK(!network_eni_by_address(net, "vpc-2", &private_ip));
    struct eni *const *members;
    CHECK_INT(network_group_members(net, "sg-1", &members), 1);
    network_free(net);
}

TEST(permissions_become_flat_rules_and_back)
{
    struct network *net = new_network();
    load(net, &security_group_kind,
         "[{\"GroupId\":\"sg-1\",\"GroupName\":\"web\",\"VpcId\":\"vpc-1\",\"Description\":\"d\",\"IpPermissions\":["
         "{\"IpProtocol\":\"tcp\",\"FromPort\":80,\"ToPort\":80,\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/"
         "8\"},{\"CidrIp\":\"192.168.0.0/16\",\"Description\":\"x\"}],"
         "\"Ipv6Ranges\":[{\"CidrIpv6\":\"::/0\"}],\"PrefixListIds\":[{\"PrefixListId\":\"pl-1\"}],"
         "\"UserIdGroupPairs\":[{\"GroupId\":\"sg-2\",\"UserId\":\"444455556666\",\"VpcId\":\"vpc-9\","
         "\"VpcPeeringConnectionId\":\"pcx-1\",\"PeeringStatus\":\"active\"}]},"
         "{\"IpProtocol\":\"icmp\",\"FromPort\":8,\"ToPort\":-1,\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]}],"
         "\"IpPermissionsEgress\":[{\"IpProtocol\":\"-1\",\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/"
         "0\"}]},{\"IpProtocol\":\"50\",\"FromPort\":1,\"IpRanges\":[{\"CidrIp\":\"1.2.3.4/32\"}]}]}]");
    const struct security_group *group = store_get(network_store(net), &security_group_kind, "sg-1");
    REQUIRE(group && group->rules.n == 8);
    const struct sg_rule *pair = &group->rules.items[4];
    CHECK_STR(pair->group_id, "sg-2");
    CHECK_STR(pair->peering_id, "pcx-1");
    CHECK_STR(pair->group_owner, "444455556666");
    CHECK_INT(group->rules.items[5].from, 8);
    CHECK_INT(group->rules.items[5].to, -1);
    CHECK_INT(group->rules.items[7].protocol, 50);
    CHECK_INT(group->rules.items[7].from, -1);
    CHECK(group->rules.items[0].id[0], "imported rules get ids");
    json_t *described = object_describe(network_store(net), group);
    struct buf text = { 0 };
    json_write_compact(json_object_get(described, "IpPermissions"), &text);
    CHECK_STR(buf_str(&text),
              "[{\"IpProtocol\":\"tcp\",\"FromPort\":80,\"ToPort\":80,\"UserIdGroupPairs\":[{\"UserId\":"
              "\"444455556666\",\"GroupId\":\"sg-2\","
              "\"VpcId\":\"vpc-9\",\"VpcPeeringConnectionId\":\"pcx-1\",\"PeeringStatus\":\"active\"}],\"IpRanges\":[{"
              "\"CidrIp\":\"10.0.0.0/8\"},"
              "{\"Description\":\"x\",\"CidrIp\":\"192.168.0.0/16\"}],\"Ipv6Ranges\":[{\"CidrIpv6\":\"::/"
              "0\"}],\"PrefixListIds\":[{\"PrefixListId\":\"pl-1\"}]},"
              "{\"IpProtocol\":\"icmp\",\"FromPort\":8,\"ToPort\":-1,\"UserIdGroupPairs\":[],\"IpRanges\":[{\"CidrIp\":"
              "\"0.0.0.0/0\"}],\"Ipv6Ranges\":[],\"PrefixListIds\":[]}]");
    buf_done(&text);
    json_decref(described);
    network_free(net);
}

TEST(a_damaged_permission_is_reported_with_its_place)
{
    struct network *net = new_network();
    struct err err = { 0 };
    json_t *json = parse("[{\"GroupId\":\"sg-1\",\"IpPermissions\":[{\"IpProtocol\":\"tcp\",\"IpRanges\":[{\"CidrIp\":"
                         "\"10.0.0.x/8\"}]}]}]");
    CHECK(!network_load_kind(net, &security_group_kind, json, "SecurityGroups.json", NULL, &err));
    CHECK_STR(err.where, "SecurityGroups.json sg-1.IpPermissions[0].IpRanges.CidrIp");
    json_decref(json);
    network_free(net);
}

TEST_MAIN
