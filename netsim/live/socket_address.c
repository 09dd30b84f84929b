#include "netsim/live/socket_address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

socklen_t
socket_address(const struct ip *ip, int port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (ip->family == IP_V4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        ip_to_bytes(ip, (uint8_t *)&in->sin_addr);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    ip_to_bytes(ip, in6->sin6_addr.s6_addr);
    return sizeof *in6;
}

struct ip
socket_address_ip(const struct sockaddr_storage *address, int *port)
{
    bool four = address->ss_family == AF_INET;
    const struct sockaddr_in *in = (const void *)address;
    const struct sockaddr_in6 *in6 = (const void *)address;
    struct ip ip =
        four ? ip_of_bytes((const uint8_t *)&in->sin_addr, IP_V4) : ip_of_bytes(in6->sin6_addr.s6_addr, IP_V6);
    if (port) {
        *port = ntohs(four ? in->sin_port : in6->sin6_port);
    }
    return ip_unmap(&ip);
}
