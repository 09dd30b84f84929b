/* tests/spec/shrink_network.h - the smallest network that still shows a difference, printed as the lists of its
 * objects.
 *
 * Only when SPEC_SHRINK is set, and once: it takes seconds. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "cloud/shrink.h"
#include "netsim/analysis/reach.h"
#include "netsim/model/network.h"

#define SHRINK_TRIES   20000
#define SHRINK_SECONDS 30

typedef bool spec_differs(const struct network *net, const struct flow_spec *flow);
struct spec_doubt {
    spec_differs *differs;
    const struct flow_spec *flow;
};

static bool
spec_still_differs(void *context, const json_t *json)
{
    const struct spec_doubt *doubt = context;
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *net = network_new(&ids, &clock);
    bool ok = shrink_load(net, json) && doubt->differs(net, doubt->flow);
    network_free(net);
    return ok;
}

static void
spec_shrink(const struct network *net, const struct flow_spec *flow, spec_differs *differs)
{
    static bool done;
    struct spec_doubt doubt = { differs, flow };
    if (done || !getenv("SPEC_SHRINK")) {
        return;
    }
    done = true;
    json_t *whole = shrink_save(net);
    json_t *small = spec_still_differs(&doubt, whole)
                        ? shrink_network(whole, spec_still_differs, &doubt, SHRINK_TRIES, SHRINK_SECONDS)
                        : json_incref(whole);
    char *text = json_dumps(small, JSON_INDENT(1));
    fprintf(stderr, "the smallest network that shows it:\n%s\n", text);
    free(text);
    json_decref(small);
    json_decref(whole);
}
