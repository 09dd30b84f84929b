#include "cloud/random_requests.h"

#include <stdio.h>
#include <string.h>

#include "netsim/model/random_net.h"

#define KINDS_OF_REQUEST 8   /* of a network */
#define DRAWS            100 /* until there are so many */

static void
draw_text(struct random_net *r, struct http_asked *asked)
{
    static const char *const hosts[] = { "www.example.com",  "WEB-1.example.com", "web-10.example.com:80",
                                         "shop.example.com", "example.com",       "10.0.0.4" },
                             *const paths[] = { "/",          "/api/",       "/api/x",  "/API/a",
                                                "/img/a.png", "/img/a.jpeg", "/img/b/x" },
                             *const queries[] = { "v=1", "V=12&w=2*", "w=3", "v=2*", "a&v=23", "" },
                             *const tiers[] = { "gold", "Golden", "tin", "none" };
    asked->n_fields = (size_t)lot(r, 3);
    asked->method = chance(r, 60) ? "GET" : "POST";
    asked->host = hosts[lot(r, ARRAY_SIZE(hosts))];
    asked->path = paths[lot(r, ARRAY_SIZE(paths))];
    asked->query = chance(r, 60) ? queries[lot(r, ARRAY_SIZE(queries))] : NULL;
    for (size_t i = 0; i < asked->n_fields; i++) {
        asked->fields[i] = (struct listener_header){ i ? "X-TIER" : "x-tier", tiers[lot(r, ARRAY_SIZE(tiers))] };
    }
}

static void
draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides, const struct verify_side *from,
     const struct verify_side *door, struct http_questions *out)
{
    int family = chance(r, 25) ? IP_V6 : IP_V4;
    const struct ip *src = verify_side_address(from, family), *dst = verify_side_address(door, family),
                    *public = dst && !from->eni ? eni_public_ip(door->eni, dst) : NULL;
    struct http_asked asked = { .port =
                                    door->balancer->listeners.items[lot(r, (int)door->balancer->listeners.n)].port };
    const char *why;
    draw_text(r, &asked);
    if (src && dst) {
        snprintf(asked.from, sizeof asked.from, "%s", from->eni ? from->eni->obj.id : "internet");
        snprintf(asked.door, sizeof asked.door, "%s", door->eni->obj.id);
        asked.src = *src;
        asked.dst = public ? *public : *dst;
        http_questions_add(r->net, plan, sides, &asked, out, &why);
    }
}

void
random_requests_draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides,
                     struct http_questions *out)
{
    VEC(const struct verify_side *) doors = { 0 }, clients = { 0 };
    for (size_t i = 0; i < sides->n; i++) {
        const struct verify_side *side = &sides->items[i];
        if (http_side_is_node(side)) {
            *VEC_ADD(&doors) = side;
        } else if (http_side_asks(side)) {
            *VEC_ADD(&clients) = side;
        }
    }
    for (int i = 0; i < DRAWS && doors.n && clients.n && out->asked.n < KINDS_OF_REQUEST; i++) {
        const struct verify_side *from = clients.items[lot(r, (int)clients.n)];
        draw(r, plan, sides, from, doors.items[lot(r, (int)doors.n)], out);
    }
    VEC_DONE(&doors);
    VEC_DONE(&clients);
}
