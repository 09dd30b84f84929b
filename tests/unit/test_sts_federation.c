/* Roles for people whom an identity provider knows. */
#include "base/base64.h"
#include "base/buf.h"
#include "cloud/op_argv.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

#define PROVIDER "token.actions.example.com"

static struct cloud *
lab_with_role(const char *statement)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    char line[1000];
    snprintf(line, sizeof line,
             "iam create-role --role-name deploy --assume-role-policy-document "
             "'{\"Version\":\"2012-10-17\",\"Statement\":[%s]}'",
             statement);
    json_t *out = lab_run(cloud, line, &err);
    REQUIRE(out != NULL, "%s", err.text);
    json_decref(out);
    out = lab_run(cloud,
                  "iam create-open-id-connect-provider --url https://" PROVIDER " --client-id-list sts.amazonaws.com x",
                  &err);
    REQUIRE(out != NULL, "%s", err.text);
    json_decref(out);
    char metadata[1400]; /* AWS wants a thousand characters at least */
    snprintf(metadata, sizeof metadata,
             "iam create-saml-provider --name idp --saml-metadata-document '<EntityDescriptor "
             "entityID=\"https://idp.example.com\"><IDPSSODescriptor/></EntityDescriptor><!-- %01000d -->'",
             0);
    out = lab_run(cloud, metadata, &err);
    REQUIRE(out != NULL, "%s", err.text);
    json_decref(out);
    return cloud;
}

static const char *
run_with(struct cloud *cloud, const char *form, const char *plain, const char *head, const char *tail, struct err *err,
         json_t **out)
{
    char *encoded = base64_text(plain, strlen(plain));
    struct buf line = { 0 };
    buf_printf(&line, form, head, encoded, tail); /* a literal of this file */
    *err = (struct err){ 0 };
    *out = lab_run(cloud, buf_str(&line), err);
    buf_done(&line);
    free(encoded);
    return err->code;
}

TEST(web_identities_are_asked_for_in_the_trust_policy)
{
#define TRUST(condition)                                                                                               \
    "{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"arn:aws:iam::123456789012:oidc-provider/" PROVIDER "\"},"    \
    "\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{" condition "}}"
#define CLAIMS(rest) "{\"iss\":\"https://" PROVIDER "\",\"sub\":\"repo:acme/site:ref:refs/heads/main\"," rest "}"
#define GOOD         CLAIMS("\"aud\":\"sts.amazonaws.com\",\"exp\":1767230000")
    static const struct {
        const char *trust, *claims, *code;
    } cases[] = {
        { TRUST(""), GOOD, "" },
        { TRUST("\"StringEquals\":{\"" PROVIDER ":aud\":\"sts.amazonaws.com\"}"), GOOD, "" },
        { TRUST("\"StringLike\":{\"" PROVIDER ":sub\":\"repo:acme/*:ref:refs/heads/main\"}"), GOOD, "" },
        { TRUST("\"StringLike\":{\"" PROVIDER ":sub\":\"repo:acme/*:ref:refs/heads/dev\"}"), GOOD, "AccessDenied" },
        { TRUST("\"StringEquals\":{\"" PROVIDER ":aud\":\"other\"}"), GOOD, "AccessDenied" },
        { TRUST(""), CLAIMS("\"aud\":\"x\",\"exp\":1"), "ExpiredTokenException" },
        { TRUST(""), "{\"iss\":\"https://elsewhere.example.com\",\"sub\":\"s\",\"aud\":\"x\",\"exp\":1767230000}",
          "InvalidIdentityToken" }, /* the account does not have the provider */
        { TRUST(""), CLAIMS("\"aud\":\"other\",\"exp\":1767230000"), "InvalidIdentityToken" },
        { TRUST(""), CLAIMS("\"aud\":[\"other\",\"x\"],\"exp\":1767230000"), "" },
        { TRUST(""), "{\"sub\":\"s\"}", "InvalidIdentityToken" },
        { TRUST(""), "nothing", "InvalidIdentityToken" },
        { "{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"accounts.google.com\"},\"Action\":"
          "\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{\"StringEquals\":{\"accounts.google.com:aud\":\"app\"}}}",
          "{\"iss\":\"https://"
          "accounts.google.com\",\"sub\":\"1\",\"aud\":\"other\",\"azp\":\"app\",\"exp\":1767230000}",
          "" },
        { "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"123456789012\"},\"Action\":\"sts:*\"}", GOOD,
          "AccessDenied" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_with_role(cases[i].trust);
        struct err err;
        json_t *out;
        const char *code = run_with(cloud,
                                    "sts assume-role-with-web-identity --role-arn "
                                    "arn:aws:iam::123456789012:role/deploy --role-session-name ci "
                                    "--web-identity-token %s.%s.%s",
                                    cases[i].claims, "e30", "c2ln", &err, &out);
        CHECK_STR(code, cases[i].code, "%s under %s: %s %s", cases[i].claims, cases[i].trust, err.text, err.hint);
        if (out) {
            CHECK_STR(json_str(json_object_get(out, "AssumedRoleUser"), "Arn"),
                      "arn:aws:sts::123456789012:assumed-role/deploy/ci");
            CHECK(json_str(out, "SubjectFromWebIdentityToken") != NULL);
        }
        json_decref(out);
        cloud_close(cloud);
    }
}

TEST(saml_assertions_are_asked_for_in_the_trust_policy)
{
#define SAML(role, provider)                                                                                           \
    "<samlp:Response xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><saml:Assertion>"                            \
    "<saml:Issuer>https://idp.example.com</saml:Issuer><saml:Subject><saml:NameID "                                    \
    "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">carol</saml:NameID>"                              \
    "<saml:SubjectConfirmation><saml:SubjectConfirmationData Recipient=\"https://signin.aws.amazon.com/saml\"/>"       \
    "</saml:SubjectConfirmation></saml:Subject><saml:AttributeStatement>"                                              \
    "<saml:Attribute Name=\"https://aws.amazon.com/SAML/Attributes/Role\"><saml:AttributeValue>"                       \
    "arn:aws:iam::123456789012:role/" role ",arn:aws:iam::123456789012:saml-provider/" provider                        \
    "</saml:AttributeValue></saml:Attribute>"                                                                          \
    "<saml:Attribute Name=\"https://aws.amazon.com/SAML/Attributes/RoleSessionName\">\n <saml:AttributeValue> "        \
    "carol@x "                                                                                                         \
    "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>"
#define SAML_TRUST(condition)                                                                                          \
    "{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"arn:aws:iam::123456789012:saml-provider/idp\"},"             \
    "\"Action\":\"sts:AssumeRoleWithSAML\",\"Condition\":{" condition "}}"
    static const struct {
        const char *trust, *xml, *code;
    } cases[] = {
        { SAML_TRUST(""), SAML("deploy", "idp"), "" },
        { SAML_TRUST("\"StringEquals\":{\"SAML:aud\":\"https://signin.aws.amazon.com/saml\"}"), SAML("deploy", "idp"),
          "" },
        { SAML_TRUST("\"StringEquals\":{\"saml:sub_type\":\"persistent\",\"saml:sub\":\"carol\"}"),
          SAML("deploy", "idp"), "" },
        { SAML_TRUST("\"StringEquals\":{\"saml:iss\":\"https://other\"}"), SAML("deploy", "idp"), "AccessDenied" },
        { SAML_TRUST(""), SAML("other", "idp"), "InvalidIdentityToken" },
        { SAML_TRUST(""), SAML("deploy", "other"), "InvalidIdentityToken" },
        { SAML_TRUST(""), "<a>no assertion</a>", "InvalidIdentityToken" },
        { SAML_TRUST(""), "<saml:Issuer", "InvalidIdentityToken" },
        { SAML_TRUST(""), "<saml:Issuer>https://elsewhere</saml:Issuer>" SAML("deploy", "idp"),
          "InvalidIdentityToken" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_with_role(cases[i].trust);
        struct err err;
        json_t *out;
        const char *code =
            run_with(cloud,
                     "sts assume-role-with-saml --role-arn arn:aws:iam::123456789012:role/deploy --principal-arn %s "
                     "--saml-assertion %s%s",
                     cases[i].xml, "arn:aws:iam::123456789012:saml-provider/idp", "", &err, &out);
        CHECK_STR(code, cases[i].code, "%s under %s: %s %s", cases[i].xml, cases[i].trust, err.text, err.hint);
        if (out) {
            CHECK_STR(json_str(json_object_get(out, "AssumedRoleUser"), "Arn"),
                      "arn:aws:sts::123456789012:assumed-role/deploy/carol@x");
            CHECK_STR(json_str(out, "Subject"), "carol");
        }
        json_decref(out);
        cloud_close(cloud);
    }
}

TEST_MAIN
