/* netsim/analysis/listener_session.h - what an application balancer's listener gives a client beside the answer: a certificate, a version of TLS, cookies; and with
 * whom these cookies keep him.
 *
 * What listener_request.h is for one request, for those of one client.  live/ does it by code of its own (tls.h, stickiness.h): `verify --random` compares.
 * Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html, .../sticky-sessions.html,
 * .../describe-ssl-policies.html
 *
 * Used by: cloud/http_questions.c. */
#pragma once
#include "netsim/model/certificate.h"
#include "netsim/model/load_balancer.h"

/* May the listener show this certificate to a client that asks for 'host' ("": for none)?  One that names the host, be it by a wildcard; the default one where none
 * does.  Which of several AWS decides by keys and dates, which are not looked at. */
bool listener_may_show(const struct network *net, const struct lb_listener *listener, const char *host, const struct certificate *certificate);
/* 3: TLS 1.3.  The highest that the policy has, for a client that speaks all of them. */
int listener_tls_version(const struct lb_listener *listener);

/* Cookies of the balancer's own. */
enum listener_cookies {
    LISTENER_COOKIE_TARGET = 1, /* AWSALB and AWSALBCORS */
    LISTENER_COOKIE_APP = 2,    /* AWSALBAPP-0 */
    LISTENER_COOKIE_GROUP = 4,  /* AWSALBTG and AWSALBTGCORS */
};
/* Those that come with the answer of a target of that group, which has set a cookie named 'app' itself.  Flags. */
unsigned listener_cookies(const struct lb_action *action, const struct target_group *group, const char *app);
/* The flags of a text as clients send it: "a=1; AWSALB=2; AWSALBCORS=2"; *strange: one of a pair is missing. */
unsigned listener_cookies_read(const char *text, bool *strange);
/* Does this forward action keep clients with one of its groups? */
bool listener_keeps_group(const struct lb_action *action);
