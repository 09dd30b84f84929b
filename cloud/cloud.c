#include "cloud/inside.h"
#include "cloud/cloud.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/vec.h"
#include "cloud/caller.h"
#include "cloud/keeper_link.h"
#include "cloud/state.h"
#include "iampolicy/account.h"
#include "netsim/model/network.h"

#define ACCOUNT "123456789012"
#define REGION  "us-east-1"

static void
set_region(struct cloud *cloud, const char *region)
{
    snprintf(cloud->region, sizeof cloud->region, "%s", region);
    network_set_owner(cloud->net, cloud->account, cloud->region);
}

/* A new lab: what a new AWS account has. */
static bool
begin(struct cloud *cloud, const struct cloud_options *options, struct err *err)
{
    if (options->seed) {
        id_gen_seed(&cloud->ids, options->seed);
        clock_set_ms(&cloud->clock, 1767225600000); /* a seeded lab prints the same times too: 2026-01-01T00:00:00Z */
    } else {
        id_gen_seed_random(&cloud->ids);
    }
    set_region(cloud, cloud->home_region);
    if (!options->bare && !network_create_default_vpc(cloud->net, err)) {
        return false;
    }
    return state_save(cloud, err);
}

/* The state as saved; a lab without a state file begins now. */
static bool
load_or_begin(struct cloud *cloud, const struct cloud_options *options, struct err *err)
{
    struct stat st;
    if (cloud->dir && stat(cloud->dir->state_path, &st) == 0) {
        return state_refresh(cloud, err);
    }
    if (!cloud->dir) {
        return begin(cloud, options, err);
    }
    if (!lab_dir_lock(cloud->dir, err)) {
        return false;
    }
    /* Another process may have begun it while we waited for the lock. */
    bool begun = stat(cloud->dir->state_path, &st) == 0;
    bool done = begun ? state_refresh(cloud, err) : begin(cloud, options, err);
    lab_dir_unlock(cloud->dir);
    return done;
}

/* "eu-west-1", "us-gov-west-1": lower-case words and a number.  Which ones there are changes every year, so the form
 * must do. */
static bool
region_valid(const char *region)
{
    size_t size = strlen(region), dashes = 0;
    for (size_t i = 0; i < size; i++) {
        dashes += region[i] == '-';
    }
    return size >= 8 && size < 24 && dashes >= 2 && region[size - 1] >= '1' && region[size - 1] <= '9' &&
           region[size - 2] == '-' && strspn(region, "abcdefghijklmnopqrstuvwxyz-") == size - 1;
}

struct cloud *
cloud_open(const struct cloud_options *options, struct err *err)
{
    if (options->region && !region_valid(options->region)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a region", options->region);
        err_at(err, "--region", 0, 0);
        err_hint(err, "write eu-west-1 or us-east-1; not a zone such as us-east-1a");
        return NULL;
    }
    struct cloud *cloud = xcalloc(1, sizeof *cloud);
    snprintf(cloud->account, sizeof cloud->account, ACCOUNT);
    snprintf(cloud->home_account, sizeof cloud->home_account, ACCOUNT);
    snprintf(cloud->home_region, sizeof cloud->home_region, REGION);
    snprintf(cloud->region, sizeof cloud->region, REGION);
    cloud->limits = !options->no_limits;
    cloud->net = network_new(&cloud->ids, &cloud->clock);
    cloud->accounts = iam_accounts_new(&cloud->ids, &cloud->clock);
    if (options->unread) {
        struct err failure = { 0 };
        cloud->dir = lab_dir_find(options->lab, &failure);
        if (!failure.kind || inside_node()) { /* where no lab is, there may be no place for one */
            return cloud;
        }
        *err = failure;
        cloud_close(cloud);
        return NULL;
    }
    if (inside_node()) {
        inside_refuse(err);
        cloud_close(cloud);
        return NULL;
    }
    cloud->dir = lab_dir_open(options->lab, options->throw_away, err);
    struct stat st;
    bool later = options->later && !options->as && !options->region && cloud->dir &&
                 stat(cloud->dir->state_path, &st) == 0 && keeper_link_is_live(cloud);
    if (!cloud->dir || (!later && !load_or_begin(cloud, options, err))) {
        cloud_close(cloud);
        return NULL;
    }
    if (options->region) {
        set_region(cloud, options->region);
    }
    if (!cloud_act_as(cloud, options->as, err)) {
        cloud_close(cloud);
        return NULL;
    }
    return cloud;
}

void
cloud_close(struct cloud *cloud)
{
    if (!cloud) {
        return;
    }
    network_free(cloud->net);
    iam_accounts_free(cloud->accounts);
    lab_dir_close(cloud->dir);
    caller_free(cloud->caller);
    free(cloud->as);
    free(cloud);
}

bool
cloud_refresh(struct cloud *cloud, struct err *err)
{
    /* In a keeper memory is the truth. */
    return !cloud->dir || cloud->live || state_refresh(cloud, err);
}

const char *
cloud_lab_name(const struct cloud *cloud)
{
    return cloud->dir ? cloud->dir->name : "";
}

bool
cloud_is_live(const struct cloud *cloud)
{
    return keeper_link_is_live(cloud);
}
