/* cloud/ops_elbv2.h - what the handlers of load balancers share: ops_elbv2.c (balancers), ops_elbv2_targets.c, ops_elbv2_listeners.c.
 *
 * AWS names these by ARN; here the part after "loadbalancer/" or "targetgroup/", and a balancer's or group's own name, are understood as
 * well. */
#pragma once
#include "cloud/ops_ec2.h"
#include "netsim/model/load_balancer.h"

struct load_balancer *elbv2_find_balancer(const struct op_call *call, const char *text, struct err *err); /* LoadBalancerNotFound */
struct target_group *elbv2_find_group(const struct op_call *call, const char *text, struct err *err);     /* TargetGroupNotFound */
struct load_balancer *elbv2_require_balancer(const struct op_call *call, struct err *err);                /* of LoadBalancerArn */
/* Cuts 'list' (taken) to the page that Marker and PageSize ask for.  ValidationError: no marker of this list. */
bool elbv2_answer_page(struct op_call *call, const char *member, json_t *list, struct err *err);
void elbv2_answer_one(struct op_call *call, const char *member, json_t *one); /* as a list of one; takes it */
json_t *elbv2_rows_json(const struct field *fields, const void *object);
bool elbv2_has_text(const json_t *list, const char *text);
void elbv2_tag_new(const struct op_call *call, struct object *object); /* with the argument Tags */
/* Attributes of a balancer or group, as AWS lists them. */
json_t *elbv2_attributes_json(const struct lb_attribute *attributes, size_t n);

/* A row of these families. */
#define ELBV2_ROW(name_, mode_, run_, help_)                                                                           \
    {                                                                                                                  \
        .service = "elbv2", .name = name_, .mode = mode_, .run = run_, .help = help_                                   \
    }
