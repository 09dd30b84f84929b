/* cloud/share_dumps.h - resource shares in dumps of real accounts: what an account's describe-* shows of others.
 *
 * Used by: cloud/ops_import.c. */
#pragma once
#include "base/err.h"
#include "base/json.h"
#include "cloud/cloud.h"

/* Shares of the owners of what is 'shared' [{Id, Account}], one for each account that was shown them; those that an
 * earlier import made take on what is new. */
void share_dumps_import(struct cloud *cloud, const json_t *shared);

/* Beside what aws_export() wrote below 'dir': DIR/accounts/ACCOUNT/REGION/TransitGateways-shared.json and so on, with
 * what each account is shown of others.  report["Files"] gains them. */
bool share_dumps_export(const struct cloud *cloud, const char *dir, json_t *report, struct err *err);
