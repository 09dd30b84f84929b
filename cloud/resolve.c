/* cloud/resolve.c - ids from what a person writes, and the candidates that completion offers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/cloud.h"
#include "cloud/suggest.h"
#include "iampolicy/account.h"
#include "netsim/model/dhcp_options.h"
#include "netsim/model/eni_owner.h"
#include "netsim/model/instance.h"
#include "netsim/model/gateways.h"
#include "netsim/model/hosted_zone.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/security_group.h"

#define PREFIX_DIGITS 4 /* fewest hex digits of an id prefix */
#define LISTED_MAX    8 /* candidates named in an error */

static bool
kind_is(const struct kind *kind, const char *word)
{
    return !word || !word[0] || strcmp(kind->name, word) == 0 || strcmp(kind->prefix, word) == 0 ||
           (kind->type && strcmp(kind->type, word) == 0);
}

/* "sg-0a1b": the prefix of a kind of ours, and hex digits. */
static bool
has_id_form(const char *kind, const char *text)
{
    for (size_t i = 0; network_kinds[i]; i++) {
        size_t size = strlen(network_kinds[i]->prefix);
        if (size && kind_is(network_kinds[i], kind) && strncmp(text, network_kinds[i]->prefix, size) == 0 &&
            text[size] == '-') {
            return true;
        }
    }
    return false;
}

/* Zones of AWS's own, which aliases name, are not in the lab: "Z7HUB22UULQXV". */
static const char *
zone_id(const char *kind, const char *text)
{
    const char *id = kind && kind[0] && kind_is(&hosted_zone_kind, kind) ? kind_id(&hosted_zone_kind, text) : "";
    return id[0] == 'Z' && id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0' ? id : NULL;
}

static bool
is_id_prefix(const char *text)
{
    const char *dash = strrchr(text, '-');
    return dash && strlen(dash + 1) >= PREFIX_DIGITS && dash[1 + strspn(dash + 1, "0123456789abcdef")] == '\0';
}

/* A member's value by its row, without describing the whole object: completion looks at thousands. "" where there is
 * none. */
static const char *
member_text(const struct object *object, const char *name, char *out, size_t size)
{
    const struct field *field = object->kind->fields;
    while (field->name && strcmp(field->name, name) != 0) {
        field++;
    }
    const void *at = (const char *)object + field->offset;
    const char *text = "";
    switch (field->name ? field->type : FIELD_NONE) {
    case FIELD_STRING:
        text = *(char *const *)at ? *(char *const *)at : "";
        break;
    case FIELD_ID:
        text = at;
        break;
    case FIELD_CIDR:
        text = cidr_str(at);
        break;
    case FIELD_IP:
        text = ip_str(at);
        break;
    default:
        break;
    }
    snprintf(out, size, "%s", text);
    return out;
}

/* A security group and a prefix list are named by AWS itself; others have at most a Name tag. */
static const char *
own_name(const struct object *object)
{
    if (object->kind == &security_group_kind) {
        return ((const struct security_group *)object)->name;
    }
    if (object->kind == &prefix_list_kind) {
        return ((const struct prefix_list *)object)->name;
    }
    if (object->kind == &eni_kind) { /* what a service calls its own: a function, a file system, a cluster */
        static _Thread_local struct eni_owner owners[4];
        static _Thread_local char name[96];
        static _Thread_local unsigned next;
        struct eni_owner *owner = &owners[next++ % 4];
        if (!eni_owner_of((const struct eni *)object, owner)) {
            return NULL;
        }
        for (size_t i = 0; !owner->name[0] && owner->service[i] && i + 1 < sizeof owner->name; i++) {
            name[i] = owner->service[i] == ' ' ? '-' : (char)tolower((unsigned char)owner->service[i]);
            name[i + 1] = '\0';
        }
        return owner->name[0] ? owner->name : name;
    }
    if (object->kind == &hosted_zone_kind) {
        return dns_name_short(((const struct hosted_zone *)object)->name);
    }
    return NULL;
}

static bool
is_called(const struct object *object, const char *name, bool tags_only)
{
    const char *tag = object_name(object), *own = tags_only ? NULL : own_name(object);
    return (tag && strcmp(tag, name) == 0) || (own && strcmp(own, name) == 0);
}

/* Names mean what is here: another region's VPC may have the same one. */
static bool
is_here(const struct cloud *cloud, const struct object *object)
{
    if (object->kind == &peering_kind) {
        return peering_in_region((const struct peering *)(const void *)object, cloud->region);
    }
    return !object->region[0] || object->kind == &hosted_zone_kind || strcmp(object->region, cloud->region) == 0;
}

struct search {
    const char *text;
    const char *vpc, *name; /* the halves of vpc/name */
    size_t vpc_size;
    bool tags_only;  /* names that AWS itself gives do not count */
    bool gone_too;   /* also what is deleted and only listed still */
    bool everywhere; /* in every region */
    const struct object *found[LISTED_MAX];
    size_t n;
};

static bool
is_in_vpc(const struct cloud *cloud, const struct object *object, const struct search *search)
{
    char vpc_id[ID_SIZE];
    member_text(object, "VpcId", vpc_id, sizeof vpc_id);
    const struct object *vpc = vpc_id[0] ? store_find(network_store(cloud->net), vpc_id) : NULL;
    const char *name = vpc ? object_name(vpc) : NULL;
    bool by_id = strlen(vpc_id) == search->vpc_size && memcmp(vpc_id, search->vpc, search->vpc_size) == 0;
    bool by_name = name && strlen(name) == search->vpc_size && memcmp(name, search->vpc, search->vpc_size) == 0;
    return by_id || by_name;
}

static bool
matches(const struct cloud *cloud, const struct object *object, const struct search *search, bool by_id)
{
    if (by_id) {
        return strncmp(object->id, search->text, strlen(search->text)) == 0;
    }
    return is_called(object, search->text, search->tags_only) ||
           (search->name && is_called(object, search->name, search->tags_only) && is_in_vpc(cloud, object, search));
}

static void
look_through(const struct cloud *cloud, const char *kind, struct search *search, bool by_id)
{
    const struct store *store = network_store(cloud->net);
    for (size_t i = 0; network_kinds[i]; i++) {
        if (!kind_is(network_kinds[i], kind)) {
            continue;
        }
        for (const struct object *o = store_first(store, network_kinds[i]); o; o = store_next(store, o)) {
            bool gone = network_kinds[i]->gone && network_kinds[i]->gone(o);
            if ((search->everywhere || is_here(cloud, o)) && (!gone || search->gone_too) &&
                matches(cloud, o, search, by_id)) {
                if (search->n < LISTED_MAX) {
                    search->found[search->n] = o;
                }
                search->n++;
            }
        }
    }
}

/* A terminated instance keeps its name, and the one that takes its place may have the same: that is meant then. */
static void
look_first_for_the_living(const struct cloud *cloud, const char *kind, struct search *search, bool by_id)
{
    search->gone_too = false;
    look_through(cloud, kind, search, by_id);
    if (search->n == 0) {
        search->gone_too = true;
        look_through(cloud, kind, search, by_id);
    }
}

/* A name that things of several kinds share means the instance, where any kind will do: people call a server and its
 * subnet `web`. */
static void
prefer_instance(struct search *search)
{
    const struct object *instance = NULL;
    size_t n = 0;
    for (size_t i = 0; i < search->n && i < LISTED_MAX; i++) {
        if (search->found[i]->kind == &instance_kind) {
            instance = search->found[i];
            n++;
        }
    }
    if (n == 1 && search->n <= LISTED_MAX) {
        search->found[0] = instance;
        search->n = 1;
    }
}

static bool
ambiguous(const struct search *search, bool by_id, struct err *err)
{
    struct buf list = { 0 };
    for (size_t i = 0; i < search->n && i < LISTED_MAX; i++) {
        char vpc[ID_SIZE];
        const char *name = object_name(search->found[i]);
        member_text(search->found[i], "VpcId", vpc, sizeof vpc);
        buf_printf(&list, "%s%s", i ? ", " : "", search->found[i]->id);
        if (by_id ? name != NULL : vpc[0] != '\0') {
            buf_printf(&list, " (%s)", by_id ? name : vpc);
        }
    }
    if (search->n > LISTED_MAX) {
        buf_printf(&list, " and %zu more", search->n - LISTED_MAX);
    }
    err_set(err, ERR_USAGE, "", "`%s` %s %zu resources: %s", search->text,
            by_id ? "begins the ids of" : "is the name of", search->n, buf_str(&list));
    buf_done(&list);
    return by_id ? err_hint(err, "write more of the id") : err_hint(err, "write VPC/%s or the id", search->text);
}

static bool
no_such(const struct cloud *cloud, const char *kind, const char *text, struct err *err)
{
    struct suggest suggest = suggest_start(text);
    const struct kind *of = NULL;
    for (size_t i = 0; network_kinds[i]; i++) {
        if (!kind_is(network_kinds[i], kind)) {
            continue;
        }
        of = of ? of : network_kinds[i];
        for (const struct object *o = store_first(network_store(cloud->net), network_kinds[i]); o;
             o = store_next(network_store(cloud->net), o)) {
            if (is_here(cloud, o) && (object_name(o) || own_name(o))) {
                suggest_offer(&suggest, object_name(o) ? object_name(o) : own_name(o));
            }
        }
    }
    err_set(err, ERR_INPUT, of ? of->not_found : "InvalidID", "no %s has the id or name `%s`",
            kind && kind[0] && of ? of->name : "resource", text);
    return suggest_hint(&suggest, err, "");
}

bool
cloud_resolve(const struct cloud *cloud, const char *kind, const char *text, char id[static ID_SIZE], struct err *err)
{
    const struct store *store = network_store(cloud->net);
    const struct object *exact = store_find(store, text);
    bool any = !kind || !kind[0], known = any;
    for (size_t i = 0; network_kinds[i]; i++) {
        known |= kind_is(network_kinds[i], kind);
    }
    bool no_options =
        !any && kind_is(&dhcp_options_kind, kind) && strcmp(text, "default") == 0; /* AWS's word for none */
    if ((exact || !known || no_options) && strlen(text) < ID_SIZE) {
        /* The operation itself complains about an id of another kind. */
        snprintf(id, ID_SIZE, "%s", text);
        return true;
    }
    const char *zone = zone_id(kind, text);
    if (zone && strlen(zone) < ID_SIZE) {
        snprintf(id, ID_SIZE, "%s", zone);
        return true;
    }
    struct search search = { .text = text };
    const char *slash = strchr(text, '/');
    if (slash) {
        search.vpc = text;
        search.vpc_size = (size_t)(slash - text);
        search.name = slash + 1;
    }
    bool by_id = has_id_form(kind, text) && is_id_prefix(text);
    if (by_id) {
        look_first_for_the_living(cloud, kind, &search, true);
    }
    if (search.n == 0) {
        by_id = false;
        /* Where anything may be meant, `web` is what a person has tagged so before it is a group's own name. */
        search.tags_only = any;
        look_first_for_the_living(cloud, kind, &search, false);
        if (search.n == 0 && any) {
            search.tags_only = false;
            look_first_for_the_living(cloud, kind, &search, false);
        }
        /* Questions are about the whole lab: a name that nothing here has may be one in another region. */
        search.everywhere = any;
        for (int own_names = 0; search.n == 0 && any && own_names < 2; own_names++) {
            search.tags_only = !own_names;
            look_first_for_the_living(cloud, kind, &search, false);
        }
        if (any) {
            prefer_instance(&search);
        }
    }
    if (search.n > 1) {
        return ambiguous(&search, by_id, err);
    }
    if (search.n == 0 && (strlen(text) >= ID_SIZE || (!any && !has_id_form(kind, text)))) {
        return no_such(cloud, kind, text, err);
    }
    snprintf(id, ID_SIZE, "%s", search.n ? search.found[0]->id : text);
    return true;
}

/* What tells resources apart at a glance: the block, address or state. */
static void
detail_of(const struct object *object, char *out, size_t size)
{
    static const char *const members[] = { "CidrBlock", "PrivateIpAddress", "PublicIp", "GroupName", "State", "VpcId" };
    for (size_t i = 0; i < ARRAY_SIZE(members) && !(i && out[0]); i++) {
        member_text(object, members[i], out, size);
    }
}

void
cloud_each_resource(const struct cloud *cloud, const char *kind,
                    void (*each)(void *context, const char *id, const char *name, const char *detail), void *context)
{
    const struct store *store = network_store(cloud->net);
    for (size_t i = 0; network_kinds[i]; i++) {
        bool any =
            !kind || !*kind; /* then what has ids as AWS makes them: nobody names the lab's authority or a failure */
        if (!kind_is(network_kinds[i], kind) || (any && !*network_kinds[i]->prefix)) {
            continue;
        }
        for (const struct object *o = store_first(store, network_kinds[i]); o; o = store_next(store, o)) {
            char detail[80];
            if (!is_here(cloud, o) || (o->kind->gone && o->kind->gone(o))) {
                continue;
            }
            detail_of(o, detail, sizeof detail);
            each(context, o->id, object_name(o) ? object_name(o) : own_name(o), detail);
        }
    }
}
