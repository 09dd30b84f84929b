/* cloud/ops_assert.c - `assert`: statements about the network that must hold, for scenarios and continuous integration.
 *
 *     web reaches db tcp/5432                     every interface of web opens these at every one of db, and answers
 * come back internet reaches only web tcp/443           that, and no other packet arrives anywhere else dev does not
 * reach prod [tcp/22]            not one of these packets (none at all) arrives no path from dev to prod [tcp/22] the
 * same
 *
 * A statement that does not hold shows one packet against it, and its path or obstacle as `reach` has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/conn_view.h"

#define FILE_LIMIT ((size_t)1 << 20) /* bytes */
#define HINT                                                                                                           \
    "write `A reaches B [PACKETS]`, `A reaches only B [PACKETS]`, `A does not reach B [PACKETS]` or `no path from A "  \
    "to B [PACKETS]`"

enum claim { REACHES, REACHES_ONLY, REACHES_NOT };
struct statement {
    enum claim claim;
    char *from, *to, *packets; /* 'packets' "": any that gets through; of a denial: every one */
};

static void
statement_done(struct statement *statement)
{
    free(statement->from);
    free(statement->to);
    free(statement->packets);
    *statement = (struct statement){ 0 };
}

/* ---- Reading -------------------------------------------------------------------------------------------------------
 */

typedef VEC(char *) word_vec;

static void
words_done(word_vec *words)
{
    for (size_t i = 0; i < words->n; i++) {
        free(words->items[i]);
    }
    VEC_DONE(words);
}

static void
split(const char *text, word_vec *words)
{
    for (const char *at = text + strspn(text, " \t\r"); *at; at += strspn(at, " \t\r")) {
        char quote = *at == '"' || *at == '\'' ? *at : 0; /* a name with blanks */
        at += quote != 0;
        const char closing[] = { quote, 0 };
        size_t size = strcspn(at, quote ? closing : " \t\r");
        *VEC_ADD(words) = xstrndup(at, size);
        at += size + (quote && at[size]);
    }
}

static bool
is(const word_vec *words, size_t index, const char *word)
{
    return index < words->n && strcmp(words->items[index], word) == 0;
}

/* The words in their places: how many of them make up the claim, and where its ends stand.  Rows are tried in order. */
static const struct {
    const char *words[6]; /* NULL: an end, the source first */
    enum claim claim;
    size_t n;
} forms[] = {
    { { "no", "path", "from", NULL, "to", NULL }, REACHES_NOT, 6 },
    { { NULL, "does", "not", "reach", NULL }, REACHES_NOT, 5 },
    { { NULL, "reaches", "only", NULL }, REACHES_ONLY, 4 },
    { { NULL, "reaches", NULL }, REACHES, 3 },
};

static bool
fits(const word_vec *words, size_t form)
{
    for (size_t i = 0; i < forms[form].n; i++) {
        if (i >= words->n || (forms[form].words[i] && !is(words, i, forms[form].words[i]))) {
            return false;
        }
    }
    return true;
}

/* How many of the form's words stand at the beginning. */
static size_t
n_fitting(const word_vec *words, size_t form)
{
    size_t n = 0;
    while (n < forms[form].n && n < words->n && (!forms[form].words[n] || is(words, n, forms[form].words[n]))) {
        n++;
    }
    return n;
}

/* Says which word is wrong, by the forms that go furthest, and what may stand there. */
static bool
fail_words(const char *text, const word_vec *words, struct err *err)
{
    size_t furthest = 0;
    struct buf expected = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        furthest = n_fitting(words, i) > furthest ? n_fitting(words, i) : furthest;
    }
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        const char *word = forms[i].words[furthest] ? forms[i].words[furthest] : "NAME";
        if (n_fitting(words, i) == furthest && furthest < forms[i].n && !strstr(buf_str(&expected), word)) {
            buf_printf(&expected, "%s`%s`", expected.size ? " or " : "", word);
        }
    }
    if (furthest < words->n) {
        err_set(err, ERR_USAGE, "", "`%s` is not a statement: `%s` stands where %s is expected", text,
                words->items[furthest], buf_str(&expected));
    } else {
        err_set(err, ERR_USAGE, "", "`%s` is not a statement: it ends where %s is expected", text, buf_str(&expected));
    }
    buf_done(&expected);
    return err_hint(err, HINT);
}

static bool
statement_read(const char *text, struct statement *statement, struct err *err)
{
    word_vec words = { 0 };
    struct buf packets = { 0 };
    size_t form = 0;
    split(text, &words);
    while (form < ARRAY_SIZE(forms) && !fits(&words, form)) {
        form++;
    }
    if (form == ARRAY_SIZE(forms)) {
        fail_words(text, &words, err);
        words_done(&words);
        return false;
    }
    *statement = (struct statement){ .claim = forms[form].claim };
    for (size_t i = 0; i < forms[form].n; i++) {
        if (!forms[form].words[i]) {
            *(statement->from ? &statement->to : &statement->from) = xstrdup(words.items[i]);
        }
    }
    for (size_t i = forms[form].n; i < words.n; i++) {
        buf_printf(&packets, i > forms[form].n ? " %s" : "%s", words.items[i]);
    }
    statement->packets = buf_steal(&packets);
    words_done(&words);
    return true;
}

/* ---- Judging -------------------------------------------------------------------------------------------------------
 */

/* Everything a statement is judged by. */
struct court {
    const struct cloud *cloud;
    struct connectivity *c;
    struct selection from, to;
    int packets; /* named, or PACKETS_ALL */
    bool any;    /* none were named: one that gets through is enough */
};
/* What speaks against it: a packet of 'set' from one class to another. */
struct witness {
    size_t from, to;
    int set;
    bool found;
    const char *says;
};

static int
combine(const struct court *court, int a, int b, enum packet_op op)
{
    return set_pool_combine(connectivity_pool(court->c), a, b, op);
}

static void
speak(struct witness *witness, size_t from, size_t to, int set, const char *says)
{
    if (!witness->found) {
        *witness = (struct witness){ from, to, set, true, says };
    }
}

/* Is the flow that of an interface to itself? */
static bool
is_itself(const struct court *court, size_t from, size_t to)
{
    return from == to && connectivity_class(court->c, from)->members.n == 1;
}

/* Of the internet's parts, who must be let in is the internet at large: the part that holds all that no rule names.  An
 * interface must be open at the address it goes by, at others only if they are named. */
static bool
is_at_large(const struct court *court, const struct selection *selection, size_t class)
{
    const struct conn_class *k = connectivity_class(court->c, class);
    bool at_large = k->outside.n == 0 || k->gate || !selection->internet;
    for (size_t i = 0; i < k->outside.n; i++) {
        at_large = at_large || k->outside.items[i].bits == 0;
    }
    return at_large && (!k->secondary || selection_family(selection));
}

/* Does one class open at the other what is wanted?  'missing': the packets that fail. */
static bool
opens(const struct court *court, size_t from, size_t to, struct conn_flow *flow, int *missing)
{
    *flow = connectivity_between(court->c, from, to);
    int usable = packets_usable(connectivity_pool(court->c), flow->passes, flow->answered);
    int wanted = packets_from_programs(connectivity_pool(court->c), court->packets);
    *missing = combine(court, wanted, usable, PACKETS_SUBTRACT);
    return court->any ? usable != PACKETS_NONE : *missing == PACKETS_NONE;
}

/* Which addresses are in use behind a gateway is not known: of those that may be, one is enough. */
static bool
another_part_opens(const struct court *court, size_t from, size_t to)
{
    const struct conn_class *a = connectivity_class(court->c, from), *b = connectivity_class(court->c, to);
    bool found = false;
    for (size_t k = 0; k < connectivity_n_classes(court->c) && !found; k++) {
        const struct conn_class *other = connectivity_class(court->c, k);
        struct conn_flow flow;
        int missing;
        bool of_a = selection_is_by_gate(&court->from, a) && other->gate && strcmp(other->gate, a->gate) == 0;
        bool of_b = selection_is_by_gate(&court->to, b) && other->gate && strcmp(other->gate, b->gate) == 0;
        found = (of_a && opens(court, k, to, &flow, &missing)) || (of_b && opens(court, from, k, &flow, &missing));
    }
    return found;
}

static void
judge_opens(const struct court *court, size_t from, size_t to, struct witness *witness)
{
    struct conn_flow flow;
    int missing;
    if (witness->found || !is_at_large(court, &court->from, from) || !is_at_large(court, &court->to, to)) {
        return;
    }
    if (!opens(court, from, to, &flow, &missing) && !another_part_opens(court, from, to)) {
        int lost = combine(court, missing, flow.passes, PACKETS_INTERSECT);
        speak(witness, from, to, lost == PACKETS_NONE ? missing : lost,
              lost == PACKETS_NONE ? "it does not arrive" : "it arrives, and the answer does not come back");
    }
}

static void
judge_closed(const struct court *court, size_t from, size_t to, int allowed, struct witness *witness)
{
    int passes = connectivity_between(court->c, from, to).passes;
    int beyond = combine(court, passes, allowed, PACKETS_SUBTRACT);
    if (beyond != PACKETS_NONE) {
        speak(witness, from, to, beyond, "it arrives");
    }
}

static bool
selects_whole_class(const struct selection *selection, const struct connectivity *c, size_t class)
{
    const struct conn_class *k = connectivity_class(c, class);
    for (size_t i = 0; i < k->members.n; i++) {
        if (!selection_has_eni(selection, k->members.items[i])) {
            return false;
        }
    }
    return selection_has_class(selection, c, class);
}

static struct witness
judge(const struct court *court, enum claim claim)
{
    struct witness witness = { 0 };
    size_t n = connectivity_n_classes(court->c);
    int denied = court->packets, others = combine(court, PACKETS_ALL, denied, PACKETS_SUBTRACT);
    for (size_t a = 0; a < n; a++) {
        if (!selection_has_class(&court->from, court->c, a)) {
            continue;
        }
        for (size_t b = 0; b < n; b++) {
            bool meant = selection_has_class(&court->to, court->c, b);
            if (is_itself(court, a, b)) {
                continue;
            }
            if (meant && claim == REACHES_NOT) {
                judge_closed(court, a, b, others, &witness);
            } else if (meant) {
                judge_opens(court, a, b, &witness);
                if (claim == REACHES_ONLY) {
                    judge_closed(court, a, b, court->packets, &witness);
                }
            }
            if (claim == REACHES_ONLY && !selects_whole_class(&court->to, court->c, b)) {
                judge_closed(court, a, b, PACKETS_NONE, &witness);
            }
        }
    }
    return witness;
}

/* ---- The witness
 * -----------------------------------------------------------------------------------------------------
 */

static const struct eni *
member_of(const struct court *court, size_t class, const struct selection *selection, bool selected,
          const struct eni * not )
{
    const struct conn_class *k = connectivity_class(court->c, class);
    for (size_t i = 0; i < k->members.n; i++) {
        if (selection_has_eni(selection, k->members.items[i]) == selected && k->members.items[i] != not ) {
            return k->members.items[i];
        }
    }
    return k->members.n ? k->members.items[0] : NULL;
}

/* One packet of the set as `reach` asks about it: a usual source port where the set has one. */
static void
name_packet(const struct court *court, int set, json_t *in)
{
    const struct packet_set *packets = set_pool_get(connectivity_pool(court->c), set);
    const struct packet_box *box = &packets->boxes.items[0];
    for (size_t i = 0; i < packets->boxes.n; i++) { /* tcp reads best */
        if (packets->boxes.items[i].lo[AXIS_PROTOCOL] == PROTOCOL_TCP) {
            box = &packets->boxes.items[i];
            break;
        }
    }
    int protocol = box->lo[AXIS_PROTOCOL], last = packet_axis_last(protocol);
    int from = box->lo[AXIS_FROM], to = box->lo[AXIS_TO];
    from = last == 65535 && from <= 40000 && box->hi[AXIS_FROM] >= 40000 ? 40000 : from;
    to = last == 65535 && to == 0 && box->hi[AXIS_TO] > 0 ? 1 : to; /* nobody opens port 0 */
    json_object_set_new(in, "Protocol", json_string(protocol_name(protocol)));
    if (last > 0) {
        json_object_set_new(in, last == 255 ? "IcmpType" : "SourcePort", json_integer(from));
        json_object_set_new(in, last == 255 ? "IcmpCode" : "Port", json_integer(to));
    }
}

/* The address is named where the end has others too. */
static void
name_end(const struct court *court, json_t *in, const char *end, const char *address, const struct eni *eni,
         size_t class, bool by_public_ip)
{
    const struct conn_class *k = connectivity_class(court->c, class);
    /* The host that `reach` takes for the internet needs no name: then it speaks of everybody. */
    struct ip anybody = ip_lit(k->ip.family == IP_V6 ? "2001:4860:4860::8888" : "8.8.8.8"), ip = k->ip;
    json_object_set_new(in, end, json_string(eni ? eni->obj.id : k->gate ? k->gate : "internet"));
    for (size_t i = 0; eni && i < k->members.n; i++) {
        ip = k->members.items[i] == eni ? k->addresses.items[i] : ip;
    }
    const struct ip *public_ip = eni && by_public_ip && ip.family == IP_V4 ? eni_public_ip(eni, &ip) : &ip;
    bool stated = eni ? k->secondary : k->gate || !ip_equal(&ip, &anybody);
    if (stated && public_ip) {
        json_object_set_new(in, address, json_string(ip_str(public_ip)));
    }
}

/* Asks `reach` about one packet against the statement; its answer and its words go into 'answer'. */
static bool
call_witness(const struct court *court, enum claim claim, const struct witness *witness, json_t *answer,
             struct err *err)
{
    const struct op *reach = op_by_name(NULL, "reach");
    bool meant = claim != REACHES_ONLY || selection_has_class(&court->to, court->c, witness->to);
    const struct eni *from = member_of(court, witness->from, &court->from, true, NULL);
    const struct eni *to = member_of(court, witness->to, &court->to, meant, from);
    json_t *in = json_object(), *out = json_object();
    struct buf text = { 0 };
    const struct conn_class *sender = connectivity_class(court->c, witness->from);
    name_end(court, in, "Source", "SourceIp", from, witness->from, false);
    name_end(court, in, "Destination", "DestinationIp", to, witness->to, !from && !sender->gate);
    name_packet(court, witness->set, in);
    json_object_set_new(in, "Ipv6", json_boolean(connectivity_family(court->c) == IP_V6));
    struct op_call call = { .cloud = (struct cloud *)court->cloud, .op = reach, .in = in, .out = out };
    bool ok = reach->run(&call, err);
    if (ok) {
        char *packets = packets_text(court->c, witness->set);
        reach->text(out, &text);
        json_object_set_new(answer, "Packets", json_string(packets));
        json_object_set_new(answer, "Says", json_string(witness->says));
        json_object_set_new(answer, "Question", json_incref(in));
        json_object_set_new(answer, "Reach", json_incref(out));
        json_object_set_new(answer, "Path", json_string(buf_str(&text)));
        free(packets);
    }
    buf_done(&text);
    json_decref(in);
    json_decref(out);
    return ok;
}

static bool
court_open(struct court *court, const struct cloud *cloud, const struct statement *s, int family, struct err *err)
{
    struct packet_set packets = { 0 };
    *court = (struct court){ .cloud = cloud, .any = *s->packets == '\0', .packets = PACKETS_ALL };
    if (!selection_find(cloud, s->from, &court->from, err) || !selection_find(cloud, s->to, &court->to, err)) {
        return false;
    }
    family = selection_family(&court->from) == IP_V6 || selection_family(&court->to) == IP_V6 ? IP_V6 : family;
    if (!packet_set_parse(s->packets, family, &packets, err)) {
        return false;
    }
    court->c = connectivity_new(cloud->net, family);
    if (!court->any) {
        struct set_pool *pool = connectivity_pool(court->c);
        court->packets = set_pool_combine(pool, set_pool_take(pool, &packets), PACKETS_ALL, PACKETS_INTERSECT);
    }
    packet_set_done(&packets);
    return selection_check(&court->from, court->c, err) && selection_check(&court->to, court->c, err);
}

static bool
assert_one(struct op_call *call, const char *text, json_t *results, struct err *err)
{
    struct statement statement = { 0 };
    struct court court = { 0 };
    bool v6 = arg_flag(call->in, "Ipv6", false);
    bool ok =
        statement_read(text, &statement, err) && court_open(&court, call->cloud, &statement, v6 ? IP_V6 : IP_V4, err);
    if (ok) {
        struct witness witness = judge(&court, statement.claim);
        json_t *result = json_pack("{s:s, s:b}", "Statement", text, "Holds", !witness.found);
        ok = !witness.found || call_witness(&court, statement.claim, &witness, result, err);
        call->no = call->no || witness.found;
        json_array_append_new(results, result);
    }
    connectivity_free(court.c);
    selection_done(&court.from);
    selection_done(&court.to);
    statement_done(&statement);
    return ok;
}

/* ---- The operation
 * ---------------------------------------------------------------------------------------------------
 */

/* A line each; `#` begins a comment. */
static bool
assert_file(struct op_call *call, const char *path, json_t *results, struct err *err)
{
    struct buf input = { 0 };
    bool ok = buf_read_file(&input, path, FILE_LIMIT, err);
    char *text = ok ? buf_steal(&input) : NULL;
    int number = 0;
    for (char *line = text, *next; ok && line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        line[strcspn(line, "#")] = '\0';
        if (line[strspn(line, " \t\r")] != '\0') {
            for (size_t n = strlen(line); n > 0 && strchr(" \t\r", line[n - 1]); n--) {
                line[n - 1] = '\0';
            }
            ok = assert_one(call, line + strspn(line, " \t"), results, err) || err_at(err, path, number, 0);
        }
    }
    free(text);
    buf_done(&input);
    return ok;
}

/* `assert web reaches db` without quotes is one statement, too. */
static char *
joined(const json_t *words)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (strchr(word, ' ')) {
            buf_done(&text);
            return NULL;
        }
        buf_printf(&text, i ? " %s" : "%s", word);
    }
    return buf_steal(&text);
}

static bool
assert_run(struct op_call *call, struct err *err)
{
    const json_t *words = json_object_get(call->in, "Statements");
    const char *file = arg_str(call->in, "File");
    json_t *results = json_array();
    json_object_set_new(call->out, "Results", results);
    if (!file && json_array_size(words) == 0) {
        err_set(err, ERR_USAGE, "", "`assert` needs a statement");
        return err_hint(err, HINT);
    }
    bool ok = !file || assert_file(call, file, results, err);
    char *one = json_array_size(words) > 0 ? joined(words) : NULL;
    if (ok && one) {
        ok = assert_one(call, one, results, err);
    }
    for (size_t i = 0; i < json_array_size(words) && !one && ok; i++) {
        ok = assert_one(call, json_string_value(json_array_get(words, i)), results, err);
    }
    free(one);
    return ok;
}

static void
assert_text(const json_t *out, struct buf *text)
{
    const json_t *results = json_object_get(out, "Results");
    size_t failed = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        bool holds = json_flag(result, "Holds", false);
        failed += !holds;
        buf_printf(text, "%s  %s\n", holds ? "holds " : "FAILS ", json_str(result, "Statement"));
        if (!holds) {
            buf_printf(text, "        %s: %s\n\n", json_str(result, "Packets"), json_str(result, "Says"));
            for (const char *at = json_str(result, "Path"); *at;) {
                size_t size = strcspn(at, "\n");
                buf_printf(text, size ? "    %.*s\n" : "%.*s\n", (int)size, at);
                at += size + (at[size] == '\n');
            }
        }
    }
    size_t n = json_array_size(results);
    buf_printf(text, "%zu of %zu statement%s hold\n", n - failed, n, plural((long long)n));
}

static const struct op_param assert_params[] = {
    { "Statements", OP_LIST, OP_POSITIONAL, "what must hold, each in quotes", NULL, NULL },
    { "File", OP_PATH, OP_OPTIONAL, "read statements from a file or `-`, one a line; `#` begins a comment", NULL,
      NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL },
    { 0 },
};

const struct op ops_assert[] = {
    { .name = "assert",
      .mode = OP_LOCAL,
      .run = assert_run,
      .text = assert_text,
      .params = assert_params,
      .group = "ask",
      .help = "Check statements about what may reach what; a failing one shows the path or the obstacle.",
      .examples = "assert 'web reaches db tcp/5432' 'internet reaches only web tcp/443'   exit status 1 if one fails\n"
                  "assert 'no path from dev to prod'                                      not one packet\n"
                  "assert 'web does not reach db tcp/22'                                  none of these\n"
                  "assert --file network.rules                                            one a line\n" },
    { 0 },
};
