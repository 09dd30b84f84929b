/* tests/test.h - unit tests over cmocka: a file lists its tests and ends with TEST_MAIN.
 *
 *     #include "tests/test.h"
 *
 *     TEST(cidr_contains_its_own_addresses)
 *     {
 *         for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
 *             CHECK(cidr_contains_ip(&block, &cases[i].ip) == cases[i].inside, "%s", cases[i].text);
 *         }
 *     }
 *
 *     TEST_MAIN
 *
 * A CHECK that fails prints its place, what was expected and the case (the printf arguments, which may be left out),
 * and the test goes on with the next case; REQUIRE ends the test, for what the rest depends on.  TEST_SKIP says why a
 * test cannot run here.  The program ends with one line, "test_ip: 9 passed, 0 failed, 1 skipped", and exit status 1 if
 * any failed. With arguments it runs only the tests whose names contain one of them. */
#pragma once
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/err.h"
#include "base/vec.h"

static VEC(struct CMUnitTest) test_all;
static int test_complaints, test_n_passed, test_n_skipped;
static const char *test_name;

__attribute__((unused)) static void
test_run(const char *name, void (*body)(void))
{
    test_name = name;
    test_complaints = 0;
    body();
    if (test_complaints > 0) {
        fail_msg("%d check%s failed", test_complaints, test_complaints == 1 ? "" : "s");
    }
    test_n_passed++;
}

__attribute__((unused)) static void
test_add(const char *name, void (*run)(void **state))
{
    *VEC_ADD(&test_all) = (struct CMUnitTest){ .name = name, .test_func = run };
}

/* clang-format off */
#define TEST(name_)                                                      \
    static void test_body_##name_(void);                                 \
    static void test_entry_##name_(void **state)                         \
    {                                                                    \
        (void)state;                                                     \
        test_run(#name_, test_body_##name_);                             \
    }                                                                    \
    __attribute__((constructor)) static void test_register_##name_(void) \
    {                                                                    \
        test_add(#name_, test_entry_##name_);                            \
    }                                                                    \
    static void test_body_##name_(void)

/* clang-format on */

/* Notes a failed check and returns false. */
__attribute__((unused, format(printf, 4, 5))) static bool
test_complain(const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;
    test_complaints++;
    fprintf(stderr, "%s:%d: failed: %s", file, line, what);
    if (format[1]) { /* after the space that keeps an empty format legal */
        fputs(" --", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
    }
    fputc('\n', stderr);
    return false;
}

__attribute__((unused)) static bool
test_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

#define TEST_COMPLAIN(what_, ...) test_complain(__FILE__, __LINE__, what_, " " __VA_ARGS__)

/* clang-format off */
/* All are expressions: true if the check holds. */
#define CHECK(condition_, ...) ((condition_) ? true : TEST_COMPLAIN(#condition_, __VA_ARGS__))

#define CHECK_STR(actual_, expected_, ...)                                             \
    (__extension__({                                                                   \
        const char *test_a = (actual_), *test_e = (expected_);                         \
        bool test_ok = test_same(test_a, test_e);                                      \
        if (!test_ok) {                                                                \
            TEST_COMPLAIN(#actual_, __VA_ARGS__);                                      \
            fprintf(stderr, "    got      `%s`\n    expected `%s`\n",                  \
                    test_a ? test_a : "(NULL)", test_e ? test_e : "(NULL)");           \
        }                                                                              \
        test_ok;                                                                       \
    }))

#define CHECK_INT(actual_, expected_, ...)                                             \
    (__extension__({                                                                   \
        intmax_t test_i = (intmax_t)(actual_), test_j = (intmax_t)(expected_);         \
        if (test_i != test_j) {                                                        \
            TEST_COMPLAIN(#actual_, __VA_ARGS__);                                      \
            fprintf(stderr, "    got      %jd\n    expected %jd\n", test_i, test_j);   \
        }                                                                              \
        test_i == test_j;                                                              \
    }))

/* No error is set; else prints it. */
#define CHECK_OK(err_, ...)                                                            \
    (__extension__({                                                                   \
        const struct err *test_err = (err_);                                           \
        if (test_err->kind != ERR_NONE) {                                              \
            TEST_COMPLAIN("no error", __VA_ARGS__);                                    \
            fprintf(stderr, "    got      %s %s %d:%d %s\n", test_err->code, test_err->where, \
                    test_err->line, test_err->column, test_err->text);                 \
        }                                                                              \
        test_err->kind == ERR_NONE;                                                    \
    }))

#define REQUIRE(condition_, ...)                             \
    do {                                                     \
        if (!CHECK(condition_, __VA_ARGS__)) {               \
            fail_msg("cannot go on without %s", #condition_); \
        }                                                    \
    } while (0)

#define TEST_SKIP(...)                                                      \
    do {                                                                    \
        fprintf(stderr, "SKIPPED %s: ", test_name);                         \
        fprintf(stderr, __VA_ARGS__);                                       \
        fputc('\n', stderr);                                                \
        test_n_skipped++;                                                   \
        skip();                                                             \
    } while (0)

#define TEST_MAIN                     \
    int main(int argc, char **argv)   \
    {                                 \
        return test_main(argc, argv); \
    }
/* clang-format on */

__attribute__((unused)) static int
test_main(int argc, char **argv)
{
    for (size_t i = test_all.n; argc > 1 && i-- > 0;) {
        bool wanted = false;
        for (int a = 1; a < argc; a++) {
            wanted |= strstr(test_all.items[i].name, argv[a]) != NULL;
        }
        if (!wanted) {
            VEC_REMOVE(&test_all, i);
        }
    }
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    setvbuf(stderr, NULL, _IOLBF, 0); /* whole lines, where programs run side by side */
    int n_failed = test_all.n ? _cmocka_run_group_tests(name, test_all.items, test_all.n, NULL, NULL) : 0;
    VEC_DONE(&test_all);
    printf("%s: %d passed, %d failed, %d skipped\n", name, test_n_passed, n_failed, test_n_skipped);
    return n_failed != 0;
}
