/* cloud/ops_sts.c - who am I.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"

/* Everybody at the lab is its account's root user. */
static bool
get_caller_identity(struct op_call *call, struct err *err)
{
    (void)err;
    const char *account = call->cloud->account;
    char *arn = xasprintf("arn:aws:iam::%s:root", account);
    json_object_set_new(call->out, "UserId", json_string(account));
    json_object_set_new(call->out, "Account", json_string(account));
    json_object_set_new(call->out, "Arn", json_string(arn));
    free(arn);
    return true;
}

/* The account a key belongs to; the lab knows only its own keys. */
static bool
get_access_key_info(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "AccessKeyId");
    const struct iam_access_key *key = store_get(call->cloud->accounts->store, &iam_access_key_kind, id);
    if (!key) {
        return err_set(err, ERR_INPUT, "ValidationError", "the lab has no access key `%.40s`", id);
    }
    json_object_set_new(call->out, "Account", json_string(key->obj.account));
    return true;
}

const struct op ops_sts[] = {
    { .service = "sts",
      .name = "GetCallerIdentity",
      .mode = OP_READ,
      .run = get_caller_identity,
      .help = "Show who you are." },
    { .service = "sts",
      .name = "GetAccessKeyInfo",
      .mode = OP_READ,
      .run = get_access_key_info,
      .help = "Show which account an access key belongs to." },
    { 0 },
};
