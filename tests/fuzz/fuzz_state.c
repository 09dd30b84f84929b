/* A state file is taken whole or refused; what was taken is written so that it reads the same again. */
#include "tests/fuzz/fuzz.h"

#include "base/vec.h"
#include "cloud/state.h"
#include "iampolicy/account.h"
#include "netsim/model/network.h"

static void
begin(struct cloud *cloud)
{
    *cloud = (struct cloud){ .region = "us-east-1", .home_region = "us-east-1", .account = "123456789012" };
    cloud->net = network_new(&cloud->ids, &cloud->clock);
    cloud->accounts = iam_accounts_new(&cloud->ids, &cloud->clock);
}

static void
end(struct cloud *cloud)
{
    network_free(cloud->net);
    iam_accounts_free(cloud->accounts);
}

/* Each object is written as its JSON value would be. */
static void
check_objects(const struct store *store)
{
    for (size_t i = 0; network_kinds[i]; i++) {
        for (const void *o = store_first(store, network_kinds[i]); o; o = store_next(store, o)) {
            struct buf direct = { 0 }, printed = { 0 };
            json_t *one = store_save_object(o);
            json_write_compact(one, &printed);
            store_write_object(o, &direct);
            FUZZ_CHECK(strcmp(buf_str(&direct), buf_str(&printed)) == 0);
            json_decref(one);
            buf_done(&direct);
            buf_done(&printed);
        }
    }
}

/* What was read object by object is what reading all of it gives, which a member at the end makes it do. */
static void
check_whole(const char *text, const char *taken)
{
    const char *last = strrchr(text, '}');
    struct cloud cloud;
    struct err err = { 0 };
    size_t size;
    char *whole = xasprintf("%.*s,\"fuzz\": 0}%s", (int)(last - text), text, last + 1);
    begin(&cloud);
    FUZZ_CHECK(state_parse(&cloud, whole, strlen(whole), "whole", &err));
    char *again = state_text(&cloud, &size);
    FUZZ_CHECK(strcmp(again, taken) == 0);
    free(again);
    free(whole);
    end(&cloud);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct cloud cloud, again;
    struct err err = { 0 };
    begin(&cloud);
    bool taken = state_parse(&cloud, text, strlen(text), "state.json", &err);
    FUZZ_CHECK(taken || (err.kind == ERR_DOCUMENT && err.text[0]));
    if (taken) {
        size_t written_size, again_size;
        check_objects(network_store(cloud.net));
        char *written = state_text(&cloud, &written_size);
        begin(&again);
        FUZZ_CHECK(state_parse(&again, written, written_size, "again", &err));
        char *twice = state_text(&again, &again_size);
        FUZZ_CHECK(strcmp(written, twice) == 0);
        check_whole(text, written);
        free(written);
        free(twice);
        end(&again);
    }
    end(&cloud);
    free(text);
    return 0;
}
