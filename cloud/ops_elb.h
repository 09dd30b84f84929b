/* cloud/ops_elb.h - what the handlers of Classic Load Balancers share: ops_elb.c, ops_elb_policies.c. */
#pragma once
#include "cloud/ops_elbv2.h"
#include "netsim/model/classic_balancer.h"

struct classic_balancer *elb_require_balancer(const struct op_call *call,
                                              struct err *err); /* of LoadBalancerName; LoadBalancerNotFound */

#define ELB_ROW(name_, mode_, run_, help_)                                                                             \
    {                                                                                                                  \
        .service = "elb", .name = name_, .mode = mode_, .run = run_, .help = help_                                     \
    }
