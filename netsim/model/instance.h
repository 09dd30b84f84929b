/* netsim/model/instance.h - an EC2 instance: a name, a state and its interfaces.
 *
 * stop then start changes the auto-assigned public address and keeps the private ones and Elastic IPs.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html, API_RunInstances */
#pragma once
#include "netsim/model/eni.h"

enum instance_state { INSTANCE_PENDING = 0, INSTANCE_RUNNING = 16, INSTANCE_SHUTTING_DOWN = 32, INSTANCE_TERMINATED = 48,
                      INSTANCE_STOPPING = 64, INSTANCE_STOPPED = 80 };
/* How its metadata is served; what an import does not say is NULL or 0 and stands for AWS's default.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html */
struct metadata_options {
    char *state /* applied */, *tokens /* optional | required */, *endpoint /* enabled | disabled */, *ipv6 /* of the endpoint, likewise */,
        *tags /* of the instance, likewise */;
    int32_t hop_limit; /* 1 to 64: how far the answer that carries a token may travel */
};
/* Ports on which it answers in a live lab: what `serve` opened. */
struct served_port {
    int32_t protocol; /* PROTOCOL_TCP or PROTOCOL_UDP */
    int32_t from, to;
};
struct instance {
    struct object obj;
    char reservation_id[ID_SIZE], vpc_id[ID_SIZE], subnet_id[ID_SIZE];
    char *image_id, *type, *state_name, *key_name, *zone, *tenancy, *profile_arn, *profile_id, *user_data, *client_token;
    char *transition_reason /* "User initiated (2026-01-02 03:04:05 GMT)" */, *state_reason_code, *state_reason;
    int32_t state_code, launch_index;
    int64_t launch_time;
    bool disable_api_termination; /* state only */
    char *hostname_type; /* PrivateDnsNameOptions: ip-name | resource-name; NULL: ip-name */
    bool dns_a_record, dns_aaaa_record; /* its resource name is answered with an address of that family */
    bool auto_public_ip;      /* gets an amazon-owned address at each start; state only */
    struct metadata_options metadata;
    VEC(struct served_port) served; /* state only */
    struct ip last_public_ip; /* the one it had before it was stopped: the next start gives another; state only */
    json_t *loaded_groups;    /* the same: its SecurityGroups, for an interface whose record names none */
    json_t *loaded_enis;      /* only while loading AWS's form: interfaces listed nowhere but here; NULL afterwards */
};
extern const struct kind instance_kind; /* list "Instances": inside Reservations in AWS's form */

struct instance_spec {
    const char *image_id /* ami-... any well-formed id */, *type, *key_name, *user_data, *profile_arn;
    struct eni_spec eni;      /* for device 0; eni.subnet_id NULL: the default subnet of the first zone */
    int public_ip;            /* 1 yes, 0 no, -1 as the subnet says */
    const char *hostname_type; /* NULL: as the subnet says */
    int dns_a_record, dns_aaaa_record; /* 1 yes, -1 no, 0 as the subnet says */
    const char *const *eni_ids; /* existing interfaces instead, device 0 first */
    size_t n_eni_ids;
    bool keep_eni;              /* the new interface outlives the instance (DeleteOnTermination false) */
};
/* Runs 'count' instances in one reservation; borrowed pointers into 'out' (room for count).  All or none.
 * InvalidAMIID.Malformed, InvalidParameterValue (type), VPCIdNotSpecified (no default VPC), errors of eni_create. */
bool instances_run(struct network *net, const struct instance_spec *spec, size_t count, struct instance **out, struct err *err);
bool instance_start(struct network *net, struct instance *instance, struct err *err); /* IncorrectInstanceState */
bool instance_stop(struct network *net, struct instance *instance, struct err *err);
/* Deletes interfaces marked so, detaches the others.  OperationNotPermitted: termination protection. */
bool instance_terminate(struct network *net, struct instance *instance, struct err *err);

/* AWS groups instances by reservation: describe-instances' Reservations to a flat list of Instances that carry ReservationId and OwnerId
 * (a list that is flat already stays as it is), and back from objects that object_describe() gave.  The caller owns the result. */
json_t *instances_from_reservations(const json_t *reservations);
json_t *instances_to_reservations(const struct network *net, const json_t *described);

/* 'change' holds what shall change; the rest stays.  InvalidParameterValue: a word or a number that is none of those above. */
bool instance_set_metadata(struct instance *instance, const struct metadata_options *change, struct err *err);

const char *instance_state_name(int code); /* "running"; static */
/* Of a family that AWS's Nitro system runs: all but the first ones. */
bool instance_type_is_nitro(const char *type);
bool instance_type_check(const char *type, struct err *err); /* "t3.micro"; InvalidParameterValue */
bool instance_is_running(const struct instance *instance);
/* In a live lab it is a TAP host: by its tag `vpclab:host` (`tap` or `namespace`), else as the lab says; one that forwards (an interface without source
 * and destination check, a target of a gateway balancer) never is, for that takes a kernel. */
#define INSTANCE_HOST_TAG "vpclab:host"
bool instance_is_tap(const struct network *net, const struct instance *instance);
/* Opens a port in the live lab, or closes it ('open' false).  True if that changes anything. */
bool instance_serve(struct network *net, struct instance *instance, const struct served_port *port, bool open);
/* Its interface with device index 'device'; NULL if none. */
struct eni *instance_eni(const struct network *net, const struct instance *instance, int device);
/* All of them by device index, borrowed until the next change; returns how many. */
size_t instance_enis(const struct network *net, const struct instance *instance, struct eni *const **enis);
