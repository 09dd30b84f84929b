#include "cloud/flow_s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/md5.h"
#include "cloud/gzip.h"
#include "cloud/ops_s3_objects.h"
#include "cloud/state.h"
#include "iampolicy/bucket.h"

#define MOST_ALIKE 1000 /* deliveries of the same records within a minute */

/* Makes every directory before the last slash. */
static bool
make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool ok = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* False with errno; EEXIST: there is such a file. */
static bool
write_file(char *path, const struct buf *bytes)
{
    FILE *file = make_directories(path) ? fopen(path, "wxe") : NULL;
    bool ok = file && fwrite(bytes->data, 1, bytes->size, file) == bytes->size;
    return file && fclose(file) == 0 && ok;
}

/* The folder and name that AWS gives; 'hash' tells objects of one minute apart. */
static char *
object_key(const char *prefix, const struct flow_log *log, int64_t now_ms, const char *hash)
{
    char when[32];
    clock_format_ms(now_ms, when); /* 2026-01-02T03:04:05.000Z */
    const char *account = log->obj.account, *region = log->obj.region;
    return xasprintf(
        "%s%sAWSLogs/%s/vpcflowlogs/%s/%.4s/%.2s/%.2s/%s_vpcflowlogs_%s_%s_%.4s%.2s%.2sT%.2s%.2sZ_%.8s.log.gz", prefix,
        *prefix && prefix[strlen(prefix) - 1] != '/' ? "/" : "", account, region, when, when + 5, when + 8, account,
        region, log->obj.id, when, when + 5, when + 8, when + 11, when + 14, hash);
}

bool
flow_s3_deliver(struct cloud *cloud, const struct flow_batch *batch, struct err *err)
{
    const struct flow_log *log = store_get(network_store(cloud->net), &flow_log_kind, batch->log_id);
    const char *destination = batch->home.destination;
    if (!batch->home.to_s3 || !batch->lines.size || !log || !cloud->dir) {
        return true;
    }
    /* arn:aws:s3:::bucket/prefix */
    const char *bucket = strrchr(destination, ':') ? strrchr(destination, ':') + 1 : destination;
    size_t bucket_size = strcspn(bucket, "/");
    const char *prefix = bucket[bucket_size] ? bucket + bucket_size + 1 : "";
    if (bucket_size == 0 || strstr(destination, "..") || *prefix == '/') {
        return err_set(err, ERR_INPUT, "InvalidParameter", "`%s` is no bucket with a prefix", destination);
    }
    struct buf plain = { 0 }, packed = { 0 };
    buf_printf(&plain, "%s\n", buf_str(&batch->header));
    buf_add(&plain, batch->lines.data, batch->lines.size);
    gzip_pack(&plain, &packed);
    char *key = NULL, *path = NULL, *name = xstrndup(bucket, bucket_size);
    bool ok = false, taken = true;
    for (int try = 0; taken && try < MOST_ALIKE; try++) {
        char hash[33];
        free(key);
        free(path);
        md5_hex(plain.data, plain.size, hash);
        key = object_key(prefix, log, clock_now_ms(&cloud->clock), hash);
        path = xasprintf("%s/flowlogs/s3/%s/%s", cloud->dir->path, name, key);
        ok = write_file(path, &packed);
        taken = !ok && errno == EEXIST;
        buf_char(&plain, '\n'); /* the same records in the same minute: another name */
    }
    if (!ok) {
        err_set(err, ERR_MACHINE, "", "cannot write flow log records to `%s`: %s", path, strerror(errno));
    }
    const struct iam_bucket *there = ok ? iam_find_bucket(cloud->accounts, name) : NULL;
    if (there) {
        s3_object_deliver(cloud, there, key, packed.data, packed.size);
        ok = state_save(cloud, err);
    }
    free(name);
    free(path);
    free(key);
    buf_done(&plain);
    buf_done(&packed);
    return ok;
}
