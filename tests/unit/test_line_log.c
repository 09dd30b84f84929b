/* A log of lines keeps its last ones, whoever writes and however much, and says what it has forgotten. */
#include "cloud/line_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/vec.h"
#include "cloud/journal.h"
#include "cloud/state.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

TEST(the_last_lines_are_kept)
{
    char *dir = make_dir(), *path = xasprintf("%s/log", dir), line[32];
    struct err err = { 0 };
    struct buf text = { 0 };
    size_t older, forgotten, all = 0;
    CHECK(line_log_read(path, &text, &older, &err) && text.size == 0 && older == 0, "%s", err.text);
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "line %03d\n", i);
        CHECK(line_log_append(path, line, 9, 90, &forgotten, &err), "%s", err.text);
        all += forgotten;
        CHECK_INT(forgotten, i >= 20 && i % 10 == 0 ? 90 : 0, "line %d", i);
    }
    CHECK_INT(all, 720);
    CHECK(line_log_read(path, &text, &older, &err), "%s", err.text);
    CHECK_INT(text.size, 180);
    CHECK_INT(older, 90);
    CHECK_INT(line_log_size(path), 180);
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof line, "line %03d\n", 80 + i);
        CHECK(strncmp(buf_str(&text) + 9 * i, line, 9) == 0, "%.9s", buf_str(&text) + 9 * i);
    }
    buf_done(&text);
    free(path);
    remove_dir(dir);
}

TEST(a_line_that_is_longer_than_the_limit_is_kept_too)
{
    char *dir = make_dir(), *path = xasprintf("%s/log", dir);
    struct buf text = { 0 };
    for (int i = 0; i < 3; i++) {
        CHECK(line_log_append(path, "a long line\n", 12, 5, NULL, NULL));
    }
    CHECK(line_log_read(path, &text, NULL, NULL));
    CHECK_STR(buf_str(&text), "a long line\na long line\n");
    buf_done(&text);
    free(path);
    remove_dir(dir);
}

/* While several processes fill it, what is there are whole lines, and each process's own in their order. */
TEST(lines_of_several_processes_do_not_mix)
{
    enum { WRITERS = 4, LINES = 300 };
    char *dir = make_dir(), *path = xasprintf("%s/log", dir);
    int last[WRITERS] = { 0 };
    struct buf text = { 0 };
    for (int w = 0; w < WRITERS; w++) {
        if (fork() == 0) {
            char line[32];
            for (int i = 1; i <= LINES; i++) {
                snprintf(line, sizeof line, "%d %05d\n", w, i);
                if (!line_log_append(path, line, 8, 4000, NULL, NULL)) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    for (int w = 0, status; w < WRITERS; w++) {
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(line_log_read(path, &text, NULL, NULL));
    CHECK(text.size % 8 == 0 && text.size > 4000 && text.size <= 9000, "%zu bytes", text.size);
    for (size_t at = 0; at < text.size; at += 8) {
        int w = -1, i = -1;
        CHECK(sscanf(buf_str(&text) + at, "%d %05d\n", &w, &i) == 2 && w >= 0 && w < WRITERS);
        CHECK(w < 0 || i > last[w], "line %d of writer %d after %d", i, w, last[w]);
        last[w < 0 ? 0 : w] = i;
    }
    buf_done(&text);
    free(path);
    remove_dir(dir);
}

static char *
journal_of(struct cloud *cloud)
{
    struct buf text = { 0 };
    CHECK(line_log_read(cloud->dir->journal_path, &text, NULL, NULL));
    return buf_steal(&text);
}

/* A journal that is full twice over: it begins anew with the event, and says that older ones went. */
TEST(a_full_journal_says_what_it_forgets)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    struct buf filler = { 0 };
    while (filler.size < JOURNAL_LIMIT) {
        buf_str_add(&filler, "{\"eventName\":\"Filler\",\"eventSource\":\"x\",\"eventTime\":\"2026\"}\n");
    }
    CHECK(line_log_append(cloud->dir->journal_path, filler.data, filler.size, JOURNAL_LIMIT, NULL, &err));
    json_decref(lab_run(cloud, "ec2 create-vpc --cidr-block 10.7.0.0/16", &err));
    char *text = journal_of(cloud);
    CHECK(strstr(text, "CreateVpc") && strstr(text, "Filler") && !strstr(text, "\"forget\""), "nothing has gone yet");
    free(text);
    CHECK(line_log_append(cloud->dir->journal_path, filler.data, filler.size, JOURNAL_LIMIT, NULL, &err));
    json_decref(lab_run(cloud, "ec2 create-vpc --cidr-block 10.8.0.0/16", &err));
    text = journal_of(cloud);
    const char *remark = strstr(text, "\"forget\"");
    CHECK(remark && strstr(text, "10.8.0.0/16") && !strstr(text, "10.7.0.0/16"));
    free(text);
    json_t *out = lab_run(cloud, "journal --limit 2 --event forget", &err);
    const json_t *event = json_array_get(json_object_get(out, "Events"), 0);
    CHECK_INT(json_array_size(json_object_get(out, "Events")), 1);
    CHECK(json_int(json_object_get(event, "requestParameters"), "bytesOfOlderEvents", 0) > 0);
    json_decref(out);
    CHECK_OK(&err);
    buf_done(&filler);
    cloud_close(cloud);
}

TEST_MAIN
