/* cloud/live_link_request.c - HTTP requests through a live lab that another process holds.
 *
 *     {"requests": [[from, src, dst, src_port, dst_port, text, secure, host], ..], "servers": [[instance, ip, port],
 * ..]}
 *         -> {"requests": [[status, location or null, server, told_src or "", told_protocol, cookies or null, serial,
 * tls, issued], ..]} */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/live_link.h"

#define REQUESTS_MS 20000 /* all of them: they take some milliseconds, on a busy machine a retransmission or two */

static const char *
text_at(const json_t *row, size_t i)
{
    const char *text = json_string_value(json_array_get(row, i));
    return text ? text : "";
}

static struct ip
ip_at(const json_t *row, size_t i)
{
    struct ip ip;
    return ip_parse(text_at(row, i), &ip) ? ip : (struct ip){ 0 };
}

static int
number_at(const json_t *row, size_t i)
{
    return (int)json_integer_value(json_array_get(row, i));
}

static json_t *
question_of(const struct live_request *r)
{
    char src[IP_STR_SIZE];
    snprintf(src, sizeof src, "%s", ip_str(&r->src));
    return json_pack("[s, s, s, i, i, s, b, s]", r->from, src, ip_str(&r->dst), r->src_port, r->dst_port, r->text,
                     r->secure, r->host);
}

static void
read_question(const json_t *row, struct live_request *r)
{
    *r = (struct live_request){ .src = ip_at(row, 1),
                                .dst = ip_at(row, 2),
                                .src_port = number_at(row, 3),
                                .dst_port = number_at(row, 4),
                                .text = xstrdup(text_at(row, 5)),
                                .secure = json_is_true(json_array_get(row, 6)) };
    snprintf(r->from, sizeof r->from, "%s", text_at(row, 0));
    snprintf(r->host, sizeof r->host, "%s", text_at(row, 7));
}

static json_t *
answer_of(const struct live_request *r)
{
    return json_pack("[i, s?, I, s, s, s?, s, s, b]", r->status, r->location, (json_int_t)r->server,
                     r->told_src.family ? ip_str(&r->told_src) : "", r->told_protocol, r->cookies, r->serial, r->tls,
                     r->issued);
}

static void
read_answer(const json_t *row, struct live_request *r)
{
    const char *location = json_string_value(json_array_get(row, 1)),
               *cookies = json_string_value(json_array_get(row, 5));
    r->status = number_at(row, 0);
    r->location = location ? xstrdup(location) : NULL;
    r->server = (size_t)json_integer_value(json_array_get(row, 2));
    r->told_src = ip_at(row, 3);
    r->cookies = cookies ? xstrdup(cookies) : NULL;
    r->issued = json_is_true(json_array_get(row, 8));
    snprintf(r->told_protocol, sizeof r->told_protocol, "%s", text_at(row, 4));
    snprintf(r->serial, sizeof r->serial, "%s", text_at(row, 6));
    snprintf(r->tls, sizeof r->tls, "%s", text_at(row, 7));
}

/* ---- in the keeper ------------------------------------------------------------------------------------------------
 */
bool
live_link_serve_requests(struct cloud *cloud, const json_t *asked, json_t *out, struct err *err)
{
    live_server_vec servers = { 0 };
    live_request_vec requests = { 0 };
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(asked, "servers"), i, row)
    {
        struct live_server *server = VEC_ADD(&servers);
        *server = (struct live_server){ .ip = ip_at(row, 1), .port = number_at(row, 2) };
        snprintf(server->ns, sizeof server->ns, "%s", text_at(row, 0));
    }
    json_array_foreach(json_object_get(asked, "requests"), i, row)
    {
        read_question(row, VEC_ADD(&requests));
    }
    bool ok = live_request(cloud->live, servers.items, servers.n, requests.items, requests.n, REQUESTS_MS, err);
    json_t *rows = json_array();
    for (i = 0; i < requests.n; i++) {
        json_array_append_new(rows, answer_of(&requests.items[i]));
        live_request_done(&requests.items[i]);
    }
    json_object_set_new(out, "requests", rows);
    VEC_DONE(&requests);
    VEC_DONE(&servers);
    return ok;
}

/* ---- outside ------------------------------------------------------------------------------------------------------
 */
bool
live_link_request(const struct cloud *cloud, const live_server_vec *servers, live_request_vec *requests,
                  struct err *err)
{
    if (cloud->live) {
        return live_request(cloud->live, servers->items, servers->n, requests->items, requests->n, REQUESTS_MS, err);
    }
    json_t *rows = json_array(), *places = json_array();
    for (size_t i = 0; i < requests->n; i++) {
        json_array_append_new(rows, question_of(&requests->items[i]));
    }
    for (size_t i = 0; i < servers->n; i++) {
        const struct live_server *s = &servers->items[i];
        json_array_append_new(places, json_pack("[s, s, i]", s->ns, ip_str(&s->ip), s->port));
    }
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:o, s:o}", "requests", rows, "servers", places), &reply, err)) {
        return false;
    }
    for (size_t i = 0; i < requests->n; i++) {
        read_answer(json_array_get(json_object_get(reply.json, "requests"), i), &requests->items[i]);
    }
    keeper_message_done(&reply);
    return true;
}
