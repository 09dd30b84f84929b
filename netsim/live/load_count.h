/* netsim/live/load_count.h - what load.h sends, as the receiving end counts it, and how it tells the sender.
 *
 * A datagram begins with LOAD_DATA, the run's number and its own; the last is LOAD_END and the number sent.  Then, and after the last byte of a
 * connection, the receiver answers with a report.  Numbers are in network byte order.
 * Used by: load.c, load_receive.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_DATA   0x76706c64u
#define LOAD_END    0x76706c65u
#define LOAD_REPORT 0x76706c72u
#define LOAD_REPORT_SIZE 40

struct load_count {
    uint32_t run;
    long long bytes, packets, duplicates, out_of_order;
    uint64_t next; /* the number after the highest that came */
    struct {
        uint8_t *bits;
        size_t size;
    } seen;
};
/* False: it is none of the run's. */
bool load_count_datagram(struct load_count *count, const uint8_t *data, size_t size);
void load_count_done(struct load_count *count);

void load_report_write(const struct load_count *count, uint8_t report[static LOAD_REPORT_SIZE]);
/* Takes the figures if the bytes are the report of 'count's run; a connection's is 0. */
bool load_report_read(const uint8_t *bytes, size_t size, struct load_count *count);
