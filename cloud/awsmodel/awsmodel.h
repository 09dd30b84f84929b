/* cloud/awsmodel/awsmodel.h - names and types of AWS's operations, as botocore's service models give them.
 *
 * The tables are generated (tools/awsmodel.py, `make awsmodel`) and hold no prose: operations, the shapes of what goes in and comes
 * out in member order, required members, enums, limits, wire names, HTTP bindings, error codes and pagination.  Everything is const and
 * needs no set-up.  Texts are offsets into one pool: aws_text(member->name).  Shapes are numbers: aws_shape(member->shape).
 *
 * An operation of the tables need not have a row in ops.c: it is what the real `aws` would know.
 * Used by: op_types.c, op_argv.c, render.c; later the HTTP readers and writers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aws_type {
    AWS_NONE,
    AWS_STRING,
    AWS_INTEGER,
    AWS_LONG,
    AWS_DOUBLE,
    AWS_FLOAT,
    AWS_BOOLEAN,
    AWS_TIMESTAMP,
    AWS_BLOB,
    AWS_LIST,
    AWS_MAP,
    AWS_STRUCTURE,
};

enum aws_shape_flags {
    AWS_SENSITIVE = 1, /* a secret: never journalled */
    AWS_UNION = 2,     /* exactly one member may be set */
    AWS_TIME_ISO8601 = 4,
    AWS_TIME_UNIXTIMESTAMP = 8,
    AWS_TIME_RFC822 = 16,
};
struct aws_shape {
    uint8_t type, flags; /* enum aws_type, enum aws_shape_flags */
    uint16_t n;          /* structure: members.  string: enum values; 0: any text */
    uint16_t limit;      /* see aws_limits_of(); 0: none */
    uint16_t of;         /* list: shape of an item.  map: shape of a value */
    uint16_t key;        /* map: shape of a key */
    uint32_t first;      /* structure: its first member.  string: its first enum value */
    uint32_t item;       /* list: text, the wire name of an item ("item", "member") */
    uint32_t pattern;    /* string: text, a POSIX extended regular expression; "" for none */
};

enum aws_member_flags {
    AWS_REQUIRED = 1,
    AWS_IDEMPOTENCY_TOKEN = 2, /* the client makes one up when the person gives none */
    AWS_PAYLOAD = 4,           /* is the HTTP body */
    AWS_FLATTENED = 8,         /* list without an element around its items */
    AWS_XML_ATTRIBUTE = 16,
    AWS_DEPRECATED = 32,
    AWS_IN_URI = 64, /* where REST protocols carry it; none of these: in the body */
    AWS_IN_QUERY = 128,
    AWS_IN_HEADER = 256,
    AWS_IN_HEADERS = 512, /* headers with this prefix, as a map */
    AWS_IN_STATUS = 1024,
};
struct aws_member {
    uint32_t name;     /* text: "CidrBlock" */
    uint32_t wire_in;  /* text: name in a request ("Filter" for Filters) */
    uint32_t wire_out; /* text: name in an answer ("vpcSet" for Vpcs) */
    uint32_t option;   /* text: "cidr-block"; "" unless it is a member of an operation's input itself */
    uint16_t shape;
    uint16_t flags; /* enum aws_member_flags */
};

struct aws_limit { /* of a number's value, a text's length, a list's size */
    int64_t min, max;
    bool has_min, has_max;
};
struct aws_error {
    uint32_t code; /* text */
    uint16_t status;
};
struct aws_pager { /* texts; "" where the operation has none */
    uint32_t input_token, output_token, limit, result, more;
};
struct aws_operation {
    uint32_t name, words;  /* texts: "CreateVpc", "create-vpc" */
    uint32_t method, uri;  /* texts: HTTP */
    uint32_t wrapper;      /* text: "CreateUserResult"; "" for none */
    uint16_t input, output; /* shapes; 0: none */
    uint16_t pager;        /* see aws_pager_of(); 0: does not page */
    uint16_t service;
    uint16_t first_error, n_errors;
};
struct aws_service {
    uint32_t name;     /* text: the aws command's word: "ec2", "s3api" */
    uint32_t version;  /* text: "2016-11-15" */
    uint32_t protocol; /* text: "ec2" "query" "json" "rest-json" "rest-xml" */
    uint32_t xmlns, signing, target_prefix, json_version; /* texts */
    uint16_t first_operation, n_operations;
};

extern const char aws_model_version[]; /* "botocore 1.43.11" */

const char *aws_text(uint32_t offset); /* never NULL */
size_t aws_service_count(void);
const struct aws_service *aws_service_at(size_t index);
const struct aws_service *aws_service_find(const char *name); /* "ec2", "s3api"; NULL */
/* Operations of a service stand in alphabetical order. */
const struct aws_operation *aws_operation_at(const struct aws_service *service, size_t index);
const struct aws_operation *aws_operation_find(const char *service, const char *name);         /* "ec2", "CreateVpc"; NULL */
const struct aws_operation *aws_operation_by_words(const char *service, const char *words); /* "ec2", "create-vpc"; NULL */
const struct aws_service *aws_operation_service(const struct aws_operation *operation);
const struct aws_error *aws_operation_error(const struct aws_operation *operation, size_t index); /* index < n_errors */
const struct aws_pager *aws_pager_of(const struct aws_operation *operation);                       /* NULL */

const struct aws_shape *aws_shape(uint16_t number);              /* NULL for 0 */
const struct aws_limit *aws_limits_of(const struct aws_shape *shape); /* NULL: none */
/* Members of a structure, shape->n of them, in AWS's order. */
const struct aws_member *aws_members(const struct aws_shape *shape);
const struct aws_member *aws_member_find(const struct aws_shape *shape, const char *name); /* NULL */
const char *aws_enum_value(const struct aws_shape *shape, size_t index); /* index < shape->n */
