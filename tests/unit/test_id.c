#include "tests/test.h"

#include "base/id.h"

TEST(id_new_gives_the_same_ids_for_the_same_seed)
{
    struct id_gen a, b, c;
    id_gen_seed(&a, 7);
    id_gen_seed(&b, 7);
    id_gen_seed(&c, 8);
    for (int i = 0; i < 100; i++) {
        char x[ID_SIZE], y[ID_SIZE], z[ID_SIZE];
        id_new(&a, "vpc", x);
        id_new(&b, "vpc", y);
        id_new(&c, "vpc", z);
        CHECK_STR(x, y);
        CHECK(strcmp(x, z) != 0, "%s", x);
        CHECK(id_well_formed(x, "vpc"), "%s", x);
        CHECK_INT(strlen(x), strlen("vpc-") + 17);
    }
}

TEST(id_new_fits_the_longest_prefix)
{
    struct id_gen gen;
    id_gen_seed(&gen, 0);
    char id[ID_SIZE];
    id_new(&gen, "transit-gateway-policy-table", id);
    CHECK(id_well_formed(id, "transit-gateway-policy-table"), "%s", id);
}

TEST(id_well_formed_knows_both_lengths)
{
    static const struct {
        const char *id;
        bool ok;
    } cases[] = {
        { "vpc-1234abcd", true },
        { "vpc-0123456789abcdef0", true },
        { "vpc-", false },
        { "vpc", false },
        { "vpc-1234abc", false },
        { "vpc-1234abcde", false },
        { "vpc-1234ABCD", false },
        { "vpc-1234abcg", false },
        { "vpc-0123456789abcdef01", false },
        { "subnet-1234abcd", false },
        { "vpcx-1234abcd", false },
        { "", false },
        { "vpc-1234abcd ", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_INT(id_well_formed(cases[i].id, "vpc"), cases[i].ok, "`%s`", cases[i].id);
    }
}

TEST(id_new_iam_is_base32)
{
    struct id_gen gen;
    id_gen_seed(&gen, 1);
    for (int i = 0; i < 100; i++) {
        char id[ID_SIZE];
        id_new_iam(&gen, "AIDA", id);
        CHECK_INT(strlen(id), 21);
        CHECK_INT(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 21, "%s", id);
        CHECK(strncmp(id, "AIDA", 4) == 0, "%s", id);
    }
}

TEST(id_new_uuid_is_version_4)
{
    struct id_gen gen;
    id_gen_seed(&gen, 1);
    for (int i = 0; i < 100; i++) {
        char uuid[37];
        id_new_uuid(&gen, uuid);
        CHECK_INT(strlen(uuid), 36);
        CHECK(uuid[8] == '-' && uuid[13] == '-' && uuid[14] == '4' && uuid[18] == '-' && strchr("89ab", uuid[19]) &&
                  uuid[23] == '-',
              "%s", uuid);
    }
}

TEST(id_random_below_reaches_every_value_and_no_other)
{
    struct id_gen gen;
    id_gen_seed(&gen, 3);
    int seen[7] = { 0 };
    for (int i = 0; i < 7000; i++) {
        uint64_t r = id_random_below(&gen, 7);
        REQUIRE(r < 7);
        seen[r]++;
    }
    for (int i = 0; i < 7; i++) {
        CHECK(seen[i] > 800 && seen[i] < 1200, "%d: %d times", i, seen[i]);
    }
    CHECK_INT(id_random_below(&gen, 1), 0);
}

TEST(id_gen_seed_random_differs)
{
    struct id_gen a, b;
    id_gen_seed_random(&a);
    id_gen_seed_random(&b);
    CHECK(id_random(&a) != id_random(&b));
}

TEST(id_random_of_a_zeroed_generator_is_not_constant)
{
    struct id_gen gen = { 0 };
    CHECK(id_random(&gen) != id_random(&gen));
}

TEST_MAIN
