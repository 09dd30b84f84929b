/* netsim/interop/aws_import.h - a network from what `aws ec2 describe-*` printed, and back.
 *
 * Every *.json file below a directory holds one answer: an object whose members are AWS's lists ("Vpcs", "Subnets",
 * "Reservations"). Each list is read by the field rows of its kind (struct kind, 'list'), so AWS's spelling stands
 * nowhere here.  Folders may say whose dump it is: accounts/ACCOUNT/REGION/ or REGION/.  Where they do not, the account
 * is the one most OwnerIds name and the region the one of the zones, else the owner in force.
 *
 * Uses: netsim/model.   Used by: cloud/ops_import.c. */
#pragma once
#include "netsim/model/network.h"

/* Adds what the files below 'dir' describe to 'net', in the order of network_kinds and, within a kind, of files and
 * lists.
 *
 * What get-managed-prefix-list-entries printed belongs to the list whose id stands in the file's name ("pl-0a1b.json").
 *
 * An object listed twice is one: the record with more members counts, and gains those only the other has.  Lists,
 * members and files that nothing here models are skipped and named in 'report'; an id that names nothing is a warning
 * there.  'report' gains Accounts, Regions  [text]                  whose objects these are, the one with most objects
 * first Imported           [{Type, Count}]         kinds in order; Type is struct kind's name Merged             n
 * records beyond the first of an object Skipped            [{List, Count, Ids, Files}]    lists of kinds not modelled
 * (empty ones are not worth a word) SkippedFiles       [{File, Reason}] SkippedMembers     [{Type, Member, Count, Ids: the first ten}]
 * "Placement.GroupName" Warnings           [text] Shared             [{Id, Account}]         aws_shared.h
 *
 * On failure 'net' holds a part of it and is to be thrown away:
 *   ERR_MACHINE   'dir' is missing or unreadable, or a file is
 *   ERR_DOCUMENT  malformed JSON, a member of a wrong type: the place is FILE, line and column.  Also a directory
 * without any list of network resources ERR_INPUT     ResourceAlreadyExists: 'net' has an object with this id already
 */
bool aws_import(struct network *net, const char *dir, json_t *report, struct err *err);

/* Writes everything 'net' holds below 'dir' as accounts/ACCOUNT/REGION/LIST.json: what describe-* shows, and members of
 * our own that only the state has, so that aws_import() of it gives the same network.  'dir' is made; it must not hold
 * JSON files that an import would read as well (ERR_INPUT).  'report' gains Exported [{Type, Count}] and Files [text].
 * ERR_MACHINE when it cannot be written. */
bool aws_export(const struct network *net, const char *dir, json_t *report, struct err *err);
