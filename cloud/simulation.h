/* cloud/simulation.h - one question to the policies, from what was asked to the answer; put again with AWS's deviations
 * when --like-aws asks for them.
 *
 * Uses: simulator.h, iampolicy/gather.h.   Used by: ops_iam_simulate.c, ops_simulate.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/catalog/catalog.h"
#include "iampolicy/gather.h"

struct simulation {
    struct op_call *call;
    struct iam_catalog *catalog;
    struct iam_request *request;
    struct iam_gathered gathered;
    struct iam_result result;
    unsigned bent;            /* enum simulator_deviation bits in force; 0: the exact decision */
    bool why;                 /* the verb is `why`: also what would change the answer */
    const char *owner;        /* account id of resources whose ARN has none; "" the caller's */
    bool organization;        /* control policies are part of the simulation */
    bool within_organization; /* of the action now asked about: they allow it on every resource */
};
void simulation_init(struct simulation *s, struct op_call *call);
void simulation_done(struct simulation *s);

/* Reads the question from s->call->in, decides, and answers into s->call->out. */
typedef bool simulation_question(struct simulation *s, struct err *err);
/* Puts the question, with LikeAws as AWS's simulator would: then the answer has Remarks on what differs. */
bool simulation_run(struct op_call *call, simulation_question *put, bool why, struct err *err);

/* clang-format off */
#define SIMULATION_LIKE_AWS                                                                                                       \
    { "LikeAws", OP_BOOL, OP_OPTIONAL,                                                                                 \
      "answer as AWS's policy simulator, where it differs from AWS; remarks say what changed", NULL, NULL, NULL }
/* clang-format on */

/* The readable form of the API's answers (--output table): decisions, then the statements in the user's own text. */
void simulation_table(const json_t *out, struct buf *text);
/* An entry of what simulation_table() tells, beside AWS's answer: the question now decided. */
json_t *simulation_told(const struct simulation *s);
