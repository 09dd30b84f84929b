/* A lab on disk: what is saved is what was there, damage is reported and never written over, one writer at a time. */
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "cloud/state.h"
#include "netsim/model/network.h"

static struct cloud *
open_dir(const char *path, struct err *err)
{
    return cloud_open(&(struct cloud_options){ .lab = path, .seed = 7 }, err);
}

static void
tag_all(struct cloud *cloud, const char *value)
{
    struct err err = { 0 };
    char line[256];
    const struct object *vpc = store_first(network_store(cloud->net), network_kind_of_id("vpc-0"));
    snprintf(line, sizeof line, "ec2 create-tags --resources %s --tags Key=Name,Value=%s", vpc->id, value);
    json_decref(lab_run(cloud, line, &err));
    CHECK_OK(&err, "%s", line);
}

TEST(what_is_saved_is_what_was_there)
{
    char *path = make_dir();
    struct err err = { 0 };
    size_t size, again_size;
    struct cloud *cloud = open_dir(path, &err);
    REQUIRE(cloud != NULL, "%s", err.text);
    tag_all(cloud, "prod");
    char *text = state_text(cloud, &size);
    cloud_close(cloud);
    cloud = open_dir(path, &err);
    REQUIRE(cloud != NULL, "%s", err.text);
    char *again = state_text(cloud, &again_size);
    CHECK_STR(again, text);
    cloud_close(cloud);
    free(text);
    free(again);
    remove_dir(path);
}

TEST(a_seed_gives_the_same_lab)
{
    struct err err = { 0 };
    size_t size;
    struct cloud *one = lab_open(&err), *two = lab_open(&err);
    REQUIRE(one && two, "%s", err.text);
    char *a = state_text(one, &size), *b = state_text(two, &size);
    CHECK_STR(a, b);
    free(a);
    free(b);
    cloud_close(one);
    cloud_close(two);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}

/* Opening such a file fails with its place, and the file stays as it is. */
TEST(a_damaged_state_is_refused_and_kept)
{
    static const struct {
        const char *text, *part;
        int line, column;
    } cases[] = {
        { "", "", 1, 1 },
        { "{\"version\": 1,\n\"ids\": [\"0\",\n", "", 3, 1 },
        { "[]", "no `version`", 0, 0 },
        { "{\"version\": 99}", "newer", 0, 0 },
        { "{\"version\": \"1\"}", "no `version`", 0, 0 },
        { "{\"version\": 1}", "`ids`", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"000000000000000x\"]}", "`ids`", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"0000000000000002\"]}", "`account`", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"0000000000000002\"], \"account\": \"123456789012\", "
          "\"region\": \"us-east-1\", "
          "\"network\": {\"Vpcs\": {}}}",
          "list", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"0000000000000002\"], \"account\": \"123456789012\", "
          "\"region\": \"us-east-1\", "
          "\"network\": {\"Vpcs\": [{\"VpcId\": 5}]}}",
          "", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"0000000000000002\"], \"account\": \"123456789012\", "
          "\"region\": \"us-east-1\", \"accounts\": []}",
          "expected an object with the lists of users, roles and buckets", 0, 0 },
        { "{\"version\": 1, \"ids\": [\"0000000000000001\", \"0000000000000002\"], \"account\": \"123456789012\", "
          "\"region\": \"us-east-1\", \"accounts\": {\"Users\": [{\"UserId\": 5}]}}",
          "", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *path = make_dir(), *file = xasprintf("%s/state.json", path);
        write_file(file, cases[i].text);
        struct err err = { 0 };
        struct cloud *cloud = open_dir(path, &err);
        CHECK(!cloud, "%s", cases[i].text);
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s: %s", cases[i].text, err.text);
        CHECK(strstr(err.text, cases[i].part) != NULL, "%s: `%s`", cases[i].text, err.text);
        bool of_users = strstr(cases[i].text, "UserId") != NULL;
        CHECK(!of_users || strstr(err.where, "accounts.Users"), "%s: where `%s`", cases[i].text, err.where);
        CHECK(err.where[0] && err.hint[0], "%s: where `%s` hint `%s`", cases[i].text, err.where, err.hint);
        if (cases[i].line) {
            CHECK_INT(err.line, cases[i].line, "%s", cases[i].text);
            CHECK_INT(err.column, cases[i].column, "%s", cases[i].text);
        }
        cloud_close(cloud);
        struct buf now = { 0 };
        buf_read_file(&now, file, 4096, &err);
        CHECK_STR(buf_str(&now), cases[i].text, "the file was changed");
        buf_done(&now);
        free(file);
        remove_dir(path);
    }
}

TEST(an_open_lab_takes_over_what_others_save)
{
    char *path = make_dir();
    struct err err = { 0 };
    struct cloud *one = open_dir(path, &err), *two = open_dir(path, &err);
    REQUIRE(one && two, "%s", err.text);
    tag_all(one, "first");
    tag_all(two, "second");
    json_t *out = lab_run(one, "ec2 describe-tags", &err);
    REQUIRE(out != NULL, "%s", err.text);
    CHECK_INT(json_array_size(json_object_get(out, "Tags")), 1);
    CHECK_STR(json_str(json_array_get(json_object_get(out, "Tags"), 0), "Value"), "second");
    json_decref(out);
    cloud_close(one);
    cloud_close(two);
    remove_dir(path);
}

TEST(one_process_at_a_time_changes_a_lab)
{
    char *path = make_dir();
    struct err err = { 0 };
    struct cloud *cloud = open_dir(path, &err);
    REQUIRE(cloud != NULL, "%s", err.text);
    int pipe_fds[2];
    REQUIRE(pipe(pipe_fds) == 0);
    pid_t child = fork();
    if (child == 0) { /* holds the lock until the pipe is closed */
        char c;
        close(pipe_fds[1]);
        bool held = lab_dir_lock(cloud->dir, NULL);
        (void)!read(pipe_fds[0], &c, 1);
        _exit(!held);
    }
    close(pipe_fds[0]);
    for (int i = 0; i < 200; i++) { /* until the child has it */
        struct buf text = { 0 };
        buf_read_file(&text, cloud->dir->lock_path, 64, NULL);
        bool there = atoi(buf_str(&text)) == child;
        buf_done(&text);
        if (there) {
            break;
        }
        usleep(5000);
    }
    size_t size;
    char *before = state_text(cloud, &size), holder[32];
    snprintf(holder, sizeof holder, "process %ld", (long)child);
    CHECK(!lab_run(cloud, "ec2 create-tags --resources vpc-0 --tags Key=a,Value=b", &err));
    CHECK_INT(err.kind, ERR_MACHINE, "%s", err.text);
    CHECK(strstr(err.text, holder) != NULL, "%s", err.text);
    CHECK(err.hint[0] != '\0');
    char *after = state_text(cloud, &size);
    CHECK_STR(after, before);
    err_clear(&err);
    json_decref(lab_run(cloud, "ec2 describe-vpcs", &err));
    CHECK_OK(&err, "reading needs no lock");
    close(pipe_fds[1]);
    int status;
    waitpid(child, &status, 0);
    CHECK_INT(status, 0);
    tag_all(cloud, "free-again");
    free(before);
    free(after);
    cloud_close(cloud);
    remove_dir(path);
}

TEST(names_and_directories_of_labs)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = { { "default", true }, { "a.b-c_1", true }, { "", false },   { ".hidden", false },
                  { "-x", false },     { "a/b", false },    { "a b", false } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK(lab_name_valid(cases[i].name) == cases[i].valid, "`%s`", cases[i].name);
    }
    char *path = make_dir(), *file = xasprintf("%s/thesis.txt", path);
    write_file(file, "mine");
    struct err err = { 0 };
    CHECK(!open_dir(path, &err), "a directory with other files is no lab");
    CHECK_INT(err.kind, ERR_USAGE);
    free(file);
    remove_dir(path);
}

TEST(a_throw_away_lab_is_gone_when_closed)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud != NULL, "%s", err.text);
    char *path = xstrdup(cloud->dir->path);
    struct stat st;
    CHECK(stat(path, &st) == 0);
    cloud_close(cloud);
    CHECK(stat(path, &st) != 0);
    free(path);
}

/* What is saved copies what has not changed from what was saved before; it is what writing everything gives, all the
 * same. */
static void
check_saved(struct cloud *cloud, const char *line)
{
    size_t size;
    char *whole = state_text(cloud, &size);
    struct buf file = { 0 };
    struct err err = { 0 };
    CHECK(buf_read_file(&file, cloud->dir->state_path, JSON_FILE_LIMIT, &err), "%s", err.text);
    CHECK(file.size == size && memcmp(buf_str(&file), whole, size) == 0, "after %s", line);
    CHECK(cloud->dir->saved_size == size && memcmp(cloud->dir->saved, whole, size) == 0, "in memory after %s", line);
    buf_done(&file);
    free(whole);
}

TEST(what_is_saved_in_parts_is_the_whole)
{
    static const struct {
        const char *line;
        bool refused;
    } steps[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=Name,Value=main}]",
          false },
        { "ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications "
          "ResourceType=subnet,Tags=[{Key=Name,Value=one}]",
          false },
        { "ec2 create-security-group --vpc-id main --group-name web --description d --tag-specifications "
          "ResourceType=security-group,Tags=[{Key=Name,Value=web}]",
          false },
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 10.0.0.0/8", false },
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 10.0.0.0/8", true },
        { "ec2 run-instances --image-id ami-12345678 --instance-type t3.micro --subnet-id one --count 3 "
          "--security-group-ids web",
          false },
        { "ec2 create-tags --resources one --tags Key=a,Value=b", false },
        { "ec2 create-tags --resources one --tags Key=a,Value=bb", false },
        { "ec2 create-tags --resources one --tags Key=a,Value=bc", false }, /* of the same length */
        { "ec2 delete-tags --resources one --tags Key=a", false },
        { "ec2 modify-subnet-attribute --subnet-id one --map-public-ip-on-launch", false },
        { "ec2 create-network-acl-entry --network-acl-id default --rule-number 7 --protocol -1 --rule-action deny "
          "--ingress "
          "--cidr-block 10.9.0.0/16",
          true }, /* there are two of that name */
        { "iam create-user --user-name alice", false },
        { "iam put-user-policy --user-name alice --policy-name p --policy-document "
          "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
          false },
        { "iam tag-user --user-name alice --tags Key=k,Value=v", false },
        { "iam update-user --user-name alice --new-user-name alicia", false },
        { "s3api create-bucket --bucket photos", false },
        { "ec2 delete-vpc --vpc-id main", true },
        { "ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 10.0.0.0/8", false },
        { "lab limits off", false },
        { "iam delete-user --user-name alicia", true },
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct err refused = { 0 };
        json_decref(lab_run(cloud, steps[i].line, &refused));
        CHECK_INT(refused.kind != ERR_NONE, steps[i].refused, "%s: %s", steps[i].line, refused.text);
        check_saved(cloud, steps[i].line);
    }
    /* What could not be saved has not happened, and does not confuse what is saved next. */
    char *path = cloud->dir->state_path;
    cloud->dir->state_path = xasprintf("%s/none/state.json", cloud->dir->path);
    json_decref(lab_run(cloud, "ec2 create-tags --resources one --tags Key=lost,Value=yes", &err));
    CHECK(err.kind == ERR_MACHINE, "%s", err.text);
    free(cloud->dir->state_path);
    cloud->dir->state_path = path;
    check_saved(cloud, "a failure");
    err_clear(&err);
    json_decref(lab_run(cloud, "ec2 create-tags --resources one --tags Key=kept,Value=yes", &err));
    CHECK_OK(&err);
    check_saved(cloud, "the next change");
    cloud_close(cloud);
}

TEST_MAIN
