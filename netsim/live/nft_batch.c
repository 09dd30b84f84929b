#include "netsim/live/nft_batch.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "vpc"
enum { LINE_MAX_SIZE = 400, WORDS_MAX = 40 };

void
nft_batch_done(struct nft_batch *batch)
{
    buf_done(&batch->data);
    VEC_DONE(&batch->starts);
}

/* ---- messages -----------------------------------------------------------------------------------------------------
 */
static void
pad(struct buf *out)
{
    static const char zero[NLMSG_ALIGNTO];
    buf_add(out, zero, NLMSG_ALIGN(out->size) - out->size);
}

static void
put(struct buf *out, int type, const void *data, size_t size)
{
    struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = (uint16_t)type };
    buf_add(out, (const char *)&a, sizeof a);
    buf_add(out, data, size);
    pad(out);
}

static void
put_str(struct buf *out, int type, const char *text)
{
    put(out, type, text, strlen(text) + 1);
}

static void
put_u32(struct buf *out, int type, uint32_t value)
{
    value = htonl(value);
    put(out, type, &value, sizeof value);
}

static size_t
nest(struct buf *out, int type)
{
    size_t at = out->size;
    put(out, type | NLA_F_NESTED, "", 0);
    return at;
}

static void
nest_end(struct buf *out, size_t at)
{
    ((struct nlattr *)(out->data + at))->nla_len = (uint16_t)(out->size - at);
}

void
nft_batch_message(struct buf *out, int type, int flags, int family, uint16_t resource)
{
    struct {
        struct nlmsghdr head;
        struct nfgenmsg body;
    } m = { .head = { .nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) },
            .body = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0, .res_id = htons(resource) } };
    buf_add(out, (const char *)&m, sizeof m);
}

static void
begin(struct nft_batch *batch, int type, int flags)
{
    *VEC_ADD(&batch->starts) = batch->data.size;
    nft_batch_message(&batch->data, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

static void
end(struct nft_batch *batch)
{
    size_t start = batch->starts.items[batch->starts.n - 1];
    ((struct nlmsghdr *)(batch->data.data + start))->nlmsg_len = (uint32_t)(batch->data.size - start);
}

/* ---- expressions --------------------------------------------------------------------------------------------------
 */
struct expression {
    size_t element, data;
};

static struct expression
expression(struct buf *out, const char *name)
{
    struct expression e = { .element = nest(out, NFTA_LIST_ELEM) };
    put_str(out, NFTA_EXPR_NAME, name);
    e.data = nest(out, NFTA_EXPR_DATA);
    return e;
}

static void
expression_end(struct buf *out, struct expression e)
{
    nest_end(out, e.data);
    nest_end(out, e.element);
}

static void
put_value(struct buf *out, int type, const void *value, size_t size)
{
    size_t data = nest(out, type);
    put(out, NFTA_DATA_VALUE, value, size);
    nest_end(out, data);
}

static void
load_meta(struct buf *out, uint32_t key)
{
    struct expression e = expression(out, "meta");
    put_u32(out, NFTA_META_KEY, key);
    put_u32(out, NFTA_META_DREG, NFT_REG_1);
    expression_end(out, e);
}

static void
load_payload(struct buf *out, uint32_t base, uint32_t offset, uint32_t length)
{
    struct expression e = expression(out, "payload");
    put_u32(out, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_u32(out, NFTA_PAYLOAD_BASE, base);
    put_u32(out, NFTA_PAYLOAD_OFFSET, offset);
    put_u32(out, NFTA_PAYLOAD_LEN, length);
    expression_end(out, e);
}

static void
compare(struct buf *out, uint32_t op, const void *value, size_t size)
{
    struct expression e = expression(out, "cmp");
    put_u32(out, NFTA_CMP_SREG, NFT_REG_1);
    put_u32(out, NFTA_CMP_OP, op);
    put_value(out, NFTA_CMP_DATA, value, size);
    expression_end(out, e);
}

static void
match_meta_byte(struct buf *out, uint32_t key, uint8_t value)
{
    load_meta(out, key);
    compare(out, NFT_CMP_EQ, &value, 1);
}

static void
set_meta(struct buf *out, uint32_t key, uint32_t value)
{
    struct expression e = expression(out, "immediate");
    put_u32(out, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    put_value(out, NFTA_IMMEDIATE_DATA, &value, sizeof value); /* in the machine's order */
    expression_end(out, e);
    e = expression(out, "meta");
    put_u32(out, NFTA_META_KEY, key);
    put_u32(out, NFTA_META_SREG, NFT_REG_1);
    expression_end(out, e);
}

struct verdict {
    int code;
    const char *chain; /* NULL: none */
};

static void
put_verdict(struct buf *out, int type, const struct verdict *v)
{
    size_t data = nest(out, type), verdict = nest(out, NFTA_DATA_VERDICT);
    put_u32(out, NFTA_VERDICT_CODE, (uint32_t)v->code);
    if (v->chain) {
        put_str(out, NFTA_VERDICT_CHAIN, v->chain);
    }
    nest_end(out, verdict);
    nest_end(out, data);
}

static void
decide(struct buf *out, const struct verdict *v)
{
    struct expression e = expression(out, "immediate");
    put_u32(out, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    put_verdict(out, NFTA_IMMEDIATE_DATA, v);
    expression_end(out, e);
}

/* ---- words --------------------------------------------------------------------------------------------------------
 */
/* A line cut at its spaces; what is in quotation marks is one word, which keeps the first of them. */
struct words {
    char text[LINE_MAX_SIZE];
    char *at[WORDS_MAX + 1]; /* the last one is "" */
    size_t n;
};

static bool
cut(struct words *w, const char *line, size_t length)
{
    if (length >= sizeof w->text) {
        return false;
    }
    memcpy(w->text, line, length);
    w->text[length] = '\0';
    w->n = 0;
    for (char *p = w->text; *p;) {
        if (w->n == WORDS_MAX) {
            return false;
        }
        w->at[w->n++] = p;
        p = *p == '"' ? strchr(p + 1, '"') : strchrnul(p, ' ');
        if (!p) {
            return false;
        }
        if (*p) {
            *p++ = '\0';
            p += *p == ' ' && p[-1] == '\0' && w->at[w->n - 1][0] == '"';
        }
    }
    w->at[w->n] = w->text + length;
    return true;
}

static bool
is(const char *word, const char *text)
{
    return strcmp(word, text) == 0;
}

/* The whole word is a number. */
static bool
number(const char *word, int base, uint32_t *value)
{
    char *rest;
    if (*word < '0' || *word > '9') {
        return false;
    }
    *value = (uint32_t)strtoul(word, &rest, base);
    return *rest == '\0';
}

static size_t
address(const char *word, uint8_t bytes[16])
{
    return inet_pton(AF_INET, word, bytes) == 1 ? 4 : inet_pton(AF_INET6, word, bytes) == 1 ? 16 : 0;
}

/* "accept", or "jump" and the next word; how many words that is, 0: it is none. */
static size_t
verdict(char *const *word, struct verdict *v)
{
    static const struct {
        const char *name;
        int code;
        bool leads;
    } rows[] = { { "accept", NF_ACCEPT, false },
                 { "drop", NF_DROP, false },
                 { "return", NFT_RETURN, false },
                 { "jump", NFT_JUMP, true },
                 { "goto", NFT_GOTO, true } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (is(word[0], rows[i].name)) {
            *v = (struct verdict){ rows[i].code, rows[i].leads ? word[1] : NULL };
            return rows[i].leads ? 2 : 1;
        }
    }
    return 0;
}

/* ---- rules --------------------------------------------------------------------------------------------------------
 */
static void
look_up(struct buf *out, const char *set)
{
    struct expression e = expression(out, "lookup");
    put_str(out, NFTA_LOOKUP_SET, set);
    put_u32(out, NFTA_LOOKUP_SREG, NFT_REG_1);
    expression_end(out, e);
}

static void
mask(struct buf *out, size_t size, uint32_t bits)
{
    uint8_t ones[16] = { 0 }, zero[16] = { 0 };
    for (uint32_t i = 0; i < bits; i++) {
        ones[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    struct expression e = expression(out, "bitwise");
    put_u32(out, NFTA_BITWISE_SREG, NFT_REG_1);
    put_u32(out, NFTA_BITWISE_DREG, NFT_REG_1);
    put_u32(out, NFTA_BITWISE_LEN, (uint32_t)size);
    put_value(out, NFTA_BITWISE_MASK, ones, size);
    put_value(out, NFTA_BITWISE_XOR, zero, size);
    expression_end(out, e);
}

/* `ip saddr 10.0.0.0/8`, `ip6 daddr @set`: three words. */
static size_t
match_address(struct buf *out, char *const *word)
{
    bool six = is(word[0], "ip6"), source = is(word[1], "saddr");
    size_t size = six ? 16 : 4;
    uint32_t offset = six ? (source ? 8 : 24) : source ? 12 : 16, bits = (uint32_t)size * 8;
    if (!source && !is(word[1], "daddr")) {
        return 0;
    }
    uint8_t bytes[16];
    char *slash = strchr(word[2], '/'), text[INET6_ADDRSTRLEN] = "";
    size_t length = slash ? (size_t)(slash - word[2]) : strlen(word[2]);
    bool named = word[2][0] == '@';
    if (!named) {
        memcpy(text, word[2], length < sizeof text ? length : sizeof text - 1);
        if (address(text, bytes) != size || (slash && (!number(slash + 1, 10, &bits) || !bits || bits > size * 8))) {
            return 0;
        }
    }
    match_meta_byte(out, NFT_META_NFPROTO, six ? NFPROTO_IPV6 : NFPROTO_IPV4);
    /* As libnftables: of a block whose end is a byte's only those bytes are looked at. */
    bool whole = bits % 8 == 0;
    load_payload(out, NFT_PAYLOAD_NETWORK_HEADER, offset, whole ? bits / 8 : (uint32_t)size);
    if (named) {
        look_up(out, word[2] + 1);
    } else {
        if (!whole) {
            mask(out, size, bits);
        }
        compare(out, NFT_CMP_EQ, bytes, whole ? bits / 8 : size);
    }
    return 3;
}

/* `tcp dport 80`, `udp dport 1-2`. */
static size_t
match_port(struct buf *out, char *const *word)
{
    uint32_t from, to;
    char *dash = strchr(word[2], '-');
    if (dash) {
        *dash = '\0';
    }
    if (!is(word[1], "dport") || !number(word[2], 10, &from) || !number(dash ? dash + 1 : word[2], 10, &to)) {
        return 0;
    }
    uint16_t first = htons((uint16_t)from), last = htons((uint16_t)to);
    match_meta_byte(out, NFT_META_L4PROTO, is(word[0], "tcp") ? IPPROTO_TCP : IPPROTO_UDP);
    load_payload(out, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
    compare(out, dash ? NFT_CMP_GTE : NFT_CMP_EQ, &first, 2);
    if (dash) {
        compare(out, NFT_CMP_LTE, &last, 2);
    }
    return 3;
}

/* `icmp type 8`, and `icmp code 0` after it. */
static size_t
match_icmp(struct buf *out, char *const *word, bool again)
{
    uint32_t value;
    bool code = is(word[1], "code");
    if ((!code && !is(word[1], "type")) || code != again || !number(word[2], 10, &value)) {
        return 0;
    }
    uint8_t byte = (uint8_t)value;
    if (!again) {
        match_meta_byte(out, NFT_META_L4PROTO, is(word[0], "icmp") ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    }
    load_payload(out, NFT_PAYLOAD_TRANSPORT_HEADER, code, 1);
    compare(out, NFT_CMP_EQ, &byte, 1);
    return 3;
}

static size_t
match_or_set_meta(struct buf *out, char *const *word)
{
    uint32_t value, low;
    if (is(word[1], "nfproto") && (is(word[2], "ipv4") || is(word[2], "ipv6"))) {
        match_meta_byte(out, NFT_META_NFPROTO, is(word[2], "ipv6") ? NFPROTO_IPV6 : NFPROTO_IPV4);
        return 3;
    }
    if (is(word[1], "l4proto") && number(word[2], 10, &value)) {
        match_meta_byte(out, NFT_META_L4PROTO, (uint8_t)value);
        return 3;
    }
    if (is(word[1], "mark") && number(word[2], 0, &value)) {
        load_meta(out, NFT_META_MARK);
        compare(out, NFT_CMP_EQ, &value, sizeof value);
        return 3;
    }
    if (is(word[1], "mark") && is(word[2], "set") && number(word[3], 0, &value)) {
        set_meta(out, NFT_META_MARK, value);
        return 4;
    }
    char *colon = strchr(word[3], ':'); /* two numbers in hexadecimal: a class of traffic */
    if (is(word[1], "priority") && is(word[2], "set") && colon && number(colon + 1, 16, &low)) {
        *colon = '\0';
        if (number(word[3], 16, &value)) {
            set_meta(out, NFT_META_PRIORITY, value << 16 | low);
            return 4;
        }
    }
    return 0;
}

static void
put_comment(struct buf *out, const char *text)
{
    uint8_t data[2 + 255];
    size_t size = strlen(text) + 1;
    data[0] = 0; /* NFTNL_UDATA_RULE_COMMENT */
    data[1] = (uint8_t)size;
    memcpy(data + 2, text, size);
    put(out, NFTA_RULE_USERDATA, data, size + 2);
}

/* The expressions of the words from 'w->at[i]' on, in the order they are asked. */
static bool
add_rule(struct nft_batch *batch, const struct words *w, size_t i)
{
    struct buf *out = &batch->data;
    struct verdict v;
    const char *comment = NULL;
    bool icmp = false;
    begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    put_str(out, NFTA_RULE_TABLE, TABLE);
    put_str(out, NFTA_RULE_CHAIN, w->at[i++]);
    size_t expressions = nest(out, NFTA_RULE_EXPRESSIONS);
    while (i < w->n && !comment) {
        char *const *word = &w->at[i];
        size_t left = w->n - i, used = 0;
        if (is(word[0], "counter")) {
            size_t element = nest(out, NFTA_LIST_ELEM);
            put_str(out, NFTA_EXPR_NAME, "counter");
            nest_end(out, element);
            used = 1;
        } else if (is(word[0], "comment") && left == 2 && word[1][0] == '"' && strlen(word[1]) < 250) {
            comment = word[1] + 1;
            used = 2;
        } else if ((used = verdict(word, &v))) {
            if (used <= left) {
                decide(out, &v);
            }
        } else if (left < 3) {
            used = 0;
        } else if (is(word[0], "ip") || is(word[0], "ip6")) {
            used = match_address(out, word);
        } else if (is(word[0], "tcp") || is(word[0], "udp")) {
            used = match_port(out, word);
        } else if (is(word[0], "icmp") || is(word[0], "icmpv6")) {
            used = match_icmp(out, word, icmp);
            icmp = true;
        } else if (is(word[0], "meta")) {
            used = match_or_set_meta(out, word);
        }
        if (!used || used > left) {
            return false;
        }
        i += used;
    }
    nest_end(out, expressions);
    if (comment) {
        put_comment(out, comment);
    }
    end(batch);
    return i == w->n;
}

/* ---- elements -----------------------------------------------------------------------------------------------------
 */
enum datum { IFNAME, ADDRESS4, ADDRESS6, DEVGROUP, MARK, VERDICT, N_DATA };
struct types { /* of a set: "type ifname . ipv4_addr : verdict;" */
    enum datum key[5], value;
    size_t n_key;
    bool map;
};

static bool
types_of(const struct plan_set *set, struct types *t)
{
    static const char *const names[N_DATA] = {
        [IFNAME] = "ifname",     [ADDRESS4] = "ipv4_addr", [ADDRESS6] = "ipv6_addr",
        [DEVGROUP] = "devgroup", [MARK] = "mark",          [VERDICT] = "verdict",
    };
    const char *at = strstr(set->head, "{ type ");
    if (!at || strstr(set->head, "flags")) {
        return false; /* ranges are libnftables' business */
    }
    *t = (struct types){ .n_key = 0 };
    for (at += 7;;) {
        size_t length = strcspn(at, " ;"), k = 0;
        while (k < N_DATA && (strlen(names[k]) != length || strncmp(names[k], at, length) != 0)) {
            k++;
        }
        if (k == N_DATA || (!t->map && t->n_key == sizeof t->key / sizeof *t->key)) {
            return false;
        }
        if (t->map) {
            t->value = (enum datum)k;
        } else {
            t->key[t->n_key++] = (enum datum)k;
        }
        at += length;
        if (strcmp(at, "; }") == 0 || strncmp(at, "; size ", 7) == 0) {
            return t->n_key > 0;
        }
        if (strncmp(at, " . ", 3) != 0 && strncmp(at, " : ", 3) != 0) {
            return false;
        }
        t->map |= at[1] == ':';
        at += 3;
    }
}

/* The bytes of a word; 0: it is none of that type. */
static size_t
bytes_of(enum datum type, const char *word, uint8_t bytes[16])
{
    uint32_t value;
    memset(bytes, 0, 16);
    switch (type) {
    case IFNAME:
        if (*word != '"' || strlen(word) > 16) {
            return 0;
        }
        memcpy(bytes, word + 1, strlen(word + 1));
        return 16;
    case ADDRESS4:
        return address(word, bytes) == 4 ? 4 : 0;
    case ADDRESS6:
        return address(word, bytes) == 16 ? 16 : 0;
    case DEVGROUP:
    case MARK:
        if (!number(word, 0, &value)) {
            return 0;
        }
        memcpy(bytes, &value, sizeof value);
        return sizeof value;
    default:
        return 0;
    }
}

/* `"e1" . 10.0.0.4 : jump x`: one element. */
static bool
add_element(struct buf *out, const struct types *t, const char *text, size_t length, bool gone)
{
    struct words w;
    uint8_t key[5 * 16];
    size_t size = 0, i = 0;
    if (!cut(&w, text, length) || w.n < 2 * t->n_key - 1) {
        return false;
    }
    for (size_t k = 0; k < t->n_key; k++, i++) {
        size_t got = bytes_of(t->key[k], w.at[i], key + size);
        if (!got || (k + 1 < t->n_key && !is(w.at[++i], "."))) {
            return false;
        }
        size += got;
    }
    size_t element = nest(out, NFTA_LIST_ELEM);
    put_value(out, NFTA_SET_ELEM_KEY, key, size);
    if (t->map) {
        struct verdict v;
        uint8_t value[16];
        if (i + 2 > w.n || !is(w.at[i++], ":")) {
            return false;
        }
        size_t used = t->value == VERDICT ? verdict(&w.at[i], &v) : 1,
               got = t->value == VERDICT ? 1 : bytes_of(t->value, w.at[i], value);
        if (!used || !got || i + used != w.n) {
            return false;
        }
        i += used;
        if (!gone && t->value == VERDICT) {
            put_verdict(out, NFTA_SET_ELEM_DATA, &v);
        } else if (!gone) {
            put_value(out, NFTA_SET_ELEM_DATA, value, got);
        }
    }
    nest_end(out, element);
    return i == w.n;
}

/* 'text' is "NAME { a, b }". */
static bool
add_elements(struct nft_batch *batch, const char *text, size_t length, bool gone, const struct plan_ns *ns,
             const struct plan_ns *other)
{
    char name[160];
    struct types types;
    size_t name_length = strcspn(text, " ");
    if (name_length >= sizeof name || length < name_length + 5 || strncmp(text + name_length, " { ", 3) != 0 ||
        strncmp(text + length - 2, " }", 2) != 0) {
        return false;
    }
    memcpy(name, text, name_length);
    name[name_length] = '\0';
    const struct plan_set *set = plan_find_set(ns, name);
    set = set || !other ? set : plan_find_set(other, name);
    if (!set || !types_of(set, &types)) {
        return false;
    }
    begin(batch, gone ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, gone ? 0 : NLM_F_CREATE);
    put_str(&batch->data, NFTA_SET_ELEM_LIST_TABLE, TABLE);
    put_str(&batch->data, NFTA_SET_ELEM_LIST_SET, name);
    size_t list = nest(&batch->data, NFTA_SET_ELEM_LIST_ELEMENTS);
    const char *end_of_list = text + length - 2;
    for (const char *at = text + name_length + 3; at < end_of_list;) {
        const char *comma = memchr(at, ',', (size_t)(end_of_list - at)), *stop = comma ? comma : end_of_list;
        if (!add_element(&batch->data, &types, at, (size_t)(stop - at), gone)) {
            return false;
        }
        at = comma ? comma + 2 : end_of_list;
    }
    if (batch->data.size - list > UINT16_MAX) {
        return false; /* more than an attribute can hold */
    }
    nest_end(&batch->data, list);
    end(batch);
    return true;
}

/* ---- commands -----------------------------------------------------------------------------------------------------
 */
/* One that is a name alone: of a chain or a set. */
static bool
add_named(struct nft_batch *batch, int type, int flags, int table, int name, const char *text, size_t length)
{
    char copy[160];
    if (length >= sizeof copy || memchr(text, ' ', length)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    begin(batch, type, flags);
    put_str(&batch->data, table, TABLE);
    put_str(&batch->data, name, copy);
    end(batch);
    return true;
}

/* 'text' is "NAME { type ipv4_addr; }", as of the members of a group. */
static bool
add_set(struct nft_batch *batch, const char *text, size_t length)
{
    static const struct {
        const char *head;
        uint32_t type /* TYPE_IPADDR, TYPE_IP6ADDR of libnftables */, size;
    } kinds[] = { { " { type ipv4_addr; }", 7, 4 }, { " { type ipv6_addr; }", 8, 16 } };
    static const uint8_t order[] = { 0 /* NFTNL_UDATA_SET_KEYBYTEORDER */, 4, 2 /* BYTEORDER_BIG_ENDIAN */, 0, 0, 0 };
    struct buf *out = &batch->data;
    char name[160];
    size_t name_length = strcspn(text, " "), k = 0;
    while (k < 2 && (length != name_length + strlen(kinds[k].head) ||
                     strncmp(text + name_length, kinds[k].head, strlen(kinds[k].head)) != 0)) {
        k++;
    }
    if (k == 2 || name_length >= sizeof name) {
        return false;
    }
    memcpy(name, text, name_length);
    name[name_length] = '\0';
    begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
    put_str(out, NFTA_SET_TABLE, TABLE);
    put_str(out, NFTA_SET_NAME, name);
    put_u32(out, NFTA_SET_FLAGS, 0);
    put_u32(out, NFTA_SET_KEY_TYPE, kinds[k].type);
    put_u32(out, NFTA_SET_KEY_LEN, kinds[k].size);
    put_u32(out, NFTA_SET_ID, (uint32_t)batch->starts.n); /* of none other in the transaction */
    put(out, NFTA_SET_USERDATA, order, sizeof order);
    end(batch);
    return true;
}

static bool
add_line(struct nft_batch *batch, const char *line, size_t length, const struct plan_ns *ns,
         const struct plan_ns *other)
{
    static const struct {
        const char *words;
        int type, flags, table, name;
    } named[] = {
        { "add chain inet vpc ", NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME },
        { "delete chain inet vpc ", NFT_MSG_DELCHAIN, 0, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME },
        { "flush chain inet vpc ", NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE, NFTA_RULE_CHAIN },
        { "delete set inet vpc ", NFT_MSG_DELSET, 0, NFTA_SET_TABLE, NFTA_SET_NAME },
    };
    static const char *const elements[] = { "add element inet vpc ", "delete element inet vpc " };
    static const char rule[] = "add rule inet vpc ", set[] = "add set inet vpc ";
    if (length > sizeof set && strncmp(line, set, sizeof set - 1) == 0) {
        return add_set(batch, line + sizeof set - 1, length - (sizeof set - 1));
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        size_t skip = strlen(named[i].words);
        if (length > skip && strncmp(line, named[i].words, skip) == 0) {
            return add_named(batch, named[i].type, named[i].flags, named[i].table, named[i].name, line + skip,
                             length - skip);
        }
    }
    for (int gone = 0; gone < 2; gone++) {
        size_t skip = strlen(elements[gone]);
        if (length > skip && strncmp(line, elements[gone], skip) == 0) {
            return add_elements(batch, line + skip, length - skip, gone == 1, ns, other);
        }
    }
    struct words w;
    return length > sizeof rule && strncmp(line, rule, sizeof rule - 1) == 0 &&
           cut(&w, line + sizeof rule - 1, length - (sizeof rule - 1)) && w.n > 1 && add_rule(batch, &w, 0);
}

bool
nft_batch_add(struct nft_batch *batch, const char *line, size_t length, const struct plan_ns *ns,
              const struct plan_ns *other)
{
    size_t size = batch->data.size, n = batch->starts.n;
    bool ok = add_line(batch, line, length, ns, other);
    if (!ok) {
        batch->data.size = size;
        batch->starts.n = n;
    }
    return ok;
}

bool
nft_batch_add_all(struct nft_batch *batch, const struct buf *text, const struct plan_ns *ns,
                  const struct plan_ns *other)
{
    size_t size = batch->data.size, n = batch->starts.n;
    for (size_t at = 0; at < text->size;) {
        size_t length = strcspn(text->data + at, "\n");
        if (!nft_batch_add(batch, text->data + at, length, ns, other)) {
            batch->data.size = size;
            batch->starts.n = n;
            return false;
        }
        at += length + 1;
    }
    return true;
}
