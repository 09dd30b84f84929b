/* cloud/random_requests.h - HTTP requests by lot for the application balancers of a random network.
 *
 * Used by: random_verify.c. */
#pragma once
#include "cloud/http_questions.h"

struct random_net;
void random_requests_draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides, struct http_questions *out);
