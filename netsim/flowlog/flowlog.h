/* netsim/flowlog/flowlog.h - flow logs of interfaces and of transit gateways: AWS's record formats as field rows, capture windows, reading
 * records back, queries.
 *
 * A source (netsim/live/flow_source.c for real packets) gives counter deltas, one struct flow_sample for each flow of each
 * interface.  A struct flow_window gathers them for every flow log (netsim/model/gateways.h) in force for that interface and,
 * when a log's aggregation interval is over, gives one record for each flow, NODATA for a quiet interface, SKIPDATA where
 * the source lost flows.  What a record says beyond the packet (VPC, instance, zone, path) is looked up in the model.
 * No kernel, no files: cloud/ appends the lines to <lab>/flowlogs/<fl-id>.log.
 *
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, flow-logs-records-examples.html,
 * flow-logs-limitations.html; vpc/latest/tgw/tgw-flow-logs.html.  Uses: netsim/model.   Used by: netsim/live, cloud/ops_flows.c */
#pragma once
#include "base/buf.h"
#include "netsim/model/gateways.h"

enum flow_action { FLOW_ACCEPT = 1, FLOW_REJECT };
enum flow_direction { FLOW_INGRESS = 1, FLOW_EGRESS }; /* as the interface sees it */
enum flow_status { FLOW_OK = 1, FLOW_NODATA, FLOW_SKIPDATA };
enum { FLOW_TCP_FIN = 1, FLOW_TCP_SYN = 2, FLOW_TCP_RST = 4, FLOW_TCP_ACK = 16, FLOW_TCP_SYN_ACK = 18 }; /* a lone ACK or PSH counts as 0 */

enum flow_reason { FLOW_REASON_BPA = 1 /* VPC Block Public Access */, FLOW_REASON_EC /* encryption controls */ };

#define FLOW_RULE_SIZE 160

/* What one interface saw of one flow since the source last told.
 *
 * Addresses are those of the packet's header at the interface: private ones, because the internet gateway has translated by
 * then, and a NAT gateway's interface sees both sides of its translation.  The record's srcaddr and dstaddr (where AWS puts the
 * interface's primary address) are derived from them; pkt-srcaddr and pkt-dstaddr are these. */
struct flow_sample {
    char eni_id[ID_SIZE];
    struct ip src, dst;
    uint16_t src_port, dst_port; /* 0 for protocols without ports, ICMP among them */
    uint8_t protocol, action, direction;
    uint8_t tcp_flags;           /* FLOW_TCP_*, of all packets since last told, or-ed */
    uint64_t packets, bytes;     /* since last told; 0 packets adds nothing */
    uint8_t reason;              /* of rejects: enum flow_reason, 0 any other */
    char rule[FLOW_RULE_SIZE];   /* of rejects: what refused them, see struct flow_record; "" not known */
    int64_t first_ms, last_ms;   /* of these packets; milliseconds since 1970 */
};

/* ---- transit gateways ----
 * A transit gateway has no interfaces of its own to look at: what it records is a flow from one attachment to another, once as it comes in and
 * once as it leaves. */
enum flow_lost { FLOW_LOST_NO_ROUTE, FLOW_LOST_BLACKHOLE, FLOW_LOST_MTU, FLOW_LOST_TTL, FLOW_LOSSES };

/* What a transit gateway saw of one flow since the source last told. */
struct flow_transit_sample {
    char tgw_id[ID_SIZE], from_id[ID_SIZE], to_id[ID_SIZE]; /* attachments; 'to_id' "": the packets were lost */
    char from_subnet[ID_SIZE], to_subnet[ID_SIZE];          /* of VPC attachments, else "" */
    struct ip src, dst;
    uint16_t src_port, dst_port;
    uint8_t protocol, tcp_flags; /* all of TCP's, or-ed: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
    uint8_t lost;                /* enum flow_lost, where 'to_id' is "" */
    uint64_t packets, bytes;
    int64_t first_ms, last_ms;
};

/* What a record of a transit gateway says of the way, shared by all flows that take it. */
struct flow_transit {
    char tgw_id[ID_SIZE], attachment_id[ID_SIZE], pair_id[ID_SIZE]; /* 'attachment_id': the one that this record is of */
    struct flow_transit_end {
        char account[16], vpc_id[ID_SIZE], subnet_id[ID_SIZE], eni_id[ID_SIZE], zone_id[24];
    } from, to;
    char resource[24]; /* "TransitGateway" */
};

/* One line of a flow log. */
struct flow_record {
    uint64_t present; /* bit i: the record has a value (not "-") for row i of flow_fields[] */
    uint8_t status;   /* enum flow_status */
    uint8_t version;
    uint8_t type;     /* 4 or 6; 7 is an Elastic Fabric Adapter's */
    uint8_t protocol, tcp_flags, action, direction;
    uint8_t reason;   /* enum flow_reason */
    uint8_t path;     /* traffic-path of egress traffic, 1..8; 0: none applies */
    uint16_t src_port, dst_port;
    char account[16], eni_id[ID_SIZE], vpc_id[ID_SIZE], subnet_id[ID_SIZE], instance_id[ID_SIZE];
    char region[24], zone_id[24]; /* "us-east-1", "use1-az1" */
    char pkt_src_service[40], pkt_dst_service[40]; /* "S3", "DYNAMODB"; "" no address of a service */
    struct ip src, dst, pkt_src, pkt_dst;
    uint64_t packets, bytes;
    uint64_t lost[FLOW_LOSSES];         /* of a transit gateway */
    const struct flow_transit *transit; /* borrowed from the window; NULL: of an interface, or read back from a file */
    int64_t start_s, end_s; /* first and last packet; NODATA, SKIPDATA: the window */
    /* Beside AWS's fields, what refused the packets: "acl-0a1b:ingress:100" a rule, "acl-0a1b:ingress:*" the last of the ACL, "sg-0a1b,sg-0c2d:ingress:none"
     * groups without a rule for them; "" for accepted ones.  When the model changed meanwhile, the last. */
    char rule[FLOW_RULE_SIZE];
    uint64_t lost_packets; /* SKIPDATA: how many packets had no room; 0: not known */
};

/* ---- the format --------------------------------------------------------------------------------------------------- */
enum flow_field_type {
    FLOW_NEVER,  /* AWS's field, but nothing in a lab has it (ECS tasks, Wavelength): always "-"; records from elsewhere have it in their line */
    FLOW_TRANSIT, /* char[] of struct flow_transit; read back it is in the line alone, as above */
    FLOW_TEXT,   /* char[] */
    FLOW_IP,     /* struct ip */
    FLOW_U8, FLOW_U16, FLOW_U64,
    FLOW_TIME,   /* int64_t, Unix seconds */
    FLOW_WORD,   /* uint8_t, an index of 'words' */
};
enum {
    FLOW_TRAFFIC_ONLY = 1, /* "-" in NODATA and SKIPDATA records */
    FLOW_ZERO_IS_NONE = 2, /* 0 prints "-" */
    FLOW_OF_TRANSIT = 4,   /* logs of transit gateways have it too */
    FLOW_NOT_OF_ENI = 8,   /* and those of interfaces have not */
    FLOW_NOT_OF_BPA = 16,  /* "-" in records of what VPC Block Public Access refused (flow-logs-limitations.html) */
};
struct flow_field {
    const char *name; /* "srcaddr" */
    int version;      /* of flow logs that brought it: 2..10 */
    enum flow_field_type type;
    unsigned flags;
    size_t offset, size;      /* of the member of struct flow_record, or of struct flow_transit */
    const char *const *words; /* FLOW_WORD: by value, NULL for values that have none; 'n_words' of them */
    size_t n_words;
};
extern const struct flow_field flow_fields[]; /* ends with a NULL name; the version 2 ones first, in the default format's order */

#define FLOW_FIELDS_MAX 64
struct flow_format {
    const struct flow_field *fields[FLOW_FIELDS_MAX];
    size_t n;
    int version; /* the highest of its fields' */
};

/* Reads "${version} ${srcaddr} ..."; NULL or "" is the default format (all version 2 fields).
 * InvalidParameterValue: an unknown field (the hint names the valid ones), one named twice, or other text between them. */
bool flow_format_parse(const char *text, struct flow_format *format, struct err *err);
/* Has every field a log of a transit gateway, or else of an interface?  InvalidParameterValue names one that it has not. */
bool flow_format_fits(const struct flow_format *format, bool transit, struct err *err);
/* "version srcaddr ...", the first line AWS writes in a log file, without the newline. */
void flow_format_header(const struct flow_format *format, struct buf *out);
/* A header line back to the format. ERR_DOCUMENT for an unknown field. */
bool flow_format_parse_header(const char *line, struct flow_format *format, struct err *err);

/* One line, without the newline. */
void flow_record_print(const struct flow_record *record, const struct flow_format *format, struct buf *out);
/* ERR_DOCUMENT naming the field and its column for a line with too few or too many fields or a wrong value. */
bool flow_record_parse(const char *line, const struct flow_format *format, struct flow_record *record, struct err *err);

/* A record of a sample, with everything the model knows of the interface, and nothing counted yet. */
struct flow_record flow_record_begin(const struct network *net, const struct eni *eni, const struct flow_sample *sample);

/* ---- windows ------------------------------------------------------------------------------------------------------ */
struct flow_window;
struct flow_window *flow_window_new(void);
void flow_window_free(struct flow_window *window);

/* Begins a window for logs that are new and forgets those that were deleted; call it at start and after every change of the
 * model, before the samples that follow it, with the time. */
void flow_window_sync(struct flow_window *window, const struct network *net, int64_t now_ms);
/* Counts the sample in every log in force for its interface.  A sample of an unknown interface is left out. */
void flow_window_add(struct flow_window *window, const struct network *net, const struct flow_sample *sample);
/* The source has lost 'packets' (0: nobody knows how many) of this interface (NULL: of any). */
void flow_window_skipped(struct flow_window *window, const struct network *net, const char *eni_id, uint64_t packets);
/* The same of what a transit gateway saw, which is two records: at the attachment where it came in and, unless it was lost, where it left. */
void flow_window_add_transit(struct flow_window *window, const struct network *net, const struct flow_transit_sample *sample);
void flow_window_skipped_transit(struct flow_window *window, const struct network *net, const char *tgw_id, const char *attachment_id,
                                 uint64_t packets);

/* 'log' is borrowed from the network, 'line' (no newline) good during the call. */
typedef void flow_emit(void *context, const struct flow_log *log, const struct flow_format *format, const struct flow_record *record,
                       const char *line);
/* Gives the records of every window that is over at 'now_ms' and begins the next one.  With 'flush' also those of windows still
 * open, which then go on with empty counters (AWS's interval is a maximum); quiet interfaces are reported only when a whole
 * interval was quiet.  Returns the number of records. */
size_t flow_window_close(struct flow_window *window, const struct network *net, int64_t now_ms, bool flush, flow_emit *emit,
                         void *context);

/* ---- queries ------------------------------------------------------------------------------------------------------ */
/* A zeroed query matches every record; a record whose format lacks a field asked for does not match. */
struct flow_query {
    const char *const *eni_ids; /* any of these; borrowed */
    size_t n_enis;              /* 0: every interface */
    uint8_t action, direction, status;          /* 0: any */
    bool has_protocol, has_src_port, has_dst_port;
    uint8_t protocol;
    uint16_t src_port, dst_port;
    struct cidr src, dst, address, peer; /* family IP_NONE: any.  'address', 'peer': either end; pkt- addresses count too */
    int64_t since_s, until_s;      /* of its end and start; 0: any */
};

/* Fields that must have a value, as their line has it; any field of AWS's.  'value' may have * and ?. */
#define FLOW_WHERE_MAX 8
struct flow_where {
    struct flow_wanted {
        const struct flow_field *field;
        char value[256];
    } items[FLOW_WHERE_MAX];
    size_t n;
};
/* "ecs-service-name=web tgw-id=tgw-0a1b".  ERR_USAGE: no field, no value, too many. */
bool flow_where_parse(const char *text, struct flow_where *where, struct err *err);
bool flow_where_add(struct flow_where *where, const char *field, const char *value); /* false: there is no room */
bool flow_where_match(const struct flow_where *where, const struct flow_format *format, const char *line);
bool flow_query_match(const struct flow_query *query, const struct flow_record *record);
/* The fields that the query asks about and the format does not have: then nothing can match.  Returns how many. */
#define FLOW_LACKS_MAX 10
size_t flow_query_lacks(const struct flow_query *query, const struct flow_format *format, const char *names[static FLOW_LACKS_MAX]);
/* "90s", "5m", "2h", "1d" before 'now_ms', or a time as clock_parse() reads it, to Unix seconds. */
bool flow_since_parse(const char *text, int64_t now_ms, int64_t *since_s);
