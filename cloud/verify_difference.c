/* cloud/verify_difference.c - two answers about one packet, compared. */
#include "cloud/verify_difference.h"

bool
verify_answers(const struct live_probe *probe)
{
    bool icmp = probe->protocol == PROTOCOL_ICMP || probe->protocol == PROTOCOL_ICMPV6;
    return !icmp || probe->dst_port == 8 || probe->dst_port == 128;
}

const char *
verify_difference(const struct reach_result *said, const struct live_probe *seen)
{
    if (said->reachable != seen->arrived) {
        return said->reachable ? "analysis lets it arrive, in the kernel it did not"
                               : "analysis stops it, in the kernel it arrived";
    }
    if (!seen->arrived) {
        return NULL;
    }
    if (!ip_equal(&said->arrives.src, &seen->seen_src) || !ip_equal(&said->arrives.dst, &seen->seen_dst)) {
        return "it arrives with other addresses";
    }
    if (verify_answers(seen) && said->reply != REPLY_UNKNOWN && (said->reply == REPLY_ALLOWED) != seen->replied) {
        return seen->replied ? "analysis stops the answer, in the kernel it came back"
                             : "analysis lets the answer back, in the kernel it was lost";
    }
    return NULL;
}
