/* cloud/shrink.c - takes a network apart while a test goes on saying yes. */
#include "cloud/shrink.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "netsim/model/network.h"

/* Parts that may go one by one, and how many must stay; with 'whole' the object goes when the last one does. */
static const struct part {
    const char *list, *member;
    size_t keep;
    bool whole;
} parts[] = {
    { "SecurityGroups", "Rules", 0, false },
    { "NetworkAcls", "Entries", 0, false },
    { "NetworkAcls", "Associations", 0, false },
    { "RouteTables", "Routes", 0, false },
    { "RouteTables", "Associations", 0, false },
    { "PrefixLists", "Entries", 0, false },
    { "NetworkInterfaces", "Groups", 1, true },
    { "NetworkInterfaces", "PrivateIpAddresses", 1, true },
    { "NetworkInterfaces", "Ipv6Addresses", 0, false },
    { "NatGateways", "NatGatewayAddresses", 1, true },
    { "TransitGatewayRouteTables", "TransitGatewayRouteTablePropagations", 0, false },
    { "TransitGatewayRouteTables", "Routes", 0, false },
    { "TransitGatewayAttachments", "SubnetIds", 1, false },
    { "VpnConnections", "Routes", 0, false },
    { "VirtualInterfaces", "BgpPeers", 1, false },
    { "DirectConnectGatewayAssociations", "AllowedPrefixesToDirectConnectGateway", 1, false },
    { "LoadBalancers", "Listeners", 0, false },
    { "TargetGroups", "TargetHealthDescriptions", 0, false },
    { "LoadBalancerDescriptions", "ListenerDescriptions", 1, false },
    { "LoadBalancerDescriptions", "Instances", 0, false },
    { "InternetGateways", "Attachments", 0, false },
    { "VpnGateways", "VpcAttachments", 0, false },
    { "Instances", "Tags", 0, false },
};

struct shrinking {
    json_t *network; /* the smallest one so far */
    shrink_test *test;
    void *context;
    size_t tries;
    time_t end;
};

static time_t
seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Takes the candidate over when it still shows it. */
static bool
try_candidate(struct shrinking *s, json_t *candidate)
{
    bool may = s->tries > 0 && seconds_now() <= s->end;
    bool shows = may && s->test(s->context, candidate);
    s->tries -= may;
    if (shows) {
        json_decref(s->network);
        s->network = candidate;
    } else {
        json_decref(candidate);
    }
    return shows;
}

/* The id, or words that end with it: "VPC Endpoint Interface vpce-0a1b" describes whose an interface is. */
static bool
text_names(const char *text, const char *id)
{
    size_t size = strlen(text), length = strlen(id);
    const char *end = size >= length ? text + size - length : "";
    return strcmp(end, id) == 0 && (end == text || end[-1] == ' ');
}

/* What descriptions say of a balancer is its ARN's end. */
static const char *
spoken_id(const char *id)
{
    static const char before[] = ":loadbalancer/";
    const char *end = strstr(id, before);
    return end ? end + strlen(before) : id;
}

/* Does a member, at any depth but not inside lists, hold this id? */
static bool
names(const json_t *value, const char *id)
{
    const char *key;
    json_t *member;
    if (json_is_string(value)) {
        return text_names(json_string_value(value), id) || text_names(json_string_value(value), spoken_id(id));
    }
    json_object_foreach((json_t *)value, key, member)
    {
        if (names(member, id)) {
            return true;
        }
    }
    return false;
}

/* Takes what names the id out of every list inside the value. */
static void
prune(json_t *value, const char *id)
{
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        prune(member, id);
    }
    for (size_t i = json_array_size(value); i-- > 0;) {
        json_t *item = json_array_get(value, i);
        if (names(item, id)) {
            json_array_remove(value, i);
        } else {
            prune(item, id);
        }
    }
}

static bool
lost_its_last(const char *list, const json_t *before, const json_t *after)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *member = parts[i].member;
        if (parts[i].whole && strcmp(parts[i].list, list) == 0 && json_array_size(json_object_get(before, member)) &&
            !json_array_size(json_object_get(after, member))) {
            return true;
        }
    }
    return false;
}

/* Takes away the object of that id and everything that cannot be without it. */
static void
drop(json_t *network, const char *id)
{
    for (size_t k = 0; network_kinds[k]; k++) {
        json_t *list = json_object_get(network, network_kinds[k]->list);
        for (size_t i = 0; i < json_array_size(list);) {
            json_t *object = json_array_get(list, i);
            const char *own = json_str(object, network_kinds[k]->id_member);
            json_t *before = json_deep_copy(object);
            prune(object, id);
            bool goes = names(object, id) || lost_its_last(network_kinds[k]->list, before, object);
            json_decref(before);
            if (!goes) {
                i++;
                continue;
            }
            char gone[ID_SIZE];
            snprintf(gone, sizeof gone, "%s", own ? own : "");
            json_array_remove(list, i);
            if (gone[0] && strcmp(gone, id) != 0) {
                drop(network, gone);
                i = 0; /* the list may have become shorter */
            }
        }
    }
}

/* Does one of the actions forward to nobody?  AWS knows no such thing. */
static bool
forwards_nowhere(const json_t *actions)
{
    size_t i;
    const json_t *action;
    json_array_foreach(actions, i, action)
    {
        const char *type = json_str(action, "Type");
        const json_t *groups = json_object_get(json_object_get(action, "ForwardConfig"), "TargetGroups");
        if (type && strcmp(type, "forward") == 0 && json_array_size(groups) == 0 &&
            !json_object_get(action, "TargetGroupArn")) {
            return true;
        }
    }
    return false;
}

static bool
lacks_certificate(const json_t *listener)
{
    const char *protocol = json_str(listener, "Protocol");
    return protocol && (strcmp(protocol, "HTTPS") == 0 || strcmp(protocol, "TLS") == 0) &&
           json_array_size(json_object_get(listener, "Certificates")) == 0;
}

/* Listeners and their rules go with the last of their target groups, those that end TLS with their certificate. */
static void
drop_idle_listeners(json_t *network)
{
    size_t i;
    json_t *balancer;
    json_array_foreach(json_object_get(network, "LoadBalancers"), i, balancer)
    {
        json_t *listeners = json_object_get(balancer, "Listeners");
        for (size_t l = json_array_size(listeners); l-- > 0;) {
            json_t *listener = json_array_get(listeners, l), *rules = json_object_get(listener, "Rules");
            for (size_t r = json_array_size(rules); r-- > 0;) {
                if (forwards_nowhere(json_object_get(json_array_get(rules, r), "Actions"))) {
                    json_array_remove(rules, r);
                }
            }
            if (forwards_nowhere(json_object_get(listener, "DefaultActions")) || lacks_certificate(listener)) {
                json_array_remove(listeners, l);
            }
        }
    }
}

static bool
is_associated(const json_t *network, const json_t *attachment)
{
    size_t i;
    const json_t *association;
    json_array_foreach(json_object_get(network, "DirectConnectGatewayAssociations"), i, association)
    {
        const char *gateway = json_str(association, "DirectConnectGatewayId"),
                   *other = json_string_value(json_at(association, "AssociatedGateway.Id"));
        if (gateway && other && strcmp(gateway, json_str(attachment, "ResourceId")) == 0 &&
            strcmp(other, json_str(attachment, "TransitGatewayId")) == 0) {
            return true;
        }
    }
    return false;
}

/* The attachment of a Direct Connect gateway is its association with the transit gateway. */
static void
drop_unassociated(json_t *network)
{
    const json_t *list = json_object_get(network, "TransitGatewayAttachments");
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *attachment = json_array_get(list, i);
        const char *type = json_str(attachment, "ResourceType");
        if (type && strcmp(type, "direct-connect-gateway") == 0 && !is_associated(network, attachment)) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s", json_str(attachment, "TransitGatewayAttachmentId"));
            drop(network, id);
            i = json_array_size(list);
        }
    }
}

/* An interface goes with its instance, endpoint or balancer, a main table with its VPC. */
static bool
goes_alone(const json_t *object)
{
    const json_t *associations = json_object_get(object, "Associations");
    for (size_t i = 0; i < json_array_size(associations); i++) {
        if (json_flag(json_array_get(associations, i), "Main", false)) {
            return false;
        }
    }
    return !json_at(object, "Attachment.InstanceId") && !json_flag(object, "RequesterManaged", false);
}

static bool
drop_objects(struct shrinking *s)
{
    bool smaller = false;
    for (size_t k = 0; network_kinds[k]; k++) {
        const char *list = network_kinds[k]->list;
        for (size_t i = json_array_size(json_object_get(s->network, list)); i-- > 0;) {
            const json_t *object = json_array_get(json_object_get(s->network, list), i);
            const char *id = json_str(object, network_kinds[k]->id_member);
            bool signs = strcmp(list, "LabAuthorities") == 0 && json_array_size(json_object_get(s->network, "AcmCertificates"));
            if (id && goes_alone(object) && !signs) {
                json_t *candidate = json_deep_copy(s->network);
                drop(candidate, id);
                drop_idle_listeners(candidate);
                drop_unassociated(candidate);
                smaller |= try_candidate(s, candidate);
            }
        }
    }
    return smaller;
}

static bool
stays(const json_t *part)
{
    const char *gateway = json_str(part, "GatewayId");
    return (gateway && strcmp(gateway, "local") == 0) || json_flag(part, "Main", false) ||
           json_flag(part, "Primary", false);
}

static bool
drop_parts(struct shrinking *s, const struct part *part)
{
    bool smaller = false;
    for (size_t i = 0; i < json_array_size(json_object_get(s->network, part->list)); i++) {
        const json_t *object = json_array_get(json_object_get(s->network, part->list), i);
        for (size_t n = json_array_size(json_object_get(object, part->member)); n-- > 0;) {
            const json_t *items = json_object_get(object, part->member);
            if (json_array_size(items) <= part->keep || stays(json_array_get(items, n))) {
                continue;
            }
            json_t *candidate = json_deep_copy(s->network);
            json_array_remove(json_object_get(json_array_get(json_object_get(candidate, part->list), i), part->member),
                              n);
            smaller |= try_candidate(s, candidate);
            object = json_array_get(json_object_get(s->network, part->list), i);
        }
    }
    return smaller;
}

static json_t *
rules_of(const json_t *network, size_t balancer, size_t listener)
{
    json_t *listeners =
        json_object_get(json_array_get(json_object_get(network, "LoadBalancers"), balancer), "Listeners");
    return json_object_get(json_array_get(listeners, listener), "Rules");
}

static bool
drop_listener_rules(struct shrinking *s)
{
    bool smaller = false;
    for (size_t i = 0; i < json_array_size(json_object_get(s->network, "LoadBalancers")); i++) {
        const json_t *balancer = json_array_get(json_object_get(s->network, "LoadBalancers"), i);
        size_t n_listeners = json_array_size(json_object_get(balancer, "Listeners"));
        for (size_t l = 0; l < n_listeners; l++) {
            for (size_t r = json_array_size(rules_of(s->network, i, l)); r-- > 0;) {
                json_t *candidate = json_deep_copy(s->network);
                json_array_remove(rules_of(candidate, i, l), r);
                smaller |= try_candidate(s, candidate);
            }
        }
    }
    return smaller;
}

static void
drop_empty_lists(json_t *network)
{
    for (size_t k = 0; network_kinds[k]; k++) {
        if (!json_array_size(json_object_get(network, network_kinds[k]->list))) {
            json_object_del(network, network_kinds[k]->list);
        }
    }
}

json_t *
shrink_network(const json_t *network, shrink_test *test, void *context, size_t tries, int seconds)
{
    struct shrinking s = { .network = json_deep_copy(network),
                           .test = test,
                           .context = context,
                           .tries = tries,
                           .end = seconds_now() + seconds };
    bool smaller = true;
    while (smaller && s.tries > 0) {
        smaller = drop_objects(&s);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            smaller |= drop_parts(&s, &parts[i]);
        }
        smaller |= drop_listener_rules(&s);
    }
    drop_empty_lists(s.network);
    return s.network;
}

/* ---- a network and its lists ---- */

json_t *
shrink_save(const struct network *net)
{
    json_t *out = json_object();
    for (size_t k = 0; network_kinds[k]; k++) {
        json_t *list = store_save_kind(network_store(net), network_kinds[k]);
        if (json_array_size(list)) {
            json_object_set(out, network_kinds[k]->list, list);
        }
        json_decref(list);
    }
    return out;
}

bool
shrink_load(struct network *net, const json_t *network)
{
    struct err err = { 0 };
    for (size_t k = 0; network_kinds[k]; k++) {
        const json_t *list = json_object_get(network, network_kinds[k]->list);
        if (list && !store_load_kind(network_store(net), network_kinds[k], list, "", NULL, &err)) {
            return false;
        }
    }
    return true;
}
