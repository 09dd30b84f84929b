#include "cloud/conn_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/private_service.h"
#include "netsim/model/instance.h"
#include "netsim/model/network.h"
#include "netsim/model/security_group.h"
#include "netsim/model/vpn.h"

#define NAMES_SHOWN 6 /* of a group, below a table */

/* ---- Ends ----------------------------------------------------------------------------------------------------------
 */

static const struct instance *
instance_of(const struct network *net, const struct eni *eni)
{
    const char *id = eni->attachment.instance_id;
    return *id ? store_get(network_store(net), &instance_kind, id) : NULL;
}

void
selection_done(struct selection *selection)
{
    map_done(&selection->enis);
    free(selection->text);
    *selection = (struct selection){ 0 };
}

static bool
holds_address_in(const struct eni *eni, const struct cidr *block)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (cidr_contains_ip(block, &eni->addresses.items[i].ip)) {
            return true;
        }
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        if (cidr_contains_ip(block, &eni->addresses6.items[i].ip)) {
            return true;
        }
    }
    return false;
}

bool
selection_has_eni(const struct selection *selection, const struct eni *eni)
{
    return selection->everything || map_get(&selection->enis, eni->obj.id) ||
           (selection->block.ip.family && holds_address_in(eni, &selection->block));
}

int
selection_family(const struct selection *selection)
{
    return selection->block.ip.family;
}

bool
selection_is_by_gate(const struct selection *selection, const struct conn_class *class)
{
    return class->gate && (selection->onprem || (selection->gate && strcmp(selection->gate, class->gate) == 0));
}

/* Does the part of an outside class hold any address of the selection? */
static bool
has_part(const struct selection *selection, const struct connectivity *c, size_t class)
{
    const struct conn_class *k = connectivity_class(c, class);
    bool found = selection->everything || (selection->internet && !k->gate) ||
                 (selection->onprem && k->gate && !k->service) ||
                 (selection->gate && selection_is_by_gate(selection, k));
    for (size_t i = 0; i < k->outside.n && selection->block.ip.family && !found; i++) {
        found = cidr_contains(&selection->block, &k->outside.items[i]);
    }
    if (selection->block.ip.family && !found) { /* an address, or a block inside one part */
        struct ip first = cidr_first(&selection->block);
        found = connectivity_class_at(c, k->gate, &first) == (int)class;
    }
    return found;
}

bool
selection_has_class(const struct selection *selection, const struct connectivity *c, size_t class)
{
    const struct conn_class *k = connectivity_class(c, class);
    for (size_t i = 0; i < k->members.n; i++) {
        if (selection_has_eni(selection, k->members.items[i])) {
            return true;
        }
    }
    return k->outside.n > 0 && has_part(selection, c, class);
}

/* How a word may name an interface; the first that names any decides. */
typedef bool names_eni(const struct network *net, const struct eni *eni, const char *text);

static bool
by_own_name(const struct network *net, const struct eni *eni, const char *text)
{
    const struct instance *instance = instance_of(net, eni);
    const char *names[] = { instance ? object_name(&instance->obj) : NULL, object_name(&eni->obj) };
    return (names[0] && strcmp(names[0], text) == 0) || (names[1] && strcmp(names[1], text) == 0) ||
           strcmp(eni_name(net, eni), text) == 0;
}

static bool
by_id(const struct network *net, const struct eni *eni, const char *text)
{
    const char *owner = eni_owner_id(net, eni);
    return (owner && strcmp(owner, text) == 0) || strcmp(eni->obj.id, text) == 0 ||
           strcmp(eni->attachment.instance_id, text) == 0 || strcmp(eni->subnet_id, text) == 0 ||
           strcmp(eni->vpc_id, text) == 0 || eni_has_group(eni, text);
}

/* An endpoint service: the endpoints by which it is used. */
static bool
by_service(const struct network *net, const struct eni *eni, const char *text)
{
    const struct endpoint *endpoint =
        strncmp(text, "vpce-svc-", 9) == 0 ? network_endpoint_of_eni(net, eni->obj.id) : NULL;
    const struct private_service *service = endpoint ? network_private_service(net, endpoint->service_name) : NULL;
    return service && strcmp(service->obj.id, text) == 0;
}

static bool
by_place_name(const struct network *net, const struct eni *eni, const char *text)
{
    const char *ids[] = { eni->subnet_id, eni->vpc_id };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct object *place = store_find(network_store(net), ids[i]);
        const char *name = place ? object_name(place) : NULL;
        if (name && strcmp(name, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool
by_group_name(const struct network *net, const struct eni *eni, const char *text)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        const char *tag = group ? object_name(&group->obj) : NULL;
        if ((group && group->name && strcmp(group->name, text) == 0) || (tag && strcmp(tag, text) == 0)) {
            return true;
        }
    }
    return false;
}

static bool
by_address(const struct network *net, const struct eni *eni, const char *text)
{
    struct ip ip, private_ip;
    return ip_parse(text, &ip) && (eni_has_ip(eni, &ip) || network_eni_by_public_ip(net, &ip, &private_ip) == eni);
}

/* KEY=VALUE of a tag of the instance, the interface, its subnet or its VPC. */
static bool
by_tag(const struct network *net, const struct eni *eni, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *ids[] = { eni->attachment.instance_id, eni->obj.id, eni->subnet_id, eni->vpc_id };
    if (!equals) {
        return false;
    }
    char *key = xstrndup(text, (size_t)(equals - text));
    bool found = false;
    for (size_t i = 0; i < ARRAY_SIZE(ids) && !found; i++) {
        const struct object *object = *ids[i] ? store_find(network_store(net), ids[i]) : NULL;
        const char *value = object ? object_tag(object, key) : NULL;
        found = value && strcmp(value, equals + 1) == 0;
    }
    free(key);
    return found;
}

static names_eni *const ways_to_name[] = { by_own_name,   by_id,      by_service, by_place_name,
                                           by_group_name, by_address, by_tag };

static bool
select_by(const struct network *net, names_eni *names, const char *text, struct selection *selection)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (names(net, eni, text)) {
            map_put(&selection->enis, eni->obj.id, selection);
        }
    }
    return selection->enis.n > 0;
}

/* The kinds of gates, by which lines to other networks and services go. */
static const struct kind *const gate_kinds[] = { &vpn_connection_kind, &direct_connect_gateway_kind, &vpn_gateway_kind,
                                                 &endpoint_kind };

static bool
select_gate(const struct cloud *cloud, const char *text, struct selection *selection)
{
    const struct store *store = network_store(cloud->net);
    for (size_t i = 0; i < ARRAY_SIZE(gate_kinds); i++) {
        for (const struct object *o = store_first(store, gate_kinds[i]); o; o = store_next(store, o)) {
            const char *name = object_name(o);
            if (strcmp(o->id, text) == 0 || (name && strcmp(name, text) == 0)) {
                selection->gate = o->id;
                return true;
            }
        }
    }
    return false;
}

static bool
check_onprem(const struct cloud *cloud, struct err *err)
{
    const struct store *store = network_store(cloud->net);
    for (size_t i = 0; i < ARRAY_SIZE(gate_kinds) - 1; i++) {
        if (store_first(store, gate_kinds[i])) {
            return true;
        }
    }
    err_set(
        err, ERR_INPUT, "InvalidParameterValue",
        "`onprem` is what lies behind VPN connections, VPN gateways and Direct Connect gateways, and there are none");
    return err_hint(err, "name an address, or make one: ec2 create-vpn-connection ...");
}

/* Interfaces in the block, or the world outside: which of its parts hold it is for selection_has_class(). */
static bool
select_block(const char *text, struct selection *selection)
{
    struct ip ip;
    if (strchr(text, '/')) {
        return cidr_parse_loose(text, &selection->block);
    }
    if (ip_parse(text, &ip)) {
        selection->block = cidr_host(&ip);
        return true;
    }
    return false;
}

/* What the lab knows by a prefix of its id or by another name. */
static bool
select_resolved(const struct cloud *cloud, const char *text, struct selection *selection, struct err *err)
{
    char id[ID_SIZE];
    if (!cloud_resolve(cloud, NULL, text, id, err)) {
        return false;
    }
    if (store_find(network_store(cloud->net), id)) {
        if (select_by(cloud->net, by_id, id, selection) || select_by(cloud->net, by_service, id, selection) ||
            select_gate(cloud, id, selection)) {
            return true;
        }
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` (%s) holds no network interface", text, id);
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` names no interface of the lab", text);
    return err_hint(err,
                    "an end is an instance, interface, load balancer, gateway, endpoint, subnet, VPC or group by id "
                    "or name, KEY=VALUE of a tag, an address or CIDR, `internet` or `onprem`");
}

bool
selection_find(const struct cloud *cloud, const char *text, struct selection *selection, struct err *err)
{
    *selection = (struct selection){ .text = xstrdup(text ? text : "everything"), .everything = !text };
    if (!text) {
        return true;
    }
    selection->internet = strcmp(text, "internet") == 0;
    selection->onprem = strcmp(text, "onprem") == 0;
    if (selection->internet || selection->onprem) {
        return selection->internet || check_onprem(cloud, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ways_to_name); i++) {
        if (select_by(cloud->net, ways_to_name[i], text, selection)) {
            return true;
        }
    }
    return select_gate(cloud, text, selection) || select_block(text, selection) ||
           select_resolved(cloud, text, selection, err);
}

/* Nothing of the network answers to an address or a block that nobody has. */
bool
selection_check(const struct selection *selection, const struct connectivity *c, struct err *err)
{
    bool found = !selection->block.ip.family;
    for (size_t k = 0; k < connectivity_n_classes(c) && !found; k++) {
        found = selection_has_class(selection, c, k);
    }
    return found || err_set(err, ERR_INPUT, "InvalidParameterValue",
                            "no interface has the address `%s`, and no gateway "
                            "leads to it",
                            selection->text);
}

/* ---- Names of groups
 * -------------------------------------------------------------------------------------------------
 */

static bool
same_names(const struct network *net, const struct eni *const *members, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(eni_name(net, members[0]), eni_name(net, members[i])) != 0) {
            return false;
        }
    }
    return true;
}

/* "web+admin": the groups that all of them carry; NULL: there is none. */
static char *
common_groups(const struct network *net, const struct eni *const *members, size_t n)
{
    struct buf text = { 0 };
    for (size_t g = 0; g < members[0]->groups.n; g++) {
        const char *id = members[0]->groups.items[g].id;
        const struct security_group *group = store_get(network_store(net), &security_group_kind, id);
        bool all = true;
        for (size_t i = 1; i < n && all; i++) {
            all = eni_has_group(members[i], id);
        }
        if (all) {
            buf_printf(&text, text.size ? "+%s" : "%s", group && group->name ? group->name : id);
        }
    }
    if (text.size == 0) {
        buf_done(&text);
        return NULL;
    }
    return buf_steal(&text);
}

static char *
outside_name(const struct cidr *outside, size_t n)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (outside[i].bits == 0) {
            buf_done(&text);
            return xstrdup("internet");
        }
    }
    for (size_t i = 0; i < n && i < NAMES_SHOWN; i++) {
        buf_printf(&text, i ? "+%s" : "%s", cidr_str(&outside[i]));
    }
    if (n > NAMES_SHOWN) {
        buf_printf(&text, "+%zu more", n - NAMES_SHOWN);
    }
    return buf_steal(&text);
}

/* "onprem via vpn-1" where the private addresses lie behind it, else the parts; a service by its endpoint alone. */
static char *
gate_name(const struct crowd *crowd)
{
    const struct object *gate = store_find(network_store(crowd->net), crowd->gate);
    const char *name = gate ? object_name(gate) : NULL;
    const struct cidr class_b = cidr_lit("172.16.0.0/12");
    bool onprem = false;
    name = name ? name : crowd->gate;
    if (gate && gate->kind == &endpoint_kind) {
        const char *service = ((const struct endpoint *)gate)->service_name;
        const char *dot = service ? strrchr(service, '.') : NULL;
        return xasprintf("%s via %s", dot ? dot + 1 : "service", name);
    }
    for (size_t i = 0; i < crowd->n_outside; i++) {
        onprem = onprem || cidr_equal(&crowd->outside[i], &class_b);
    }
    char *parts = onprem ? xstrdup("onprem") : outside_name(crowd->outside, crowd->n_outside);
    char *text = xasprintf("%s via %s", parts, name);
    free(parts);
    return text;
}

static char *
one_name(const struct crowd *crowd)
{
    const char *name = eni_name(crowd->net, crowd->members[0]);
    return crowd->secondary ? xasprintf("%s %s", name, ip_str(&crowd->addresses[0])) : xstrdup(name);
}

char *
crowd_name(const struct crowd *crowd)
{
    if (crowd->n == 0) {
        return crowd->gate ? gate_name(crowd) : outside_name(crowd->outside, crowd->n_outside);
    }
    if (crowd->n == 1) {
        return one_name(crowd);
    }
    const char *second = crowd->secondary ? " secondary" : "";
    char *groups = same_names(crowd->net, crowd->members, crowd->n)
                       ? xstrdup(eni_name(crowd->net, crowd->members[0]))
                       : common_groups(crowd->net, crowd->members, crowd->n);
    char *one = one_name(crowd);
    char *name =
        groups ? xasprintf("%s%s (%zu)", groups, second, crowd->n) : xasprintf("%s and %zu more", one, crowd->n - 1);
    free(groups);
    free(one);
    return name;
}

/* ---- The view ------------------------------------------------------------------------------------------------------
 */

static struct view_group *
group_for(struct conn_view *view, struct map *known, int number, size_t class, bool in_from, bool in_to)
{
    char key[48];
    snprintf(key, sizeof key, "%d %d %d", number, in_from, in_to);
    uintptr_t index = (uintptr_t)map_get(known, key);
    if (!index) {
        *VEC_ADD(&view->groups) = (struct view_group){ .class = class, .in_from = in_from, .in_to = in_to };
        index = view->groups.n;
        map_put(known, key, (void *)index);
    }
    return &view->groups.items[index - 1];
}

static void
name_groups(struct conn_view *view)
{
    struct map taken = { 0 };
    for (size_t i = 0; i < view->groups.n; i++) {
        struct view_group *g = &view->groups.items[i];
        char *name = crowd_name(&(struct crowd){ .net = view->net,
                                                 .members = g->members.items,
                                                 .addresses = g->addresses.items,
                                                 .n = g->members.n,
                                                 .secondary = g->secondary,
                                                 .outside = g->outside.items,
                                                 .n_outside = g->outside.n,
                                                 .gate = g->gate });
        uintptr_t n = (uintptr_t)map_get(&taken, name) + 1;
        map_put(&taken, name, (void *)n);
        g->name = n > 1 ? xasprintf("%s #%" PRIuPTR, name, n) : xstrdup(name);
        free(name);
    }
    map_done(&taken);
}

static void
add_class(struct conn_view *view, struct map *known, int number, size_t k, const struct selection *from,
          const struct selection *to)
{
    const struct conn_class *class = connectivity_class(view->c, k);
    for (size_t i = 0; i < class->members.n; i++) {
        const struct eni *eni = class->members.items[i];
        /* Of what opens no connections by itself only a question about it speaks. */
        bool opens = !from->everything || connectivity_opens(view->net, eni);
        struct view_group *group =
            group_for(view, known, number, k, opens && selection_has_eni(from, eni), selection_has_eni(to, eni));
        group->secondary = class->secondary;
        *VEC_ADD(&group->members) = eni;
        *VEC_ADD(&group->addresses) = class->addresses.items[i];
    }
    for (size_t i = 0; i < class->outside.n; i++) {
        struct view_group *group =
            group_for(view, known, number, k, has_part(from, view->c, k), has_part(to, view->c, k));
        group->gate = class->gate;
        group->service = class->service;
        *VEC_ADD(&group->outside) = class->outside.items[i];
    }
}

void
conn_view_init(struct conn_view *view, const struct network *net, int family, const struct selection *from,
               const struct selection *to)
{
    *view = (struct conn_view){ .net = net, .c = connectivity_new(net, family) };
    struct map known = { 0 };
    int *numbers;
    connectivity_groups(view->c, &numbers);
    for (size_t k = 0; k < connectivity_n_classes(view->c); k++) {
        add_class(view, &known, numbers[k], k, from, to);
    }
    free(numbers);
    map_done(&known);
    name_groups(view);
}

void
conn_view_done(struct conn_view *view)
{
    for (size_t i = 0; i < view->groups.n; i++) {
        free(view->groups.items[i].name);
        VEC_DONE(&view->groups.items[i].members);
        VEC_DONE(&view->groups.items[i].addresses);
        VEC_DONE(&view->groups.items[i].outside);
    }
    VEC_DONE(&view->groups);
    connectivity_free(view->c);
}

char *
packets_text(const struct connectivity *c, int set)
{
    struct buf text = { 0 };
    packet_set_print(set_pool_get(connectivity_pool(c), set), connectivity_family(c), &text);
    return buf_steal(&text);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------
 */

static const char *
family_text(const struct conn_view *view)
{
    return connectivity_family(view->c) == IP_V6 ? "ipv6" : "ipv4";
}

static json_t *
group_json(const struct conn_view *view, const struct view_group *g)
{
    json_t *json =
        json_pack("{s:s, s:s, s:i}", "Name", g->name, "Family", family_text(view), "Count", (int)g->members.n);
    json_t *ids = json_array(), *names = json_array(), *outside = json_array(), *addresses = json_array();
    for (size_t i = 0; i < g->members.n; i++) {
        json_array_append_new(ids, json_string(g->members.items[i]->obj.id));
        json_array_append_new(names, json_string(eni_name(view->net, g->members.items[i])));
        json_array_append_new(addresses, json_string(ip_str(&g->addresses.items[i])));
    }
    for (size_t i = 0; i < g->outside.n; i++) {
        json_array_append_new(outside, json_string(cidr_str(&g->outside.items[i])));
    }
    if (g->members.n) {
        json_object_set(json, "NetworkInterfaceIds", ids);
        json_object_set(json, "Names", names);
        if (g->secondary) {
            json_object_set(json, "Addresses", addresses);
        }
    } else {
        json_object_set(json, "Cidrs", outside);
    }
    if (g->gate) {
        json_object_set_new(json, g->service ? "VpcEndpointId" : "Gateway", json_string(g->gate));
    }
    json_decref(ids);
    json_decref(names);
    json_decref(outside);
    json_decref(addresses);
    return json;
}

/* The exact set: one object a box. */
static json_t *
set_json(const struct connectivity *c, int id)
{
    const struct packet_set *set = set_pool_get(connectivity_pool(c), id);
    json_t *list = json_array();
    for (size_t i = 0; i < set->boxes.n; i++) {
        const struct packet_box *box = &set->boxes.items[i];
        const int *lo = (const int[]){ box->lo[0], box->lo[1], box->lo[2] };
        const int *hi = (const int[]){ box->hi[0], box->hi[1], box->hi[2] };
        json_t *one = json_pack("{s:[ii]}", "Protocols", lo[0], hi[0]);
        int last = packet_axis_last(lo[0]);
        if (last > 0) {
            json_object_set_new(one, last == 255 ? "Types" : "SourcePorts", json_pack("[ii]", lo[1], hi[1]));
            json_object_set_new(one, last == 255 ? "Codes" : "DestinationPorts", json_pack("[ii]", lo[2], hi[2]));
        }
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *
flow_json(const struct conn_view *view, const struct view_group *from, const struct view_group *to,
          const struct conn_flow *flow)
{
    struct set_pool *pool = connectivity_pool(view->c);
    int usable = packets_usable(pool, flow->passes, flow->answered);
    int lost = packets_from_programs(pool, set_pool_combine(pool, flow->passes, usable, PACKETS_SUBTRACT));
    char *packets = packets_text(view->c, usable), *unanswered = packets_text(view->c, lost);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "From", from->name, "To", to->name, "Family",
                             family_text(view), "Packets", packets, "Arrives", set_json(view->c, flow->passes),
                             "Answered", set_json(view->c, flow->answered), "Usable", set_json(view->c, usable));
    if (lost != PACKETS_NONE) {
        json_object_set_new(json, "Unanswered", json_string(unanswered));
    }
    free(packets);
    free(unanswered);
    return json;
}

static json_t *
list_of(json_t *out, const char *name)
{
    json_t *list = json_object_get(out, name);
    if (!list) {
        list = json_array();
        json_object_set_new(out, name, list);
    }
    return list;
}

void
conn_view_json(const struct conn_view *view, json_t *out)
{
    json_t *groups = list_of(out, "Groups"), *flows = list_of(out, "Flows");
    bool *used = xcalloc(view->groups.n + 1, sizeof *used);
    for (size_t a = 0; a < view->groups.n; a++) {
        const struct view_group *from = &view->groups.items[a];
        for (size_t b = 0; b < view->groups.n && from->in_from; b++) {
            const struct view_group *to = &view->groups.items[b];
            bool alone = a == b && from->members.n == 1; /* to itself */
            if (!to->in_to || alone) {
                continue;
            }
            struct conn_flow flow = connectivity_between(view->c, from->class, to->class);
            if (flow.passes != PACKETS_NONE) {
                json_array_append_new(flows, flow_json(view, from, to, &flow));
                used[a] = used[b] = true;
            }
        }
    }
    for (size_t i = 0; i < view->groups.n; i++) {
        const struct view_group *g = &view->groups.items[i];
        if (used[i] || g->members.n > 0) {
            json_array_append_new(groups, group_json(view, g));
        }
    }
    free(used);
}

/* ---- For a person --------------------------------------------------------------------------------------------------
 */

struct row {
    const char *from, *packets, *unanswered, *family;
    struct buf to;
};

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

/* Flows of one source with the same packets share a row. */
static size_t
rows_of(const json_t *flows, struct row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(flows); i++) {
        const json_t *flow = json_array_get(flows, i);
        const char *from = json_str(flow, "From"), *packets = json_str(flow, "Packets");
        const char *unanswered = or_empty(json_str(flow, "Unanswered"));
        size_t k = 0;
        while (k < n && (strcmp(rows[k].family, json_str(flow, "Family")) != 0 || strcmp(rows[k].from, from) != 0 ||
                         strcmp(rows[k].packets, packets) != 0 || strcmp(rows[k].unanswered, unanswered) != 0)) {
            k++;
        }
        if (k == n) {
            rows[n++] = (struct row){
                .from = from, .packets = packets, .unanswered = unanswered, .family = json_str(flow, "Family")
            };
        } else {
            buf_str_add(&rows[k].to, ", ");
        }
        buf_str_add(&rows[k].to, json_str(flow, "To"));
    }
    return n;
}

static size_t
widest(size_t width, const char *text)
{
    return strlen(text) > width ? strlen(text) : width;
}

static void
print_rows(struct row *rows, size_t n, struct buf *text)
{
    size_t from = 4, to = 2;
    for (size_t i = 0; i < n; i++) {
        from = widest(from, rows[i].from);
        to = widest(to, buf_str(&rows[i].to));
    }
    to = to > 60 ? 60 : to;
    buf_printf(text, "%-*s  %-*s  %s\n", (int)from, "FROM", (int)to, "TO", "PACKETS");
    for (size_t i = 0; i < n; i++) {
        bool none = strcmp(rows[i].packets, "none") == 0;
        buf_printf(text, "%-*s  %-*s  %s", (int)from, rows[i].from, (int)to, buf_str(&rows[i].to),
                   none ? "" : rows[i].packets);
        if (*rows[i].unanswered) {
            buf_printf(text, "%sno answer: %s", none ? "" : "; ", rows[i].unanswered);
        }
        buf_str_add(text, strcmp(rows[i].family, "ipv6") == 0 ? "  (IPv6)" : "");
        buf_char(text, '\n');
        buf_done(&rows[i].to);
    }
}

static void
print_members(const json_t *groups, struct buf *text)
{
    bool first = true;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i), *names = json_object_get(group, "Names");
        size_t n = json_array_size(names);
        if (n < 2) {
            continue;
        }
        buf_printf(text, "%s%s: ", first ? "\n" : "", json_str(group, "Name"));
        first = false;
        for (size_t k = 0; k < n && k < NAMES_SHOWN; k++) {
            buf_printf(text, k ? ", %s" : "%s", json_string_value(json_array_get(names, k)));
        }
        buf_str_add(text, n > NAMES_SHOWN ? " ...\n" : "\n");
    }
}

void
conn_view_text(const json_t *out, struct buf *text)
{
    const json_t *flows = json_object_get(out, "Flows");
    struct row *rows = xcalloc(json_array_size(flows) + 1, sizeof *rows);
    size_t n = rows_of(flows, rows);
    if (n == 0) {
        buf_str_add(text, "nothing passes\n");
    } else {
        print_rows(rows, n, text);
    }
    print_members(json_object_get(out, "Groups"), text);
    free(rows);
}
