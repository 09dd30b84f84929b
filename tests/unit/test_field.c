#include "base/field.h"

#include <stdlib.h>
#include "tests/test.h"

/* One struct with everything a table can hold. */
struct port {
    int32_t from, to;
};
struct rule {
    char *name;
    struct port port;
    bool has_port;
};
enum color { COLOR_NONE, COLOR_RED, COLOR_GREEN };
static const char *const color_names[] = { "", "red", "green", NULL };
struct thing {
    char id[ID_SIZE], other_id[ID_SIZE];
    char *text, *always, *state, *reason, *secret, *nick;
    bool yes, optional;
    int32_t number, protocol;
    int64_t large, time;
    struct ip ip;
    struct cidr cidr;
    enum color color;
    VEC(char *) words;
    struct port inside, bare;
    VEC(struct rule) rules, tags;
    json_t *document;
};
static const struct field port_fields[] = {
    FIELD(struct port, "From", FIELD_INT, from, 0),
    FIELD(struct port, "To", FIELD_INT, to, 0),
    FIELD_END,
};
static const struct field rule_fields[] = {
    FIELD(struct rule, "Name", FIELD_STRING, name, 0),
    FIELD_NEST_IF(struct rule, "PortRange", port, has_port, port_fields, 0),
    FIELD_END,
};
static const struct field thing_fields[] = {
    FIELD(struct thing, "Id", FIELD_ID, id, 0),
    FIELD(struct thing, "Text", FIELD_STRING, text, 0),
    FIELD(struct thing, "Always", FIELD_STRING, always, FIELD_ALWAYS),
    FIELD(struct thing, "State.Name", FIELD_STRING, state, 0),
    FIELD(struct thing, "Yes", FIELD_BOOL, yes, 0),
    FIELD(struct thing, "Optional", FIELD_BOOL, optional, FIELD_OPTIONAL),
    FIELD(struct thing, "State.Reason.Text", FIELD_STRING, reason, 0),
    FIELD(struct thing, "Number", FIELD_INT, number, 0),
    FIELD(struct thing, "Protocol", FIELD_INT, protocol, FIELD_TEXT),
    FIELD(struct thing, "Large", FIELD_LONG, large, FIELD_OPTIONAL),
    FIELD(struct thing, "Time", FIELD_TIME, time, 0),
    FIELD(struct thing, "Ip", FIELD_IP, ip, 0),
    FIELD(struct thing, "Cidr", FIELD_CIDR, cidr, 0),
    FIELD_CHOICE(struct thing, "Color", color, color_names, 0),
    { .name = "Words", .type = FIELD_STRINGS, .offset = offsetof(struct thing, words) },
    FIELD_NEST(struct thing, "Inside", inside, port_fields, 0),
    FIELD_NEST(struct thing, "Bare", bare, port_fields, FIELD_ALWAYS),
    FIELD_LIST(struct thing, "Rules", rules, rule_fields, 0),
    FIELD_LIST(struct thing, "Tags", tags, rule_fields, FIELD_ALWAYS),
    FIELD(struct thing, "Document", FIELD_DOCUMENT, document, 0),
    FIELD(struct thing, "OtherId", FIELD_ID, other_id, FIELD_STATE_ONLY),
    FIELD(struct thing, "Secret", FIELD_STRING, secret, FIELD_INPUT_ONLY),
    FIELD(struct thing, "Nick", FIELD_STRING, nick, 0),
    FIELD(struct thing, "NickName", FIELD_STRING, nick, FIELD_INPUT_ONLY),
    FIELD_END,
};
#define EMPTY "\"Number\":0,\"Protocol\":\"0\",\"Bare\":{\"From\":0,\"To\":0},\"Tags\":[]"

static bool
load(const char *text, struct thing *thing, size_t *skipped, struct err *err)
{
    json_t *json = json_read(text, strlen(text), "case", err);
    bool ok = json && fields_load(thing_fields, thing, json, "Things.json Things[3]", skipped, err);
    json_decref(json);
    return ok;
}

static char *
print(const struct thing *thing, bool state)
{
    struct buf text = { 0 };
    json_t *out = json_object();
    fields_print(thing_fields, thing, state, out);
    json_write_compact(out, &text);
    json_decref(out);
    return buf_steal(&text);
}

static char *
written(const struct thing *thing)
{
    struct buf text = { 0 };
    buf_char(&text, '{');
    fields_write(thing_fields, thing, &text);
    buf_char(&text, '}');
    return buf_steal(&text);
}

TEST(fields_print_what_they_loaded)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "{}", "{\"Always\":\"\",\"Yes\":false," EMPTY "}" },
        { "{\"Id\":\"vpc-1\",\"Text\":\"t\",\"Always\":\"a\",\"State\":{\"Name\":\"available\",\"Reason\":{\"Text\":"
          "\"r\"}},\"Yes\":true,"
          "\"Optional\":true,\"Number\":-3,\"Protocol\":\"-1\",\"Large\":9007199254740993,\"Time\":\"2020-03-03T01:21:"
          "01.000Z\","
          "\"Ip\":\"10.0.0.1\",\"Cidr\":\"2001:db8::/"
          "32\",\"Color\":\"green\",\"Words\":[\"a\",\"b\"],\"Inside\":{\"From\":1,\"To\":2},"
          "\"Bare\":{\"From\":0,\"To\":0},\"Rules\":[{\"Name\":\"n\",\"PortRange\":{\"From\":0,\"To\":0}},{}],\"Tags\":"
          "[],"
          "\"Document\":{\"any\":[1,{}]},\"Nick\":\"x\"}",
          NULL /* the same */ },
        /* Other forms of the same values. */
        { "{\"Time\":\"2020-03-03 01:21:01+00:00\"}", "{\"Always\":\"\",\"Yes\":false,\"Number\":0,\"Protocol\":\"0\","
                                                      "\"Time\":\"2020-03-03T01:21:01.000Z\",\"Bare\":{\"From\":0,"
                                                      "\"To\":0},\"Tags\":[]}" },
        { "{\"Time\":1583198461.0,\"Protocol\":\"tcp\",\"Cidr\":\"10.1.2.3/16\"}",
          "{\"Always\":\"\",\"Yes\":false,\"Number\":0,\"Protocol\":\"6\",\"Time\":\"2020-03-03T01:21:01.000Z\","
          "\"Cidr\":\"10.1.0.0/16\","
          "\"Bare\":{\"From\":0,\"To\":0},\"Tags\":[]}" },
        { "{\"Protocol\":17,\"Secret\":\"s\",\"NickName\":\"n\"}",
          "{\"Always\":\"\",\"Yes\":false,\"Number\":0,\"Protocol\":\"17\",\"Bare\":{\"From\":0,\"To\":0},\"Tags\":[],"
          "\"Nick\":\"n\"}" },
        /* null and "" where there is nothing. */
        { "{\"Text\":null,\"State\":null,\"Rules\":null,\"Ip\":\"\",\"Cidr\":\"\",\"Time\":\"\",\"Color\":\"\","
          "\"Inside\":null}",
          "{\"Always\":\"\",\"Yes\":false," EMPTY "}" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct thing thing = { 0 }, copy = { 0 };
        struct err err = { 0 };
        size_t skipped = 0;
        CHECK(load(cases[i].in, &thing, &skipped, &err), "%s: %s %s", cases[i].in, err.where, err.text);
        CHECK_INT(skipped, 0, "%s", cases[i].in);
        fields_copy(thing_fields, &copy, &thing);
        fields_done(thing_fields, &thing);
        char *text = print(&copy, false);
        CHECK_STR(text, cases[i].out ? cases[i].out : cases[i].in, "case %zu", i);
        free(text);
        char *saved = print(&copy, true), *direct = written(&copy);
        CHECK_STR(direct, saved, "case %zu", i);
        free(saved);
        free(direct);
        fields_done(thing_fields, &copy);
        fields_done(thing_fields, &copy); /* nothing is left to free twice */
    }
}

TEST(fields_load_names_the_member_of_the_wrong_type)
{
    static const struct {
        const char *in, *where, *says;
    } cases[] = {
        { "[]", "Things.json Things[3]", "expected an object, found a list" },
        { "{\"Text\":1}", "Things.json Things[3].Text", "expected a string, found a whole number" },
        { "{\"Yes\":\"true\"}", "Things.json Things[3].Yes", "expected true or false, found a string" },
        { "{\"Number\":1.5}", "Things.json Things[3].Number", "expected a whole number, found a number" },
        { "{\"Number\":\"1\"}", "Things.json Things[3].Number", "expected a whole number, found a string" },
        { "{\"Number\":2147483648}", "Things.json Things[3].Number", "`2147483648` is not in the range" },
        { "{\"Protocol\":\"ether\"}", "Things.json Things[3].Protocol", "`ether` is not a number or a protocol" },
        { "{\"Protocol\":\"99999999999999999999\"}", "Things.json Things[3].Protocol", "range" },
        { "{\"Time\":\"yesterday\"}", "Things.json Things[3].Time", "`yesterday` is not a time" },
        { "{\"Time\":1e300}", "Things.json Things[3].Time", "expected a time" },
        { "{\"Ip\":\"10.0.0.256\"}", "Things.json Things[3].Ip", "`10.0.0.256` is not an IP address" },
        { "{\"Cidr\":\"10.0.0.0/33\"}", "Things.json Things[3].Cidr", "`10.0.0.0/33` is not a CIDR block" },
        { "{\"Color\":\"blue\"}", "Things.json Things[3].Color", "`blue` is not one of" },
        { "{\"Id\":\"vpc-01234567890123456789012345678901234567890123456789012345678901234567\"}",
          "Things.json Things[3].Id", "too long" },
        { "{\"Words\":{}}", "Things.json Things[3].Words", "expected a list, found an object" },
        { "{\"Words\":[\"a\",2]}", "Things.json Things[3].Words[1]", "expected a string" },
        { "{\"Rules\":[{},3]}", "Things.json Things[3].Rules[1]", "expected an object" },
        { "{\"Rules\":[{},{\"PortRange\":{\"To\":\"x\"}}]}", "Things.json Things[3].Rules[1].PortRange.To",
          "expected a whole" },
        { "{\"State\":\"available\"}", "Things.json Things[3].State", "expected an object, found a string" },
        { "{\"State\":{\"Reason\":{\"Text\":[]}}}", "Things.json Things[3].State.Reason.Text", "expected a string" },
        { "{\"Inside\":[]}", "Things.json Things[3].Inside", "expected an object" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct thing thing = { 0 };
        struct err err = { 0 };
        CHECK(!load(cases[i].in, &thing, NULL, &err), "%s", cases[i].in);
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s", cases[i].in);
        CHECK_STR(err.where, cases[i].where, "%s", cases[i].in);
        CHECK(strstr(err.text, cases[i].says), "%s: `%s` lacks `%s`", cases[i].in, err.text, cases[i].says);
        fields_done(thing_fields, &thing);
    }
    struct err err = { 0 };
    struct thing thing = { 0 };
    load("{\"Color\":\"blue\"}", &thing, NULL, &err);
    CHECK_STR(err.hint, "use `red`, `green`");
}

static void
note_unknown(void *context, const char *path, const json_t *value)
{
    (void)value;
    buf_printf(context, "%s ", path);
}

TEST(members_without_a_row_are_counted_and_named)
{
    static const char text[] =
        "{\"Texts\":1,\"State\":{\"Name\":\"a\",\"Code\":1,\"Reason\":{\"Code\":2}},\"Document\":{\"Free\":1},"
        "\"Rules\":[{\"Kind\":1},{\"PortRange\":{\"From\":1,\"Step\":2}},{\"Kind\":2}],\"New\":{\"Id\":1}}";
    struct thing thing = { 0 };
    struct err err = { 0 };
    size_t skipped = 0;
    CHECK(load(text, &thing, &skipped, &err), "%s", err.text);
    CHECK_INT(skipped, 7);
    fields_done(thing_fields, &thing);

    struct buf names = { 0 };
    json_t *json = json_read(text, sizeof text - 1, "case", &err);
    fields_unknown(thing_fields, json, note_unknown, &names);
    CHECK_STR(buf_str(&names),
              "Texts State.Code State.Reason.Code Rules[].Kind Rules[].PortRange.Step Rules[].Kind New ");
    json_decref(json);
    buf_done(&names);
}

TEST(state_only_members_are_saved_and_not_shown)
{
    struct thing thing = { .other_id = "x-1" };
    char *shown = print(&thing, false), *saved = print(&thing, true);
    CHECK(!strstr(shown, "OtherId"), "%s", shown);
    CHECK(strstr(saved, "\"OtherId\":\"x-1\""), "%s", saved);
    free(shown);
    free(saved);
}

/* What fields_print() and then json_write_compact() give, without either. */
TEST(fields_write_what_printing_gives)
{
    static const struct {
        const char *text, *word, *reason;
        int64_t time, large;
        int32_t number, protocol;
    } cases[] = {
        { "plain", "a", NULL, 0, 0, 0, 0 },
        { "\"quoted\" \\ \n\t\x01\x1f\x7f", "\b", "", 1, INT64_MIN, INT32_MIN, -1 },
        { "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89", "\xe2\x82\xac", "why", -1, INT64_MAX, INT32_MAX, 17 },
        { "no \xff utf-8", "\xc3", "\xc3(", 1767312000123, -1, -10, 255 }, /* left out */
        { "", "", "a/b", 253402300799999, 10, 9, 6 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int bits = 0; bits < 8; bits++) {
            struct thing thing = { .time = cases[i].time,
                                   .large = cases[i].large,
                                   .number = cases[i].number,
                                   .protocol = cases[i].protocol,
                                   .color = bits };
            thing.text = bits & 1 ? xstrdup(cases[i].text) : NULL;
            thing.state = bits & 2 ? xstrdup(cases[i].text) : NULL;
            thing.reason = bits & 4 && cases[i].reason ? xstrdup(cases[i].reason) : NULL;
            snprintf(thing.other_id, sizeof thing.other_id, "%s", cases[i].word);
            *VEC_ADD(&thing.words) = xstrdup(cases[i].word);
            *VEC_ADD(&thing.words) = NULL;
            VEC_ADD(&thing.rules)->name = xstrdup(cases[i].text);
            VEC_ADD(&thing.rules)->has_port = bits & 1;
            thing.ip = ip_lit(bits & 1 ? "10.0.0.1" : "2001:db8::1");
            thing.document = bits & 2 ? json_pack("{s:[i, n, f]}", "any", bits, 0.5) : NULL;
            char *printed = print(&thing, true), *direct = written(&thing);
            CHECK_STR(direct, printed, "case %zu, %d", i, bits);
            free(printed);
            free(direct);
            fields_done(thing_fields, &thing);
        }
    }
}

TEST_MAIN
