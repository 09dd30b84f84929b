/* cloud/conn_graph.c - connectivity as a picture: for graphviz, for a Markdown page, and drawn here (SVG). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/conn_view.h"
#include "cloud/xml_text.h"

/* Text inside double quotes, for dot and mermaid. */
static void
print_quoted(const char *name, const char *quote, struct buf *text)
{
    buf_char(text, '"');
    for (; *name; name++) {
        if (*name == '"') {
            buf_str_add(text, quote);
        } else {
            buf_char(text, *name);
        }
    }
    buf_char(text, '"');
}

/* A flow's packets, and those without answer marked so. */
char *
flow_label(const json_t *flow)
{
    const char *packets = json_str(flow, "Packets"), *lost = json_str(flow, "Unanswered");
    bool none = strcmp(packets, "none") == 0;
    return xasprintf("%s%s%s%s", none ? "" : packets, lost && !none ? "; " : "", lost ? "no answer: " : "",
                     lost ? lost : "");
}

void
conn_view_dot(const json_t *out, struct buf *text)
{
    const json_t *groups = json_object_get(out, "Groups"), *flows = json_object_get(out, "Flows");
    buf_str_add(text, "digraph connectivity {\n    rankdir=LR;\n    node [shape=box];\n");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        buf_str_add(text, "    ");
        print_quoted(json_str(group, "Name"), "\\\"", text);
        buf_str_add(text, json_object_get(group, "Cidrs") ? " [shape=ellipse];\n" : ";\n");
    }
    for (size_t i = 0; i < json_array_size(flows); i++) {
        const json_t *flow = json_array_get(flows, i);
        char *label = flow_label(flow);
        buf_str_add(text, "    ");
        print_quoted(json_str(flow, "From"), "\\\"", text);
        buf_str_add(text, " -> ");
        print_quoted(json_str(flow, "To"), "\\\"", text);
        buf_str_add(text, " [label=");
        print_quoted(label, "\\\"", text);
        buf_str_add(text, "];\n");
        free(label);
    }
    buf_str_add(text, "}\n");
}

static size_t
index_of(const json_t *groups, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(groups) && strcmp(json_str(json_array_get(groups, i), "Name"), name) != 0) {
        i++;
    }
    return i;
}

void
conn_view_mermaid(const json_t *out, struct buf *text)
{
    const json_t *groups = json_object_get(out, "Groups"), *flows = json_object_get(out, "Flows");
    buf_str_add(text, "flowchart LR\n");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        bool outside = json_object_get(group, "Cidrs");
        buf_printf(text, "    n%zu%s", i, outside ? "((" : "[");
        print_quoted(json_str(group, "Name"), "#quot;", text);
        buf_str_add(text, outside ? "))\n" : "]\n");
    }
    for (size_t i = 0; i < json_array_size(flows); i++) {
        const json_t *flow = json_array_get(flows, i);
        char *label = flow_label(flow);
        buf_printf(text, "    n%zu -->|", index_of(groups, json_str(flow, "From")));
        print_quoted(label, "#quot;", text);
        buf_printf(text, "| n%zu\n", index_of(groups, json_str(flow, "To")));
        free(label);
    }
}

/* ---- SVG: who opens on the left, who is opened on the right, a line for each flow
 * -----------------------------------------------
 */

#define ROW_HEIGHT 30
#define BOX_HEIGHT 22
#define CHAR_WIDTH 7.3 /* of the font, at 12 pixels */
#define MAX_CHARS  46  /* of a name; the whole of it is its tooltip */
#define GAP        420 /* between the columns, where the packets are written */

static void
print_escaped(const char *text, size_t limit, struct buf *out)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n && i < limit; i++) {
        xml_char(out, text[i]);
    }
    buf_str_add(out, n > limit ? "..." : "");
}

/* One side of the picture: the groups that take part in a flow there, in the order of the flows. */
struct column {
    const char *member; /* "From", "To" */
    VEC(const char *) names;
    double x, width;
};

static size_t
place_of(const struct column *column, const char *name)
{
    size_t i = 0;
    while (i < column->names.n && strcmp(column->names.items[i], name) != 0) {
        i++;
    }
    return i;
}

static void
fill_column(struct column *column, const json_t *flows)
{
    for (size_t i = 0; i < json_array_size(flows); i++) {
        const char *name = json_str(json_array_get(flows, i), column->member);
        if (place_of(column, name) == column->names.n) {
            *VEC_ADD(&column->names) = name;
            size_t length = strlen(name) < MAX_CHARS + 3 ? strlen(name) : MAX_CHARS + 3;
            double width = CHAR_WIDTH * (double)length + 16;
            column->width = width > column->width ? width : column->width;
        }
    }
}

static bool
is_outside(const json_t *groups, const char *name)
{
    size_t at = index_of(groups, name);
    return at < json_array_size(groups) && json_object_get(json_array_get(groups, at), "Cidrs");
}

static void
draw_column(const struct column *column, const json_t *groups, struct buf *text)
{
    for (size_t i = 0; i < column->names.n; i++) {
        const char *name = column->names.items[i];
        double y = 10 + ROW_HEIGHT * (double)i;
        buf_printf(text, "<g><title>");
        print_escaped(name, SIZE_MAX, text);
        buf_printf(text,
                   "</title><rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%d\" rx=\"%d\" fill=\"%s\" "
                   "stroke=\"#555\"/><text x=\"%.0f\" y=\"%.0f\">",
                   column->x, y, column->width, BOX_HEIGHT, is_outside(groups, name) ? BOX_HEIGHT / 2 : 3,
                   is_outside(groups, name) ? "#fff3dd" : "#e8f0fb", column->x + 8, y + 15);
        print_escaped(name, MAX_CHARS, text);
        buf_str_add(text, "</text></g>\n");
    }
}

/* A label stands by the end of its line, where lines of one source have parted. */
static void
draw_flow(const struct column sides[2], const json_t *flow, size_t stagger, struct buf *text)
{
    double y1 = 10 + BOX_HEIGHT / 2 + ROW_HEIGHT * (double)place_of(&sides[0], json_str(flow, "From"));
    double y2 = 10 + BOX_HEIGHT / 2 + ROW_HEIGHT * (double)place_of(&sides[1], json_str(flow, "To"));
    double x1 = sides[0].x + sides[0].width, x2 = sides[1].x - 6, at = 0.55 + 0.1 * (double)(stagger % 4);
    double u = 1 - at; /* the point of the curve at 'at' */
    double x = u * u * u * x1 + 3 * u * u * at * (x1 + GAP / 2) + 3 * u * at * at * (x2 - GAP / 2) + at * at * at * x2;
    double y = u * u * u * y1 + 3 * u * u * at * y1 + 3 * u * at * at * y2 + at * at * at * y2;
    char *label = flow_label(flow);
    bool v6 = strcmp(json_str(flow, "Family"), "ipv6") == 0;
    buf_printf(text,
               "<path d=\"M%.0f %.0f C%.0f %.0f %.0f %.0f %.0f %.0f\" fill=\"none\" stroke=\"%s\" "
               "marker-end=\"url(#arrow)\"/><text class=\"packets\" x=\"%.0f\" y=\"%.0f\">",
               x1, y1, x1 + GAP / 2, y1, x2 - GAP / 2, y2, x2, y2,
               strcmp(json_str(flow, "Packets"), "none") == 0 ? "#c66" : "#678", x, y - 3);
    print_escaped(label, 60, text);
    buf_str_add(text, v6 ? " (IPv6)</text>\n" : "</text>\n");
    free(label);
}

void
conn_view_svg(const json_t *out, struct buf *text)
{
    const json_t *groups = json_object_get(out, "Groups"), *flows = json_object_get(out, "Flows");
    struct column sides[2] = { { .member = "From", .x = 10 }, { .member = "To" } };
    fill_column(&sides[0], flows);
    fill_column(&sides[1], flows);
    sides[1].x = sides[0].x + sides[0].width + GAP;
    size_t rows = sides[0].names.n > sides[1].names.n ? sides[0].names.n : sides[1].names.n;
    double width = sides[1].x + sides[1].width + 10, height = 20 + ROW_HEIGHT * (double)(rows ? rows : 1);
    buf_printf(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
        "font-family=\"monospace\" font-size=\"12\">\n"
        "<style>.packets { font-size: 10px; text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: "
        "3px; }</style>\n"
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#678\"/></marker></defs>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        width, height, width, height);
    for (size_t i = 0; i < json_array_size(flows); i++) {
        draw_flow(sides, json_array_get(flows, i), i, text);
    }
    if (rows == 0) {
        buf_str_add(text, "<text x=\"10\" y=\"25\">nothing passes</text>\n");
    }
    draw_column(&sides[0], groups, text);
    draw_column(&sides[1], groups, text);
    buf_str_add(text, "</svg>\n");
    VEC_DONE(&sides[0].names);
    VEC_DONE(&sides[1].names);
}

void
conn_view_graph(const json_t *out, const char *graph, struct buf *text)
{
    static const struct {
        const char *name;
        void (*print)(const json_t *out, struct buf *text);
    } graphs[] = { { "dot", conn_view_dot }, { "mermaid", conn_view_mermaid }, { "svg", conn_view_svg } };
    for (size_t i = 0; i < ARRAY_SIZE(graphs); i++) {
        if (strcmp(graph, graphs[i].name) == 0) {
            graphs[i].print(out, text);
        }
    }
}
