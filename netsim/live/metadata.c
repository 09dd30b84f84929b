/* Instance metadata: what an instance may ask about itself at 169.254.169.254.
 *
 * Tokens (IMDSv2) are kept here; the rest is read from the model at the moment of the question, as one JSON object
 * whose members are the paths.  Sources:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html,
 * .../configuring-instance-metadata-service.html, .../instance-metadata-returns.html (codes) */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/monotonic.h"
#include "netsim/live/services.h"
#include "netsim/model/security_group.h"

/* ---- tokens -------------------------------------------------------------------------------------------------------
 */
#define TOKEN_BYTES 40
#define TOKENS_MAX  4096
#define TOKEN_TTL   21600 /* seconds; AWS allows no more */

struct token {
    char *text;
    char instance_id[ID_SIZE];
    long long ends_ms, seconds;
};
struct metadata {
    VEC(struct token) tokens; /* the oldest first */
};

struct metadata *
metadata_new(void)
{
    return xcalloc(1, sizeof(struct metadata));
}

void
metadata_free(struct metadata *metadata)
{
    for (size_t i = 0; i < metadata->tokens.n; i++) {
        free(metadata->tokens.items[i].text);
    }
    VEC_DONE(&metadata->tokens);
    free(metadata);
}

static void
forget(struct metadata *metadata, size_t i)
{
    free(metadata->tokens.items[i].text);
    VEC_REMOVE(&metadata->tokens, i);
}

void
metadata_tick(struct metadata *metadata)
{
    long long now = monotonic_ms();
    for (size_t i = metadata->tokens.n; i-- > 0;) {
        if (metadata->tokens.items[i].ends_ms < now) {
            forget(metadata, i);
        }
    }
}

static const struct token *
token_new(struct metadata *metadata, const struct instance *instance, long long seconds)
{
    unsigned char bytes[TOKEN_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        return NULL;
    }
    if (metadata->tokens.n >= TOKENS_MAX) {
        forget(metadata, 0);
    }
    struct token *token = VEC_ADD(&metadata->tokens);
    token->text = base64_text(bytes, sizeof bytes);
    snprintf(token->instance_id, sizeof token->instance_id, "%s", instance->obj.id);
    token->seconds = seconds;
    token->ends_ms = monotonic_ms() + seconds * 1000;
    return token;
}

static const struct token *
token_find(const struct metadata *metadata, const struct instance *instance, const char *text)
{
    long long now = monotonic_ms();
    for (size_t i = 0; i < metadata->tokens.n; i++) {
        const struct token *t = &metadata->tokens.items[i];
        if (strcmp(t->text, text) == 0 && strcmp(t->instance_id, instance->obj.id) == 0 && t->ends_ms >= now) {
            return t;
        }
    }
    return NULL;
}

/* ---- the tree -----------------------------------------------------------------------------------------------------
 *
 * An object is a directory, a text a value.  What begins with "=" in a directory is listed as it says, for a directory
 * whose list differs from its names (public keys). */
static void
put(json_t *dir, const char *name, const char *value)
{
    if (value && *value) {
        json_object_set_new(dir, name, json_string(value));
    }
}

static json_t *
sub_directory(json_t *dir, const char *name)
{
    json_t *sub = json_object_get(dir, name);
    if (!sub) {
        json_object_set_new(dir, name, sub = json_object());
    }
    return sub;
}

/* Texts one a line. */
static void
put_lines(json_t *dir, const char *name, struct buf *lines)
{
    if (lines->size && lines->data[lines->size - 1] == '\n') {
        lines->data[--lines->size] = '\0';
    }
    put(dir, name, buf_str(lines));
    buf_done(lines);
}

static void
put_groups(json_t *dir, const struct network *net, const struct eni *eni, bool ids)
{
    struct buf names = { 0 }, group_ids = { 0 };
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        buf_printf(&names, "%s\n", group && group->name ? group->name : eni->groups.items[i].id);
        buf_printf(&group_ids, "%s\n", eni->groups.items[i].id);
    }
    put_lines(dir, "security-groups", &names);
    if (ids) {
        put_lines(dir, "security-group-ids", &group_ids);
    }
    buf_done(&group_ids);
}

static void
put_blocks(json_t *dir, const struct vpc *vpc)
{
    struct buf blocks = { 0 }, blocks6 = { 0 };
    for (size_t i = 0; i < vpc->cidrs.n; i++) {
        buf_printf(&blocks, "%s\n", cidr_str(&vpc->cidrs.items[i].cidr));
    }
    for (size_t i = 0; i < vpc->cidrs6.n; i++) {
        buf_printf(&blocks6, "%s\n", cidr_str(&vpc->cidrs6.items[i].cidr));
    }
    put(dir, "vpc-ipv4-cidr-block", vpc->cidr.ip.family ? cidr_str(&vpc->cidr) : NULL);
    put_lines(dir, "vpc-ipv4-cidr-blocks", &blocks);
    put_lines(dir, "vpc-ipv6-cidr-blocks", &blocks6);
}

static void
put_addresses(json_t *dir, const struct eni *eni)
{
    struct buf private = { 0 }, public = { 0 }, six = { 0 };
    for (size_t i = 0; i < eni->addresses.n; i++) {
        const struct eni_address *a = &eni->addresses.items[i];
        buf_printf(&private, "%s\n", ip_str(&a->ip));
        if (a->association.public_ip.family) {
            buf_printf(&public, "%s\n", ip_str(&a->association.public_ip));
            put(sub_directory(dir, "ipv4-associations"), ip_str(&a->association.public_ip), ip_str(&a->ip));
            put(dir, "public-hostname", a->association.public_dns_name);
        }
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        buf_printf(&six, "%s\n", ip_str(&eni->addresses6.items[i].ip));
    }
    put_lines(dir, "local-ipv4s", &private);
    put_lines(dir, "public-ipv4s", &public);
    put_lines(dir, "ipv6s", &six);
}

static void
put_interface(json_t *macs, const struct network *net, const struct eni *eni)
{
    if (!eni->mac) {
        return;
    }
    const struct store *store = network_store(net);
    const struct subnet *subnet = store_get(store, &subnet_kind, eni->subnet_id);
    const struct vpc *vpc = store_get(store, &vpc_kind, eni->vpc_id);
    json_t *dir = sub_directory(macs, eni->mac);
    char number[16];
    snprintf(number, sizeof number, "%d", eni->attachment.device_index);
    put(dir, "device-number", number);
    put(dir, "interface-id", eni->obj.id);
    put(dir, "local-hostname", eni->private_dns_name);
    put(dir, "mac", eni->mac);
    put(dir, "owner-id", eni->obj.account);
    put_addresses(dir, eni);
    put_groups(dir, net, eni, true);
    put(dir, "subnet-id", eni->subnet_id);
    put(dir, "vpc-id", eni->vpc_id);
    if (subnet) {
        put(dir, "subnet-ipv4-cidr-block", subnet->cidr.ip.family ? cidr_str(&subnet->cidr) : NULL);
        put(dir, "subnet-ipv6-cidr-blocks", subnet_cidr6(subnet) ? cidr_str(subnet_cidr6(subnet)) : NULL);
    }
    if (vpc) {
        put_blocks(dir, vpc);
    }
}

/* The profile and its role's credentials.  These are made only when they are asked for. */
static void
put_role(json_t *dir, const struct live_hooks *hooks, const struct instance *instance, const char *path)
{
    if (!instance->profile_arn) {
        return;
    }
    char now[32];
    clock_format_s(hooks->now_ms(hooks->context), now);
    const char *role = hooks->role(hooks->context, instance);
    json_t *iam = sub_directory(dir, "iam"), *info;
    info = json_pack("{s:s, s:s, s:s, s:s}", "Code", role ? "Success" : "InstanceProfileNotFound", "LastUpdated", now,
                     "InstanceProfileArn", instance->profile_arn, "InstanceProfileId",
                     instance->profile_id ? instance->profile_id : "");
    char *text = json_dumps(info, JSON_INDENT(2));
    put(iam, "info", text);
    free(text);
    json_decref(info);
    if (!role) {
        return;
    }
    json_t *list = sub_directory(iam, "security-credentials");
    put(list, role, "{}");
    if (!strstr(path, "/iam/security-credentials/")) {
        return;
    }
    json_t *own = hooks->credentials(hooks->context, instance);
    json_t *shown =
        own ? json_pack("{s:s, s:O, s:s, s:O, s:O, s:O, s:O}", "Code", "Success", "LastUpdated",
                        json_object_get(own, "LastUpdated"), "Type", "AWS-HMAC", "AccessKeyId",
                        json_object_get(own, "AccessKeyId"), "SecretAccessKey", json_object_get(own, "SecretAccessKey"),
                        "Token", json_object_get(own, "Token"), "Expiration", json_object_get(own, "Expiration"))
            : json_pack("{s:s, s:s, s:s}", "Code", "AssumeRoleUnauthorizedAccess", "Message",
                        "EC2 cannot assume the role. Please check the role's trust policy.", "LastUpdated", now);
    text = json_dumps(shown, JSON_INDENT(2));
    put(list, role, text);
    free(text);
    json_decref(shown);
    json_decref(own);
}

static void
put_tags(json_t *dir, const struct instance *instance)
{
    if (!instance->metadata.tags || strcmp(instance->metadata.tags, "enabled") != 0) {
        return;
    }
    json_t *list = sub_directory(sub_directory(dir, "tags"), "instance");
    for (size_t i = 0; i < instance->obj.tags.n; i++) {
        json_object_set_new(list, instance->obj.tags.items[i].key, json_string(instance->obj.tags.items[i].value));
    }
}

static json_t *
meta_data(const struct network *net, const struct live_hooks *hooks, const struct instance *instance, const char *path)
{
    json_t *dir = json_object(),
           *macs = sub_directory(sub_directory(sub_directory(dir, "network"), "interfaces"), "macs"),
           *placement = sub_directory(dir, "placement"), *services = sub_directory(dir, "services");
    struct eni *const *enis;
    size_t n = instance_enis(net, instance, &enis);
    char index[16];
    snprintf(index, sizeof index, "%d", instance->launch_index);
    put(dir, "ami-id", instance->image_id);
    put(dir, "ami-launch-index", index);
    put(dir, "ami-manifest-path", "(unknown)");
    put(dir, "instance-action", "none");
    put(dir, "instance-id", instance->obj.id);
    put(dir, "instance-life-cycle", "on-demand");
    put(dir, "instance-type", instance->type);
    put(dir, "profile", "default-hvm");
    put(dir, "reservation-id", instance->reservation_id);
    put(services, "domain", "amazonaws.com");
    put(services, "partition", "aws");
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, instance->subnet_id);
    put(placement, "availability-zone", instance->zone);
    put(placement, "availability-zone-id", subnet ? subnet->zone_id : NULL);
    put(placement, "region", instance->obj.region);
    for (size_t i = 0; i < n; i++) {
        put_interface(macs, net, enis[i]);
    }
    if (n) {
        const struct eni *eni = enis[0];
        const struct ip *primary = eni_primary_ip(eni), *public = primary ? eni_public_ip(eni, primary) : NULL;
        put(dir, "hostname", eni->private_dns_name);
        put(dir, "local-hostname", eni->private_dns_name);
        put(dir, "local-ipv4", primary ? ip_str(primary) : NULL);
        put(dir, "public-ipv4", public ? ip_str(public) : NULL);
        put(dir, "ipv6", eni->addresses6.n ? ip_str(&eni->addresses6.items[0].ip) : NULL);
        put(dir, "mac", eni->mac);
        put_groups(dir, net, eni, false);
        if (public) {
            put(dir, "public-hostname", eni->addresses.items[0].association.public_dns_name);
        }
    }
    put_role(dir, hooks, instance, path);
    put_tags(dir, instance);
    return dir;
}

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html */
static char *
identity_document(const struct network *net, const struct instance *instance)
{
    const struct eni *eni = instance_eni(net, instance, 0);
    const struct ip *primary = eni ? eni_primary_ip(eni) : NULL;
    char started[32];
    clock_format_s(instance->launch_time, started);
    bool arm = instance->type && strlen(instance->type) > 2 && strchr(instance->type, 'g') &&
               isdigit((unsigned char)instance->type[1]) && instance->type[2] == 'g';
    json_t *document = json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:s?, s:s, s:s?, s:n, s:s, s:s?, s:n, s:s, s:s}",
                                 "accountId", instance->obj.account, "architecture", arm ? "arm64" : "x86_64",
                                 "availabilityZone", instance->zone ? instance->zone : "", "billingProducts",
                                 "devpayProductCodes", "marketplaceProductCodes", "imageId", instance->image_id,
                                 "instanceId", instance->obj.id, "instanceType", instance->type, "kernelId",
                                 "pendingTime", started, "privateIp", primary ? ip_str(primary) : NULL, "ramdiskId",
                                 "region", instance->obj.region, "version", "2017-09-30");
    char *text = json_dumps(document, JSON_INDENT(2));
    json_decref(document);
    return text;
}

static json_t *
tree_of(const struct network *net, const struct live_hooks *hooks, const struct instance *instance, const char *path)
{
    json_t *root = json_object();
    json_t *identity = sub_directory(sub_directory(root, "dynamic"), "instance-identity");
    char *document = identity_document(net, instance);
    put(identity, "document", document);
    free(document);
    json_object_set_new(root, "meta-data", meta_data(net, hooks, instance, path));
    return root;
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */
/* Versions as AWS lists them; each serves what "latest" serves. */
static const char versions[] =
    "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\n2011-01-01\n"
    "2011-05-01\n2012-01-12\n2014-02-25\n2014-11-05\n2015-10-20\n2016-04-19\n2016-06-30\n2016-09-02\n2018-03-28\n"
    "2018-08-17\n2018-09-24\n2019-10-01\n2020-10-27\n2021-01-03\n2021-03-23\n2021-07-15\nlatest";

static bool
is_version(const char *text, size_t size)
{
    for (const char *line = versions; *line;) {
        size_t length = strcspn(line, "\n");
        if (size == length && strncmp(line, text, size) == 0) {
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

static void
refuse(struct http_exchange *x, int status)
{
    x->status = status;
    http_field_add(x, "Content-Type", "text/html");
    buf_printf(&x->answer,
               "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
               "xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>%d - %s</title>\n </head>\n <body>\n  <h1>%d - "
               "%s</h1>\n </body>\n</html>\n",
               status, http_reason(status), status, http_reason(status));
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in order, directories with a stroke. A role and a tag are named plainly. */
static void
list_directory(const json_t *dir, bool plain, struct buf *out)
{
    VEC(const char *) names = { 0 };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)dir, name, value)
    {
        *VEC_ADD(&names) = name;
    }
    if (names.n > 1) {
        qsort(names.items, names.n, sizeof *names.items, by_name);
    }
    for (size_t i = 0; i < names.n; i++) {
        buf_printf(out, "%s%s%s", i ? "\n" : "", names.items[i],
                   !plain && json_is_object(json_object_get(dir, names.items[i])) ? "/" : "");
    }
    VEC_DONE(&names);
}

/* 'path' below the version: "/meta-data/instance-id". */
static void
answer_path(struct http_exchange *x, const json_t *root, const char *path)
{
    const json_t *at = root;
    bool tags = strncmp(path, "/meta-data/tags/instance", 24) == 0;
    while (*path) {
        path += strspn(path, "/");
        size_t size = strcspn(path, "/");
        if (size) {
            char *name = xstrndup(path, size);
            at = json_is_object(at) ? json_object_get(at, name) : NULL;
            free(name);
        }
        path += size;
    }
    if (!at) {
        refuse(x, 404);
        return;
    }
    http_field_add(x, "Content-Type", "text/plain");
    if (json_is_string(at)) {
        buf_str_add(&x->answer, json_string_value(at));
    } else {
        list_directory(at, tags, &x->answer);
    }
}

static void
answer_user_data(struct http_exchange *x, const struct instance *instance)
{
    size_t size;
    char *bytes = instance->user_data ? base64_bytes(instance->user_data, &size) : NULL;
    if (!instance->user_data) {
        refuse(x, 404);
        return;
    }
    http_field_add(x, "Content-Type", "application/octet-stream");
    if (bytes) {
        buf_add(&x->answer, bytes, size);
    } else {
        buf_str_add(&x->answer, instance->user_data); /* from an import that kept it plain */
    }
    free(bytes);
}

/* PUT /latest/api/token */
static void
answer_token(struct metadata *metadata, struct http_exchange *x, const struct instance *instance)
{
    const char *ttl = http_field(x->request, "X-aws-ec2-metadata-token-ttl-seconds");
    size_t digits = ttl ? strspn(ttl, "0123456789") : 0;
    long seconds = digits && digits < 7 && !ttl[digits] ? strtol(ttl, NULL, 10) : 0;
    /* Whoever forwards for others must not get a token. */
    if (http_field(x->request, "X-Forwarded-For")) {
        refuse(x, 403);
        return;
    }
    const struct token *token = seconds >= 1 && seconds <= TOKEN_TTL ? token_new(metadata, instance, seconds) : NULL;
    if (!token) {
        refuse(x, 400);
        return;
    }
    x->ttl = instance->metadata.hop_limit ? instance->metadata.hop_limit : 1;
    http_field_add(x, "Content-Type", "text/plain");
    http_field_add(x, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "%lld", token->seconds);
    buf_str_add(&x->answer, token->text);
}

/* 0: may be answered; else the status of the refusal. */
static int
check_token(const struct metadata *metadata, const struct http_exchange *x, const struct instance *instance)
{
    const char *text = http_field(x->request, "X-aws-ec2-metadata-token");
    bool required = instance->metadata.tokens && strcmp(instance->metadata.tokens, "required") == 0;
    if (!text) {
        return required ? 401 : 0;
    }
    return token_find(metadata, instance, text) ? 0 : 401;
}

static const struct instance *
who_asks(const struct service_place *place, const struct ip *peer)
{
    const struct network *net = services_network(place->services);
    const struct eni *eni = network_eni_by_address(net, place->id, peer);
    return eni ? store_get(network_store(net), &instance_kind, eni->attachment.instance_id) : NULL;
}

void
metadata_answer(struct metadata *metadata, const struct service_place *place, struct http_exchange *x)
{
    const struct network *net = services_network(place->services);
    const struct instance *instance = who_asks(place, &x->peer);
    bool head = strcmp(x->request->method, "HEAD") == 0;
    char *path = http_unescape(x->request->target, strcspn(x->request->target, "?#"));
    http_field_add(x, "Server", "EC2ws");
    bool off =
        !instance || (instance->metadata.endpoint && strcmp(instance->metadata.endpoint, "disabled") == 0) ||
        (x->peer.family == IP_V6 && (!instance->metadata.ipv6 || strcmp(instance->metadata.ipv6, "enabled") != 0));
    if (off) {
        refuse(x, 403);
    } else if (!path || path[0] != '/') {
        refuse(x, 400);
    } else if (strcmp(x->request->method, "PUT") == 0) {
        if (strcmp(path, "/latest/api/token") == 0) {
            answer_token(metadata, x, instance);
        } else {
            refuse(x, 405);
        }
    } else if (!head && strcmp(x->request->method, "GET") != 0) {
        refuse(x, 405);
    } else if (check_token(metadata, x, instance)) {
        refuse(x, 401);
    } else {
        const char *below = path + strspn(path, "/");
        size_t size = strcspn(below, "/");
        const char *rest = below + size + strspn(below + size, "/");
        if (!*below) {
            http_field_add(x, "Content-Type", "text/plain");
            buf_str_add(&x->answer, versions);
        } else if (!is_version(below, size)) {
            refuse(x, 404);
        } else if (!*rest) {
            http_field_add(x, "Content-Type", "text/plain");
            buf_printf(&x->answer, "dynamic\nmeta-data%s", instance->user_data ? "\nuser-data" : "");
        } else if (strcmp(rest, "user-data") == 0 || strcmp(rest, "user-data/") == 0) {
            answer_user_data(x, instance);
        } else {
            json_t *root = tree_of(net, services_hooks(place->services), instance, path);
            answer_path(x, root, below + size);
            json_decref(root);
        }
    }
    if (head) {
        x->no_body = true;
        x->size = (long long)x->answer.size;
    }
    free(path);
}
