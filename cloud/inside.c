#include "cloud/inside.h"

#include <stdlib.h>

#include "netsim/live/keeper.h"

const char *
inside_node(void)
{
    const char *node = getenv(KEEPER_NODE_VARIABLE);
    return node && *node ? node : NULL;
}

bool
inside_refuse(struct err *err)
{
    err_set(err, ERR_INPUT, "IncorrectState",
            "this is inside `%s`, a machine of a live lab: programs here cannot ask the lab", inside_node());
    return err_hint(err, "ask outside; in here work `vpclab load` and the machine's own ping, curl, dig, nc ...");
}
