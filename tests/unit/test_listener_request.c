/* Which rule takes an HTTP request: cases from AWS's page, and on random requests the answer of the balancer that reads
 * real ones. */
#include "netsim/analysis/listener_request.h"

#include <stdlib.h>

#include "base/id.h"
#include "base/json.h"
#include "netsim/live/balancer_rules.h"
#include "tests/test.h"

#define CONDITION(field_, config_, values_) "{\"Field\": \"" field_ "\", \"" config_ "\": {\"Values\": [" values_ "]}}"
#define HEADER(name_, values_)                                                                                         \
    "{\"Field\": \"http-header\", \"HttpHeaderConfig\": {\"HttpHeaderName\": \"" name_ "\", \"Values\": [" values_ "]" \
                                                                                                                   "}" \
                                                                                                                   "}"

static json_t *
json_of(const char *text)
{
    struct err err = { 0 };
    json_t *json = json_read(text, strlen(text), "test", &err);
    REQUIRE(json, "%s: %s", text, err.text);
    return json;
}

/* A listener on port 80 with one rule of those conditions, whose action is a redirect to /rule; the listener's own
 * leads to /own. */
static void
listener_init(struct lb_listener *listener, json_t *conditions)
{
    *listener = (struct lb_listener){ .protocol = "HTTP", .port = 80 };
    struct lb_rule *rule = VEC_ADD(&listener->rules);
    *rule = (struct lb_rule){ .priority = "10", .conditions = conditions };
    *VEC_ADD(&rule->actions) =
        (struct lb_action){ .type = "redirect",
                            .redirect = json_of("{\"Path\": \"/rule\", \"StatusCode\": \"HTTP_302\"}") };
    *VEC_ADD(&listener->actions) =
        (struct lb_action){ .type = "fixed-response", .fixed_response = json_of("{\"StatusCode\": \"404\"}") };
}

static void
listener_done(struct lb_listener *listener)
{
    for (size_t i = 0; i < listener->rules.n; i++) {
        struct lb_rule *rule = &listener->rules.items[i];
        for (size_t j = 0; j < rule->actions.n; j++) {
            json_decref(rule->actions.items[j].redirect);
        }
        json_decref(rule->conditions);
        VEC_DONE(&rule->actions);
    }
    json_decref(listener->actions.items[0].fixed_response);
    VEC_DONE(&listener->actions);
    VEC_DONE(&listener->rules);
}

/* What the balancer of the live lab makes of the request as it stands on the wire. */
static const struct lb_action *
live_action(const struct lb_listener *listener, const struct listener_request *r, char **location)
{
    struct buf text = { 0 };
    struct http_head head;
    size_t used;
    buf_printf(&text, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n", r->method, r->path, r->query ? "?" : "",
               r->query ? r->query : "", r->host);
    for (size_t i = 0; i < r->n_headers; i++) {
        buf_printf(&text, "%s: %s\r\n", r->headers[i].name, r->headers[i].value);
    }
    buf_str_add(&text, "\r\n");
    REQUIRE(http_read_request(text.data, text.size, &head, &used) == HTTP_DONE, "%s", buf_str(&text));
    const struct lb_action *action = balancer_action(listener, &head, &r->client);
    *location = action && action->redirect ? balancer_redirect(action->redirect, &head, "HTTP", listener->port) : NULL;
    http_head_done(&head);
    buf_done(&text);
    return action;
}

TEST(a_rule_takes_a_request_when_each_condition_holds_for_one_value)
{
    static const struct listener_header one[] = { { "X-Tier", "Gold" } },
                                        two[] = { { "X-Tier", "tin" }, { "x-tier", "gold-7" } };
    static const struct {
        const char *conditions, *method, *host, *path, *query;
        const struct listener_header *headers;
        size_t n_headers;
        const char *client;
        bool takes;
    } cases[] = {
#define PLAIN NULL, 0, "10.0.0.9"
        { CONDITION("host-header", "HostHeaderConfig", "\"*.example.com\""), "GET", "WWW.Example.com", "/", NULL, PLAIN,
          true },
        { CONDITION("host-header", "HostHeaderConfig", "\"*.example.com\""), "GET", "www.example.com:8080", "/", NULL,
          PLAIN, true },
        { CONDITION("host-header", "HostHeaderConfig", "\"*.example.com\""), "GET", "example.com", "/", NULL, PLAIN,
          false },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/img/*\""), "GET", "a", "/img/a.png", NULL, PLAIN, true },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/img/*\""), "GET", "a", "/IMG/a.png", NULL, PLAIN, false },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/img/?.png\", \"/b\""), "GET", "a", "/b", NULL, PLAIN,
          true },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/img/?.png\""), "GET", "a", "/img/.png", NULL, PLAIN,
          false },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/a\""), "GET", "a", "/a", "b=/a", PLAIN, true },
        { CONDITION("http-request-method", "HttpRequestMethodConfig", "\"PUT\""), "put", "a", "/", NULL, PLAIN, false },
        { CONDITION("http-request-method", "HttpRequestMethodConfig", "\"PUT\", \"POST\""), "POST", "a", "/", NULL,
          PLAIN, true },
        { HEADER("x-tier", "\"gold*\""), "GET", "a", "/", NULL, one, 1, "10.0.0.9", true },
        { HEADER("x-tier", "\"gold*\""), "GET", "a", "/", NULL, two, 2, "10.0.0.9", true }, /* the second of two */
        { HEADER("x-tier", "\"gold\""), "GET", "a", "/", NULL, two, 2, "10.0.0.9", false },
        { HEADER("x-tier", "\"*\""), "GET", "a", "/", NULL, PLAIN, false },
        { CONDITION("query-string", "QueryStringConfig", "{\"Key\": \"v\", \"Value\": \"1*\"}"), "GET", "a", "/",
          "x=2&V=12", PLAIN, true },
        { CONDITION("query-string", "QueryStringConfig", "{\"Key\": \"v\", \"Value\": \"1*\"}"), "GET", "a", "/",
          "w=12", PLAIN, false },
        { CONDITION("query-string", "QueryStringConfig", "{\"Value\": \"beta\"}"), "GET", "a", "/", "x=2&any=BETA",
          PLAIN, true },
        { CONDITION("query-string", "QueryStringConfig", "{\"Key\": \"q\", \"Value\": \"what\\\\?\"}"), "GET", "a", "/",
          "q=what?", PLAIN, true },
        { CONDITION("query-string", "QueryStringConfig", "{\"Key\": \"q\", \"Value\": \"what\\\\?\"}"), "GET", "a", "/",
          "q=whats", PLAIN, false },
        { CONDITION("source-ip", "SourceIpConfig", "\"10.0.0.0/24\""), "GET", "a", "/", NULL, PLAIN, true },
        { CONDITION("source-ip", "SourceIpConfig", "\"10.0.1.0/24\", \"2001:db8::/32\""), "GET", "a", "/", NULL, NULL,
          0, "2001:db8::9", true },
        { CONDITION("source-ip", "SourceIpConfig", "\"0.0.0.0/0\""), "GET", "a", "/", NULL, NULL, 0, "2001:db8::9",
          false },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/a\"") "," HEADER("X-Tier", "\"gold\""), "GET", "a", "/a",
          NULL, one, 1, "10.0.0.9", true },
        { CONDITION("path-pattern", "PathPatternConfig", "\"/b\"") "," HEADER("X-Tier", "\"gold\""), "GET", "a", "/a",
          NULL, one, 1, "10.0.0.9", false },
#undef PLAIN
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct listener_request r = { .method = cases[i].method,
                                      .host = cases[i].host,
                                      .path = cases[i].path,
                                      .query = cases[i].query,
                                      .headers = cases[i].headers,
                                      .n_headers = cases[i].n_headers,
                                      .client = ip_lit(cases[i].client) };
        struct lb_listener listener;
        struct listener_decision said;
        char *conditions = xasprintf("[%s]", cases[i].conditions), *location;
        listener_init(&listener, json_of(conditions));
        listener_decide(&listener, &r, &said);
        CHECK((said.rule != NULL) == cases[i].takes, "%zu: %s", i, conditions);
        CHECK(said.status == (cases[i].takes ? 302 : 404), "%zu: %d", i, said.status);
        bool live = live_action(&listener, &r, &location) != &listener.actions.items[0];
        CHECK(live == cases[i].takes, "the balancer, %zu: %s", i, conditions);
        free(location);
        listener_decision_done(&said);
        listener_done(&listener);
        free(conditions);
    }
}

TEST(a_redirect_keeps_what_it_does_not_name)
{
    static const struct {
        const char *redirect, *location;
    } cases[] = {
        { "{\"Protocol\": \"HTTPS\", \"Port\": \"443\", \"StatusCode\": \"HTTP_301\"}",
          "https://shop.example:443/a/b?c=d" },
        { "{\"Host\": \"new.#{host}\", \"Path\": \"/v2/#{path}\", \"StatusCode\": \"HTTP_301\"}",
          "http://new.shop.example:80/v2/a/b?c=d" },
        { "{\"Path\": \"/#{port}/#{host}\", \"Query\": \"#{query}&e=f\", \"StatusCode\": \"HTTP_301\"}",
          "http://shop.example:80/80/shop.example?c=d&e=f" },
        { "{\"Path\": \"/\", \"Query\": \"\", \"StatusCode\": \"HTTP_301\"}", "http://shop.example:80/" },
    };
    struct listener_request r = {
        .method = "GET", .host = "shop.example:8080", .path = "/a/b", .query = "c=d", .client = ip_lit("10.0.0.9")
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lb_listener listener;
        struct listener_decision said;
        char *location;
        listener_init(&listener, json_of("[" CONDITION("path-pattern", "PathPatternConfig", "\"*\"") "]"));
        json_decref(listener.rules.items[0].actions.items[0].redirect);
        listener.rules.items[0].actions.items[0].redirect = json_of(cases[i].redirect);
        listener_decide(&listener, &r, &said);
        CHECK(said.status == 301, "%d", said.status);
        CHECK_STR(said.location, cases[i].location, "%s", cases[i].redirect);
        live_action(&listener, &r, &location);
        CHECK_STR(location, cases[i].location, "the balancer: %s", cases[i].redirect);
        free(location);
        listener_decision_done(&said);
        listener_done(&listener);
    }
}

/* ---- random requests ----------------------------------------------------------------------------------------------
 */
static int
lot_of(struct id_gen *g, int n)
{
    return (int)id_random_below(g, (uint64_t)n);
}

/* A short text of few characters, so that patterns fit often. */
static const char *
text_by_lot(struct id_gen *g, const char *characters, int least, char out[static 8])
{
    int n = least + lot_of(g, 4);
    for (int i = 0; i < n; i++) {
        out[i] = characters[lot_of(g, (int)strlen(characters))];
    }
    out[n] = '\0';
    return out;
}

static json_t *
condition_by_lot(struct id_gen *g)
{
    char a[8], b[8], c[8];
    switch (lot_of(g, 6)) {
    case 0:
        return json_pack("{s:s, s:{s:[s]}}", "Field", "host-header", "HostHeaderConfig", "Values",
                         text_by_lot(g, "aB*?.", 1, a));
    case 1:
        return json_pack("{s:s, s:[s, s]}", "Field", "path-pattern", "Values", text_by_lot(g, "aB*?/", 1, a),
                         text_by_lot(g, "aB*?/", 1, b));
    case 2:
        return json_pack("{s:s, s:{s:s, s:[s, s]}}", "Field", "http-header", "HttpHeaderConfig", "HttpHeaderName",
                         lot_of(g, 2) ? "X-A" : "x-b", "Values", text_by_lot(g, "aB*?", 1, a),
                         text_by_lot(g, "aB*?", 1, b));
    case 3:
        return json_pack("{s:s, s:{s:[s]}}", "Field", "http-request-method", "HttpRequestMethodConfig", "Values",
                         lot_of(g, 2) ? "GET" : "PUT");
    case 4:
        return json_pack("{s:s, s:{s:[{s:s*, s:s}]}}", "Field", "query-string", "QueryStringConfig", "Values", "Key",
                         lot_of(g, 2) ? text_by_lot(g, "aB*\\?", 1, a) : NULL, "Value", text_by_lot(g, "aB*\\?", 1, c));
    default:
        return json_pack("{s:s, s:{s:[s]}}", "Field", "source-ip", "SourceIpConfig", "Values",
                         lot_of(g, 2) ? "10.0.0.0/25" : "2001:db8::/127");
    }
}

TEST(random_requests_are_taken_by_the_rule_that_the_balancer_takes)
{
    enum { LISTENERS = 3000, REQUESTS = 10, RULES = 4 };
    static const char *const priorities[RULES] = { "30", "4", "200", "5" };
    static const char *const clients[] = { "10.0.0.9", "10.0.0.200", "2001:db8::1", "2001:db8::2" };
    struct id_gen g = { 0 };
    size_t n_taken = 0;
    id_gen_seed(&g, 7);
    for (int l = 0; l < LISTENERS; l++) {
        struct lb_listener listener = { .protocol = "HTTP", .port = 80 };
        *VEC_ADD(&listener.actions) =
            (struct lb_action){ .type = "fixed-response", .fixed_response = json_of("{\"StatusCode\": \"404\"}") };
        for (int i = 0; i < RULES; i++) {
            struct lb_rule *rule = VEC_ADD(&listener.rules);
            *rule = (struct lb_rule){ .priority = (char *)priorities[i], .conditions = json_array() };
            for (int n = 1 + lot_of(&g, 2); n > 0; n--) {
                json_array_append_new(rule->conditions, condition_by_lot(&g));
            }
            *VEC_ADD(&rule->actions) = (struct lb_action){ .type = "forward" };
        }
        for (int i = 0; i < REQUESTS; i++) {
            char host[8], path[8], query[8], values[2][8];
            struct listener_header headers[2] = { { lot_of(&g, 2) ? "x-a" : "X-B",
                                                    text_by_lot(&g, "abAB", 1, values[0]) },
                                                  { "x-A", text_by_lot(&g, "abAB", 1, values[1]) } };
            struct listener_request r = { .method = lot_of(&g, 2) ? "GET" : "PUT",
                                          .host = text_by_lot(&g, "abB.", 1, host),
                                          .path = path,
                                          .headers = headers,
                                          .n_headers = (size_t)lot_of(&g, 3),
                                          .client = ip_lit(clients[lot_of(&g, 4)]) };
            text_by_lot(&g, "abB/", 1, path);
            path[0] = '/';
            r.query = lot_of(&g, 2) ? text_by_lot(&g, "abB=&*", 0, query) : NULL;
            struct listener_decision said;
            char *location;
            listener_decide(&listener, &r, &said);
            const struct lb_action *action = live_action(&listener, &r, &location);
            struct buf conditions = { 0 };
            if (said.rule) {
                json_write_compact(said.rule->conditions, &conditions);
            }
            CHECK(action == said.action, "%s %s%s%s host %s: analysis takes %s", r.method, r.path, r.query ? "?" : "",
                  r.query ? r.query : "", r.host, buf_str(&conditions));
            n_taken += said.rule != NULL;
            buf_done(&conditions);
            free(location);
            listener_decision_done(&said);
        }
        listener_done(&listener);
    }
    CHECK(n_taken > LISTENERS && n_taken < LISTENERS * (REQUESTS - 1), "%zu of %d", n_taken, LISTENERS * REQUESTS);
}

TEST_MAIN
