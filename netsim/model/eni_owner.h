/* netsim/model/eni_owner.h - whose an interface is that no instance has: a database, a function, a task, a mount target, a cache node.
 *
 * AWS tells in the description that the service writes, else in InterfaceType and RequesterId.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
 * Used by: eni_label(), analysis/explain.c, cloud/resolve.c. */
#pragma once
#include "netsim/model/eni.h"

struct eni_owner {
    const char *service; /* "RDS", static; of a requester that nothing more is known of, "amazon-..." borrowed from the interface */
    char name[96];       /* of the function, file system, cluster ...; "" where the description has none */
};
/* False: an instance's, or nobody's that can be told. */
bool eni_owner_of(const struct eni *eni, struct eni_owner *owner);
/* "Lambda orders", "RDS"; NULL: as above.  Rotating buffer. */
const char *eni_owner_str(const struct eni *eni);
