/* iampolicy/principal.h - who asks, and whom a Principal element names.
 *
 * A caller is written as AWS prints it: a user ARN, a role ARN (a session of it named "simulated" is meant), an
 * assumed-role or federated-user session ARN, ARN:root or 12 digits for the root user, "lambda.amazonaws.com" for a
 * service, a SAML or OIDC provider ARN or built-in provider domain for a federated caller, 64 hex digits for a
 * canonical user, "*anonymous*".
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * Used by: policy.c, evaluate.c, request.h. */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/arn.h"
#include "base/err.h"
#include "iampolicy/document.h"

enum iam_principal_kind {
    IAM_ANONYMOUS, /* 0: nobody signed */
    IAM_ROOT,
    IAM_USER,
    IAM_ROLE_SESSION,
    IAM_FEDERATED_USER,
    IAM_SERVICE,
    IAM_WEB_IDENTITY,
    IAM_SAML,
    IAM_CANONICAL,
};

struct iam_principal {
    enum iam_principal_kind kind;
    bool given_as_role;  /* the caller was named by its role's ARN */
    bool service_linked; /* a role below /aws-service-role/ */
    const char *arn;     /* as given; a service's name, a provider, a canonical id */
    uint32_t arn_size;
    char account[16]; /* "" for anonymous, service, provider and canonical callers */
    struct iam_text partition;
    const char *issuer;    /* role session: the role's ARN with its path, federated user: the ARN that called
                              GetFederationToken; NULL unknown */
    struct iam_text role;  /* role session: the role's name without path */
    struct iam_text name;  /* user name without path, session name, federated user's name */
    const char *unique_id; /* AIDA..., AROA..., the account of a root user; NULL unknown */
};

/* Fails with ERR_USAGE "InvalidInput" when 'text' is none of the forms above. */
bool iam_principal_parse(struct arena *arena, struct iam_text text, struct iam_principal *principal, struct err *err);

/* ---- Principal elements ---- */

/* How closely an entry names the caller, weakest first. */
enum iam_match_kind {
    IAM_MATCH_NONE,
    IAM_MATCH_ACCOUNT, /* only the caller's account */
    IAM_MATCH_ISSUER,  /* the role or user behind the session */
    IAM_MATCH_DIRECT,  /* the caller itself */
    IAM_MATCH_ANY,     /* everybody */
};

enum iam_entry_kind {
    IAM_ENTRY_NEVER,
    IAM_ENTRY_ANY,
    IAM_ENTRY_ACCOUNT,
    IAM_ENTRY_USER,
    IAM_ENTRY_ROLE,
    IAM_ENTRY_SESSION,
    IAM_ENTRY_FEDERATED_USER,
    IAM_ENTRY_UNIQUE_ID,
    IAM_ENTRY_SERVICE,
    IAM_ENTRY_FEDERATED,
    IAM_ENTRY_CANONICAL,
};
struct iam_principal_entry {
    enum iam_entry_kind kind;
    const char *text; /* as written */
    uint32_t size;
    char account[16];
    struct iam_text partition;
    struct iam_text name; /* a user's or role's name without path */
    struct iam_span span;
};

/* 'type' is "AWS", "Service", "Federated" or "CanonicalUser". */
struct iam_principal_entry iam_principal_entry_compile(struct arena *arena, const char *type, struct iam_text text);
enum iam_match_kind iam_principal_match(const struct iam_principal_entry *entry, const struct iam_principal *caller);
