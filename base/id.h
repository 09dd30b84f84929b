/* base/id.h - AWS resource ids and the random numbers behind them.
 *
 * An EC2 id is PREFIX-hhhhhhhhhhhhhhhhh with 17 lower-case hex digits; an IAM unique id is PREFIX and 17 of [A-Z2-7].
 * A generator is part of the lab's state, so a scenario with the same seed prints the same ids every time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SIZE 64 /* holds "subnet-cidr-assoc-" + 17 digits, "net/" + 32 characters + "/" + 16 digits, ids of test data, and NUL */

struct id_gen {
    uint64_t state[2]; /* xorshift128+; saved with the lab */
};

void id_gen_seed(struct id_gen *gen, uint64_t seed);
void id_gen_seed_random(struct id_gen *gen); /* from the kernel */
uint64_t id_random(struct id_gen *gen);
uint64_t id_random_below(struct id_gen *gen, uint64_t limit);
void id_new(struct id_gen *gen, const char *prefix, char id[static ID_SIZE]);     /* "vpc" -> "vpc-0a1b..." */
void id_new_iam(struct id_gen *gen, const char *prefix, char id[static ID_SIZE]); /* "AIDA" -> "AIDAX2..." */
void id_new_uuid(struct id_gen *gen, char uuid[static 37]);

/* True if 'id' is 'prefix', '-' and 8 or 17 hex digits, the two forms AWS has used. */
bool id_well_formed(const char *id, const char *prefix);
