/* cloud/http_expected.h - what analysis expects of an HTTP question, for the two files that ask and judge them.
 *
 * Used by: http_questions.c, http_answers.c.  Nobody else includes it. */
#pragma once
#include "cloud/http_questions.h"
#include "cloud/verify_balancers.h"

struct expected {
    struct listener_decision decision;
    struct verify_spread spread; /* who may answer when it is forwarded */
    bool unserved;               /* a group that may get it has nobody: 503 */
    struct ip client;            /* as the balancer sees it */
};
void http_expect(const struct network *net, const struct http_question *q, struct expected *e);
void http_expected_done(struct expected *e);

/* Where a server of it stands; NULL: it has none of that family. */
const struct ip *http_target_address(const struct network *net, const struct verify_target *t, const struct eni **eni);
bool http_is_secure(const struct http_question *q); /* the listener ends TLS */
/* Whom the client asks for in TLS: RFC 6066 knows names there, not addresses; "" then. */
void http_host(const struct http_asked *a, char host[static 80]);
