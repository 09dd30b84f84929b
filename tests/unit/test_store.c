#include "base/store.h"

#include <stdlib.h>
#include <time.h>
#include "tests/test.h"

struct box {
    struct object obj;
    struct cidr cidr;
    int32_t weight;
    char *color;
    bool on;
};
static int n_done, n_loaded;

static void
box_init(void *object)
{
    ((struct box *)object)->on = true;
}

static void
box_loaded(struct store *store, void *object)
{
    n_loaded++;
    CHECK(store_context(store) == &n_loaded);
    (void)object;
}

static void
box_describe(const struct store *store, const void *object, json_t *out)
{
    (void)object;
    json_object_set_new(out, "Neighbours",
                        json_integer((json_int_t)store_count(store, ((const struct object *)object)->kind) - 1));
}

static void
box_done(void *object)
{
    (void)object;
    n_done++;
}

static const struct field box_fields[] = {
    FIELD(struct box, "BoxId", FIELD_ID, obj.id, 0),
    FIELD(struct box, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct box, "Weight", FIELD_INT, weight, 0),
    FIELD(struct box, "State.Color", FIELD_STRING, color, 0),
    FIELD(struct box, "On", FIELD_BOOL, on, 0),
    FIELD_LIST(struct box, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};
static const struct filter_row box_filters[] = {
    { "box-id", "BoxId" }, { "cidr", "CidrBlock" },   { "weight", "Weight" },         { "state.color", "State.Color" },
    { "on", "On" },        { "any-key", "Tags.Key" }, { "neighbours", "Neighbours" }, { NULL, NULL },
};
static const struct kind box_kind = {
    .name = "box",
    .prefix = "box",
    .list = "Boxes",
    .id_member = "BoxId",
    .not_found = "InvalidBoxID.NotFound",
    .size = sizeof(struct box),
    .fields = box_fields,
    .shows_owner = true,
    .filters = box_filters,
    .init = box_init,
    .loaded = box_loaded,
    .describe = box_describe,
    .done = box_done,
};
static const struct kind lid_kind = { .name = "lid",
                                      .prefix = "lid",
                                      .id_member = "LidId",
                                      .size = sizeof(struct object),
                                      .fields = (const struct field[]){ FIELD_END } };

static struct store *
boxes(const char *text)
{
    struct store *store = store_new();
    struct err err = { 0 };
    store_set_context(store, &n_loaded);
    json_t *array = json_read(text, strlen(text), "case", &err);
    CHECK(store_load_kind(store, &box_kind, array, "Boxes", NULL, &err), "%s %s", err.where, err.text);
    json_decref(array);
    return store;
}

TEST(objects_are_found_and_keep_their_order)
{
    enum { N = 50000 };
    struct store *store = store_new();
    char id[ID_SIZE];
    n_done = 0;
    clock_t begin = clock();
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof id, "box-%d", i);
        struct box *box = store_add(store, &box_kind, id);
        box->weight = i;
        CHECK(box->on && box->obj.kind == &box_kind && box->obj.sequence == (uint64_t)i + 1);
    }
    store_add(store, &lid_kind, "lid-1");
    uint64_t generation = store_generation(store);
    for (int i = 0; i < N; i += 2) {
        snprintf(id, sizeof id, "box-%d", i);
        store_delete(store, store_get(store, &box_kind, id));
        CHECK(!store_get(store, &box_kind, id), "%s", id);
    }
    CHECK(store_generation(store) != generation);
    CHECK_INT(n_done, N / 2);
    CHECK_INT(store_count(store, &box_kind), N / 2);
    int expected = 1;
    for (const struct box *box = store_first(store, &box_kind); box; box = store_next(store, box)) {
        CHECK(box->weight == expected && store_find(store, box->obj.id) == box, "%s", box->obj.id);
        expected += 2;
    }
    CHECK_INT(expected, N + 1);
    CHECK(store_find(store, "lid-1") == store_first(store, &lid_kind));
    CHECK(!store_find(store, "box-0") && !store_get(store, &lid_kind, "box-1") && !store_get(store, &box_kind, NULL));
    CHECK(!store_first(store, &(struct kind){ .name = "none" }));
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK(seconds < 5, "%.1f s", seconds); /* a search through a list would take minutes */
    store_free(store);
    CHECK_INT(n_done, N);
    store_free(NULL);
}

TEST(deleting_keeps_the_list_whole)
{
    /* Every order of deleting three. */
    static const char *const orders[] = { "012", "021", "102", "120", "201", "210" };
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        struct store *store = store_new();
        void *all[3];
        for (int k = 0; k < 3; k++) {
            all[k] = store_add(store, &lid_kind, (const char *[]){ "lid-0", "lid-1", "lid-2" }[k]);
        }
        for (int k = 0; k < 3; k++) {
            store_delete(store, all[orders[i][k] - '0']);
            size_t n = 0;
            for (void *lid = store_first(store, &lid_kind); lid; lid = store_next(store, lid)) {
                n++;
            }
            CHECK_INT(n, 2 - k, "%s", orders[i]);
        }
        CHECK(store_add(store, &lid_kind, "lid-0") == store_first(store, &lid_kind));
        store_free(store);
    }
}

TEST(tags_are_set_replaced_and_removed)
{
    struct store *store = store_new();
    struct object *box = store_add(store, &box_kind, "box-1");
    CHECK(!object_name(box) && !object_unset_tag(box, "Name"));
    object_set_tag(box, "Name", "web");
    object_set_tag(box, "Tier", "");
    CHECK_STR(object_name(box), "web");
    CHECK_STR(object_tag(box, "Tier"), "");
    object_set_tag(box, "Name", object_tag(box, "Name"));
    object_set_tag(box, "Name", "db");
    CHECK_STR(object_name(box), "db");
    CHECK_INT(box->tags.n, 2);
    json_t *tags = object_tags_json(box),
           *expected = json_pack("[{s:s, s:s}, {s:s, s:s}]", "Key", "Name", "Value", "db", "Key", "Tier", "Value", "");
    CHECK(json_equal(tags, expected), "the tags as AWS lists them");
    json_decref(tags);
    json_decref(expected);
    CHECK(object_unset_tag(box, "Name") && !object_name(box) && box->tags.n == 1);
    store_free(store);
}

TEST(saving_and_loading_is_the_identity)
{
    static const char text[] =
        "[{\"BoxId\":\"box-2\",\"CidrBlock\":\"10.0.0.0/8\",\"Weight\":2,\"State\":{\"Color\":\"red\"},\"On\":false,"
        "\"Tags\":[{\"Key\":\"Name\",\"Value\":\"b\"}],\"OwnerId\":\"123456789012\",\"Region\":\"eu-west-1\"},"
        "{\"BoxId\":\"box-1\",\"Weight\":1,\"On\":true,\"Tags\":[]}]";
    n_loaded = 0;
    struct store *store = boxes(text);
    CHECK_INT(n_loaded, 2);
    const struct object *first = store_first(store, &box_kind);
    CHECK_STR(first->account, "123456789012");
    CHECK_STR(first->region, "eu-west-1");
    json_t *saved = store_save_kind(store, &box_kind);
    struct buf out = { 0 };
    json_write_compact(saved, &out);
    CHECK_STR(buf_str(&out), text);
    buf_clear(&out);
    json_t *described = object_describe(store, first);
    json_write_compact(described, &out);
    CHECK_STR(
        buf_str(&out),
        "{\"BoxId\":\"box-2\",\"CidrBlock\":\"10.0.0.0/8\",\"Weight\":2,\"State\":{\"Color\":\"red\"},\"On\":false,"
        "\"Tags\":[{\"Key\":\"Name\",\"Value\":\"b\"}],\"OwnerId\":\"123456789012\",\"Neighbours\":1}");
    buf_done(&out);
    json_decref(described);
    json_decref(saved);
    store_free(store);
}

TEST(loading_refuses_and_adds_nothing)
{
    static const struct {
        const char *text, *where, *says;
    } cases[] = {
        { "{}", "Boxes", "expected a list" },
        { "[{\"BoxId\":\"box-9\"},3]", "Boxes[1]", "expected an object" },
        { "[{\"BoxId\":\"box-9\"},{}]", "Boxes[1]", "a box without `BoxId`" },
        { "[{\"BoxId\":\"\"}]", "Boxes[0]", "a box without `BoxId`" },
        { "[{\"BoxId\":7}]", "Boxes[0]", "a box without `BoxId`" },
        { "[{\"BoxId\":\"box-9\"},{\"BoxId\":\"box-9\"}]", "Boxes[1]", "box `box-9` stands here twice" },
        { "[{\"BoxId\":\"box-1\"}]", "Boxes[0]", "box `box-1` stands here twice" },
        { "[{\"BoxId\":\"box-9\"},{\"BoxId\":\"box-8\",\"Weight\":\"x\"}]", "Boxes[1].Weight",
          "expected a whole number" },
        { "[{\"BoxId\":\"box-01234567890123456789012345678901234567890123456789012345678901234567890\"}]", "Boxes[0]", "too long" },
    };
    struct store *store = boxes("[{\"BoxId\":\"box-1\"}]");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        json_t *array = json_read(cases[i].text, strlen(cases[i].text), "case", &err);
        CHECK(!store_load_kind(store, &box_kind, array, "Boxes", NULL, &err), "%s", cases[i].text);
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s", cases[i].text);
        CHECK_STR(err.where, cases[i].where, "%s", cases[i].text);
        CHECK(strstr(err.text, cases[i].says), "%s: `%s` lacks `%s`", cases[i].text, err.text, cases[i].says);
        CHECK_INT(store_count(store, &box_kind), 1, "%s", cases[i].text);
        json_decref(array);
    }
    store_free(store);
}

TEST(members_without_a_row_are_counted_once)
{
    struct store *store = store_new();
    struct err err = { 0 };
    size_t skipped = 0;
    store_set_context(store, &n_loaded);
    const char *text = "[{\"BoxId\":\"box-1\",\"OwnerId\":\"123456789012\",\"Region\":\"x\",\"Arn\":\"y\"},{\"BoxId\":"
                       "\"box-2\",\"Arn\":1}]";
    json_t *array = json_read(text, strlen(text), "case", &err);
    CHECK(store_load_kind(store, &box_kind, array, "Boxes", &skipped, &err), "%s", err.text);
    CHECK_INT(skipped, 2);
    json_decref(array);
    store_free(store);
}

TEST(filters_choose_as_aws_does)
{
    static const struct {
        const char *filters, *ids; /* the ids that pass */
    } cases[] = {
        { "[]", "1234" },
        { "[{\"Name\":\"box-id\",\"Values\":[\"box-2\"]}]", "2" },
        { "[{\"Name\":\"box-id\",\"Values\":[\"box-2\",\"box-4\",\"box-9\"]}]", "24" },
        { "[{\"Name\":\"box-id\",\"Values\":[\"box-*\"]},{\"Name\":\"state.color\",\"Values\":[\"red\"]}]", "13" },
        { "[{\"Name\":\"cidr\",\"Values\":[\"10.?.0.0/16\"]}]", "23" },
        { "[{\"Name\":\"cidr\",\"Values\":[\"*\"]}]", "123" }, /* the fourth has none */
        { "[{\"Name\":\"weight\",\"Values\":[\"3\"]}]", "3" },
        { "[{\"Name\":\"on\",\"Values\":[\"true\"]}]", "14" },
        { "[{\"Name\":\"on\",\"Values\":[\"false\"]}]", "23" },
        { "[{\"Name\":\"neighbours\",\"Values\":[\"3\"]}]", "1234" },
        { "[{\"Name\":\"tag:Name\",\"Values\":[\"w*b\"]}]", "1" },
        { "[{\"Name\":\"tag:Name\",\"Values\":[\"*b\"]}]", "12" },
        { "[{\"Name\":\"tag:name\",\"Values\":[\"*b\"]}]", "" }, /* keys are case-sensitive */
        { "[{\"Name\":\"tag:Name\",\"Values\":[\"W*\"]}]", "" }, /* and so are values */
        { "[{\"Name\":\"tag-key\",\"Values\":[\"Tier\"]}]", "23" },
        { "[{\"Name\":\"any-key\",\"Values\":[\"Tier\"]}]", "23" },
        { "[{\"Name\":\"tag:Tier\",\"Values\":[\"a\\\\*b\"]}]", "2" }, /* a plain star */
        { "[{\"Name\":\"tag:Tier\",\"Values\":[\"a*b\"]}]", "23" },
        { "[{\"Name\":\"tag:Tier\",\"Values\":[\"a?b\"]}]", "23" }, /* one character of two bytes */
        { "[{\"Name\":\"tag:Tier\",\"Values\":[\"\"]}]", "" },
        { "[{\"Name\":\"owner-id\",\"Values\":[\"123456789012\"]}]", "1" },
    };
    struct store *store = boxes(
        "[{\"BoxId\":\"box-1\",\"CidrBlock\":\"192.168.0.0/16\",\"Weight\":1,\"State\":{\"Color\":\"red\"},\"On\":true,"
        "\"Tags\":[{\"Key\":\"Name\",\"Value\":\"web\"}],\"OwnerId\":\"123456789012\"},"
        "{\"BoxId\":\"box-2\",\"CidrBlock\":\"10.2.0.0/16\",\"Weight\":2,\"On\":false,"
        "\"Tags\":[{\"Key\":\"Name\",\"Value\":\"db\"},{\"Key\":\"Tier\",\"Value\":\"a*b\"}]},"
        "{\"BoxId\":\"box-3\",\"CidrBlock\":\"10.3.0.0/16\",\"Weight\":3,\"State\":{\"Color\":\"red\"},\"On\":false,"
        "\"Tags\":[{\"Key\":\"Tier\",\"Value\":\"a\xc3\xa9"
        "b\"}]},"
        "{\"BoxId\":\"box-4\",\"Weight\":4}]");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct buf ids = { 0 };
        json_t *filters = json_read(cases[i].filters, strlen(cases[i].filters), "--filters", &err);
        CHECK(filters_check(&box_kind, filters, &err), "%s: %s", cases[i].filters, err.text);
        for (const struct box *box = store_first(store, &box_kind); box; box = store_next(store, box)) {
            json_t *described = object_describe(store, box);
            if (filters_match(&box_kind, filters, described)) {
                buf_char(&ids, box->obj.id[4]);
            }
            json_decref(described);
        }
        CHECK_STR(buf_str(&ids), cases[i].ids, "%s", cases[i].filters);
        buf_done(&ids);
        json_decref(filters);
    }
    store_free(store);
}

TEST(filters_are_checked)
{
    static const struct {
        const char *filters, *says;
    } cases[] = {
        { "[{\"Name\":\"colour\",\"Values\":[\"x\"]}]", "the filter `colour` is invalid for a box" },
        { "[{\"Values\":[\"x\"]}]", "filter 1 has no `Name`" },
        { "[{\"Name\":\"on\",\"Values\":[\"true\"]},{\"Name\":\"cidr\"}]", "the filter `cidr` has no `Values`" },
        { "[{\"Name\":\"cidr\",\"Values\":[]}]", "the filter `cidr` has no `Values`" },
        { "[{\"Name\":\"weight\",\"Values\":[3]}]", "is not a string" },
        { "[3]", "filter 1 has no `Name`" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        json_t *filters = json_read(cases[i].filters, strlen(cases[i].filters), "--filters", &err);
        CHECK(!filters_check(&box_kind, filters, &err), "%s", cases[i].filters);
        CHECK_STR(err.code, "InvalidParameterValue", "%s", cases[i].filters);
        CHECK(strstr(err.text, cases[i].says), "%s: `%s`", cases[i].filters, err.text);
        json_decref(filters);
    }
    struct err err = { 0 };
    json_t *filters = json_pack("[{s:s,s:[s]}]", "Name", "colour", "Values", "x");
    filters_check(&box_kind, filters, &err);
    CHECK(strstr(err.hint, "box-id, cidr, weight, state.color"), "%s", err.hint);
    json_decref(filters);
}

TEST_MAIN
