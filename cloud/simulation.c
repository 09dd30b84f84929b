#include "cloud/simulation.h"

#include "cloud/simulator.h"

void
simulation_init(struct simulation *s, struct op_call *call)
{
    *s = (struct simulation){ .call = call, .catalog = iam_catalog_new(), .request = iam_request_new(), .owner = "" };
}

void
simulation_done(struct simulation *s)
{
    iam_result_done(&s->result);
    iam_gathered_done(&s->gathered);
    iam_request_free(s->request);
    iam_catalog_free(s->catalog);
}

/* ---- like AWS's simulator ---- */

/* A question that may be put again with other deviations. */
struct question {
    struct op_call *call;
    simulation_question *put;
    bool why;
};

static json_t *
put_question(void *context, unsigned deviations, struct err *err)
{
    const struct question *question = context;
    struct op_call call = *question->call;
    struct simulation s;
    call.out = json_object();
    simulation_init(&s, &call);
    s.bent = deviations;
    s.why = question->why;
    bool ok = question->put(&s, err);
    simulation_done(&s);
    if (!ok) {
        json_decref(call.out);
        return NULL;
    }
    question->call->no = call.no;
    return call.out;
}

bool
simulation_run(struct op_call *call, simulation_question *put, bool why, struct err *err)
{
    struct question question = { call, put, why };
    bool like_aws = arg_flag(call->in, "LikeAws", false);
    json_t *answer = put_question(&question, like_aws ? SIMULATOR_ALL : 0, err);
    if (!answer) {
        return false;
    }
    bool no = call->no, ok = true;
    json_object_update(call->out, answer);
    if (like_aws) {
        json_t *remarks = json_object_get(call->out, "Remarks");
        remarks = remarks ? json_incref(remarks) : json_array();
        ok = simulator_remark(put_question, &question, answer, remarks, err);
        json_object_set_new(call->out, "Remarks", remarks);
    }
    call->no = no;
    json_decref(answer);
    return ok;
}
