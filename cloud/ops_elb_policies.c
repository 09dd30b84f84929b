/* cloud/ops_elb_policies.c - policies of Classic Load Balancers: cookies, the PROXY header.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancerPolicy.html
 * and neighbours */
#include "cloud/ops_elb.h"
#include "netsim/model/classic_policy.h"

static bool
create_of_type(struct op_call *call, const char *type, const json_t *attributes, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_policy_create(ec2_net(call), lb, arg_str(call->in, "PolicyName"), type, attributes, err);
}

static bool
create_policy(struct op_call *call, struct err *err)
{
    return create_of_type(call, arg_str(call->in, "PolicyTypeName"), json_object_get(call->in, "PolicyAttributes"),
                          err);
}

static bool
create_lb_cookie(struct op_call *call, struct err *err)
{
    json_t *attributes = json_array();
    if (json_object_get(call->in, "CookieExpirationPeriod")) {
        json_array_append_new(attributes,
                              json_pack("{s:s, s:o}", "AttributeName", "CookieExpirationPeriod", "AttributeValue",
                                        json_sprintf("%lld", arg_int(call->in, "CookieExpirationPeriod", 0))));
    }
    bool ok = create_of_type(call, "LBCookieStickinessPolicyType", attributes, err);
    json_decref(attributes);
    return ok;
}

static bool
create_app_cookie(struct op_call *call, struct err *err)
{
    json_t *attributes = json_pack("[{s:s, s:O}]", "AttributeName", "CookieName", "AttributeValue",
                                   json_object_get(call->in, "CookieName"));
    bool ok = create_of_type(call, "AppCookieStickinessPolicyType", attributes, err);
    json_decref(attributes);
    return ok;
}

static bool
delete_policy(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_policy_delete(ec2_net(call), lb, arg_str(call->in, "PolicyName"), err);
}

static bool
set_of_listener(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_listener_set_policies(ec2_net(call), lb, (int)arg_int(call->in, "LoadBalancerPort", 0),
                                               json_object_get(call->in, "PolicyNames"), err);
}

static bool
set_for_backend(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_backend_set_policies(ec2_net(call), lb, (int)arg_int(call->in, "InstancePort", 0),
                                              json_object_get(call->in, "PolicyNames"), err);
}

static bool
describe_policies(struct op_call *call, struct err *err)
{
    if (!arg_str(call->in, "LoadBalancerName")) {
        err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not know AWS's own sample policies");
        return err_hint(err, "--load-balancer-name NAME shows the policies of a balancer");
    }
    const struct classic_balancer *lb = elb_require_balancer(call, err);
    json_t *list = lb ? classic_policies_json(lb, json_object_get(call->in, "PolicyNames"), err) : NULL;
    if (list) {
        json_object_set_new(call->out, "PolicyDescriptions", list);
    }
    return list != NULL;
}

const struct op ops_elb_policies[] = {
    ELB_ROW("CreateLoadBalancerPolicy", OP_WRITE, create_policy,
            "Create a policy of a Classic Load Balancer: cookies, or the PROXY header before the bytes."),
    ELB_ROW("CreateLBCookieStickinessPolicy", OP_WRITE, create_lb_cookie,
            "Create a policy of a cookie of the balancer's own that keeps a client with an instance."),
    ELB_ROW("CreateAppCookieStickinessPolicy", OP_WRITE, create_app_cookie,
            "Create a policy of a cookie that keeps a client with an instance as long as the application's does."),
    ELB_ROW("DeleteLoadBalancerPolicy", OP_WRITE, delete_policy,
            "Delete a policy of a Classic Load Balancer that is not in use."),
    ELB_ROW("DescribeLoadBalancerPolicies", OP_READ, describe_policies,
            "Show the policies of a Classic Load Balancer."),
    ELB_ROW("SetLoadBalancerPoliciesOfListener", OP_WRITE, set_of_listener,
            "Give a listener of a Classic Load Balancer policies in the place of those that it has."),
    ELB_ROW("SetLoadBalancerPoliciesForBackendServer", OP_WRITE, set_for_backend,
            "Give the instances' port behind a Classic Load Balancer policies in the place of those that it has."),
    { 0 },
};
