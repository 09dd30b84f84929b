/* tests/unit/reach_lab.h - the small network of tests/reach/lab, in the JSON that `aws ec2 describe-*` prints.
 *
 *   vpc-1 10.0.0.0/16, igw-1      subnet-pub: web, fw, the NAT gateway    subnet-app: app, app2, off (stopped)
 *                                 subnet-db: db, behind acl-db */
#pragma once
#include "base/json.h"
#include "netsim/model/network.h"
#include "tests/test.h"

#define REACH_LAB "tests/reach/lab/network.json"

struct lab {
    struct id_gen ids;
    struct clock clock;
    struct network *net;
};

__attribute__((unused)) static void
lab_init(struct lab *lab, const char *path)
{
    struct err err = { 0 };
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, 1);
    lab->net = network_new(&lab->ids, &lab->clock);
    json_t *json = json_read_file(path, &err);
    REQUIRE(CHECK_OK(&err));
    for (size_t i = 0; network_kinds[i]; i++) {
        json_t *list = json_object_get(json, network_kinds[i]->list);
        bool loaded = !list || network_load_kind(lab->net, network_kinds[i], list, network_kinds[i]->list, NULL, &err);
        REQUIRE(loaded, "%s %s", err.where, err.text);
    }
    json_decref(json);
}

__attribute__((unused)) static void
lab_done(struct lab *lab)
{
    network_free(lab->net);
}
