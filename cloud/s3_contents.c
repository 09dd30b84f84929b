#include "cloud/s3_contents.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/state.h"

static char *
path_of(const struct cloud *cloud, const char *md5)
{
    return xasprintf("%s/objects/%.32s", cloud->dir->path, md5);
}

void
s3_contents_keep(const struct cloud *cloud, const char *md5, const void *bytes, size_t size)
{
    if (!cloud->dir || size > S3_CONTENTS_MAX) {
        return;
    }
    char *dir = xasprintf("%s/objects", cloud->dir->path), *path = path_of(cloud, md5);
    if ((mkdir(dir, 0700) == 0 || access(dir, W_OK) == 0) && access(path, F_OK) != 0) {
        file_write_atomic(path, bytes ? bytes : "", size, NULL);
    }
    free(dir);
    free(path);
}

bool
s3_contents_read(const struct cloud *cloud, const char *etag, struct buf *bytes)
{
    if (!cloud->dir || !etag || strlen(etag) != 34 || strspn(etag + 1, "0123456789abcdef") != 32) {
        return false;
    }
    char *path = path_of(cloud, etag + 1);
    bool read = buf_read_file(bytes, path, S3_CONTENTS_MAX, NULL);
    free(path);
    return read;
}
