#include "cloud/verify_text.h"

#include <stdio.h>
#include <string.h>

#include "cloud/ops_failure.h"
#include "cloud/ops_verify_random.h"
#include "cloud/ops_verify_request.h"

static size_t
widest(const json_t *pairs, const char *member)
{
    size_t i, width = strlen(member);
    const json_t *pair;
    json_array_foreach(pairs, i, pair)
    {
        size_t length = strlen(json_str(pair, member));
        width = length > width ? length : width;
    }
    return width;
}

static void
print_flows(struct buf *text, const json_t *flows)
{
    for (size_t i = 0; i < json_array_size(flows); i++) {
        buf_printf(text, "%s%s", i ? " " : "", json_string_value(json_array_get(flows, i)));
    }
    if (!json_array_size(flows)) {
        buf_char(text, '-');
    }
}

/* "12 of 14 rules and 3 of 3 routes were exercised, 2 rules by packets aimed at them", then the others one by one. */
static void
coverage_text(const json_t *coverage, struct buf *text)
{
    const json_t *item;
    size_t i;
    if (!coverage || !(json_int(coverage, "Rules", 0) + json_int(coverage, "Routes", 0))) {
        if (json_int(coverage, "Idle", 0)) {
            buf_printf(text, "exercised: nothing, as no running interface has any of the rules (%lld)\n",
                       json_int(coverage, "Idle", 0));
        }
        return;
    }
    long long rules = json_int(coverage, "Rules", 0), routes = json_int(coverage, "Routes", 0),
              aimed = json_int(coverage, "Aimed", 0);
    buf_printf(text, "exercised: %lld of %lld rule%s, %lld of %lld route%s", json_int(coverage, "Exercised", 0), rules,
               plural(rules), json_int(coverage, "Taken", 0), routes, plural(routes));
    if (aimed) {
        buf_printf(text, ", with %lld packet%s aimed at them", aimed, plural(aimed));
    }
    buf_char(text, '\n');
    json_array_foreach(json_object_get(coverage, "NotExercised"), i, item)
    {
        const char *name = json_str(item, "Name");
        buf_printf(text, "  not %s%s%s%s  %s: %s\n", json_str(item, "Rule"), *name ? " (" : "", name, *name ? ")" : "",
                   json_str(item, "Text"), json_str(item, "Reason"));
    }
    json_array_foreach(json_object_get(coverage, "NotTaken"), i, item)
    {
        const char *name = json_str(item, "Name");
        buf_printf(text, "  not %s%s%s%s  %s: %s\n", json_str(item, "RouteTableId"), *name ? " (" : "", name,
                   *name ? ")" : "", json_str(item, "Text"), json_str(item, "Reason"));
    }
}

/* "followed 12 packets hop by hop: the kernel decided 80 times as analysis", before it what was different. */
static void
followed_text(const json_t *followed, struct buf *text)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(followed, "Differences"), i, item)
    {
        buf_printf(text, "DISAGREE on the way %s -> %s  %s  (%s -> %s): %s\n", json_str(item, "From"),
                   json_str(item, "To"), json_str(item, "Flow"), json_str(item, "SourceIp"),
                   json_str(item, "DestinationIp"), json_str(item, "Text"));
    }
    json_int_t n = json_int(followed, "Packets", 0), decisions = json_int(followed, "Decisions", 0);
    if (n) {
        buf_printf(text, "followed %lld packet%s hop by hop: %lld decision%s those of analysis\n", n, plural(n),
                   decisions, decisions == 1 ? " of the kernel is" : "s of the kernel are");
    }
}

void
verify_text(const json_t *out, struct buf *text)
{
    const json_t *pairs = json_object_get(out, "Pairs"), *differences = json_object_get(out, "Disagreements"),
                 *gaps = json_object_get(out, "Gaps"), *item;
    if (json_object_get(out, "Constructs")) {
        verify_random_text(out, text);
        return;
    }
    if (json_object_get(out, "HttpRequests")) {
        verify_request_text(out, text);
        return;
    }
    int from = (int)widest(pairs, "From"), to = (int)widest(pairs, "To");
    size_t i;
    buf_printf(text, "%-*s  %-*s  %-5s  %-9s  passes | blocked\n", from, "FROM", to, "TO", "", "agree");
    json_array_foreach(pairs, i, item)
    {
        char agree[32];
        json_int_t compared = json_int(item, "Asked", 0) - json_int(item, "NotCompared", 0);
        snprintf(agree, sizeof agree, "-");
        if (compared) {
            snprintf(agree, sizeof agree, "%lld/%lld", json_int(item, "Agree", 0), compared);
        }
        buf_printf(text, "%-*s  %-*s  IPv%lld   %-9s  ", from, json_str(item, "From"), to, json_str(item, "To"),
                   json_int(item, "Family", 4), agree);
        print_flows(text, json_object_get(item, "Passes"));
        buf_str_add(text, " | ");
        print_flows(text, json_object_get(item, "Blocked"));
        buf_char(text, '\n');
    }
    json_array_foreach(differences, i, item)
    {
        const char *why = json_str(item, "AnalysisWhy");
        buf_printf(text, "DISAGREE %s -> %s  %s  (%s -> %s): %s\n", json_str(item, "From"), json_str(item, "To"),
                   json_str(item, "Flow"), json_str(item, "SourceIp"), json_str(item, "DestinationIp"),
                   json_str(item, "Difference"));
        buf_printf(text, "  analysis: %s %s -> %s\n", why ? why : "arrives", json_str(item, "AnalysisSource"),
                   json_str(item, "AnalysisDestination"));
        buf_printf(text, "  kernel:   %s %s%s%s\n", json_str(item, "Kernel"), json_str(item, "KernelSource"),
                   *json_str(item, "KernelSource") ? " -> " : "", json_str(item, "KernelDestination"));
    }
    json_array_foreach(gaps, i, item)
    {
        json_int_t n = json_int(item, "Pairs", 0);
        buf_printf(text, "%s: %s %s (%lld pair%s)\n", json_str(item, "Reason"), json_str(item, "What"),
                   json_str(item, "Id"), n, plural(n));
    }
    json_array_foreach(json_object_get(out, "LostBehind"), i, item)
    {
        json_int_t n = json_int(item, "Packets", 0);
        buf_printf(text, "lost behind %s, whose appliances nothing comes to by analysis either (%lld packet%s)\n",
                   json_str(item, "Id"), n, plural(n));
    }
    json_array_foreach(json_object_get(json_object_get(out, "Coverage"), "Uncounted"), i, item)
    {
        long long decided = json_int(item, "Analysis", 0);
        buf_printf(text, "DISAGREE %s: analysis has it decide %lld packet%s, in the kernel it counted %lld\n",
                   json_str(item, "Rule"), decided, plural(decided), json_int(item, "Kernel", 0));
    }
    coverage_text(json_object_get(out, "Coverage"), text);
    followed_text(json_object_get(out, "Followed"), text);
    if (json_array_size(json_object_get(out, "Failures"))) {
        failures_text(out, text);
    }
    long long asked = json_int(out, "Asked", 0);
    buf_printf(text, "%lld packet%s: analysis and kernel agree on %lld, disagree on %lld", asked, plural(asked),
               json_int(out, "Agree", 0), json_int(out, "Disagree", 0));
    if (json_int(out, "NotCompared", 0)) {
        buf_printf(text, "; %lld cannot be compared", json_int(out, "NotCompared", 0));
    }
    buf_char(text, '\n');
}
