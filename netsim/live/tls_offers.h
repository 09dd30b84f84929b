/* netsim/live/tls_offers.h - what the model says that a listener shows in TLS, as offers of tls.h.
 *
 * A certificate that is not in the lab (of an imported network) has a stand-in: one of the lab's authority for the balancer's own DNS name.
 * Uses: tls.h, authority.h.   Used by: balancer.c, relay.c, services.c */
#pragma once
#include "netsim/live/services.h"
#include "netsim/live/tls.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"

/* NULL: nothing can be shown, the connection is to be closed.  Borrowed until the next of these calls. */
struct tls_offer *tls_offer_listener(const struct services *services, const struct load_balancer *lb, const struct lb_listener *listener);
struct tls_offer *tls_offer_classic(const struct services *services, const struct classic_balancer *lb,
                                    const struct classic_listener *listener);
/* Of a service of AWS at an endpoint ("": in the internet, 'service' there): a certificate of the lab's authority for its names and the endpoint's. */
struct tls_offer *tls_offer_service(const struct services *services, const char *endpoint_id, const char *service);
