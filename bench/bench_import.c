/* bench/bench_import.c - reading what `aws ec2 describe-*` prints of a large account: seconds, megabytes, and the
 * command as a whole.
 *
 *     make bench && build/bench/bench_import [SEED] [INTERFACES]      1 and 10,000 if not given
 *
 * Writes a dump as the AWS CLI does (indented JSON, a file an answer): one instance for each interface, 200 groups of
 * ten rules, a subnet, a table association for every hundred interfaces.  `import` is aws_import() alone in a process
 * of its own; its peak is what that process held at most, the program itself included.  `jansson alone` loads the same
 * files with json_load_file() and does nothing with them.  `vpclab import aws` is the whole command, with state.json
 * written and fsync; `one-shot command` a describe-vpcs on that lab, which reads the state first. */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/id.h"
#include "bench/bench.h"
#include "netsim/interop/aws_import.h"

#define ACCOUNT "123456789012"
#define GROUPS  200

struct dump {
    char dir[64];
    struct id_gen lot;
    size_t n_enis, n_subnets;
    long long bytes;
};

static size_t
lot(struct dump *dump, size_t n)
{
    return (size_t)id_random_below(&dump->lot, n);
}

static FILE *
begin(struct dump *dump, const char *list)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.json", dump->dir, list);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(71);
    }
    fprintf(file, "{\n    \"%s\": [", list);
    return file;
}

static void
end(struct dump *dump, FILE *file)
{
    fprintf(file, "\n    ]\n}\n");
    dump->bytes += ftell(file);
    fclose(file);
}

static const char *
comma(size_t i)
{
    return i ? "," : "";
}

static void
write_vpc(struct dump *dump)
{
    FILE *f = begin(dump, "Vpcs");
    fprintf(
        f,
        "{\"VpcId\": \"vpc-0a\", \"CidrBlock\": \"10.0.0.0/8\", \"State\": \"available\", \"OwnerId\": \"" ACCOUNT
        "\", \"CidrBlockAssociationSet\": [{\"AssociationId\": \"vpc-cidr-assoc-0a\", \"CidrBlock\": \"10.0.0.0/8\", "
        "\"CidrBlockState\": {\"State\": \"associated\"}}], \"IsDefault\": false}");
    end(dump, f);
    f = begin(dump, "InternetGateways");
    fprintf(f, "{\"InternetGatewayId\": \"igw-0a\", \"OwnerId\": \"" ACCOUNT
               "\", \"Attachments\": [{\"State\": \"available\", \"VpcId\": \"vpc-0a\"}], \"Tags\": []}");
    end(dump, f);
    f = begin(dump, "Subnets");
    for (size_t i = 0; i < dump->n_subnets; i++) {
        fprintf(
            f,
            "%s\n        {\n            \"SubnetId\": \"subnet-%08zx\",\n            \"VpcId\": \"vpc-0a\",\n          "
            "  "
            "\"CidrBlock\": \"10.%zu.%zu.0/24\",\n            \"AvailabilityZone\": \"us-east-1%c\",\n            "
            "\"AvailabilityZoneId\": \"use1-az%zu\",\n            \"State\": \"available\",\n            \"OwnerId\": "
            "\"" ACCOUNT "\",\n            \"MapPublicIpOnLaunch\": false,\n            \"AvailableIpAddressCount\": "
            "151\n        }",
            comma(i), i, i / 256, i % 256, (char)('a' + i % 3), i % 3 + 1);
    }
    end(dump, f);
    f = begin(dump, "RouteTables");
    fprintf(
        f,
        "{\"RouteTableId\": \"rtb-0a\", \"VpcId\": \"vpc-0a\", \"OwnerId\": \"" ACCOUNT
        "\", \"Associations\": [{\"RouteTableAssociationId\": \"rtbassoc-0a\", \"RouteTableId\": \"rtb-0a\", \"Main\": "
        "true}], \"Routes\": [{\"DestinationCidrBlock\": \"10.0.0.0/8\", \"GatewayId\": \"local\", \"Origin\": "
        "\"CreateRouteTable\", \"State\": \"active\"}, {\"DestinationCidrBlock\": \"0.0.0.0/0\", \"GatewayId\": "
        "\"igw-0a\", \"Origin\": \"CreateRoute\", \"State\": \"active\"}]}");
    end(dump, f);
}

static void
write_acl(struct dump *dump)
{
    FILE *f = begin(dump, "NetworkAcls");
    fprintf(f, "{\"NetworkAclId\": \"acl-0a\", \"VpcId\": \"vpc-0a\", \"IsDefault\": true, \"OwnerId\": \"" ACCOUNT
               "\", \"Entries\": [");
    for (int i = 0; i < 4; i++) {
        fprintf(f,
                "%s{\"RuleNumber\": %d, \"Egress\": %s, \"Protocol\": \"-1\", \"RuleAction\": \"%s\", \"CidrBlock\": "
                "\"0.0.0.0/0\"}",
                comma((size_t)i), i < 2 ? 100 : 32767, i % 2 ? "true" : "false", i < 2 ? "allow" : "deny");
    }
    fprintf(f, "], \"Associations\": [");
    for (size_t i = 0; i < dump->n_subnets; i++) {
        fprintf(f,
                "%s\n{\"NetworkAclAssociationId\": \"aclassoc-%08zx\", \"NetworkAclId\": \"acl-0a\", \"SubnetId\": "
                "\"subnet-%08zx\"}",
                comma(i), i, i);
    }
    fprintf(f, "]}");
    end(dump, f);
}

static void
write_groups(struct dump *dump)
{
    FILE *f = begin(dump, "SecurityGroups");
    for (size_t i = 0; i < GROUPS; i++) {
        fprintf(f,
                "%s\n        {\n            \"GroupId\": \"sg-%08zx\",\n            \"GroupName\": \"group-%zu\",\n    "
                "        "
                "\"Description\": \"group number %zu\",\n            \"VpcId\": \"vpc-0a\",\n            \"OwnerId\": "
                "\"" ACCOUNT "\",\n            \"IpPermissions\": [",
                comma(i), i, i, i);
        for (size_t r = 0; r < 9; r++) {
            size_t port = 1000 * r + lot(dump, 1000);
            fprintf(f, "%s{\"IpProtocol\": \"tcp\", \"FromPort\": %zu, \"ToPort\": %zu, ", comma(r), port, port);
            if (r % 2) {
                fprintf(f,
                        "\"IpRanges\": [], \"UserIdGroupPairs\": [{\"GroupId\": \"sg-%08zx\", \"UserId\": \"" ACCOUNT
                        "\"}]}",
                        lot(dump, GROUPS));
            } else {
                fprintf(f, "\"IpRanges\": [{\"CidrIp\": \"10.%zu.0.0/16\"}], \"UserIdGroupPairs\": []}", lot(dump, 4));
            }
        }
        fprintf(f, "],\n            \"IpPermissionsEgress\": [{\"IpProtocol\": \"-1\", \"IpRanges\": [{\"CidrIp\": "
                   "\"0.0.0.0/0\"}]}]\n        }");
    }
    end(dump, f);
}

/* The interface as instances and interfaces both show it. */
static void
write_addresses(FILE *f, size_t i)
{
    fprintf(f,
            "            \"PrivateIpAddress\": \"10.%zu.%zu.%zu\",\n            \"PrivateDnsName\": "
            "\"ip-10-%zu-%zu-%zu.ec2.internal\",\n            \"PrivateIpAddresses\": [\n                {\n           "
            "         "
            "\"Primary\": true,\n                    \"PrivateDnsName\": \"ip-10-%zu-%zu-%zu.ec2.internal\",\n         "
            "           "
            "\"PrivateIpAddress\": \"10.%zu.%zu.%zu\"\n                }\n            ],\n",
            i / 25600, i / 100 % 256, i % 100 + 4, i / 25600, i / 100 % 256, i % 100 + 4, i / 25600, i / 100 % 256,
            i % 100 + 4, i / 25600, i / 100 % 256, i % 100 + 4);
}

static void
write_interfaces(struct dump *dump)
{
    FILE *f = begin(dump, "NetworkInterfaces");
    for (size_t i = 0; i < dump->n_enis; i++) {
        size_t group = lot(dump, GROUPS);
        fprintf(f,
                "%s\n        {\n            \"NetworkInterfaceId\": \"eni-%08zx\",\n            \"SubnetId\": "
                "\"subnet-%08zx\",\n            \"VpcId\": \"vpc-0a\",\n            \"AvailabilityZone\": "
                "\"us-east-1%c\",\n            "
                "\"Description\": \"Primary network interface of machine %zu\",\n            \"InterfaceType\": "
                "\"interface\",\n            \"MacAddress\": \"02:00:00:%02zx:%02zx:%02zx\",\n            \"OwnerId\": "
                "\"" ACCOUNT
                "\",\n            \"RequesterManaged\": false,\n            \"SourceDestCheck\": true,\n            "
                "\"Status\": \"in-use\",\n            \"TagSet\": [],\n            \"Ipv6Addresses\": [],\n            "
                "\"Groups\": [\n                {\n                    \"GroupId\": \"sg-%08zx\",\n                    "
                "\"GroupName\": \"group-%zu\"\n                }\n            ],\n",
                comma(i), i, i / 100, (char)('a' + i / 100 % 3), i, i / 65536, i / 256 % 256, i % 256, group, group);
        write_addresses(f, i);
        fprintf(
            f,
            "            \"Attachment\": {\n                \"AttachTime\": \"2026-03-01T10:00:00+00:00\",\n           "
            "     "
            "\"AttachmentId\": \"eni-attach-%08zx\",\n                \"DeleteOnTermination\": true,\n                "
            "\"DeviceIndex\": 0,\n                \"InstanceId\": \"i-%08zx\",\n                \"InstanceOwnerId\": "
            "\"" ACCOUNT "\",\n                \"Status\": \"attached\"\n            }\n        }",
            i, i);
    }
    end(dump, f);
}

static void
write_instances(struct dump *dump)
{
    FILE *f = begin(dump, "Reservations");
    for (size_t i = 0; i < dump->n_enis; i++) {
        fprintf(
            f,
            "%s\n        {\n            \"ReservationId\": \"r-%08zx\",\n            \"OwnerId\": \"" ACCOUNT
            "\",\n            \"Groups\": [],\n            \"Instances\": [\n            {\n            "
            "\"InstanceId\": "
            "\"i-%08zx\",\n            \"ImageId\": \"ami-0123456789abcdef0\",\n            \"InstanceType\": "
            "\"t3.medium\",\n            \"KeyName\": \"operations\",\n            \"LaunchTime\": "
            "\"2026-03-01T10:00:00+00:00\",\n            \"AmiLaunchIndex\": 0,\n            \"Monitoring\": {\n       "
            "         "
            "\"State\": \"disabled\"\n            },\n            \"Placement\": {\n                "
            "\"AvailabilityZone\": "
            "\"us-east-1%c\",\n                \"Tenancy\": \"default\"\n            },\n            \"State\": {\n    "
            "            "
            "\"Code\": 16,\n                \"Name\": \"running\"\n            },\n            \"SubnetId\": "
            "\"subnet-%08zx\",\n            \"VpcId\": \"vpc-0a\",\n            \"Architecture\": \"x86_64\",\n        "
            "    "
            "\"SourceDestCheck\": true,\n            \"RootDeviceName\": \"/dev/xvda\",\n            "
            "\"RootDeviceType\": "
            "\"ebs\",\n            \"BlockDeviceMappings\": [\n                {\n                    \"DeviceName\": "
            "\"/dev/xvda\",\n                    \"Ebs\": {\n                        \"DeleteOnTermination\": true,\n  "
            "                      "
            "\"Status\": \"attached\",\n                        \"VolumeId\": \"vol-%08zx\"\n                    }\n   "
            "             }\n            ],\n",
            comma(i), i, i, (char)('a' + i / 100 % 3), i / 100, i);
        fprintf(f,
                "            \"Tags\": [\n                {\n                    \"Key\": \"Name\",\n                  "
                "  \"Value\": "
                "\"machine-%zu\"\n                }\n            ],\n            \"NetworkInterfaces\": [\n            "
                "    {\n                    "
                "\"NetworkInterfaceId\": \"eni-%08zx\"\n                }\n            ]\n            }\n            "
                "]\n        }",
                i, i);
    }
    end(dump, f);
}

/* ---- Measuring
 * ----------------------------------------------------------------------------------------------------------
 */

struct figure {
    double seconds, cpu, megabytes; /* cpu: user and system, which neighbours on a shared machine change least */
};

static void
import_it(const char *dir)
{
    struct id_gen ids;
    struct clock clock = { 0 };
    struct err err = { 0 };
    id_gen_seed(&ids, 1);
    struct network *net = network_new(&ids, &clock);
    network_set_limits(net, false);
    json_t *report = json_object();
    if (!aws_import(net, dir, report, &err)) {
        fprintf(stderr, "bench_import: %s %s\n", err.where, err.text);
        exit(70);
    }
}

static void
parse_it(const char *dir)
{
    char pattern[128];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*.json", dir);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        json_decref(json_load_file(found.gl_pathv[i], 0, NULL));
    }
}

static void
nothing(const char *dir)
{
    (void)dir;
}

/* In a process of its own, so that its peak is its own; memory is not given back before it ends, as in a command. */
static struct figure
measure(void (*work)(const char *dir), const char *dir)
{
    struct figure best = { 1e300, 1e300, 0 };
    for (int i = 0; i < 3; i++) {
        double begin_ns = bench_now_ns();
        pid_t pid = fork();
        if (pid == 0) {
            work(dir);
            _exit(0);
        }
        int status;
        struct rusage usage;
        if (wait4(pid, &status, 0, &usage) < 0 || status != 0) {
            exit(70);
        }
        double seconds = (bench_now_ns() - begin_ns) / 1e9;
        best.seconds = seconds < best.seconds ? seconds : best.seconds;
        double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        best.cpu = cpu < best.cpu ? cpu : best.cpu;
        best.megabytes = (double)usage.ru_maxrss / 1024;
    }
    return best;
}

static const char *program_path;

static void
run(const char *const *argv)
{
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, 1);
    dup2(quiet, 2);
    execv(program_path, (char *const *)argv);
    _exit(127);
}

static void
whole_import(const char *dir)
{
    run((const char *[]){ program_path, "--lab", "bench", "import", "aws", dir, "--replace", NULL });
}

static void
one_shot(const char *dir)
{
    (void)dir;
    run((const char *[]){ program_path, "--lab", "bench", "ec2", "describe-vpcs", NULL });
}

static void
row(const char *what, struct figure figure)
{
    printf("%-28s %8.3f s %8.3f s %8.0f MB\n", what, figure.seconds, figure.cpu, figure.megabytes);
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    struct dump dump = { .n_enis = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000 };
    char program[PATH_MAX], home[80];
    dump.n_subnets = dump.n_enis / 100 + 1;
    snprintf(dump.dir, sizeof dump.dir, "/tmp/vpclab-bench-XXXXXX");
    if (!realpath("build/vpclab", program) || !mkdtemp(dump.dir)) {
        perror("build/vpclab");
        return 1;
    }
    program_path = program;
    snprintf(home, sizeof home, "%s.labs", dump.dir);
    setenv("XDG_DATA_HOME", home, 1);
    id_gen_seed(&dump.lot, seed);
    write_vpc(&dump);
    write_acl(&dump);
    write_groups(&dump);
    write_interfaces(&dump);
    write_instances(&dump);
    printf("import of %zu interfaces, %.1f MB of JSON, seed %" PRIu64 ", best of 3\n\n%-28s %10s %10s %11s\n",
           dump.n_enis, (double)dump.bytes / 1e6, seed, "what", "elapsed", "cpu", "peak");
    row("a process that does nothing", measure(nothing, dump.dir));
    row("jansson alone", measure(parse_it, dump.dir));
    row("import", measure(import_it, dump.dir));
    row("vpclab import aws", measure(whole_import, dump.dir));
    row("one-shot command", measure(one_shot, dump.dir));
    char *remove = NULL;
    if (asprintf(&remove, "rm -rf %s %s", dump.dir, home) > 0 && system(remove) != 0) {
        return 1;
    }
    free(remove);
    return 0;
}
