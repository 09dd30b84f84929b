/* cloud/ops_organizations.h - what the handlers of Organizations operations share.
 *
 * Used by: cloud/ops_organizations.c, ops_organizations_policies.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/organization.h"

/* The organization of the caller's account; AWSOrganizationsNotInUseException.  'management': the account must be its
 * management account, else AccessDeniedException. */
struct org_organization *org_op(const struct op_call *call, bool management, struct err *err);
/* The entity with this id if it belongs to 'organization', NULL otherwise (no error). */
struct org_entity *org_op_entity(const struct op_call *call, const struct org_organization *organization,
                                 const char *id);
const char *org_entity_type(const struct org_entity *entity); /* "ROOT", "ORGANIZATIONAL_UNIT", "ACCOUNT" */

/* An id PREFIX and 'n' small letters and digits: "o-a1b2...", "ou-ROOT-...", drawn from the lab's generator. */
void org_new_id(const struct op_call *call, const char *prefix, size_t n, char id[static ID_SIZE]);
/* A new unit or account gets AWS's own policies of every type that the root has enabled. */
void org_attach_defaults(const struct op_call *call, const struct org_organization *organization, const char *target);
/* AWS's own policy of a type, made when the lab does not have it yet. */
struct org_policy *org_full_access(const struct op_call *call, const char *type);
/* Takes every policy off a unit or account that goes away. */
void org_detach_all(const struct op_call *call, const char *target, const char *type /* NULL: any */);
