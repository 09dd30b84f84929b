/* netsim/model/changes.h - what has changed since somebody last looked at all of it.
 *
 * The few small changes that are made over and over while a lab is live (rules, groups of an interface, routes, ACLs, tags) are noted one by one; every
 * other change moves the store's generation without a note, and then there is no list.  One follower at a time: the live lab.
 *
 * Used by: live/live.c, live/plan_mend.c; written by security_group_ops.c, eni_ops.c, route_ops.c,
 * network_acl.c, ops_ec2_tags.c */
#pragma once
#include "netsim/model/network.h"

enum network_change_kind {
    CHANGED_RULES,      /* of the security group */
    CHANGED_MEMBERS,    /* of the security group: interfaces came or went */
    CHANGED_ENI_GROUPS, /* of the interface; the groups it left and joined have their own CHANGED_MEMBERS */
    CHANGED_ROUTES,     /* of the route table; none of those that came or went leads to what the lab may not build */
    CHANGED_ENTRIES,    /* of the network ACL */
    CHANGED_SUBNET_ACL, /* of the subnet */
    CHANGED_TAGS,       /* of the resource, none that says what a lab builds (LAB_TAG_PREFIX) */
};
/* Tags that begin so are the lab's own words: INSTANCE_HOST_TAG, APPLIANCE_TAG. */
#define LAB_TAG_PREFIX "vpclab:"
struct network_change {
    enum network_change_kind kind;
    char id[ID_SIZE];
};

/* The follower has seen the network as it is now.  A cache: the network is the same. */
void network_changes_seen(const struct network *net);
/* What has changed since: false if it was never seen or anything changed that is not noted.  '*list' is borrowed until the next change. */
bool network_changes(const struct network *net, const struct network_change **list, size_t *n);

/* For who changes: 'before' is the store's generation before the change, whose touch has happened. */
void network_changed(struct network *net, uint64_t before, enum network_change_kind kind, const char *id);
