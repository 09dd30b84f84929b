/* bench/bench_growth.c - how the cost of `reach` and of all pairs as sets grows with interfaces, rules and routes, as a
 * table and a picture.
 *
 *     make bench && build/bench/bench_growth [FILE.svg] [SEED]
 *
 * One VPC with 40 subnets, public and private halves and 100 groups; each row changes one number and keeps the others:
 * 2,000 interfaces, 5 rules a group (every other one names a group), 5 routes a table.  `reach` is the mean of 5,000
 * random questions, both ways; `all pairs` builds the classes and looks at every pair of them.  Figures are the best of
 * three. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "netsim/analysis/connectivity.h"
#include "netsim/analysis/reach.h"
#include "netsim/model/network.h"
#include "netsim/model/vpc.h"

#define SUBNETS   40
#define GROUPS    100
#define QUESTIONS 5000

struct size {
    size_t interfaces, rules, routes;
};
struct lab {
    struct id_gen ids, lot;
    struct clock clock;
    struct network *net;
    VEC(struct eni *) enis;
    VEC(struct security_group *) groups;
    VEC(struct subnet *) subnets;
};
struct figure {
    double reach_us, pairs_ms;
    size_t classes;
};

static void
must(bool ok, const struct err *err)
{
    if (!ok) {
        fprintf(stderr, "bench_growth: %s %s\n", err->code, err->text);
        exit(70);
    }
}

/* Of this process: on a shared machine the clock on the wall measures the neighbours. */
static double
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t
lot(struct lab *lab, size_t n)
{
    return (size_t)id_random_below(&lab->lot, n);
}

static void
add_groups(struct lab *lab, const char *vpc_id, size_t n_rules)
{
    struct err err = { 0 };
    for (size_t i = 0; i < GROUPS; i++) {
        char name[32];
        snprintf(name, sizeof name, "group-%zu", i);
        *VEC_ADD(&lab->groups) = security_group_create(lab->net, vpc_id, name, name, &err);
        must(lab->groups.items[i], &err);
    }
    for (size_t i = 0; i < GROUPS; i++) {
        for (size_t r = 0; r < n_rules; r++) {
            char cidr[32];
            snprintf(cidr, sizeof cidr, "10.0.%zu.0/24", lot(lab, 4 * SUBNETS));
            struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = (int)(8000 + r), .to = (int)(8000 + r) };
            if (r % 2) {
                rule.cidr = cidr_lit(cidr);
            } else {
                rule.group_id = lab->groups.items[lot(lab, GROUPS)]->obj.id;
            }
            must(security_group_authorize(lab->net, lab->groups.items[i], &rule, 1, &err), &err);
        }
    }
}

/* Routes to the internet gateway for blocks outside, beside the default one. */
static void
add_routes(struct lab *lab, struct route_table *table, const char *igw_id, size_t n)
{
    struct err err = { 0 };
    for (size_t i = 0; i < n; i++) {
        char text[32];
        snprintf(text, sizeof text, "%zu.%zu.0.0/16", 20 + i / 256, i % 256);
        struct route route = { .cidr = cidr_lit(text), .gateway_id = (char *)(uintptr_t)igw_id };
        must(route_create(lab->net, table, &route, &err), &err);
    }
}

static void
add_subnets(struct lab *lab, const struct vpc *vpc, size_t n_routes)
{
    struct err err = { 0 };
    struct internet_gateway *igw = internet_gateway_create(lab->net, &err);
    must(igw && internet_gateway_attach(lab->net, igw, vpc->obj.id, &err), &err);
    struct route_table *tables[2];
    for (size_t i = 0; i < SUBNETS; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.%zu.0/22", 4 * i);
        struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr = cidr_lit(text) };
        *VEC_ADD(&lab->subnets) = subnet_create(lab->net, &spec, &err);
        must(lab->subnets.items[i], &err);
    }
    struct elastic_ip *eip = elastic_ip_allocate(lab->net, &err);
    struct nat_gateway *nat =
        eip ? nat_gateway_create(lab->net, lab->subnets.items[0]->obj.id, eip->obj.id, NULL, &err) : NULL;
    must(nat, &err);
    for (int private = 0; private < 2; private ++) {
        struct route out = { .cidr = cidr_lit("0.0.0.0/0") };
        *(private ? &out.nat_gateway_id : &out.gateway_id) = private ? nat->obj.id : igw->obj.id;
        tables[private] = route_table_create(lab->net, vpc->obj.id, false, &err);
        must(tables[private] && route_create(lab->net, tables[private], &out, &err), &err);
        add_routes(lab, tables[private], igw->obj.id, n_routes);
    }
    for (size_t i = 0; i < SUBNETS; i++) {
        must(route_table_associate(lab->net, tables[i % 2], lab->subnets.items[i]->obj.id, &err), &err);
    }
}

static void
lab_build(struct lab *lab, const struct size *size, uint64_t seed)
{
    struct err err = { 0 };
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, seed);
    id_gen_seed(&lab->lot, seed);
    lab->net = network_new(&lab->ids, &lab->clock);
    network_set_limits(lab->net, false);
    struct vpc *vpc = vpc_create(lab->net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    must(vpc, &err);
    add_groups(lab, vpc->obj.id, size->rules);
    add_subnets(lab, vpc, size->routes);
    for (size_t i = 0; i < size->interfaces; i++) {
        const char *groups[] = { lab->groups.items[lot(lab, GROUPS)]->obj.id };
        struct eni_spec spec = { .subnet_id = lab->subnets.items[lot(lab, SUBNETS)]->obj.id,
                                 .groups = groups,
                                 .n_groups = 1 };
        *VEC_ADD(&lab->enis) = eni_create(lab->net, &spec, &err);
        must(lab->enis.items[i], &err);
    }
}

static void
lab_free(struct lab *lab)
{
    network_free(lab->net);
    VEC_DONE(&lab->enis);
    VEC_DONE(&lab->groups);
    VEC_DONE(&lab->subnets);
}

static double
time_reach(struct lab *lab)
{
    struct flow_spec flow = { .protocol = PROTOCOL_TCP, .src_port = 40000, .icmp_type = -1, .icmp_code = -1 };
    flow.from.kind = FLOW_END_ENI;
    double begin = cpu_ns();
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct reach_result result = { 0 };
        struct err err = { 0 };
        flow.to.kind = i % 5 == 0 ? FLOW_END_INTERNET : FLOW_END_ENI;
        flow.dst_port = (int)(8000 + lot(lab, 8));
        snprintf(flow.from.id, sizeof flow.from.id, "%s", lab->enis.items[lot(lab, lab->enis.n)]->obj.id);
        snprintf(flow.to.id, sizeof flow.to.id, "%s", lab->enis.items[lot(lab, lab->enis.n)]->obj.id);
        must(reach(lab->net, &flow, false, &result, &err), &err);
        reach_result_done(&result);
    }
    return (cpu_ns() - begin) / 1e3 / QUESTIONS;
}

static double
time_pairs(const struct lab *lab, size_t *classes)
{
    double begin = cpu_ns();
    struct connectivity *c = connectivity_new(lab->net, IP_V4);
    size_t n = *classes = connectivity_n_classes(c), open = 0;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            open += connectivity_between(c, a, b).passes != PACKETS_NONE;
        }
    }
    BENCH_USE(open);
    connectivity_free(c);
    return (cpu_ns() - begin) / 1e6;
}

static struct figure
measure(const struct size *size, uint64_t seed)
{
    struct figure best = { 1e300, 1e300, 0 };
    struct lab lab;
    lab_build(&lab, size, seed);
    time_reach(&lab); /* the model's index is built on the first question */
    for (int i = 0; i < 5; i++) {
        double us = time_reach(&lab), ms = time_pairs(&lab, &best.classes);
        best.reach_us = us < best.reach_us ? us : best.reach_us;
        best.pairs_ms = ms < best.pairs_ms ? ms : best.pairs_ms;
    }
    lab_free(&lab);
    return best;
}

/* ---- The picture: one panel for each number that grows, both axes logarithmic
 * -------------------------------------------
 */

#define POINTS 5
struct panel {
    const char *what;
    size_t at[POINTS];
    struct figure figures[POINTS];
};

#define LEFT    60
#define TOP     40
#define WIDTH   220
#define HEIGHT  200
#define LOW     (-1.0) /* of the vertical axis: 0.1 */
#define DECADES 5.0

static double
x_of(const struct panel *p, size_t i)
{
    double first = log10((double)p->at[0]), last = log10((double)p->at[POINTS - 1]);
    return WIDTH * (log10((double)p->at[i]) - first) / (last - first);
}

static double
y_of(double value)
{
    return HEIGHT - HEIGHT * (log10(value) - LOW) / DECADES;
}

static void
draw_line(FILE *svg, const struct panel *p, bool pairs, const char *color)
{
    fprintf(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", color);
    for (size_t i = 0; i < POINTS; i++) {
        fprintf(svg, "%.1f,%.1f ", x_of(p, i), y_of(pairs ? p->figures[i].pairs_ms : p->figures[i].reach_us));
    }
    fprintf(svg, "\"/>\n");
    for (size_t i = 0; i < POINTS; i++) {
        double value = pairs ? p->figures[i].pairs_ms : p->figures[i].reach_us;
        fprintf(svg,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/><text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" "
                "text-anchor=\"middle\">%.*f</text>\n",
                x_of(p, i), y_of(value), color, x_of(p, i), y_of(value) - 7, color, value < 10, value);
    }
}

static void
draw_panel(FILE *svg, const struct panel *p, size_t index)
{
    fprintf(svg, "<g transform=\"translate(%zu,%d)\">\n", LEFT + index * (WIDTH + 50), TOP);
    fprintf(svg, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\" stroke=\"#999\"/>\n", WIDTH, HEIGHT);
    for (int d = 0; d <= (int)DECADES; d++) {
        double y = HEIGHT - HEIGHT * d / DECADES;
        fprintf(svg, "<line x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>", WIDTH, y, y);
        static const char *const labels[] = { "0.1", "1", "10", "100", "1,000", "10,000" };
        if (index == 0) {
            fprintf(svg, "<text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%s</text>", y + 4, labels[d]);
        }
    }
    for (size_t i = 0; i < POINTS; i++) {
        fprintf(svg, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%zu</text>", x_of(p, i), HEIGHT + 15, p->at[i]);
    }
    fprintf(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", WIDTH / 2, HEIGHT + 34, p->what);
    draw_line(svg, p, false, "#1f6fb2");
    draw_line(svg, p, true, "#b2541f");
    fprintf(svg, "</g>\n");
}

static bool
draw(const char *path, const struct panel *panels, size_t n)
{
    FILE *svg = fopen(path, "w");
    if (!svg) {
        perror(path);
        return false;
    }
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%d\" font-family=\"sans-serif\" "
            "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"20\" font-size=\"13\"><tspan fill=\"#1f6fb2\">reach, microseconds a question</tspan>, "
            "<tspan fill=\"#b2541f\">all pairs as sets, milliseconds</tspan></text>\n",
            LEFT + n * (WIDTH + 50), TOP + HEIGHT + 50, LEFT);
    for (size_t i = 0; i < n; i++) {
        draw_panel(svg, &panels[i], i);
    }
    fprintf(svg, "</svg>\n");
    return fclose(svg) == 0;
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct panel panels[] = {
        { .what = "interfaces", .at = { 100, 300, 1000, 3000, 10000 } },
        { .what = "rules a group", .at = { 1, 5, 20, 60, 200 } },
        { .what = "routes a table", .at = { 1, 5, 20, 100, 500 } },
    };
    printf("growth, seed %" PRIu64 ", processor time, best of 5\n\n%-16s %8s %12s %14s %8s\n", seed, "what", "number",
           "reach us", "all pairs ms", "classes");
    for (size_t k = 0; k < ARRAY_SIZE(panels); k++) {
        for (size_t i = 0; i < POINTS; i++) {
            struct size size = { 2000, 5, 5 };
            *(k == 0 ? &size.interfaces : k == 1 ? &size.rules : &size.routes) = panels[k].at[i];
            struct figure f = panels[k].figures[i] = measure(&size, seed);
            printf("%-16s %8zu %12.2f %14.1f %8zu\n", panels[k].what, panels[k].at[i], f.reach_us, f.pairs_ms,
                   f.classes);
        }
    }
    return argc > 1 && !draw(argv[1], panels, ARRAY_SIZE(panels));
}
