/* cloud/ops_capture.c - `vpclab capture`: packets of the live lab into a pcapng file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/state.h"
#include "cloud/live_link.h"
#include "cloud/live_names.h"
#include "netsim/live/capture.h"
#include "netsim/live/capture_ring.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/instance.h"

struct session {
    VEC(struct capture_link) links;
    int fds[KEEPER_NAMESPACES];        /* of the node; -1: none */
    int router_fds[KEEPER_NAMESPACES]; /* of its VPC's router */
    char name[80];
};

static void
close_all(int fds[static KEEPER_NAMESPACES])
{
    for (int i = 0; i < KEEPER_NAMESPACES; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static void
session_done(struct session *s)
{
    close_all(s->fds);
    close_all(s->router_fds);
    VEC_DONE(&s->links);
}

static struct capture_link *
add_link(struct session *s, const char *link, const char *name, const char *description)
{
    struct capture_link *added = VEC_ADD(&s->links);
    *added = (struct capture_link){ .net_fd = s->fds[KEEPER_NET] };
    snprintf(added->link, sizeof added->link, "%s", link);
    snprintf(added->name, sizeof added->name, "%s", name);
    snprintf(added->description, sizeof added->description, "%s", description);
    return added;
}

/* The interfaces of an instance, or the one that was named.  A TAP host's are seen from the router. */
static bool
add_interfaces(const struct cloud *cloud, struct session *s, const struct live_node *node, bool tap, struct err *err)
{
    const struct store *store = network_store(cloud->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        bool is = strcmp(eni->attachment.instance_id, node->id) == 0 && (!node->eni || node->eni == eni);
        char link[16], description[160];
        if (!is) {
            continue;
        }
        snprintf(link, sizeof link, "eth%d", eni->attachment.device_index);
        snprintf(description, sizeof description, "%s of %s", link, node->name);
        if (tap && !live_link_router_end(cloud, eni->obj.id, link, err)) {
            return false;
        }
        struct capture_link *added = add_link(s, link, eni->obj.id, description);
        added->eni = eni;
        added->outside = tap;
    }
    return true;
}

/* An internet gateway has two links, between the router and the world; others are captured whole. */
static bool
find_node(struct op_call *call, const char *text, struct session *s, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const struct store *store = network_store(cloud->net);
    char id[ID_SIZE] = "";
    bool gateway = cloud_resolve(cloud, NULL, text, id, NULL) &&
                   (store_get(store, &internet_gateway_kind, id) || store_get(store, &egress_only_gateway_kind, id));
    struct live_node node = { 0 };
    if (gateway) {
        snprintf(node.id, sizeof node.id, "%s", id);
        snprintf(node.name, sizeof node.name, "%s", text);
    } else if (!live_node_find(cloud, text, &node, err)) {
        return err_at(err, "NODE", 0, 0);
    }
    const struct instance *instance = store_get(store, &instance_kind, node.id);
    bool tap = instance && instance_is_tap(cloud->net, instance);
    char router[ID_SIZE + 16];
    snprintf(router, sizeof router, "router:%s", tap ? node.eni->vpc_id : "");
    if (!live_link_enter(cloud, tap ? router : node.id, s->fds, err)) {
        return false;
    }
    snprintf(s->name, sizeof s->name, "%s", node.name);
    const struct nat_gateway *nat = store_get(store, &nat_gateway_kind, node.id);
    if (gateway && store_get(store, &internet_gateway_kind, id)) {
        add_link(s, "vpc", id, "the side of the VPC: private addresses");
        add_link(s, "inet", id, "the side of the internet: public addresses");
    } else if (instance) {
        return add_interfaces(cloud, s, &node, tap, err);
    } else if (nat && nat->addresses.n) {
        const struct eni *eni = store_get(store, &eni_kind, nat->addresses.items[0].eni_id);
        add_link(s, "eth0", nat->addresses.items[0].eni_id, node.name)->eni = eni;
    } else {
        add_link(s, "any", node.name, "all links");
    }
    return true;
}

/* The router whose refusals concern the interfaces; none for gateways. */
static bool
find_router(const struct cloud *cloud, struct session *s, struct err *err)
{
    char router[ID_SIZE + 16];
    const struct eni *eni = s->links.n ? s->links.items[0].eni : NULL;
    if (!eni) {
        return true;
    }
    snprintf(router, sizeof router, "router:%s", eni->vpc_id);
    return live_link_enter(cloud, router, s->router_fds, err);
}

/* "16M", "512K": bytes. */
static bool
parse_size(const char *text, int *bytes)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    long long unit = strcmp(end, "K") == 0 ? 1024 : strcmp(end, "M") == 0 ? 1024 * 1024 : *end ? 0 : 1;
    bool ok = end != text && unit && n > 0 && n <= (1LL << 30) / unit;
    *bytes = ok ? (int)(n * unit) : 0;
    return ok;
}

static bool
read_size(const struct op_call *call, const char *member, const char *option, int *bytes, struct err *err)
{
    const char *text = arg_str(call->in, member);
    if (text && !parse_size(text, bytes)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a size like 512K or 16M, at most 1024M", text);
        return err_at(err, option, 0, 0);
    }
    return true;
}

static bool
read_options(struct op_call *call, struct capture_options *options, struct err *err)
{
    const char *span = arg_str(call->in, "For");
    int64_t ms = 0;
    int ring = 0;
    options->filter = arg_str(call->in, "Filter");
    options->max_packets = arg_int(call->in, "Count", 0);
    if (json_object_get(call->in, "Count") && options->max_packets < 1) {
        return err_set(err, ERR_USAGE, "", "`--count` must be at least 1") || err_at(err, "--count", 0, 0);
    }
    if (span && (!clock_parse_span(span, &ms) || ms < 1 || ms > INT32_MAX)) { /* 0 is without end */
        err_set(err, ERR_USAGE, "", "`%s` is not a span like 90s, 5m or 2h", span);
        return err_at(err, "--for", 0, 0);
    }
    options->max_ms = (int)ms;
    if (!read_size(call, "Buffer", "--buffer", &options->buffer_bytes, err) ||
        !read_size(call, "Ring", "--ring", &ring, err)) {
        return false;
    }
    if (ring && ring < CAPTURE_RING_MIN) {
        err_set(err, ERR_USAGE, "", "a ring has at least %dK, not `%s`", CAPTURE_RING_MIN / 1024,
                arg_str(call->in, "Ring"));
        return err_at(err, "--ring", 0, 0);
    }
    options->ring_bytes = (size_t)ring;
    return true;
}

/* Opened before the lab's namespaces are joined, with the rights of the caller.  "-" is standard output.  '*made': the
 * file was not there. */
static int
open_file(const char *path, bool ring, bool *made, struct err *err)
{
    bool out = strcmp(path, "-") == 0;
    int mode = (ring ? O_RDWR : O_WRONLY) | O_CLOEXEC;
    *made = false;
    if (out && isatty(STDOUT_FILENO)) {
        err_set(err, ERR_USAGE, "", "a capture is not for a terminal's eyes");
        err_hint(err, "name a file, or write `| tshark -r -` after it");
        err_at(err, "FILE", 0, 0);
        return -1;
    }
    int fd = out ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, mode | O_CREAT | O_EXCL, 0644);
    if (!out && fd >= 0) {
        *made = true;
    } else if (!out && errno == EEXIST) {
        fd = open(path, mode | O_CREAT, 0644);
    }
    struct stat about;
    if (fd >= 0 && ring && (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))) {
        err_set(err, ERR_USAGE, "", "a ring needs a file, which `%s` is not", path);
        err_at(err, "--ring", 0, 0);
        close(fd);
        return -1;
    }
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot write `%s`: %s", path, strerror(errno));
        err_at(err, "FILE", 0, 0);
    }
    return fd;
}

/* The other half of a ring, beside the file and without a name, so that nothing of it stays. */
static int
open_spare(const char *path, struct err *err)
{
    char *directory = xstrdup(path), *slash = strrchr(directory, '/');
    snprintf(slash ? slash + 1 : directory, 2, ".");
    int fd = open(slash || strcmp(directory, ".") == 0 ? directory : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) { /* a file system that has no nameless files */
        FILE *file = tmpfile();
        fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;
        if (file) {
            fclose(file);
        }
    }
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot make the second file of the ring: %s", strerror(errno));
        err_at(err, "--ring", 0, 0);
    }
    free(directory);
    return fd;
}

/* Of the lab's clock before the machine's. */
static int64_t
ahead_us(const struct clock *clock)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (clock_now_ms(clock) - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000)) * 1000;
}

static bool
capture_op(struct op_call *call, struct err *err)
{
    struct session s = { .fds = { -1, -1, -1, -1, -1, -1 }, .router_fds = { -1, -1, -1, -1, -1, -1 } };
    struct capture_options options = { .router_fd = -1, .spare_fd = -1 };
    struct capture_result result = { 0 };
    const char *path = arg_str(call->in, "File");
    bool verdicts = arg_flag(call->in, "Verdicts", true);
    bool ok = read_options(call, &options, err) && live_link_require(call->cloud, err) &&
              find_node(call, arg_str(call->in, "Node"), &s, err) && (!verdicts || find_router(call->cloud, &s, err));
    bool made = false;
    int fd = ok ? open_file(path, options.ring_bytes > 0, &made, err) : -1;
    if (fd >= 0 && options.ring_bytes) {
        options.spare_fd = open_spare(path, err);
        ok = options.spare_fd >= 0;
    }
    if (fd >= 0 && ok) {
        options.user_fd = s.fds[KEEPER_USER];
        options.router_fd = s.router_fds[KEEPER_NET];
        options.ahead_us = ahead_us(&call->cloud->clock);
        options.lab_socket = call->cloud->dir->socket_path;
        options.replaces = strcmp(path, "-") != 0;
        ok = capture_run(call->cloud->net, s.links.items, s.links.n, &options, fd, &result, err);
    }
    struct stat about;
    if (made && !ok && fstat(fd, &about) == 0 && about.st_size == 0) {
        unlink(path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (options.spare_fd >= 0) {
        close(options.spare_fd);
    }
    ok = ok && fd >= 0;
    if (ok) {
        json_object_set_new(call->out, "Node", json_string(s.name));
        json_object_set_new(call->out, "File", json_string(path));
        json_object_set_new(call->out, "Packets", json_integer(result.packets));
        json_object_set_new(call->out, "Refused", json_integer(result.refused));
        json_object_set_new(call->out, "DroppedByKernel", json_integer(result.dropped));
        if (options.ring_bytes) {
            json_object_set_new(call->out, "Overwritten", json_integer(result.overwritten));
        }
    }
    session_done(&s);
    return ok;
}

static void
capture_text(const json_t *out, struct buf *text)
{
    if (strcmp(json_str(out, "File"), "-") == 0) {
        return; /* the packets went there */
    }
    long long packets = json_int(out, "Packets", 0);
    buf_printf(text, "%lld packet%s of %s in %s, %lld of them refused", packets, plural(packets), json_str(out, "Node"),
               json_str(out, "File"), json_int(out, "Refused", 0));
    if (json_int(out, "Overwritten", 0)) {
        buf_printf(text, "; the oldest %lld are no longer there (--ring)", json_int(out, "Overwritten", 0));
    }
    if (json_int(out, "DroppedByKernel", 0)) {
        buf_printf(text, "; the kernel had no room for %lld more (--buffer)", json_int(out, "DroppedByKernel", 0));
    }
    buf_char(text, '\n');
}

static const struct op_param capture_params[] = {
    { "Node", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL,
      "instance, interface, a gateway of any kind, VPC (its router), `internet`, `onprem`", NULL, NULL, NULL },
    { "File", OP_PATH, OP_REQUIRED | OP_POSITIONAL, "the pcapng file to write; - for standard output", NULL, NULL,
      NULL },
    { "Filter", OP_STRING, OP_OPTIONAL, "as tcpdump has it: \"tcp port 443\"", NULL, NULL, NULL },
    { "Count", OP_INT, OP_OPTIONAL, "end after so many packets", NULL, NULL, NULL },
    { "For", OP_STRING, OP_OPTIONAL, "end after this span: 30s, 5m", NULL, NULL, NULL },
    { "Ring", OP_STRING, OP_OPTIONAL, "the file's size: newer packets take the place of the oldest; 1M to 1024M", NULL,
      NULL, NULL },
    { "Buffer", OP_STRING, OP_OPTIONAL, "the kernel's buffer for each link (2M)", NULL, NULL, NULL },
    { "Verdicts", OP_BOOL, OP_OPTIONAL, "ask the router what it refuses; yes if not given", NULL, NULL, NULL },
    { 0 },
};

const struct op ops_capture[] = {
    { .name = "capture",
      .mode = OP_LOCAL,
      .run = capture_op,
      .text = capture_text,
      .params = capture_params,
      .group = "lab",
      .help = "Write the packets of a machine of the live lab into a pcapng file, with the verdict on each.",
      .examples = "capture web out.pcapng                          until ^C or `down`\n"
                  "capture web out.pcapng --filter \"tcp port 443\" --count 100\n"
                  "capture web out.pcapng --ring 16M               the newest 16 MB until ^C\n"
                  "capture web - --for 10s | tshark -r -\n" },
    { 0 },
};
