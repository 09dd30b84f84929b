/* cloud/shrink_request.h - the smallest network in which one HTTP request shows a difference of the two judges.
 *
 * The same request is sent through each smaller network; it must differ in the same way.
 * Uses: shrink.h, http_questions.h.   Used by: random_verify.c */
#pragma once
#include "cloud/random_verify.h"

/* http_question_report() of the question as it differed last, with {"Seed", "Objects", "Shrunk", "Lab": "./shrunk-http-7", "Commands": [text], "State"} as
 * random_verify() has them for packets.  The caller owns it. */
json_t *shrink_request(const struct random_trial *trial, const struct network *net, const struct http_questions *questions, size_t first);
