/* netsim/live/keeper_wire.h - one message over a Unix socket: size, JSON, descriptors.  Form: keeper.h.
 * Used by: keeper.c (both ends). */
#pragma once
#include "netsim/live/keeper.h"

/* Both return false with 'err' when the other end hung up, was silent for the socket's timeout, or sent nonsense. */
bool wire_send(int fd, const struct keeper_message *message, struct err *err);
bool wire_receive(int fd, struct keeper_message *message, struct err *err); /* 'message' is zeroed memory */
