#include "cloud/gzip.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/vec.h"

void
gzip_pack(const struct buf *plain, struct buf *packed)
{
    unsigned char chunk[16384];
    z_stream z = { .next_in = (unsigned char *)plain->data, .avail_in = (unsigned)plain->size };
    /* 16 asks for gzip's header.  It holds no time and no name, so equal records are equal bytes. */
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return;
    }
    int status;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        status = deflate(&z, Z_FINISH);
        buf_add(packed, (const char *)chunk, sizeof chunk - z.avail_out);
    } while (status == Z_OK);
    deflateEnd(&z);
}

bool
gzip_read_file(const char *path, size_t limit, struct buf *text, struct err *err)
{
    gzFile file =
        strcmp(path, "-") == 0 ? gzdopen(0, "rb") : gzopen(path, "rbe"); /* reads what is not gzip's as it is */
    char chunk[65536];
    bool ok = true;
    if (!file) {
        return err_set(err, ERR_MACHINE, "", "cannot open `%s`: %s", path, strerror(errno));
    }
    for (int n; ok && (n = gzread(file, chunk, sizeof chunk)) != 0;) {
        int code;
        if (n < 0) {
            const char *why = gzerror(file, &code);
            ok = code == Z_ERRNO ? err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", path, strerror(errno))
                                 : err_set(err, ERR_DOCUMENT, "", "cannot unpack `%s`: %s", path, why);
        } else if (text->size + (size_t)n > limit) {
            ok = err_set(err, ERR_DOCUMENT, "", "`%s` is larger than %zu MiB", path, limit >> 20);
        } else {
            buf_add(text, chunk, (size_t)n);
        }
    }
    if (gzclose(file) == Z_BUF_ERROR && ok) { /* zlib gives what there is of a file that was cut, as if it were all */
        err_set(err, ERR_DOCUMENT, "", "`%s` is not whole: its gzip data ends too early", path);
        ok = err_hint(err, "fetch it again; `gzip -t` checks it");
    }
    return ok;
}
