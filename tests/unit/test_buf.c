#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"

TEST(buf_grows)
{
    struct buf buf = { 0 };
    CHECK_STR(buf_str(&buf), "");
    for (int i = 0; i < 1000; i++) {
        buf_printf(&buf, "%d,", i);
    }
    CHECK_INT(buf.size, 10 * 2 + 90 * 3 + 900 * 4);
    CHECK(strncmp(buf_str(&buf), "0,1,2,", 6) == 0);
    buf_clear(&buf);
    CHECK_STR(buf_str(&buf), "");
    buf_add(&buf, "a\0b", 3);
    buf_char(&buf, 'c');
    buf_str_add(&buf, "d");
    CHECK(buf.size == 5 && memcmp(buf.data, "a\0bcd", 6) == 0);
    char *text = buf_steal(&buf);
    CHECK(buf.data == NULL && buf.size == 0);
    free(text);
    text = buf_steal(&buf);
    CHECK_STR(text, "");
    free(text);
    buf_done(&buf);
}

TEST(buf_printf_fits_every_length)
{
    for (int width = 0; width < 300; width++) {
        struct buf buf = { 0 };
        buf_printf(&buf, "%*s", width, "");
        CHECK_INT(buf.size, width);
        CHECK_INT(strlen(buf_str(&buf)), width);
        buf_done(&buf);
    }
}

TEST(buf_read_file_keeps_to_the_limit)
{
    char path[] = "/tmp/vpclab-test-XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0 && write(fd, "0123456789", 10) == 10);
    close(fd);
    struct buf buf = { 0 };
    struct err err = { 0 };
    buf_str_add(&buf, ">");
    CHECK(buf_read_file(&buf, path, 10, &err));
    CHECK_OK(&err);
    CHECK_STR(buf_str(&buf), ">0123456789");
    CHECK(!buf_read_file(&buf, path, 9, &err));
    CHECK_INT(err.kind, ERR_MACHINE);
    CHECK(strstr(err.text, path) && strstr(err.text, "9 bytes"), "%s", err.text);
    CHECK_STR(buf_str(&buf), ">0123456789", "a failure adds nothing");
    err_clear(&err);
    unlink(path);
    CHECK(!buf_read_file(&buf, path, 9, &err));
    CHECK(strstr(err.text, path) && strstr(err.text, "No such file"), "%s", err.text);
    err_clear(&err);
    CHECK(!buf_read_file(&buf, "/", 9, &err));
    CHECK(strstr(err.text, "directory"), "%s", err.text);
    buf_done(&buf);
}

TEST(arena_gives_zeroed_aligned_memory)
{
    struct arena *arena = arena_new();
    size_t used = 0;
    for (size_t size = 0; size < 5000; size = size * 2 + 1) {
        for (int i = 0; i < 20; i++) {
            char *p = arena_alloc(arena, size);
            REQUIRE(p);
            CHECK_INT((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t j = 0; j < size; j++) {
                REQUIRE(p[j] == 0);
            }
            memset(p, 0xff, size);
            used += size;
        }
    }
    CHECK_INT(arena_used(arena), used);
    CHECK_STR(arena_strdup(arena, "abc"), "abc");
    CHECK_STR(arena_strndup(arena, "abc", 2), "ab");
    CHECK_STR(arena_strndup(arena, "abc", 20), "abc");
    CHECK_STR(arena_printf(arena, "%s-%d", "x", 7), "x-7");
    arena_free(arena);
    arena_free(NULL);
}

TEST_MAIN
