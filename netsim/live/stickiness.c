#include "netsim/live/stickiness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json.h"
#include "base/map.h"

#define DAY_S      86400
#define VALUE_SIZE 40

/* ---- values -------------------------------------------------------------------------------------------------------
 */
/* Whom it means, and when it was set. */
static void
make_value(const char *whom, int64_t now_ms, char value[static VALUE_SIZE])
{
    snprintf(value, VALUE_SIZE, "%016" PRIx64 "%016" PRIx64, hash_bytes(whom, strlen(whom)), (uint64_t)(now_ms / 1000));
}

static bool
means(const char *value, const char *whom, int64_t seconds, int64_t now_ms)
{
    char own[VALUE_SIZE];
    make_value(whom, now_ms, own);
    if (!value || strlen(value) != 32 || strncmp(value, own, 16) != 0) {
        return false;
    }
    int64_t set = (int64_t)strtoull(value + 16, NULL, 16), now = now_ms / 1000;
    return set <= now && now - set < seconds;
}

/* The value of a cookie that the request brings, in a buffer of the caller's; NULL: none of that name. */
static const char *
find_cookie(const struct http_head *head, const char *name, char value[static VALUE_SIZE])
{
    size_t length = strlen(name);
    for (size_t i = 0; i < head->n_fields; i++) {
        const char *p = strcasecmp(head->fields[i].name, "Cookie") == 0 ? head->fields[i].value : "";
        for (; *p; p += strcspn(p, ";"), p += *p == ';') {
            p += strspn(p, " \t");
            if (strncmp(p, name, length) == 0 && p[length] == '=') {
                size_t size = strcspn(p + length + 1, "; \t");
                snprintf(value, VALUE_SIZE, "%.*s", (int)(size < VALUE_SIZE ? size : VALUE_SIZE - 1), p + length + 1);
                return value;
            }
        }
    }
    return NULL;
}

/* ---- what is wanted -----------------------------------------------------------------------------------------------
 */
static const char *
attribute(const struct target_group *group, const char *key)
{
    const char *value = target_group_attribute(group, key);
    return value ? value : "";
}

static int64_t
duration(const struct target_group *group, const char *key)
{
    int64_t seconds = strtoll(attribute(group, key), NULL, 10);
    return seconds > 0 ? seconds : DAY_S;
}

/* "lb_cookie", "app_cookie"; "": no stickiness. */
static const char *
kind_of(const struct target_group *group)
{
    bool on = strcmp(attribute(group, "stickiness.enabled"), "true") == 0;
    const char *type = attribute(group, "stickiness.type");
    return !on ? "" : *type ? type : "lb_cookie";
}

static int64_t
group_seconds(const struct lb_action *action)
{
    bool on = json_flag(action->stickiness, "Enabled", false);
    return on ? json_int(action->stickiness, "DurationSeconds", DAY_S) : 0;
}

/* ---- the request --------------------------------------------------------------------------------------------------
 */
const struct target_group *
stickiness_group(const struct network *net, const struct lb_action *action, const struct http_head *request,
                 int64_t now_ms)
{
    char value[VALUE_SIZE];
    int64_t seconds = group_seconds(action);
    const char *cookie = seconds > 0 ? find_cookie(request, "AWSALBTG", value) : NULL;
    for (size_t i = 0; cookie && i < action->groups.n; i++) {
        const struct lb_action_group *g = &action->groups.items[i];
        const struct target_group *group = g->weight > 0 ? network_target_group(net, g->group_arn) : NULL;
        if (group && means(cookie, group->obj.id, seconds, now_ms)) {
            return group;
        }
    }
    return NULL;
}

int
stickiness_target(const struct target_group *group, const balancer_target_vec *targets, const struct http_head *request,
                  int64_t now_ms)
{
    char value[VALUE_SIZE], app[VALUE_SIZE], key[BALANCER_KEY_SIZE];
    const char *kind = kind_of(group), *cookie = NULL;
    int64_t seconds = duration(group, "stickiness.lb_cookie.duration_seconds");
    if (strcmp(kind, "lb_cookie") == 0) {
        cookie = find_cookie(request, "AWSALB", value);
    } else if (strcmp(kind, "app_cookie") == 0 &&
               find_cookie(request, attribute(group, "stickiness.app_cookie.cookie_name"), app)) {
        cookie = find_cookie(request, "AWSALBAPP-0", value);
        seconds = duration(group, "stickiness.app_cookie.duration_seconds");
    }
    for (size_t i = 0; cookie && i < targets->n; i++) {
        if (means(cookie, balancer_target_key(group, targets->items[i].target, key), seconds, now_ms)) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- the answer ---------------------------------------------------------------------------------------------------
 */
static void
set_cookie(struct buf *out, const char *name, const char *whom, int64_t seconds, int64_t now_ms, const char *also)
{
    char value[VALUE_SIZE], date[64];
    time_t end = (time_t)(now_ms / 1000 + seconds);
    struct tm tm;
    make_value(whom, now_ms, value);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&end, &tm));
    buf_printf(out, "Set-Cookie: %s=%s; Expires=%s; Path=/%s\r\n", name, value, date, also);
}

void
sticky_note(struct sticky *sticky, const struct lb_action *action, const struct target_group *group,
            const struct balancer_target *target, int64_t now_ms)
{
    struct buf always = { 0 }, with_app = { 0 };
    char key[BALANCER_KEY_SIZE];
    const char *kind = kind_of(group);
    balancer_target_key(group, target->target, key);
    if (strcmp(kind, "lb_cookie") == 0) {
        int64_t seconds = duration(group, "stickiness.lb_cookie.duration_seconds");
        set_cookie(&always, "AWSALB", key, seconds, now_ms, "");
        set_cookie(&always, "AWSALBCORS", key, seconds, now_ms, "; SameSite=None");
    } else if (strcmp(kind, "app_cookie") == 0) {
        int64_t seconds = duration(group, "stickiness.app_cookie.duration_seconds");
        set_cookie(&with_app, "AWSALBAPP-0", key, seconds, now_ms, "");
        sticky->app_name = xstrdup(attribute(group, "stickiness.app_cookie.cookie_name"));
        sticky->with_app = buf_steal(&with_app);
    }
    if (group_seconds(action) > 0) {
        set_cookie(&always, "AWSALBTG", group->obj.id, group_seconds(action), now_ms, "");
        set_cookie(&always, "AWSALBTGCORS", group->obj.id, group_seconds(action), now_ms, "; SameSite=None");
    }
    sticky->always = always.size ? buf_steal(&always) : NULL;
    buf_done(&always);
    buf_done(&with_app);
}

/* ---- Classic balancers ----------------------------------------------------------------------------------------------
 */
#define CLASSIC_COOKIE "AWSELB"

static void
instance_value(const struct classic_balancer *lb, const struct classic_listener *listener, const struct ip *instance,
               char value[static VALUE_SIZE])
{
    char key[BALANCER_KEY_SIZE];
    snprintf(key, sizeof key, "%s %s %d", lb->obj.id, ip_str(instance), listener->instance_port);
    make_value(key, 0, value);
}

int
stickiness_instance(const struct classic_balancer *lb, const struct classic_listener *listener,
                    const balancer_ip_vec *instances, const struct http_head *request)
{
    struct classic_stickiness policy;
    char value[VALUE_SIZE], app[VALUE_SIZE], own[VALUE_SIZE];
    const char *cookie = NULL;
    if (classic_listener_stickiness(lb, listener, &policy) &&
        (!policy.app_cookie || find_cookie(request, policy.app_cookie, app))) {
        cookie = find_cookie(request, CLASSIC_COOKIE, value);
    }
    for (size_t i = 0; cookie && i < instances->n; i++) {
        instance_value(lb, listener, &instances->items[i], own);
        if (strcmp(own, cookie) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void
sticky_note_instance(struct sticky *sticky, const struct classic_balancer *lb, const struct classic_listener *listener,
                     const struct ip *instance, bool stays, const struct http_head *request)
{
    struct classic_stickiness policy;
    char value[VALUE_SIZE], app[VALUE_SIZE], ends[40] = "";
    if (!classic_listener_stickiness(lb, listener, &policy)) {
        return;
    }
    instance_value(lb, listener, instance, value);
    if (!policy.app_cookie) {
        if (policy.period_s) {
            snprintf(ends, sizeof ends, ";MAX-AGE=%" PRId64, policy.period_s);
        }
        if (!stays) { /* what the client has is not renewed */
            sticky->always = xasprintf("Set-Cookie: " CLASSIC_COOKIE "=%s;PATH=/%s\r\nSet-Cookie: " CLASSIC_COOKIE
                                       "CORS=%s;PATH=/%s;SECURE;SAMESITE=None\r\n",
                                       value, ends, value, ends);
        }
        return;
    }
    sticky->app_name = xstrdup(policy.app_cookie);
    sticky->with_app = xasprintf("Set-Cookie: " CLASSIC_COOKIE "=%s", value);
    sticky->like_app = true;
    /* Its instance failed: the session is the next one's from now on. */
    if (!stays && find_cookie(request, policy.app_cookie, app) && find_cookie(request, CLASSIC_COOKIE, app)) {
        sticky->always = xasprintf("Set-Cookie: " CLASSIC_COOKIE "=%s;PATH=/\r\n", value);
    }
}

void
sticky_write(const struct sticky *sticky, const struct http_head *answer, struct buf *out)
{
    buf_str_add(out, sticky->always ? sticky->always : "");
    size_t length = sticky->app_name ? strlen(sticky->app_name) : 0;
    for (size_t i = 0; length && i < answer->n_fields; i++) {
        const struct http_field *f = &answer->fields[i];
        if (strcasecmp(f->name, "Set-Cookie") == 0 && strncmp(f->value, sticky->app_name, length) == 0 &&
            f->value[length] == '=') {
            const char *more = strchr(f->value, ';');
            buf_str_add(out, sticky->with_app);
            buf_printf(out, "%s%s", sticky->like_app && more ? more : "", sticky->like_app ? "\r\n" : "");
            return;
        }
    }
}

void
sticky_done(struct sticky *sticky)
{
    free(sticky->always);
    free(sticky->app_name);
    free(sticky->with_app);
    *sticky = (struct sticky){ 0 };
}
