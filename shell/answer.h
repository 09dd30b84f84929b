/* shell/answer.h - the ids in an operation's answer: what `NAME = command`, $_ and --quiet take from it.
 *
 * {"Vpc": {"VpcId": ..}} is vpc-.., {"GroupId": .., ..} is sg-.., a list of resources is their ids in order.  What is
 * named in IAM (users, roles) gives its name, because that is what its options take; a managed policy gives its ARN.
 * Used by: shell.h */
#pragma once
#include "base/json.h"
#include "base/vec.h"

typedef VEC(const char *) answer_ids;

/* Adds the ids, borrowed from 'out'. */
void answer_find_ids(const json_t *out, answer_ids *ids);
