#include "netsim/analysis/insights.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/question.h"
#include "netsim/analysis/wanted.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

const char *
id_of_arn(const char *text)
{
    const char *slash = text && strncmp(text, "arn:", 4) == 0 ? strrchr(text, '/') : NULL;
    return slash ? slash + 1 : text;
}

static json_t *
add_code(json_t *explanations, const char *code)
{
    json_t *json = json_pack("{s:s}", "ExplanationCode", code);
    json_array_append_new(explanations, json);
    return json;
}

static json_t *
object_json(const struct network *net, const char *id)
{
    return component_json(store_find(network_store(net), id), id);
}

/* ---- The ends ------------------------------------------------------------------------------------------------------
 */

/* What AWS's analyzer takes as an end.
 * Source: https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html */
static const char *const end_prefixes[] = { "i-",   "eni-",  "igw-",      "tgw-attach-", "tgw-",
                                            "vgw-", "vpce-", "vpce-svc-", "pcx-" };

static bool
end_supported(const char *id)
{
    bool found = false;
    for (size_t i = 0; i < ARRAY_SIZE(end_prefixes); i++) {
        found = found || strncmp(id, end_prefixes[i], strlen(end_prefixes[i])) == 0;
    }
    return found;
}

/* Attached to a VPC, and with an IPv4 address where it is something that has one. */
static bool
end_associated(const struct network *net, const struct object *object)
{
    if (object->kind == &internet_gateway_kind) {
        return ((const struct internet_gateway *)(const void *)object)->attachments.n > 0;
    }
    if (object->kind == &vpn_gateway_kind) {
        return vpn_gateway_vpc((const struct vpn_gateway *)(const void *)object) != NULL;
    }
    const struct eni *eni = object->kind == &eni_kind ? (const struct eni *)(const void *)object : NULL;
    if (object->kind == &instance_kind) {
        eni = instance_eni(net, (const struct instance *)(const void *)object, 0);
        return eni && eni_primary_ip(eni);
    }
    return !eni || eni_primary_ip(eni);
}

/* True when the end can be asked about; else says why not. */
static bool
end_check(const struct network *net, const struct flow_end *end, json_t *explanations)
{
    if (end->kind == FLOW_END_IP || end->kind == FLOW_END_INTERNET || end->kind == FLOW_END_NONE) {
        return true;
    }
    const struct object *object = store_find(network_store(net), end->id);
    const char *code = !end_supported(end->id)        ? "UNSUPPORTED_COMPONENT"
                       : !object                      ? "NO_SOURCE_OR_DESTINATION"
                       : !end_associated(net, object) ? "UNASSOCIATED_COMPONENT"
                                                      : NULL;
    if (!code) {
        return true;
    }
    json_t *json = add_code(explanations, code);
    json_object_set_new(json, strcmp(code, "NO_SOURCE_OR_DESTINATION") == 0 ? "MissingComponent" : "Component",
                        strcmp(code, "NO_SOURCE_OR_DESTINATION") == 0 ? json_string(end->id)
                                                                      : component_json(object, end->id));
    return false;
}

/* An address given for an internet gateway is one outside. */
static bool
igw_check(const struct flow_end *end, const struct ip *ip, json_t *explanations)
{
    if (strncmp(end->id, "igw-", 4) != 0 || !ip->family || (!ip_is_private(ip) && !ip_is_shared(ip))) {
        return true;
    }
    json_t *json = add_code(explanations, "IGW_EXPECTS_PUBLIC_ADDRESS");
    json_object_set_new(json, "Address", json_string(ip_str(ip)));
    json_object_set_new(json, "InternetGateway", component_json(NULL, end->id));
    return false;
}

/* ---- Are the two VPCs joined at all? -------------------------------------------------------------------------------
 */

static const char *
end_vpc(const struct network *net, const struct flow_end *end)
{
    const struct instance *instance =
        end->kind == FLOW_END_INSTANCE ? store_get(network_store(net), &instance_kind, end->id) : NULL;
    const struct eni *eni = instance                    ? instance_eni(net, instance, 0)
                            : end->kind == FLOW_END_ENI ? store_get(network_store(net), &eni_kind, end->id)
                                                        : NULL;
    return eni ? eni->vpc_id : NULL;
}

/* Transit gateways that are one, or peers. */
static bool
tgws_joined(const struct network *net, const char *a, const char *b)
{
    const struct store *store = network_store(net);
    bool joined = strcmp(a, b) == 0;
    for (const struct tgw_attachment *p = store_first(store, &tgw_attachment_kind); p && !joined;
         p = store_next(store, p)) {
        joined = (strcmp(p->tgw_id, a) == 0 && strcmp(p->peer_tgw_id, b) == 0) ||
                 (strcmp(p->tgw_id, b) == 0 && strcmp(p->peer_tgw_id, a) == 0);
    }
    return joined;
}

static bool
vpcs_joined(const struct network *net, const char *a, const char *b)
{
    const struct store *store = network_store(net);
    bool joined = strcmp(a, b) == 0;
    for (const struct peering *p = store_first(store, &peering_kind); p && !joined; p = store_next(store, p)) {
        const struct peering_side *other = peering_other(p, a);
        joined = other && peering_is_active(p) && strcmp(other->vpc_id, b) == 0;
    }
    for (const struct tgw_attachment *p = store_first(store, &tgw_attachment_kind); p && !joined;
         p = store_next(store, p)) {
        for (const struct tgw_attachment *q = store_first(store, &tgw_attachment_kind); q && !joined;
             q = store_next(store, q)) {
            joined = strcmp(p->vpc_id, a) == 0 && strcmp(q->vpc_id, b) == 0 && tgws_joined(net, p->tgw_id, q->tgw_id);
        }
    }
    return joined;
}

static void
explain_disconnected(const struct network *net, const struct insights_question *q, json_t *explanations)
{
    const char *from = end_vpc(net, &q->flow.from), *to = end_vpc(net, &q->flow.to);
    if (from && to && !vpcs_joined(net, from, to)) {
        json_t *json = json_pack("{s:s, s:o, s:o}", "ExplanationCode", "DISCONNECTED_VPCS", "SourceVpc",
                                 object_json(net, from), "DestinationVpc", object_json(net, to));
        json_array_insert_new(explanations, 0, json);
    }
}

/* ---- Headers -------------------------------------------------------------------------------------------------------
 */

/* One field of a header, as the codes call it. */
static const struct field_row {
    const char *code, *packet_field;
    bool source, port;
} field_rows[] = {
    { "SOURCE_ADDRESS", "source-address", true, false },
    { "SOURCE_PORT_RANGE", "source-port", true, true },
    { "DESTINATION_ADDRESS", "destination-address", false, false },
    { "DESTINATION_PORT_RANGE", "destination-port", false, true },
};

static bool
field_set(const struct header_filter *f, const struct field_row *row)
{
    return row->port ? (row->source ? f->src_from : f->dst_from) >= 0
                     : (row->source ? f->src : f->dst).family != IP_NONE;
}

static void
field_clear(struct header_filter *f, const struct field_row *row)
{
    static const struct header_filter any = HEADER_FILTER_ANY;
    if (row->port) {
        *(row->source ? &f->src_from : &f->dst_from) = *(row->source ? &f->src_to : &f->dst_to) = -1;
    } else {
        *(row->source ? &f->src : &f->dst) = any.src;
    }
}

static bool
field_fits(const struct header_filter *f, const struct field_row *row, const struct packet *p)
{
    if (!field_set(f, row)) {
        return true;
    }
    if (!row->port) {
        return row->source ? ip_equal(&f->src, &p->src) : ip_equal(&f->dst, &p->dst);
    }
    int port = row->source ? p->src_port : p->dst_port;
    return port >= (row->source ? f->src_from : f->dst_from) && port <= (row->source ? f->src_to : f->dst_to);
}

/* The first field that does not fit; NULL: all do. */
static const struct field_row *
header_misfit(const struct header_filter *f, const struct packet *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(field_rows); i++) {
        if (!field_fits(f, &field_rows[i], p)) {
            return &field_rows[i];
        }
    }
    return NULL;
}

static void
explain_field(const char *end, const struct header_filter *f, const struct field_row *row, json_t *explanations)
{
    json_t *json = json_object();
    json_object_set_new(json, "ExplanationCode", json_sprintf("FILTER_AT_%s_%s", end, row->code));
    json_object_set_new(json, "PacketField", json_string(row->packet_field));
    if (row->port) {
        json_object_set_new(json, "PortRanges",
                            json_pack("[{s:i, s:i}]", "From", row->source ? f->src_from : f->dst_from, "To",
                                      row->source ? f->src_to : f->dst_to));
    } else {
        json_object_set_new(json, "Addresses", json_pack("[s]", ip_str(row->source ? &f->src : &f->dst)));
    }
    json_array_append_new(explanations, json);
}

/* ---- Components ----------------------------------------------------------------------------------------------------
 */

static bool
component_is(const json_t *component, const char *wanted)
{
    const char *id = json_str(component, "Id"), *arn = json_str(component, "Arn");
    return (id && strcmp(id, id_of_arn(wanted)) == 0) || (arn && strcmp(arn, wanted) == 0);
}

static bool
path_has(const json_t *path, const char *wanted)
{
    static const char *const members[] = { "Component", "AttachedTo", "TransitGateway", "ElasticLoadBalancerListener" };
    for (size_t i = 0; i < json_array_size(path); i++) {
        for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
            if (component_is(json_object_get(json_array_get(path, i), members[m]), wanted)) {
                return true;
            }
        }
    }
    return false;
}

/* The ARN that the path lacks, or has though it must not; NULL: none. */
static const char *
component_misfit(const json_t *path, const json_t *list, bool must)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *arn = json_string_value(json_array_get(list, i));
        if (arn && path_has(path, arn) != must) {
            return arn;
        }
    }
    return NULL;
}

/* ---- The search ----------------------------------------------------------------------------------------------------
 */

#define MAX_PORTS 4096 /* of one end; more bounds than that no account's rules have */

struct ports {
    int list[MAX_PORTS];
    size_t n;
};

/* One port of every part of the range that something tells apart. */
static void
ports_of_range(const unsigned char *bounds, int from, int to, int likely, struct ports *ports)
{
    ports->n = 0;
    if (likely >= from && likely <= to) {
        ports->list[ports->n++] = likely;
    }
    for (int port = from; port <= to && port < 65536 && ports->n < MAX_PORTS; port++) {
        if (bounds[port] || port == from) {
            ports->list[ports->n++] = port;
        }
    }
}

struct search {
    const struct network *net;
    const struct insights_question *q;
    struct reach_result *result; /* the best so far */
    int rank;                    /* how far the best came: 0 nothing, 1 blocked, 2 header, 3 components, 4 a path */
    struct flow_spec best;       /* its question */
};

static int
rank_of(const struct search *s, const struct reach_result *r)
{
    if (!r->path_found) {
        return r->reachable ? 2 : 1;
    }
    bool header = !header_misfit(&s->q->at_destination, &r->arrives);
    return !header                                                                                                 ? 3
           : component_misfit(r->forward, s->q->through, true) || component_misfit(r->forward, s->q->avoid, false) ? 4
                                                                                                                   : 5;
}

static void
try_flow(struct search *s, const struct flow_spec *flow)
{
    struct reach_result r = { 0 };
    if (!reach(s->net, flow, true, &r, NULL)) {
        return;
    }
    int rank = rank_of(s, &r);
    if (rank > s->rank) {
        reach_result_done(s->result);
        *s->result = r;
        s->rank = rank;
        s->best = *flow;
        return;
    }
    reach_result_done(&r);
}

static struct flow_spec
flow_with(const struct insights_question *q, const struct header_filter *at_source)
{
    struct flow_spec flow = q->flow;
    flow.src_ip = at_source->src.family ? at_source->src : flow.src_ip;
    flow.dst_ip = at_source->dst.family ? at_source->dst : flow.dst_ip;
    return flow;
}

/* Tries ports until a path with everything asked is found; true if one is. */
static bool
search_ports(struct search *s, const struct header_filter *at_source)
{
    struct flow_spec flow = flow_with(s->q, at_source);
    const struct header_filter *at_end = &s->q->at_destination;
    unsigned char *bounds = port_bounds(s->net, flow.protocol);
    struct ports *sources = xcalloc(1, sizeof *sources), *destinations = xcalloc(1, sizeof *destinations);
    if (at_end->dst_from >= 0) {
        bounds[at_end->dst_from] = 1;
    }
    bool any = at_source->dst_from < 0;
    ports_of_range(bounds, at_source->src_from < 0 ? 0 : at_source->src_from,
                   at_source->src_from < 0 ? -1 : at_source->src_to, 40000, sources);
    if (sources->n == 0) {
        sources->list[sources->n++] = at_end->src_from >= 0 ? at_end->src_from : -1;
    }
    if (flow.dst_port >= 0) {
        destinations->list[destinations->n++] = flow.dst_port;
    } else {
        ports_of_range(bounds, any ? 0 : at_source->dst_from, any ? 65535 : at_source->dst_to, -1, destinations);
    }
    for (size_t i = 0; i < sources->n && s->rank < 5; i++) {
        for (size_t k = 0; k < destinations->n && s->rank < 5; k++) {
            flow.src_port = sources->list[i];
            flow.dst_port = destinations->list[k];
            try_flow(s, &flow);
        }
    }
    free(sources);
    free(destinations);
    free(bounds);
    return s->rank == 5;
}

/* Would there be a path without that field of the filter at the source? */
static void
explain_at_source(const struct search *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(field_rows); i++) {
        if (!field_set(&s->q->at_source, &field_rows[i])) {
            continue;
        }
        struct header_filter less = s->q->at_source;
        struct reach_result other = { 0 };
        struct search without = { .net = s->net, .q = s->q, .result = &other };
        field_clear(&less, &field_rows[i]);
        bool found = search_ports(&without, &less);
        reach_result_done(&other);
        if (found) {
            explain_field("SOURCE", &s->q->at_source, &field_rows[i], s->result->explanations);
            return;
        }
    }
}

static void
explain_component(const struct search *s, const char *arn, const char *code)
{
    json_t *explanations = s->result->explanations;
    const char *id = id_of_arn(arn);
    json_t *json = add_code(explanations, code);
    json_object_set_new(json, "Component", object_json(s->net, id));
    struct question q;
    if (question_init(s->net, &s->best, &q, NULL)) {
        struct session session = { 0 };
        struct walk walk;
        question_walk(&q, &session, &walk);
        wanted_explanations(&walk, id, explanations);
        walk_done(&walk);
        session_done(&session);
    }
}

/* A path was found, and the filters will not have it. */
static void
explain_filters(struct search *s)
{
    struct reach_result *r = s->result;
    const struct field_row *misfit = header_misfit(&s->q->at_destination, &r->arrives);
    const char *lacks = component_misfit(r->forward, s->q->through, true),
               *has = component_misfit(r->forward, s->q->avoid, false);
    if (misfit) {
        explain_field("DESTINATION", &s->q->at_destination, misfit, r->explanations);
    } else if (lacks) {
        explain_component(s, lacks, "COMPONENT_FILTER_RESTRICTION");
    } else if (has) {
        explain_component(s, has, "COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT");
    }
    r->path_found = false;
}

void
insights_analyze(const struct network *net, const struct insights_question *question, struct reach_result *result)
{
    json_t *refused = json_array();
    const struct flow_spec *flow = &question->flow;
    const struct ip *src = question->at_source.src.family ? &question->at_source.src : &flow->src_ip;
    const struct ip *dst = question->at_source.dst.family ? &question->at_source.dst : &flow->dst_ip;
    bool ends = end_check(net, &flow->from, refused);
    ends = end_check(net, &flow->to, refused) && ends;
    ends = ends && igw_check(&flow->from, src, refused) && igw_check(&flow->to, dst, refused);
    struct search search = { .net = net, .q = question, .result = result };
    bool found = ends && search_ports(&search, &question->at_source);
    if (!ends || search.rank == 0) {
        if (ends) {
            add_code(refused, "NO_PATH"); /* the question has no packet: two ends outside, or of two families */
        }
        *result = (struct reach_result){
            .forward = json_array(), .back = json_array(), .explanations = refused, .steps = json_array()
        };
        return;
    }
    json_decref(refused);
    if (!found && search.rank >= 3) {
        explain_filters(&search);
    } else if (!found) {
        explain_at_source(&search);
        explain_disconnected(net, question, result->explanations);
    }
}
