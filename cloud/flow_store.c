#include "cloud/flow_store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/state.h"

static char *
path_of(const struct cloud *cloud, const char *log_id, const char *ending)
{
    return cloud->dir ? xasprintf("%s/flowlogs/%s.%s", cloud->dir->path, log_id, ending) : NULL;
}

char *
flow_logs_path(const struct cloud *cloud, const char *flow_log_id)
{
    if (!cloud->dir) {
        return NULL;
    }
    return flow_log_id ? path_of(cloud, flow_log_id, "log") : xasprintf("%s/flowlogs", cloud->dir->path);
}

/* ---- where to -----------------------------------------------------------------------------------------------------
 */
/* The name in arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*; other text is a name itself. */
static void
group_of(const char *text, char *name, size_t room)
{
    const char *at = strstr(text, ":log-group:");
    snprintf(name, room, "%s", at ? at + strlen(":log-group:") : text);
    size_t size = strlen(name);
    if (at && size > 2 && strcmp(name + size - 2, ":*") == 0) {
        name[size - 2] = '\0';
    }
}

void
flow_home_of(const struct flow_log *log, struct flow_home *home)
{
    const char *traffic = log->traffic_type ? log->traffic_type : flow_log_is_of_transit(log) ? "-" : "ALL";
    const char *type = log->destination_type ? log->destination_type : "cloud-watch-logs";
    *home = (struct flow_home){ .to_s3 = strcmp(type, "s3") == 0, .to_logs = strcmp(type, "cloud-watch-logs") == 0 };
    if (!home->to_logs) {
        snprintf(home->destination, sizeof home->destination, "%s", log->destination ? log->destination : "");
    } else {
        group_of(log->group_name    ? log->group_name
                 : log->destination ? log->destination
                                    : "",
                 home->destination, sizeof home->destination);
    }
    for (size_t i = 0; traffic[i] && i + 1 < sizeof home->traffic; i++) {
        home->traffic[i] = (char)(traffic[i] | 0x20); /* AWS's three words are capital letters; "-" has this bit */
    }
}

bool
flow_store_home(const struct cloud *cloud, const char *log_id, struct flow_home *home)
{
    const struct flow_log *log = store_get(network_store(cloud->net), &flow_log_kind, log_id);
    if (log) {
        flow_home_of(log, home);
        return true;
    }
    char *path = path_of(cloud, log_id, "more"), type[32];
    FILE *file = path ? fopen(path, "re") : NULL;
    *home = (struct flow_home){ 0 };
    bool ok = file && fscanf(file, "# %31s %1023s %7s", type, home->destination, home->traffic) == 3;
    home->to_s3 = ok && strcmp(type, "s3") == 0;
    home->to_logs = ok && strcmp(type, "cloud-watch-logs") == 0;
    if (file) {
        fclose(file);
    }
    free(path);
    return ok;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */
void
flow_batch_add(struct flow_batch *batch, const struct flow_record *record, const char *line, int64_t now_ms)
{
    /* The offset is known when the file is: here it counts from the first of these lines. */
    buf_printf(&batch->more, "%zu %s %" PRId64 " %s %" PRIu64 "\n", batch->lines.size,
               record->transit   ? record->transit->tgw_id
               : *record->eni_id ? record->eni_id
                                 : "-",
               now_ms, *record->rule ? record->rule : "-", record->lost_packets);
    buf_printf(&batch->lines, "%s\n", line);
}

static bool
write_all(int fd, const struct buf *text)
{
    for (size_t done = 0; done < text->size;) {
        ssize_t n = write(fd, text->data + done, text->size - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static int
open_to_append(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* The offsets of a batch moved to where its lines begin in the file. */
static bool
write_more(const struct cloud *cloud, const struct flow_batch *batch, size_t begin)
{
    char *path = path_of(cloud, batch->log_id, "more");
    struct buf text = { 0 };
    int fd = open_to_append(path);
    if (fd >= 0 && lseek(fd, 0, SEEK_END) == 0 && *batch->home.destination) {
        buf_printf(&text, "# %s %s %s\n",
                   batch->home.to_s3     ? "s3"
                   : batch->home.to_logs ? "cloud-watch-logs"
                                         : "kinesis-data-firehose",
                   batch->home.destination, batch->home.traffic);
    }
    for (const char *line = buf_str(&batch->more); *line;) {
        char *rest;
        size_t offset = strtoul(line, &rest, 10), size = strcspn(rest, "\n");
        buf_printf(&text, "%zu%.*s\n", begin + offset, (int)size, rest);
        line = rest + size + 1;
    }
    bool ok = fd >= 0 && write_all(fd, &text);
    if (fd >= 0) {
        close(fd);
    }
    buf_done(&text);
    free(path);
    return ok;
}

bool
flow_batch_write(const struct cloud *cloud, struct flow_batch *batch, struct err *err)
{
    char *directory = flow_logs_path(cloud, NULL), *path = flow_logs_path(cloud, batch->log_id);
    bool ok = true;
    if (batch->lines.size && path) { /* else a lab that is never saved: nobody could read it */
        if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
            ok = err_set(err, ERR_MACHINE, "", "cannot make `%s`: %s", directory, strerror(errno));
        }
        int fd = open_to_append(path);
        struct buf text = { 0 };
        off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
        if (end == 0) {
            buf_printf(&text, "%s\n", buf_str(&batch->header));
        }
        size_t begin = (size_t)end + text.size;
        buf_add(&text, batch->lines.data, batch->lines.size);
        if (fd < 0 || !write_all(fd, &text) || !write_more(cloud, batch, begin)) {
            ok = err_set(err, ERR_MACHINE, "", "cannot write flow log records to `%s`: %s", path, strerror(errno));
        }
        if (fd >= 0) {
            close(fd);
        }
        buf_done(&text);
    }
    buf_clear(&batch->lines);
    buf_clear(&batch->more);
    free(directory);
    free(path);
    return ok;
}

void
flow_store_forget(const struct cloud *cloud, const char *log_id)
{
    char *path = flow_logs_path(cloud, log_id), *more = path ? path_of(cloud, log_id, "more") : NULL;
    if (path) {
        unlink(path);
        unlink(more);
    }
    free(path);
    free(more);
}

void
flow_batch_done(struct flow_batch *batch)
{
    buf_done(&batch->header);
    buf_done(&batch->lines);
    buf_done(&batch->more);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */
struct more { /* the .more file, a line ahead */
    FILE *file;
    char *line;
    size_t room;
    long offset; /* of the record that 'line' is about; -1: no more lines */
    int rest;    /* where in 'line' the other words begin */
};

static void
more_next(struct more *m)
{
    m->offset = -1;
    if (m->file && ftell(m->file) == 0 && getc(m->file) == '#') {
        getline(&m->line, &m->room, m->file); /* where to */
    } else if (m->file && ftell(m->file) == 1) {
        rewind(m->file);
    }
    if (m->file && getline(&m->line, &m->room, m->file) > 0 && sscanf(m->line, "%ld %n", &m->offset, &m->rest) != 1) {
        m->offset = -1;
    }
}

static void
join_more(struct more *m, struct flow_entry *entry, struct flow_record *record, char eni_id[static ID_SIZE])
{
    while (m->offset >= 0 && m->offset < entry->offset) {
        more_next(m);
    }
    snprintf(eni_id, ID_SIZE, "%s", record->eni_id);
    if (m->offset == entry->offset) {
        char eni[ID_SIZE], rule[FLOW_RULE_SIZE];
        static_assert(ID_SIZE > 63 && FLOW_RULE_SIZE > 159, "as wide as sscanf is told");
        if (sscanf(m->line + m->rest, "%63s %" SCNd64 " %159s %" SCNu64, eni, &entry->written_ms, rule,
                   &record->lost_packets) == 4) {
            snprintf(eni_id, ID_SIZE, "%s", eni);
            snprintf(record->rule, sizeof record->rule, "%s", strcmp(rule, "-") ? rule : "");
        }
        more_next(m);
    }
    entry->eni_id = eni_id;
}

static void
read_lines(FILE *file, struct more *more, long from, flow_visit *visit, void *context, struct flow_reading *reading)
{
    char *line = NULL, eni_id[ID_SIZE];
    size_t room = 0;
    long offset = ftell(file);
    for (ssize_t size; (size = getline(&line, &room, file)) > 0; offset += size) {
        struct flow_record record;
        struct flow_entry entry = { .record = &record, .line = line, .offset = offset };
        if (line[size - 1] != '\n') { /* the keeper was killed while it wrote */
            reading->damaged++;
            break;
        }
        line[size - 1] = '\0';
        if (!flow_record_parse(line, &reading->format, &record, NULL)) {
            reading->damaged++;
        } else if (offset >= from) {
            join_more(more, &entry, &record, eni_id);
            visit(context, &reading->format, &entry);
        }
        reading->end = offset + size;
    }
    free(line);
}

bool
flow_store_read(const struct cloud *cloud, const char *log_id, long from, flow_visit *visit, void *context,
                struct flow_reading *reading, struct err *err)
{
    char *path = flow_logs_path(cloud, log_id), *more_path = path_of(cloud, log_id, "more"), *header = NULL;
    FILE *file = path ? fopen(path, "re") : NULL;
    size_t room = 0;
    bool ok = true;
    *reading = (struct flow_reading){ .exists = file != NULL };
    if (path && !file && errno != ENOENT) {
        ok = err_set(err, ERR_MACHINE, "", "cannot open `%s`: %s", path, strerror(errno));
    } else if (file && getline(&header, &room, file) > 0) {
        ok = flow_format_parse_header(header, &reading->format, err);
        if (!ok) {
            err_at(err, path, 0, 0);
            err_hint(err, "the first line of a flow log names its fields; move the file away to begin anew");
        } else {
            struct more more = { .file = fopen(more_path, "re") };
            reading->end = ftell(file);
            if (from > reading->end) {
                fseek(file, from, SEEK_SET);
            }
            more_next(&more);
            read_lines(file, &more, from, visit, context, reading);
            if (more.file) {
                fclose(more.file);
            }
            free(more.line);
        }
    }
    if (file) {
        fclose(file);
    }
    free(header);
    free(path);
    free(more_path);
    return ok;
}

size_t
flow_store_ids(const struct cloud *cloud, char ***ids)
{
    char *directory = flow_logs_path(cloud, NULL);
    struct dirent **names;
    VEC(char *) list = { 0 };
    int n = directory ? scandir(directory, &names, NULL, alphasort) : -1;
    for (int i = 0; i < n; i++) {
        char *dot = strrchr(names[i]->d_name, '.');
        if (dot && strcmp(dot, ".log") == 0) {
            *VEC_ADD(&list) = xstrndup(names[i]->d_name, (size_t)(dot - names[i]->d_name));
        }
        free(names[i]);
    }
    if (n >= 0) {
        free(names);
    }
    free(directory);
    *ids = list.items;
    return list.n;
}
