/* cloud/shrink.h - the smallest network that still shows something.
 *
 * Takes away objects (with everything that needs them), then rules, entries, routes and other parts, one by one, as long as the test
 * goes on saying yes.  What is left is still a network that AWS would let one build: routes `local` and main tables stay with
 * their VPC, an interface keeps a group and an address.
 *
 * Used by: random_verify.c, tests/spec. */
#pragma once
#include "base/json.h"

/* Does this network, {"Vpcs": [..], ..} by the names of network_kinds[], still show it? */
typedef bool shrink_test(void *context, const json_t *network);

struct network;
/* All of a network in that form; the caller owns it.  And back into an empty one; false: it cannot be read. */
json_t *shrink_save(const struct network *net);
bool shrink_load(struct network *net, const json_t *network);

/* Asks at most 'tries' times, and no more once 'seconds' have passed.  The caller owns the result; 'network' stays as it is. */
json_t *shrink_network(const json_t *network, shrink_test *test, void *context, size_t tries, int seconds);
