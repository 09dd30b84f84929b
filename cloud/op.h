/* cloud/op.h - operations: one row each, and every face works from the row.
 *
 *     { .service = "ec2", .name = "CreateVpc", .mode = OP_WRITE, .run = create_vpc,
 *       .resources = "vpc/${VpcId}", .help = "Create a VPC with its main route table, default ACL and default group." },
 *
 * An AWS operation's parameters and answer come from cloud/awsmodel (names, types, required, order); a lab operation (service NULL)
 * lists its own in 'params', and an AWS operation those that only the lab has (--like-aws).  Faces: `vpclab ec2 create-vpc --cidr-block 10.0.0.0/16`, the same line in the shell,
 * ec2.create_vpc{cidr_block="10.0.0.0/16"} in Lua, later Action=CreateVpc over HTTP.  A face turns its input into one JSON object
 * (AWS spelling); op_call() types and checks it, authorizes, runs, saves, journals. */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "cloud/cloud.h"

enum op_mode {
    OP_READ,  /* changes nothing */
    OP_WRITE, /* saved, journalled, applied to the kernel while live */
    OP_LOCAL, /* runs in the calling process, never forwarded to the keeper (up, down, exec, ping, verify drive it) */
};
enum op_type { OP_STRING, OP_INT, OP_BOOL, OP_LIST /* of strings */, OP_JSON, OP_ENDPOINT, OP_PORT, OP_PROTOCOL, OP_PATH, OP_ADDRESS, OP_REST /* all further words, after -- too */ };
enum op_param_flags { OP_OPTIONAL = 0, OP_REQUIRED = 1, OP_POSITIONAL = 2, OP_STDIN = 4 /* OP_PATH without a value is "-": --batch [FILE|-] */ };
struct op_param { /* of a lab operation; ends with a NULL name */
    const char *name;    /* "Port": --port, port= */
    enum op_type type;
    unsigned flags;
    const char *help;
    const char *kind;    /* OP_STRING that names a resource: the kind it must be ("instance"); NULL otherwise */
    const char *choices; /* "tcp udp icmp"; NULL: anything */
    const char *words;   /* what completion offers, as in struct op_param_info */
};

struct op;
struct op_call {
    struct cloud *cloud;
    const struct op *op;
    const json_t *in;   /* checked: types right, required there, names resolved to ids, DryRun taken out */
    json_t *out;        /* the answer, an object in AWS's shape; the handler fills it */
    bool no;            /* the answer is no: exit status 1 */
    int status;         /* of the program that the operation ran (`exec`): the exit status, if not 0 */
    const struct progress *progress;
};
typedef bool op_handler(struct op_call *call, struct err *err);

struct op {
    const char *service;   /* "ec2", "iam", "sts", "s3api"; NULL for a lab verb */
    const char *name;      /* "CreateVpc"; a lab verb: "reach", or two words: "import aws", "iam decide" */
    enum op_mode mode;
    op_handler *run;
    const char *help;      /* one sentence of our own */
    const char *iam_action; /* NULL: service:Name */
    const char *resources; /* resource ARNs it is authorized on, "vpc/${VpcId} subnet/${SubnetId}"; NULL: "*" */
    const struct op_param *params; /* of a lab verb; of an AWS operation: options of the lab beside AWS's, none positional */
    const char *beside;    /* AWS operations: a member of the answer beside AWS's ("Remarks"); NULL: none */
    const char *told;      /* AWS operations with a 'text': a member that only the text is made of ("Told"); Lua has it,
                              no other format shows it; NULL: none */
    const char *aside;     /* lab verbs: members of the answer that --output json leaves out ("Verdict Steps"), because what is left is AWS's
                              shape; text, --query and Lua have them; NULL: none */
    void (*text)(const json_t *out, struct buf *text); /* lab verbs: how a person reads the answer; NULL: render() makes a table.
                              AWS operations: what --output table prints */
    bool no_lab;           /* about labs or the program: the lab in use is not read, so it may be damaged, newer or not begun; needs OP_LOCAL */
    bool inside;           /* works in a machine of a live lab too, where the lab cannot be asked: then 'cloud' is as with no_lab; needs OP_LOCAL */
    const char *group;     /* help by task: "build", "look", "ask", "change", "lab" ; NULL: an AWS service */
    const char *examples;  /* "reach web db --port 5432   may the web server open the database?\n..."; lab verbs */
};

/* Every row of every family, in help order; NULL-terminated.  Families register in ops.c and nowhere else. */
const struct op *const *ops_all(void);
/* By the words of a command line: "ec2 create-vpc", "reach", "iam decide".  *n_words says how many words it took.  On failure NULL and
 * ERR_USAGE with did-you-mean. */
const struct op *op_find(size_t n, char *const *words, size_t *n_words, struct err *err);
const struct op *op_by_name(const char *service, const char *name); /* "ec2", "CreateVpc"; NULL if there is none */
const char *op_words(const struct op *op); /* how it is typed: "ec2 create-vpc", "import aws"; borrowed, static */

/* The parameters of an operation, whichever kind it is, as faces and completion need them. */
struct op_param_info {
    const char *name;   /* "CidrBlock"; "" for an option only the command line has (--count of run-instances) */
    char option[64];    /* "cidr-block" */
    char variable[64];  /* "cidr_block" */
    const char *type;   /* "string", "integer", "boolean", "list", "structure", ... for help */
    const char *kind;   /* resource kind an id must be of, for cloud_resolve(); "" any; NULL: it names no resource */
    const char *help;   /* "" for AWS operations */
    bool required, positional, list, flag /* takes no value: --dry-run/--no-dry-run */;
    const char *const *choices; /* enum values; NULL-terminated or NULL */
    const char *words;  /* what its values are, for complete_words.h: "action", "context", "filter", ...; NULL: nothing known */
};
size_t op_params(const struct op *op, const struct op_param_info **params); /* borrowed, static */

/* argv (after the operation's words) to the JSON object: --opt value, --opt=value, --no-flag, lists, AWS shorthand
 * (Key=v,Other=[a,b]), JSON, file://, fileb://, "-"; positionals of lab verbs; AWS CLI's own rewritings (--protocol/--port/--cidr, --count,
 * --ingress/--egress).  ERR_USAGE with the option in 'where' and did-you-mean. */
json_t *op_read_argv(const struct op *op, size_t n, char *const *words, struct err *err);
/* For a command-line face: where 'err' names a parameter ("VpcIds[0]"), it names the option instead ("--vpc-ids[0]"), and with a line in a
 * document given as file://PATH that file.  'words' as given to op_read_argv(). */
void op_spell_where(const struct op *op, size_t n, char *const *words, struct err *err);
/* A Lua or HTTP face's object: members in AWS's or snake_case spelling -> AWS's spelling; unknown ones are refused. */
json_t *op_read_object(const struct op *op, const json_t *object, struct err *err);

struct op_result {
    json_t *out; /* owned */
    bool no;     /* exit status 1 */
    int status;  /* the exit status itself, if not 0 */
};
/* Check -> authorize -> run -> save -> apply to the kernel -> journal.  While the lab is live and the operation is not OP_LOCAL the
 * keeper does it.  On failure the state is as it was; DryRun gives DryRunOperation. */
bool op_call(struct cloud *cloud, const struct op *op, const json_t *in, const struct progress *progress, struct op_result *result,
             struct err *err);
void op_result_done(struct op_result *result);

/* Printing an answer.  'format': "json", "table", "text", "record"; NULL: the operation's default (json for AWS operations, its text or a table
 * for lab verbs).  'query': JMESPath, or NULL. */
bool render(const struct op *op, const json_t *out, const char *format, const char *query, struct buf *text, struct err *err);

/* Handlers' reading of checked arguments: the type is right already, so these cannot fail. */
const char *arg_str(const json_t *in, const char *name);  /* NULL if absent */
long long arg_int(const json_t *in, const char *name, long long otherwise);
bool arg_flag(const json_t *in, const char *name, bool otherwise); /* also {"Value": true} */
