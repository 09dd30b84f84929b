/* cloud/http_questions.h - HTTP requests to application balancers, put to both judges: which rule takes one, who answers it, and how often.
 *
 * Analysis says which rule takes a request (listener_request.h) and whether its packets pass; real requests say what the balancer did.
 * Asked are only those whose every possible answer analysis knows: packets pass to the node, and from it to all targets of the rule that takes it.
 * Through listeners of HTTPS they go in TLS: the certificate and version are compared too (listener_session.h), and where clients are kept by cookies some come back with
 * those that they got.  Servers that say who they are stand in the targets' places while requests are sent.
 *
 * Used by: random_requests.c (draws them), shrink_request.c, ops_verify_request.c. */
#pragma once
#include "cloud/verify_sides.h"
#include "netsim/analysis/listener_request.h"
#include "netsim/live/request.h"

#define HTTP_FIELDS_MOST 8

/* One as it is typed, by ids that a smaller copy of the network has too.  Texts are borrowed. */
struct http_asked {
    char from[ID_SIZE]; /* an interface of a machine, or "internet" */
    char door[ID_SIZE]; /* the interface of a node: of an application balancer, or of a network balancer before one */
    struct ip src, dst;
    int port;
    const char *method, *host, *path, *query; /* NULL: no query */
    struct listener_header fields[HTTP_FIELDS_MOST]; /* beside Host */
    size_t n_fields;
};
struct http_question {
    struct http_asked asked;
    const struct verify_side *from, *door, *node; /* node: of the application balancer; behind a network balancer any of its nodes */
    const struct lb_listener *listener;
    struct ip client; /* as the application balancer sees it */
    size_t first, n;  /* of the requests sent */
    bool sticks;      /* clients are kept with a target or group by cookies: some come a second time with those they got */
};
struct http_questions {
    VEC(struct http_question) asked;
    live_server_vec servers;
    live_request_vec sent, again; /* 'again': of clients that come back, with their cookies */
    VEC(size_t) again_of;         /* which of 'sent' was that client's first */
};
struct plan;
/* False: the two cannot be compared, '*why' (static) says why not; nothing is added then.  What is added borrows from all of these. */
bool http_questions_add(const struct network *net, const struct plan *plan, const verify_side_vec *sides, const struct http_asked *asked,
                        struct http_questions *out, const char **why);
bool http_side_is_node(const struct verify_side *side); /* of a balancer with listeners; application and network balancers */
bool http_side_asks(const struct verify_side *side);    /* a machine, or the internet */
void http_questions_done(struct http_questions *questions);

/* The kernel's half: live_request(), here or in a keeper. */
typedef bool http_send_fn(void *context, const live_server_vec *servers, live_request_vec *requests, struct err *err);
bool http_questions_send(struct http_questions *questions, http_send_fn *send, void *context, struct err *err);

/* In which way the two differ, in words that do not name the network's parts (static); NULL: they agree. */
#define HTTP_UNANSWERED "no answer came"
const char *http_question_differs(const struct network *net, const struct http_questions *questions, size_t i);
/* {"From", "To", "Port", "SourceIp", "DestinationIp", "Request": "GET /x", "Fields": ["Host: ..", ..], "Analysis": text, "Kernel": text,
 *  "Difference": text (left out when they agree)}; the caller owns it. */
json_t *http_question_report(const struct network *net, const struct http_questions *questions, size_t i);
/* {"Asked": requests, "Rules": by rules other than the listener's own, "Forwarded", "Redirected", "Fixed", "Unserved" (503), "Secure": in TLS, "Again": clients that came back with
 *  cookies, "Differences": [text]};
 * '*first' is the first question that differs, the number of them if none does. */
json_t *http_questions_judge(const struct network *net, const struct http_questions *questions, size_t *first);
