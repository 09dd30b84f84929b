/* netsim/live/socket_address.h - addresses and ports as sockets take and give them, IPv4 and IPv6.
 * Used by: whatever has sockets of both */
#pragma once
#include <sys/socket.h>

#include "base/ip.h"

socklen_t socket_address(const struct ip *ip, int port, struct sockaddr_storage *out); /* returns its size */
/* IPv4 as such, also when it came as ::ffff:a.b.c.d.  'port' may be NULL. */
struct ip socket_address_ip(const struct sockaddr_storage *address, int *port);
