/* tests/unit/import_lab.h - a directory of describe-* files of a test's own, and networks to import it into. */
#pragma once
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "netsim/interop/aws_import.h"
#include "tests/test.h"

static struct id_gen ids;
static struct clock now;

__attribute__((unused)) static struct network *
new_network(void)
{
    id_gen_seed(&ids, 1);
    clock_set_ms(&now, 1760000000000);
    return network_new(&ids, &now);
}

/* ---- directories of a test's own --------------------------------------------------------------------------------- */

static char directory[64];

__attribute__((unused)) static const char *
make_directory(void)
{
    strcpy(directory, "/tmp/vpclab-test-XXXXXX");
    REQUIRE(mkdtemp(directory));
    return directory;
}

__attribute__((unused)) static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

__attribute__((unused)) static void
remove_directory(void)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "accounts/111/Vpcs.json" below the directory */
__attribute__((unused)) static void
put(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", directory, name);
    for (char *slash = path + strlen(directory) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    REQUIRE(file, "%s", path);
    fputs(text, file);
    fclose(file);
    free(path);
}

__attribute__((unused)) static char *
compact(const json_t *json)
{
    struct buf text = { 0 };
    json_write_compact(json, &text);
    return buf_steal(&text);
}

/* Every kind's state, one after the other. */
__attribute__((unused)) static char *
network_text(const struct network *net)
{
    json_t *all = json_object();
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        json_object_set_new(all, (*kind)->list, store_save_kind(network_store(net), *kind));
    }
    char *text = compact(all);
    json_decref(all);
    return text;
}
