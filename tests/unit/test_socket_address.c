#include "tests/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "netsim/live/socket_address.h"

TEST(a_socket_address_is_what_the_system_makes_of_the_text)
{
    struct ip four = ip_lit("10.1.2.3"), six = ip_lit("2001:db8::f00");
    struct sockaddr_storage out;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(65535) };
    inet_pton(AF_INET, "10.1.2.3", &in.sin_addr);
    CHECK_INT(socket_address(&four, 65535, &out), sizeof in, "IPv4");
    CHECK(memcmp(&out, &in, sizeof in) == 0, "IPv4");
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
    inet_pton(AF_INET6, "2001:db8::f00", &in6.sin6_addr);
    CHECK_INT(socket_address(&six, 443, &out), sizeof in6, "IPv6");
    CHECK(memcmp(&out, &in6, sizeof in6) == 0, "IPv6");
}

TEST(a_socket_address_is_read_again)
{
    static const struct {
        const char *text, *read;
    } cases[] = { { "10.1.2.3", "10.1.2.3" }, { "2001:db8::f00", "2001:db8::f00" }, { "::ffff:10.1.2.3", "10.1.2.3" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sockaddr_storage address;
        int port = 0;
        struct ip ip = ip_lit(cases[i].text);
        socket_address(&ip, 8080, &address);
        struct ip read = socket_address_ip(&address, &port);
        CHECK_STR(ip_str(&read), cases[i].read, "%s", cases[i].text);
        CHECK_INT(port, 8080, "%s", cases[i].text);
        read = socket_address_ip(&address, NULL);
        CHECK_STR(ip_str(&read), cases[i].read, "%s, without the port", cases[i].text);
    }
}

TEST_MAIN
