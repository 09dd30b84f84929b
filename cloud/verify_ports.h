/* cloud/verify_ports.h - on which ports `verify` asks about a pair.   Used by: ops_verify.c */
#pragma once
#include "base/vec.h"
#include "netsim/model/eni.h"
#include "netsim/model/network.h"

struct verify_port {
    int protocol, port; /* port -1: the protocol has none */
};
struct verify_ports { /* zeroed: none; VEC_DONE(&ports.list) */
    VEC(struct verify_port) list;
};
/* Each once, and no more than a pair needs. */
void ports_add(struct verify_ports *ports, int protocol, int port);
/* The ports that the rules of one direction name: both ends of a range.  'eni' NULL: none. */
void ports_add_of(const struct network *net, const struct eni *eni, bool egress, struct verify_ports *ports);
/* One of TCP that is not there yet. */
void ports_add_unnamed(struct verify_ports *ports);
