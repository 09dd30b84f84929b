/* `import aws` and `export aws` on a lab: what becomes of what the lab holds. */
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cloud/state.h"
#include "netsim/model/network.h"
#include "netsim/model/vpc.h"

static char directory[64];

static void
make_dump(const char *text)
{
    strcpy(directory, "/tmp/vpclab-test-XXXXXX");
    REQUIRE(mkdtemp(directory));
    char *path = xasprintf("%s/Vpcs.json", directory);
    FILE *file = fopen(path, "w");
    REQUIRE(file, "%s", path);
    fputs(text, file);
    fclose(file);
    free(path);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void
remove_dump(void)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static json_t *
import(struct cloud *cloud, const char *more, struct err *err)
{
    char *line = xasprintf("import aws %s%s", directory, more);
    *err = (struct err){ 0 };
    json_t *out = lab_run(cloud, line, err);
    free(line);
    return out;
}

#define DUMP                                                                                                           \
    "{\"Vpcs\": [{\"VpcId\": \"vpc-0123456789abcdef0\", \"CidrBlock\": \"10.7.0.0/16\", \"OwnerId\": "                 \
    "\"777777777777\"}],\n"                                                                                            \
    " \"Subnets\": [{\"SubnetId\": \"subnet-0123456789abcdef0\", \"VpcId\": \"vpc-0123456789abcdef0\", "               \
    "\"CidrBlock\": \"10.7.1.0/24\", "                                                                                 \
    "\"AvailabilityZone\": \"eu-west-3a\", \"OwnerId\": \"777777777777\"}]}"

static size_t
n_vpcs(const struct cloud *cloud)
{
    return store_count(network_store(cloud->net), &vpc_kind);
}

TEST(a_new_lab_makes_room_for_an_import)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    make_dump(DUMP);
    json_t *out = import(cloud, "", &err);
    REQUIRE(out, "%s", err.text);
    CHECK_INT(n_vpcs(cloud), 1);
    CHECK_STR(json_str(out, "Replaced"), "default VPC");
    CHECK_STR(cloud->account, "777777777777");
    CHECK_STR(cloud->region, "eu-west-3");
    json_decref(out);

    /* The same again is refused, and replaces when asked to. */
    size_t size;
    char *before = state_text(cloud, &size);
    CHECK(!import(cloud, "", &err));
    CHECK_STR(err.code, "ResourceAlreadyExists");
    char *after = state_text(cloud, &size);
    CHECK_STR(after, before);
    free(before);
    free(after);
    out = import(cloud, " --replace", &err);
    CHECK(out && strcmp(json_str(out, "Replaced"), "network") == 0, "%s", err.text);
    CHECK_INT(n_vpcs(cloud), 1);
    json_decref(out);
    remove_dump();
    cloud_close(cloud);
}

TEST(a_lab_in_use_keeps_what_it_holds)
{
    static const char *const changes[] = {
        "ec2 create-vpc --cidr-block 10.1.0.0/16",
        "a tag on the default VPC",
        "ec2 allocate-address",
        "ec2 create-security-group --group-name g --description d",
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct err err = { 0 };
        struct cloud *cloud = lab_open(&err);
        const struct object *vpc = store_first(network_store(cloud->net), &vpc_kind);
        char *line = strcmp(changes[i], changes[1]) == 0
                         ? xasprintf("ec2 create-tags --resources %s --tags Key=Name,Value=mine", vpc->id)
                         : xstrdup(changes[i]);
        json_t *changed = lab_run(cloud, line, &err);
        CHECK(changed, "%s: %s", line, err.text);
        json_decref(changed);
        free(line);
        size_t n = n_vpcs(cloud);
        make_dump(DUMP);
        json_t *out = import(cloud, "", &err);
        CHECK(out, "%s: %s", changes[i], err.text);
        CHECK_INT(n_vpcs(cloud), n + 1, "%s", changes[i]);
        CHECK_STR(json_str(out, "Replaced"), "nothing", "%s", changes[i]);
        CHECK_STR(cloud->region, "us-east-1", "%s", changes[i]);
        json_decref(out);
        remove_dump();
        cloud_close(cloud);
    }
}

TEST(a_bad_import_changes_nothing)
{
    static const char *const dumps[] = {
        "{\"Vpcs\": [{\"VpcId\": \"vpc-1\"},]}",
        "{\"Vpcs\": [{\"VpcId\": \"vpc-1\", \"CidrBlock\": \"10.0.0.0/77\"}]}",
        "{\"Hosts\": [{\"HostId\": \"h-1\"}]}",
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    size_t size;
    char *before = state_text(cloud, &size);
    for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
        make_dump(dumps[i]);
        CHECK(!import(cloud, i == 2 ? " --replace" : "", &err), "%s", dumps[i]);
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s", dumps[i]);
        char *after = state_text(cloud, &size);
        CHECK_STR(after, before, "%s", dumps[i]);
        free(after);
        remove_dump();
    }
    free(before);
    cloud_close(cloud);
}

TEST(an_export_is_the_lab_again)
{
    static const char *const lines[] = {
        "ec2 create-vpc --cidr-block 10.1.0.0/16 --amazon-provided-ipv6-cidr-block --tag-specifications "
        "ResourceType=vpc,Tags=[{Key=Name,Value=one}]",
        "ec2 create-subnet --vpc-id one --cidr-block 10.1.1.0/24 --tag-specifications "
        "ResourceType=subnet,Tags=[{Key=Name,Value=sub}]",
        "ec2 create-security-group --group-name g --description d --vpc-id one",
        "ec2 authorize-security-group-ingress --group-id g --protocol tcp --port 443 --cidr 0.0.0.0/0",
        "ec2 create-managed-prefix-list --prefix-list-name pl --max-entries 2 --address-family IPv4 --entries "
        "Cidr=192.0.2.0/24,Description=x",
        "ec2 allocate-address",
        "ec2 create-flow-logs --resource-type Subnet --resource-ids sub --traffic-type ALL "
        "--log-destination-type s3 --log-destination arn:aws:s3:::logs",
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        json_t *out = lab_run(cloud, lines[i], &err);
        CHECK(out, "%s: %s", lines[i], err.text);
        json_decref(out);
    }
    strcpy(directory, "/tmp/vpclab-test-XXXXXX");
    REQUIRE(mkdtemp(directory));
    char *line = xasprintf("export aws %s", directory);
    json_t *exported = lab_run(cloud, line, &err);
    CHECK(exported, "%s %s", err.where, err.text);
    struct cloud *other = cloud_open(&(struct cloud_options){ .throw_away = true, .bare = true }, &err);
    json_t *out = import(other, "", &err);
    CHECK(out, "%s:%d:%d %s", err.where, err.line, err.column, err.text);
    CHECK_INT(json_array_size(json_object_get(out, "Warnings")), 0);
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        json_t *a = store_save_kind(network_store(cloud->net), *kind),
               *b = store_save_kind(network_store(other->net), *kind);
        struct buf x = { 0 }, y = { 0 };
        json_write_compact(a, &x);
        json_write_compact(b, &y);
        CHECK_STR(buf_str(&y), buf_str(&x), "%s", (*kind)->name);
        buf_done(&x);
        buf_done(&y);
        json_decref(a);
        json_decref(b);
    }
    free(line);
    json_decref(out);
    json_decref(exported);
    remove_dump();
    cloud_close(other);
    cloud_close(cloud);
}

TEST_MAIN
