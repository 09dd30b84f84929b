/* No member of a request is taken and ignored: each is named by the code of its operation, refused by a row of
 * cloud/unmodelled.c, or listed here with the reason why it changes nothing, or where it is read or refused under
 * another name. */
#include "tests/unit/members_read.h"

#include <strings.h>
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/op_types.h"
#include "cloud/unmodelled.h"

#define REST "the handler knows what it takes of this structure, and refuses the rest"
#define LOGIN                                                                                                          \
    "kept and shown; docs/LIVE.md says that balancers ask nobody to log in, and a live lab remarks on such rules"
#define PAYER  "nobody pays in a lab"
#define SUM    "a check of the transport"
#define TOKENS "a grant of the lab holds at once, which is what its token is for"
#define SHUT   "about an operating system that takes its time; here every stop is immediate"

static const struct {
    const char *service, *operations, *members;
    const char *why;
} listed[] = {
    { "ec2", "CreateVpcEndpoint ModifyVpcEndpoint", "DnsOptions", REST },
    { "ec2", "CreateVpnConnection", "Options", REST },
    { "ec2", "RunInstances", "NetworkInterfaces Placement", REST },
    { "ec2", "DescribeAvailabilityZones", "AllAvailabilityZones",
      "it adds zones that have to be opted into: there are none" },
    { "ec2", "GetConsoleOutput", "Latest", "the output is always the latest" },
    { "ec2", "ModifyVpcEndpointServiceConfiguration",
      "AddGatewayLoadBalancerArns AddNetworkLoadBalancerArns AddSupportedIpAddressTypes", "read as \"Add%s\"" },
    { "ec2", "StopInstances TerminateInstances", "Force SkipOsShutdown", SHUT },
    { "elb", "ModifyLoadBalancerAttributes",
      "LoadBalancerAttributes.AccessLog.EmitInterval LoadBalancerAttributes.AccessLog.S3BucketName "
      "LoadBalancerAttributes.AccessLog.S3BucketPrefix",
      "of no use until the log is enabled, which is refused" },
    { "elbv2", "CreateListener ModifyListener",
      "DefaultActions.AuthenticateCognitoConfig DefaultActions.AuthenticateOidcConfig", LOGIN },
    { "elbv2", "CreateRule ModifyRule", "Actions.AuthenticateCognitoConfig Actions.AuthenticateOidcConfig", LOGIN },
    { "elbv2", "CreateListener ModifyListener", "MutualAuthentication.TrustStoreAssociationStatus",
      "of the answer; trust_store.c writes its own" },
    { "kms", "CreateGrant DescribeKey", "GrantTokens", TOKENS },
    { "logs", "FilterLogEvents", "interleaved", "CloudWatch Logs itself takes it for true since 2019" },
    { "route53", "ChangeResourceRecordSets",
      "ChangeBatch.Changes.ResourceRecordSet.CidrRoutingConfig "
      "ChangeBatch.Changes.ResourceRecordSet.GeoProximityLocation",
      "refused by record_routing.c" },
    { "s3api", "GetObjectTagging ListObjectVersions ListObjects ListObjectsV2 PutObjectTagging", "RequestPayer",
      PAYER },
    { "s3api", "ListObjectVersions ListObjects ListObjectsV2", "OptionalObjectAttributes",
      "it adds the state of a restoration, and nothing is archived" },
    { "s3api",
      "PutBucketEncryption PutBucketOwnershipControls PutBucketPolicy PutBucketTagging PutBucketVersioning "
      "PutObjectTagging "
      "PutPublicAccessBlock",
      "ChecksumAlgorithm ContentMD5", SUM },
    { "s3api", "PutBucketEncryption", "ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault",
      "kept as given, and read by PutObject" },
    { "s3api", "PutBucketPolicy", "ConfirmRemoveSelfBucketAccess", "the lab lets everybody lock himself out" },
    { "sts", "AssumeRole", "ExternalId", "a condition key, set where the request is authorized" },
};

static bool is_used[ARRAY_SIZE(listed)];

/* What follows the word in a list: ' ' or '=' as ' ', '.' when the list has only members of it; 0: it is not there. */
static char
after_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    char after = 0;
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
        if ((at == list || at[-1] == ' ') && (!at[size] || strchr(" =", at[size]))) {
            return ' ';
        }
        after = (at == list || at[-1] == ' ') && at[size] == '.' ? '.' : after;
    }
    return after;
}

/* ' ': the operation has a row with the member; '.': with members of it. */
static char
refused(const struct op *op, const char *path)
{
    char end = 0;
    for (const struct unmodelled *row = unmodelled_rows; row->service; row++) {
        bool fits = strcmp(row->service, op->service) == 0 && after_word(row->operations, op->name) == ' ';
        char own = fits ? after_word(row->members, path) : 0;
        end = own && end != ' ' ? own : end;
    }
    return end;
}

static bool
is_listed(const struct op *op, const char *path)
{
    bool is = false;
    for (size_t i = 0; i < ARRAY_SIZE(listed); i++) {
        if (strcmp(listed[i].service, op->service) == 0 && after_word(listed[i].operations, op->name) == ' ' &&
            after_word(listed[i].members, path) == ' ') {
            is = is_used[i] = true;
        }
    }
    return is;
}

struct look {
    const struct sources *sources;
    const struct op *op;
    struct map words; /* that the operation can read */
    struct buf path;
    VEC(uint16_t) shapes; /* on the way here */
    size_t n;             /* members seen */
};

/* DryRun, the client's token and pages belong to every operation (op_run.c, idempotency.c, answer_page.c). */
static bool
is_everybodys(const struct look *look, const char *name)
{
    static const struct {
        const char *service, *token;
    } tokens[] = { { "ram", "clientToken" }, { "acm", "IdempotencyToken" } };
    const struct aws_pager *pager = aws_pager_of(op_aws(look->op));
    const char *token = "ClientToken";
    for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
        token = strcmp(tokens[i].service, look->op->service) == 0 ? tokens[i].token : token;
    }
    if (strcmp(name, "DryRun") == 0 || strcmp(name, token) == 0) {
        return strcmp(name, "DryRun") == 0 || look->op->mode == OP_WRITE;
    }
    bool pages = map_get(&look->words, "answer_page") != NULL;
    bool refuses = map_get(&look->words, "check_members") != NULL; /* ops_s3_objects.c: all that it does not name */
    return refuses || (pages && (pager ? strcmp(name, aws_text(pager->input_token)) == 0 ||
                                             strcmp(name, aws_text(pager->limit)) == 0
                                       : strcasecmp(name, "NextToken") == 0 || strcasecmp(name, "MaxResults") == 0));
}

static void look_into(struct look *look, uint16_t number);

static void
look_at(struct look *look, const struct aws_member *member)
{
    size_t size = look->path.size;
    const char *name = aws_text(member->name);
    buf_printf(&look->path, "%s%s", size ? "." : "", name);
    char end = refused(look->op, buf_str(&look->path));
    bool read = map_get(&look->words, name) || (size && map_get(&look->sources->kept, name));
    look->n++;
    if (end == ' ' || is_listed(look->op, buf_str(&look->path))) {
        /* nothing to complain of */
    } else if (read || end == '.') {
        look_into(look, member->shape);
    } else if (size || !is_everybodys(look, name)) {
        TEST_COMPLAIN("a member is ignored",
                      "%s %s: nothing reads `%s`. Read it, or give it a row in cloud/unmodelled.c", look->op->service,
                      look->op->name, buf_str(&look->path));
    }
    buf_cut(&look->path, size);
}

static void
look_into(struct look *look, uint16_t number)
{
    const struct aws_shape *shape = aws_shape(number);
    if (shape && (shape->type == AWS_LIST || shape->type == AWS_MAP)) {
        look_into(look, shape->of);
        return;
    }
    for (size_t i = 0; i < look->shapes.n; i++) {
        if (look->shapes.items[i] == number) {
            return; /* a structure in itself */
        }
    }
    *VEC_ADD(&look->shapes) = number;
    for (size_t i = 0; shape && shape->type == AWS_STRUCTURE && i < shape->n; i++) {
        look_at(look, &aws_members(shape)[i]);
    }
    VEC_REMOVE(&look->shapes, look->shapes.n - 1);
}

TEST(every_member_is_read_or_refused)
{
    struct sources sources = { 0 };
    size_t n = 0;
    sources_read(&sources);
    for (const struct op *const *op = ops_all(); *op; op++) {
        const struct aws_operation *aws = op_aws(*op);
        struct definition *row = aws ? find_row(&sources, (*op)->service, (*op)->name) : NULL;
        if (!aws || !CHECK(row != NULL, "%s %s has no row that can be read", (*op)->service, (*op)->name)) {
            continue;
        }
        struct look look = { .sources = &sources, .op = *op };
        sources.ways++;
        follow(&sources, row, false, &look.words);
        look_into(&look, aws->input);
        n += look.n;
        map_done(&look.words);
        buf_done(&look.path);
        VEC_DONE(&look.shapes);
    }
    CHECK(n > 2000, "only %zu members were found", n);
    for (size_t i = 0; i < ARRAY_SIZE(listed); i++) {
        CHECK(is_used[i], "%s %s: no request has `%s`", listed[i].service, listed[i].operations, listed[i].members);
    }
    sources_done(&sources);
}

/* The member of an operation's input that a path names, through lists; NULL: there is none. */
static const struct aws_member *
member_at(const struct aws_operation *aws, const char *path, size_t size)
{
    const struct aws_member *member = NULL;
    const struct aws_shape *shape = aws_shape(aws->input);
    for (const char *at = path, *end = path + size; at < end && shape; at++) {
        char name[64];
        size_t n = strcspn(at, ".= ");
        while (shape->type == AWS_LIST) {
            shape = aws_shape(shape->of);
        }
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        member = aws_member_find(shape, name);
        shape = member ? aws_shape(member->shape) : NULL;
        at += n;
    }
    return member;
}

/* A row with a misspelt name would refuse nothing, and one with a misspelt default too much. */
TEST(rows_name_what_aws_has)
{
    for (const struct unmodelled *row = unmodelled_rows; row->service; row++) {
        char words[512], *save = NULL;
        REQUIRE(strlen(row->operations) < sizeof words, "%s", row->operations);
        strcpy(words, row->operations);
        for (char *name = strtok_r(words, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
            const struct aws_operation *aws = aws_operation_find(row->service, name);
            if (!CHECK(aws && op_by_name(row->service, name), "%s %s", row->service, name)) {
                continue;
            }
            for (const char *at = row->members; *at; at += *at == ' ') {
                size_t size = strcspn(at, "= ");
                const struct aws_member *member = member_at(aws, at, size);
                CHECK(member != NULL, "%s %s has no `%.*s`", row->service, name, (int)size, at);
                const struct aws_shape *shape = member ? aws_shape(member->shape) : NULL;
                const char *value = at[size] == '=' ? at + size + 1 : NULL;
                bool known = !value || !shape || shape->n == 0 || shape->type != AWS_STRING;
                for (size_t i = 0; !known && i < shape->n; i++) {
                    const char *own = aws_enum_value(shape, i);
                    known = strcspn(value, " ") == strlen(own) && strncmp(value, own, strlen(own)) == 0;
                }
                CHECK(known, "%s %s: `%.*s` is no such value", row->service, name, (int)strcspn(at, " "), at);
                at += strcspn(at, " ");
            }
        }
    }
}

TEST_MAIN
