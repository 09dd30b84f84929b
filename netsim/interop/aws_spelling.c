#include "netsim/interop/aws_spelling.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/vec.h"
#include "netsim/model/hosted_zone.h"

/* ---- Direct Connect ---------------------------------------------------------------------------------------------- */

static json_t *
capitals(const json_t *value)
{
    if (json_is_array(value)) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_array_append_new(list, capitals(json_array_get(value, i)));
        }
        return list;
    }
    if (!json_is_object(value)) {
        return json_incref((json_t *)value);
    }
    json_t *out = json_object(), *item;
    const char *name;
    json_object_foreach((json_t *)value, name, item)
    {
        char capital[96];
        snprintf(capital, sizeof capital, "%c%s", toupper((unsigned char)name[0]), name + 1);
        /* The one name that both spell otherwise. */
        json_object_set_new(out, strcmp(capital, "OwnerAccount") == 0 ? "OwnerId" : capital, capitals(item));
    }
    return out;
}

static void
spell_direct_connect(json_t *file)
{
    static const char *const lists[] = { "directConnectGateways", "directConnectGatewayAssociations",
                                         "virtualInterfaces", "connections" };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_t *list = json_object_get(file, lists[i]);
        if (list) {
            char capital[64];
            snprintf(capital, sizeof capital, "%c%s", toupper((unsigned char)lists[i][0]), lists[i] + 1);
            json_t *read = capitals(list), *item;
            size_t k;
            json_array_foreach(read, k, item)
            {
                json_t *gateway = json_object_get(item, "AssociatedGateway"),
                       *owner = json_object_get(gateway, "OwnerId");
                if (owner) { /* whose the other end is, not the association */
                    json_object_set(gateway, "OwnerAccount", owner);
                    json_object_del(gateway, "OwnerId");
                }
            }
            json_object_set_new(file, capital, read);
            json_object_del(file, lists[i]);
        }
    }
}

/* ---- Route 53 ---------------------------------------------------------------------------------------------------- */

static void
spell_zone(json_t *file)
{
    json_t *zone = json_object_get(file, "HostedZone");
    if (!json_is_object(zone)) {
        return;
    }
    json_t *item = json_copy(zone), *vpcs = json_object_get(file, "VPCs");
    if (vpcs) {
        json_object_set(item, "VPCs", vpcs);
    }
    json_object_set_new(file, "HostedZoneVPCs", json_pack("[o]", item));
    json_object_del(file, "HostedZone");
    json_object_del(file, "VPCs");
    json_object_del(file, "DelegationSet");
}

/* "Z0123456789ABC" in a file's name. */
static bool
zone_of_name(const char *name, char id[static ID_SIZE])
{
    const char *slash = strrchr(name, '/');
    for (const char *at = strchr(slash ? slash : name, 'Z'); at; at = strchr(at + 1, 'Z')) {
        size_t n = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (n >= 8 && n < ID_SIZE) {
            snprintf(id, ID_SIZE, "%.*s", (int)n, at);
            return true;
        }
    }
    return false;
}

static bool
zone_of_soa(const json_t *records, json_t *const *files, size_t n, char id[static ID_SIZE])
{
    const char *name = NULL;
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const char *type = json_str(json_array_get(records, i), "Type");
        name = type && strcmp(type, "SOA") == 0 ? json_str(json_array_get(records, i), "Name") : name;
    }
    for (size_t f = 0; f < n && name; f++) {
        const json_t *zones = json_object_get(files[f], "HostedZones");
        zones = zones ? zones : json_object_get(files[f], "HostedZoneVPCs");
        for (size_t i = 0; i < json_array_size(zones); i++) {
            const char *own = json_str(json_array_get(zones, i), "Name"),
                       *path = json_str(json_array_get(zones, i), "Id");
            const char *zone = path ? kind_id(&hosted_zone_kind, path) : NULL;
            if (own && zone && strcmp(own, name) == 0 && !(found && strcmp(id, zone) == 0)) {
                snprintf(id, ID_SIZE, "%.*s", ID_SIZE - 1, zone);
                found++;
            }
        }
    }
    return found == 1;
}

static void
spell_records(json_t *file, const char *name, json_t *const *files, size_t n)
{
    const json_t *records = json_object_get(file, "ResourceRecordSets");
    char id[ID_SIZE];
    if (json_is_array(records) && (zone_of_name(name, id) || zone_of_soa(records, files, n, id))) {
        json_object_set_new(
            file, "HostedZoneRecords",
            json_pack("[{s:o, s:O}]", "Id", json_sprintf("/hostedzone/%s", id), "ResourceRecordSets", records));
        json_object_del(file, "ResourceRecordSets");
    }
}

/* What stands beside lists and says the same again, or nothing of the network. */
static void
spell_companions(json_t *file)
{
    if (json_is_true(json_object_get(file, "IsTruncated")) || json_object_get(file, "HostedZones")) {
        json_object_del(file, "NextMarker"); /* IsTruncated tells of further pages; Marker is what was asked for */
        json_object_del(file, "Marker");
    }
    if (json_object_get(file, "ServiceDetails")) {
        json_object_del(file, "ServiceNames");
    }
}

void
aws_spell(json_t *const *files, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        spell_companions(files[i]);
        spell_direct_connect(files[i]);
        spell_zone(files[i]);
    }
    for (size_t i = 0; i < n; i++) {
        spell_records(files[i], names[i], files, n);
    }
    aws_spell_calls(files, names, n);
    aws_spell_balancers(files, names, n);
    aws_spell_vpcs(files, n);
    aws_spell_tags(files, n);
}
