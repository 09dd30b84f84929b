/* netsim/live/stickiness.h - cookies by which an application load balancer keeps a client with one target, or one target group, and a Classic one with an
 * instance.
 *
 * lb_cookie: the balancer's own AWSALB (and AWSALBCORS), renewed with every answer.  app_cookie: AWSALBAPP-0, set when the target sets the
 * application's cookie, and heeded while the client sends that too.  Between groups of one forward action: AWSALBTG.  What is in them AWS encrypts;
 * here it is the hash of who is meant and when, on the lab's clock, so nothing must be remembered.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
 * Used by: balancer.c, balancer_choice.c */
#pragma once
#include "netsim/live/http.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/model/classic_policy.h"

/* The group that the request is to stay with; NULL: it may go to any. */
const struct target_group *stickiness_group(const struct network *net, const struct lb_action *action, const struct http_head *request,
                                            int64_t now_ms);
/* The number of the target that it is to stay with, -1: any. */
int stickiness_target(const struct target_group *group, const balancer_target_vec *targets, const struct http_head *request, int64_t now_ms);

/* Of a Classic balancer: the number of the instance that the request is to stay with, -1: any.  AWSELB, which names the instance and its port, counts as
 * long as the client sends it; beside an application's cookie only while that comes too.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-sticky-sessions.html */
int stickiness_instance(const struct classic_balancer *lb, const struct classic_listener *listener, const balancer_ip_vec *instances,
                        const struct http_head *request);

/* What the answer will set. */
struct sticky {
    char *always;             /* Set-Cookie lines; NULL: none */
    char *app_name, *with_app; /* the same, if the answer sets that cookie */
    bool like_app;            /* with_app lacks its end: it has the attributes of the application's cookie */
};
/* 'stays': the request came with a cookie for that instance, and needs no other. */
void sticky_note_instance(struct sticky *sticky, const struct classic_balancer *lb, const struct classic_listener *listener,
                          const struct ip *instance, bool stays, const struct http_head *request);
void sticky_note(struct sticky *sticky, const struct lb_action *action, const struct target_group *group, const struct balancer_target *target,
                 int64_t now_ms);
void sticky_write(const struct sticky *sticky, const struct http_head *answer, struct buf *out);
void sticky_done(struct sticky *sticky);
