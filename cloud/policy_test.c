#include "cloud/policy_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TABLE_LIMIT = 256 << 20, POLICY_LIMIT = 1 << 20 };

static bool
ends_in(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

static int
is_policy(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ends_in(entry->d_name, ".json");
}

static bool
read_policies(struct iam_table_policies *policies, const char *directory, const char *shown, struct err *err)
{
    struct dirent **files;
    int n = scandir(directory, &files, is_policy, alphasort);
    if (n < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", directory, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        struct buf text = { 0 };
        char *path = xasprintf("%s%s", shown, files[i]->d_name);
        if (!err->kind && buf_read_file(&text, path, POLICY_LIMIT, err)) {
            iam_table_add_policy(policies, files[i]->d_name, buf_str(&text), text.size, path, err);
        }
        buf_done(&text);
        free(path);
        free(files[i]);
    }
    free(files);
    return !err->kind;
}

static bool
run_text(struct iam_table *table, const char *path, struct err *err)
{
    struct iam_table_policies *policies = iam_table_policies_new();
    struct buf text = { 0 };
    const char *slash = strrchr(path, '/');
    char *shown = xstrndup(path, slash ? (size_t)(slash + 1 - path) : 0);
    bool ok = buf_read_file(&text, path, TABLE_LIMIT, err) &&
              read_policies(policies, shown[0] ? shown : ".", shown, err) &&
              iam_table_run_text(table, policies, buf_str(&text), text.size, path, err);
    free(shown);
    buf_done(&text);
    iam_table_policies_free(policies);
    return ok;
}

bool
policy_test_file(struct iam_table *table, const char *path, struct err *err)
{
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        char *inside = xasprintf("%s%srequests.txt", path, ends_in(path, "/") ? "" : "/");
        bool ok = run_text(table, inside, err);
        free(inside);
        return ok;
    }
    if (!ends_in(path, ".json") && !ends_in(path, ".jsonl")) {
        return run_text(table, path, err);
    }
    struct buf text = { 0 };
    bool ok =
        buf_read_file(&text, path, TABLE_LIMIT, err) && iam_table_run_json(table, buf_str(&text), text.size, path, err);
    buf_done(&text);
    return ok;
}
