/* cloud/random_certificates.h - certificates of a random network, which knows their names alone, are issued by an authority of its own.
 * Used by: random_verify.c */
#pragma once
#include "netsim/model/network.h"

/* Nothing is made where there are none.  ERR_MACHINE: no chance, no library. */
bool random_certificates_issue(struct network *net, struct err *err);
