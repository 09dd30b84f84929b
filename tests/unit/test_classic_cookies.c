/* Cookies of Classic balancers: what a request's and an answer's cookies mean under each policy. */
#include <stdlib.h>

#include "netsim/live/stickiness.h"
#include "tests/test.h"

struct lab {
    struct classic_balancer lb;
    struct classic_listener web, bytes;
    balancer_ip_vec instances;
};

static struct lab
lab_with(const char *policies, const char *policy)
{
    static char http[] = "HTTP", tcp[] = "TCP";
    struct lab lab = { .web = { .protocol = http, .instance_protocol = http, .port = 80, .instance_port = 8080 },
                       .bytes = { .protocol = tcp, .instance_protocol = tcp, .port = 81, .instance_port = 8080 } };
    snprintf(lab.lb.obj.id, sizeof lab.lb.obj.id, "old");
    lab.lb.policies = json_loads(policies, 0, NULL);
    *VEC_ADD(&lab.web.policies) = xstrdup(policy);
    *VEC_ADD(&lab.bytes.policies) = xstrdup(policy);
    *VEC_ADD(&lab.instances) = ip_lit("10.0.0.1");
    *VEC_ADD(&lab.instances) = ip_lit("10.0.0.2");
    return lab;
}

static void
lab_done(struct lab *lab)
{
    json_decref(lab->lb.policies);
    free(lab->web.policies.items[0]);
    free(lab->bytes.policies.items[0]);
    VEC_DONE(&lab->web.policies);
    VEC_DONE(&lab->bytes.policies);
    VEC_DONE(&lab->instances);
}

static struct http_head
head_of(const char *cookie, const char *set_cookie)
{
    struct http_head head;
    size_t used;
    char *text = set_cookie ? xasprintf("HTTP/1.1 200 OK\r\n%s%s%s\r\n", *set_cookie ? "Set-Cookie: " : "", set_cookie,
                                        *set_cookie ? "\r\n" : "")
                            : xasprintf("GET / HTTP/1.1\r\nHost: h\r\n%s%s%s\r\n", *cookie ? "Cookie: " : "", cookie,
                                        *cookie ? "\r\n" : "");
    enum http_progress progress = (set_cookie ? http_read_answer : http_read_request)(text, strlen(text), &head, &used);
    CHECK(progress == HTTP_DONE, "%s", text);
    free(text);
    return head;
}

/* Whom a request with that cookie stays with. */
static int
stays(const struct lab *lab, const struct classic_listener *listener, const char *cookie)
{
    struct http_head request = head_of(cookie, NULL);
    int at = stickiness_instance(&lab->lb, listener, &lab->instances, &request);
    http_head_done(&request);
    return at;
}

/* What the client is told by the answer of an instance; the caller frees it. */
static char *
told(const struct lab *lab, const char *cookie, int instance, bool is_kept, const char *answered)
{
    struct http_head request = head_of(cookie, NULL), answer = head_of("", answered);
    struct sticky sticky = { 0 };
    struct buf out = { 0 };
    sticky_note_instance(&sticky, &lab->lb, &lab->web, &lab->instances.items[instance], is_kept, &request);
    sticky_write(&sticky, &answer, &out);
    sticky_done(&sticky);
    http_head_done(&request);
    http_head_done(&answer);
    return buf_steal(&out);
}

TEST(the_balancers_own_cookie)
{
    struct lab lab =
        lab_with("{\"LBCookieStickinessPolicies\":[{\"PolicyName\":\"p\",\"CookieExpirationPeriod\":60}]}", "p");
    char *said = told(&lab, "", 1, false, "");
    char value[33] = "";
    CHECK(sscanf(said, "Set-Cookie: AWSELB=%32[0-9a-f];PATH=/;MAX-AGE=60\r\n", value) == 1, "%s", said);
    char *want = xasprintf("Set-Cookie: AWSELB=%s;PATH=/;MAX-AGE=60\r\n"
                           "Set-Cookie: AWSELBCORS=%s;PATH=/;MAX-AGE=60;SECURE;SAMESITE=None\r\n",
                           value, value);
    CHECK_STR(said, want, "");
    char *cookie = xasprintf("a=b; AWSELB=%s", value);
    CHECK_INT(stays(&lab, &lab.web, cookie), 1, "%s", cookie);
    CHECK_INT(stays(&lab, &lab.web, "AWSELB=0123456789abcdef0123456789abcdef"), -1, "somebody else's");
    CHECK_INT(stays(&lab, &lab.web, ""), -1, "none");
    CHECK_INT(stays(&lab, &lab.bytes, cookie), -1, "a listener that reads no HTTP");
    lab.web.instance_port = 9;
    CHECK_INT(stays(&lab, &lab.web, cookie), -1, "another port of the instances");
    lab.web.instance_port = 8080;
    VEC_REMOVE(&lab.instances, 1);
    CHECK_INT(stays(&lab, &lab.web, cookie), -1, "its instance is gone");
    free(said);
    said = told(&lab, cookie, 0, true, "");
    CHECK_STR(said, "", "what the client has is not renewed");
    free(said);
    free(want);
    free(cookie);
    lab_done(&lab);
}

TEST(a_cookie_for_as_long_as_the_browser_runs)
{
    struct lab lab = lab_with("{\"LBCookieStickinessPolicies\":[{\"PolicyName\":\"p\"}]}", "p");
    char *said = told(&lab, "", 0, false, "");
    CHECK(strstr(said, ";PATH=/\r\n") && !strstr(said, "MAX-AGE"), "%s", said);
    free(said);
    lab_done(&lab);
    lab = lab_with("{\"LBCookieStickinessPolicies\":[{\"PolicyName\":\"p\"}]}", "another");
    said = told(&lab, "", 0, false, "");
    CHECK_STR(said, "", "a policy that the listener does not have");
    free(said);
    lab_done(&lab);
}

TEST(a_cookie_that_follows_the_applications)
{
    struct lab lab =
        lab_with("{\"AppCookieStickinessPolicies\":[{\"PolicyName\":\"p\",\"CookieName\":\"session\"}]}", "p");
    char value[33] = "";
    char *said = told(&lab, "", 1, false, "");
    CHECK_STR(said, "", "the application sets none");
    free(said);
    said = told(&lab, "", 1, false, "other=1; Path=/x");
    CHECK_STR(said, "", "another cookie");
    free(said);
    said = told(&lab, "", 1, false, "session=s; Path=/x; HttpOnly");
    CHECK(sscanf(said, "Set-Cookie: AWSELB=%32[0-9a-f]; Path=/x; HttpOnly\r\n", value) == 1 && strlen(value) == 32,
          "%s", said);
    free(said);
    char *both = xasprintf("AWSELB=%s; session=s", value), *alone = xasprintf("AWSELB=%s", value);
    CHECK_INT(stays(&lab, &lab.web, both), 1, "both");
    CHECK_INT(stays(&lab, &lab.web, alone), -1, "the application's is gone");
    said = told(&lab, both, 1, true, "");
    CHECK_STR(said, "", "not renewed");
    free(said);
    /* The instance failed: the session is the next one's. */
    VEC_REMOVE(&lab.instances, 1);
    said = told(&lab, both, 0, false, "");
    CHECK(sscanf(said, "Set-Cookie: AWSELB=%32[0-9a-f];PATH=/\r\n", value) == 1, "%s", said);
    free(alone);
    alone = xasprintf("session=s; AWSELB=%s", value);
    CHECK_INT(stays(&lab, &lab.web, alone), 0, "from now on");
    free(said);
    free(both);
    free(alone);
    lab_done(&lab);
}

TEST_MAIN
