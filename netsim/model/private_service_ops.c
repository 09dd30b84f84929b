/* Endpoint services: creating, changing, deleting; who may connect, and who is let in. */
#include <ctype.h>

#include "netsim/model/internal.h"
#include "netsim/model/private_service.h"

static size_t
index_of(const service_texts *texts, const char *text)
{
    size_t i = 0;
    while (i < texts->n && !str_is(texts->items[i], text)) {
        i++;
    }
    return i;
}

static void
texts_add(service_texts *texts, const char *text)
{
    if (index_of(texts, text) == texts->n) {
        *VEC_ADD(texts) = xstrdup(text);
    }
}

static bool
texts_drop(service_texts *texts, const char *text)
{
    size_t at = index_of(texts, text);
    if (at == texts->n) {
        return false;
    }
    free(texts->items[at]);
    VEC_REMOVE(texts, at);
    return true;
}

/* ---- balancers and what follows from them ------------------------------------------------------------------------ */

static bool
balancer_check(const struct network *net, const struct private_service *service, const char *arn, const char *type,
               struct err *err)
{
    const struct load_balancer *lb = network_load_balancer(net, arn);
    if (!lb) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the load balancer `%s` does not exist", arn);
    }
    if (!str_is(lb->type, type)) {
        err_set(err, ERR_INPUT, "InvalidParameter", "`%s` is of type %s, not %s", lb->name, lb->type, type);
        return err_hint(err, "interface endpoints lead to a Network Load Balancer, Gateway Load Balancer endpoints to "
                             "one of type gateway");
    }
    if (strcmp(lb->obj.account, service->obj.account) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "`%s` is of account %s", lb->name, lb->obj.account);
    }
    const struct private_service *other = network_service_of_balancer(net, lb->arn);
    return !other || other == service ||
           err_set(err, ERR_INPUT, "InvalidParameter", "`%s` serves `%s` already", lb->name, other->obj.id);
}

static bool
balancers_change(const struct network *net, const struct private_service *service, service_texts *list,
                 const char *type, const char *const *add, size_t n_add, const char *const *remove, size_t n_remove,
                 struct err *err)
{
    for (size_t i = 0; i < n_remove; i++) {
        const struct load_balancer *lb = network_load_balancer(net, remove[i]);
        if (!texts_drop(list, lb ? lb->arn : remove[i])) {
            return err_set(err, ERR_INPUT, "InvalidParameter", "`%s` is no load balancer of `%s`", remove[i],
                           service->obj.id);
        }
    }
    for (size_t i = 0; i < n_add; i++) {
        if (!balancer_check(net, service, add[i], type, err)) {
            return false;
        }
        texts_add(list, network_load_balancer(net, add[i])->arn);
    }
    return true;
}

static void
follow_balancer(struct private_service *service, const struct load_balancer *lb)
{
    for (size_t i = 0; lb && i < lb->zones.n; i++) {
        if (lb->zones.items[i].zone) {
            texts_add(&service->zones, lb->zones.items[i].zone);
        }
    }
}

/* Zones and type are those of the balancers. */
static void
follow_balancers(const struct network *net, struct private_service *service)
{
    while (service->zones.n) {
        free(service->zones.items[--service->zones.n]);
    }
    for (size_t i = 0; i < service->nlb_arns.n; i++) {
        follow_balancer(service, network_load_balancer(net, service->nlb_arns.items[i]));
    }
    for (size_t i = 0; i < service->gwlb_arns.n; i++) {
        follow_balancer(service, network_load_balancer(net, service->gwlb_arns.items[i]));
    }
    if (service->types.n == 0) {
        VEC_ADD(&service->types)->name = NULL;
    }
    str_set(&service->types.items[0].name, service->gwlb_arns.n ? "GatewayLoadBalancer" : "Interface");
}

/* Every balancer must speak it: IPv6 needs dualstack ones. */
static bool
ip_types_change(const struct network *net, struct private_service *service, const struct private_service_change *change,
                struct err *err)
{
    for (size_t i = 0; i < change->n_remove_ip_types; i++) {
        texts_drop(&service->ip_types, change->remove_ip_types[i]);
    }
    for (size_t i = 0; i < change->n_add_ip_types; i++) {
        const char *type = change->add_ip_types[i];
        if (!str_is(type, "ipv4") && !str_is(type, "ipv6")) {
            return err_set(err, ERR_INPUT, "InvalidParameter", "an address type is `ipv4` or `ipv6`, not `%s`", type);
        }
        texts_add(&service->ip_types, type);
    }
    if (service->ip_types.n == 0) {
        texts_add(&service->ip_types, "ipv4");
    }
    bool v6 = index_of(&service->ip_types, "ipv6") < service->ip_types.n;
    for (size_t i = 0; v6 && i < service->nlb_arns.n; i++) {
        const struct load_balancer *lb = network_load_balancer(net, service->nlb_arns.items[i]);
        if (lb && !str_is(lb->ip_address_type, "dualstack")) {
            err_set(err, ERR_INPUT, "InvalidParameter", "`%s` has no IPv6 addresses", lb->name);
            return err_hint(err, "elbv2 set-ip-address-type --ip-address-type dualstack");
        }
    }
    return true;
}

/* ---- the private DNS name ---------------------------------------------------------------------------------------- */

static bool
dns_name_check(const char *name, struct err *err)
{
    bool good = strchr(name, '.') && strlen(name) < 254 && name[0] != '.' && name[strlen(name) - 1] != '.';
    for (const char *c = name; good && *c; c++) {
        good = isalnum((unsigned char)*c) || *c == '-' || *c == '.' || (*c == '*' && c == name && c[1] == '.');
    }
    return good || err_set(err, ERR_INPUT, "InvalidParameter", "`%.80s` is no domain name", name);
}

/* AWS hands out a TXT record to publish, and believes the owner once it is there. */
static void
dns_name_set(struct network *net, struct private_service *service, const char *name)
{
    bool some = name[0] != '\0';
    if (some && str_is(service->private_dns_name, name)) {
        return;
    }
    str_set(&service->private_dns_name, some ? name : NULL);
    str_set(&service->dns_state, some ? "pendingVerification" : NULL);
    str_set(&service->dns_record_type, some ? "TXT" : NULL);
    char text[64];
    snprintf(text, sizeof text, "vpce:%016llx", (unsigned long long)id_random(net->ids));
    str_set(&service->dns_record_value, some ? text : NULL);
    snprintf(text, sizeof text, "_%012llx", (unsigned long long)(id_random(net->ids) & 0xffffffffffffULL));
    str_set(&service->dns_record_name, some ? text : NULL);
}

bool
private_service_verify_dns(struct network *net, struct private_service *service, struct err *err)
{
    if (!service->private_dns_name) {
        err_set(err, ERR_INPUT, "InvalidParameter", "`%s` has no private DNS name", service->obj.id);
        return err_hint(err, "modify-vpc-endpoint-service-configuration --private-dns-name");
    }
    str_set(&service->dns_state, "verified");
    network_touch(net);
    return true;
}

/* ---- the service ------------------------------------------------------------------------------------------------- */

bool
private_service_modify(struct network *net, struct private_service *service,
                       const struct private_service_change *change, struct err *err)
{
    const struct private_service_change *c = change;
    service_texts *nlbs = &service->nlb_arns, *gwlbs = &service->gwlb_arns;
    if (!balancers_change(net, service, nlbs, "network", c->add_nlbs, c->n_add_nlbs, c->remove_nlbs, c->n_remove_nlbs,
                          err) ||
        !balancers_change(net, service, gwlbs, "gateway", c->add_gwlbs, c->n_add_gwlbs, c->remove_gwlbs,
                          c->n_remove_gwlbs, err)) {
        return false;
    }
    if ((nlbs->n == 0) == (gwlbs->n == 0)) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       nlbs->n ? "a service has Network Load Balancers or Gateway Load Balancers, not both"
                               : "a service needs a Network Load Balancer or a Gateway Load Balancer");
    }
    if (change->private_dns_name && change->private_dns_name[0]) {
        if (gwlbs->n > 0) {
            return err_set(err, ERR_INPUT, "InvalidParameter",
                           "a service behind Gateway Load Balancers has no private DNS name");
        }
        if (!dns_name_check(change->private_dns_name, err)) {
            return false;
        }
    }
    if (!ip_types_change(net, service, change, err)) {
        return false;
    }
    if (change->private_dns_name) {
        dns_name_set(net, service, change->private_dns_name);
    }
    service->acceptance_required =
        change->acceptance_required < 0 ? service->acceptance_required : change->acceptance_required;
    follow_balancers(net, service);
    network_touch(net);
    return true;
}

struct private_service *
private_service_create(struct network *net, const struct private_service_change *spec, struct err *err)
{
    struct private_service *service = network_add(net, &private_service_kind, NULL);
    service->name = xasprintf("com.amazonaws.vpce.%s.%s", net->region, service->obj.id);
    service->state = xstrdup("Available");
    service->acceptance_required = true; /* as the API, unless said otherwise */
    if (!private_service_modify(net, service, spec, err)) {
        network_remove(net, service);
        return NULL;
    }
    *VEC_ADD(&service->base_dns_names) = xasprintf("%s.%s.vpce.amazonaws.com", service->obj.id, net->region);
    return service;
}

static bool
is_connected(const struct endpoint *endpoint, const struct private_service *service)
{
    return str_is(endpoint->service_name, service->name);
}

bool
private_service_delete(struct network *net, struct private_service *service, struct err *err)
{
    for (const struct endpoint *e = store_first(net->store, &endpoint_kind); e; e = store_next(net->store, e)) {
        if (is_connected(e, service) && (endpoint_is_available(e) || str_is(e->state, "pendingAcceptance"))) {
            err_set(err, ERR_INPUT, "ExistingVpcEndpointConnections",
                    "the endpoint `%s` of account %s is connected to `%s`", e->obj.id, e->obj.account, service->obj.id);
            return err_hint(err, "reject-vpc-endpoint-connections --service-id %s --vpc-endpoint-ids %s",
                            service->obj.id, e->obj.id);
        }
    }
    network_remove(net, service);
    return true;
}

/* ---- who may connect --------------------------------------------------------------------------------------------- */

static const char *
principal_type(const char *arn)
{
    const char *rest = arn && strncmp(arn, "arn:", 4) == 0 ? strstr(arn, ":iam::") : NULL;
    rest = rest ? rest + 6 : NULL;
    size_t digits = rest ? strspn(rest, "0123456789") : 0;
    if (str_is(arn, "*")) {
        return "All";
    }
    if (digits != 12 || rest[12] != ':') {
        return NULL;
    }
    rest += 13;
    return strcmp(rest, "root") == 0        ? "Account"
           : strncmp(rest, "user/", 5) == 0 ? "User"
           : strncmp(rest, "role/", 5) == 0 ? "Role"
                                            : NULL;
}

static size_t
principal_find(const struct private_service *service, const char *arn)
{
    size_t i = 0;
    while (i < service->principals.n && !str_is(service->principals.items[i].arn, arn)) {
        i++;
    }
    return i;
}

bool
private_service_permit(struct network *net, struct private_service *service, const char *arn, struct err *err)
{
    const char *type = principal_type(arn);
    if (!type) {
        err_set(err, ERR_INPUT, "InvalidPrincipal", "`%.100s` is no principal", arn ? arn : "");
        return err_hint(err, "`*`, or the ARN of an account's root, a user or a role: arn:aws:iam::111122223333:root");
    }
    if (principal_find(service, arn) == service->principals.n) {
        struct service_principal *principal = VEC_ADD(&service->principals);
        char id[ID_SIZE];
        id_new(net->ids, "vpce-svc-perm", id);
        principal->type = xstrdup(type);
        principal->arn = xstrdup(arn);
        principal->permission_id = xstrdup(id);
        network_touch(net);
    }
    return true;
}

/* Endpoints that are there stay connected. */
bool
private_service_forbid(struct network *net, struct private_service *service, const char *arn, struct err *err)
{
    size_t at = principal_find(service, arn);
    if (at == service->principals.n) {
        return err_set(err, ERR_INPUT, "InvalidPrincipal", "`%.100s` is not permitted to use `%s`", arn ? arn : "",
                       service->obj.id);
    }
    fields_done(service_principal_fields, &service->principals.items[at]);
    VEC_REMOVE(&service->principals, at);
    network_touch(net);
    return true;
}

/* ---- who is let in ----------------------------------------------------------------------------------------------- */

static bool
connection_becomes(struct network *net, struct private_service *service, const char *endpoint_id, const char *from,
                   const char *state, struct err *err)
{
    struct endpoint *endpoint = store_get(net->store, &endpoint_kind, endpoint_id ? endpoint_id : "");
    if (!endpoint || !is_connected(endpoint, service)) {
        return err_set(err, ERR_INPUT, "InvalidVpcEndpointId.NotFound", "`%s` is no endpoint of `%s`",
                       endpoint_id ? endpoint_id : "", service->obj.id);
    }
    if (!str_is(endpoint->state, "pendingAcceptance") && !str_is(endpoint->state, from)) {
        return err_set(err, ERR_INPUT, "InvalidState", "the connection of `%s` is %s", endpoint->obj.id,
                       endpoint->state ? endpoint->state : "available");
    }
    str_set(&endpoint->state, state);
    network_touch(net);
    return true;
}

bool
private_service_accept(struct network *net, struct private_service *service, const char *endpoint_id, struct err *err)
{
    return connection_becomes(net, service, endpoint_id, "rejected", "available", err);
}

bool
private_service_reject(struct network *net, struct private_service *service, const char *endpoint_id, struct err *err)
{
    return connection_becomes(net, service, endpoint_id, "available", "rejected", err);
}
