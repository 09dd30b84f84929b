/* netsim/interop/aws_parts.h - which further lists hold parts of objects that another list names.
 *
 * Some calls answer for one object at a time (the listeners of one balancer) or show other members of what a neighbour
 * shows (VPC attachments).  A dump keeps each call in a list of its own; the rows here say whose members they are.
 * Import merges them by id, export writes them apart again. Used by: aws_import.c, aws_export.c. */
#pragma once
#include "base/store.h"

struct network;

#define AWS_OWNER "AWS" /* the OwnerId of AWS's own prefix lists, which every account sees */

struct aws_part {
    const char *list; /* "LoadBalancerListeners" */
    const struct kind *kind;
    bool whole;          /* an item is an object of its own, also where the kind's own list has none of that id */
    const char *members; /* " Listeners Attributes ": those that stand only here in AWS's form; a blank around each */
    bool keeps_owner;    /* OwnerId of an item counts more than the folder: these calls show what is other accounts' */
};
extern const struct aws_part aws_parts[]; /* ends with a NULL list */

const struct aws_part *aws_part_of(const char *list); /* NULL if there is none */

/* Some lists have an item for each thing that one object holds (the principals an endpoint service permits): gathered, each item is of one
 * object and has the part's members, as aws_parts expects; scattered, they are as AWS prints them.  A new list.  'account' is whose call it was.  What the lab has by itself is left
 * out of the gathered list (services of AWS's own). */
json_t *aws_part_gather(const struct aws_part *part, const json_t *list, const char *account);
json_t *aws_part_scatter(const struct network *net, const struct aws_part *part, const json_t *items);
