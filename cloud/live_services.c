/* What the lab's services ask: above all credentials for instances. EC2 assumes the role of the instance's profile, if
 * the role's trust policy lets it.
 *
 * A session serves until five minutes before its end, as AWS has it; then the next question gets a new one.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html */
#include "cloud/live_services.h"

#include <string.h>

#include "base/vec.h"
#include "cloud/authorize.h"
#include "cloud/live_names.h"
#include "cloud/permission.h"
#include "cloud/state.h"
#include "cloud/sts_session.h"
#include "netsim/model/certificate.h"
#include "netsim/model/instance.h"

#define SESSION_SECONDS (6 * 3600 + 1200)
#define RENEW_MS        (5 * 60 * 1000)

const struct network *
live_hook_network(void *context)
{
    return ((struct cloud *)context)->net;
}

int64_t
live_hook_now(void *context)
{
    return clock_now_ms(&((struct cloud *)context)->clock);
}

static const struct iam_role *
role_of(const struct cloud *cloud, const struct instance *instance)
{
    const struct store *store = cloud->accounts->store;
    for (const struct iam_instance_profile *p = store_first(store, &iam_instance_profile_kind); p;
         p = store_next(store, p)) {
        if (p->role && p->arn && strcmp(p->arn, instance->profile_arn) == 0) {
            return iam_find_role(cloud->accounts, p->obj.account, p->role);
        }
    }
    return NULL;
}

const char *
live_hook_role(void *context, const struct instance *instance)
{
    const struct iam_role *role = instance->profile_arn ? role_of(context, instance) : NULL;
    return role ? role->name : NULL;
}

static bool
trusts_ec2(struct op_call *call, const struct iam_role *role)
{
    struct iam_catalog *catalog = iam_catalog_new();
    permissions list = { 0 };
    struct err why = { 0 };
    bool trusted =
        op_authorize_one(call, "ec2.amazonaws.com", permission_add(&list, catalog, "sts:AssumeRole", role->arn), &why);
    permissions_done(&list);
    iam_catalog_free(catalog);
    return trusted;
}

/* The instance's own session of the role that still lasts; NULL if there is none. */
static const struct iam_session *
lasting_session(const struct cloud *cloud, const struct iam_role *role, const char *arn)
{
    int64_t now = clock_now_ms(&cloud->clock);
    const struct store *store = cloud->accounts->store;
    for (const struct iam_session *s = store_first(store, &iam_session_kind); s; s = store_next(store, s)) {
        if (s->arn && strcmp(s->arn, arn) == 0 && s->issuer && strcmp(s->issuer, role->arn) == 0 &&
            s->expires - RENEW_MS > now) {
            return s;
        }
    }
    return NULL;
}

json_t *
live_hook_credentials(void *context, const struct instance *instance)
{
    struct cloud *cloud = context;
    const struct iam_role *role = instance->profile_arn ? role_of(cloud, instance) : NULL;
    json_t *in = json_object();
    struct op_call call = { .cloud = cloud, .op = op_by_name("sts", "AssumeRole"), .in = in };
    if (!role || !trusts_ec2(&call, role)) {
        json_decref(in);
        return NULL;
    }
    char *arn = xasprintf("arn:aws:sts::%s:assumed-role/%s/%s", role->obj.account, role->name, instance->obj.id);
    const struct iam_session *session = lasting_session(cloud, role, arn);
    struct iam_session *made =
        session ? NULL : sts_session_new(&call, "AssumedRole", role->obj.account, SESSION_SECONDS, NULL);
    if (made) {
        made->arn = xstrdup(arn);
        made->user_id = xasprintf("%s:%s", role->obj.id, instance->obj.id);
        made->issuer = xstrdup(role->arn);
        session = made;
        state_save(cloud, NULL);
    }
    free(arn);
    json_decref(in);
    if (!session) {
        return NULL;
    }
    char begin[32], end[32];
    clock_format_s(session->created, begin);
    clock_format_s(session->expires, end);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "AccessKeyId", session->obj.id, "SecretAccessKey", session->secret,
                     "Token", session->token, "LastUpdated", begin, "Expiration", end);
}

void
live_hook_identity(void *context, const struct instance *instance, struct live_identity *identity)
{
    const struct cloud *cloud = context;
    struct live_node node;
    if (live_node_find(cloud, instance->obj.id, &node, NULL)) {
        memcpy(identity->hostname, node.hostname, sizeof identity->hostname);
        live_hosts_text(cloud, &node, &identity->hosts);
        live_resolv_text(cloud, &node, &identity->resolv);
        const struct authority *authority = network_authority(cloud->net);
        identity->authority = authority ? authority->pem : NULL;
    }
}
