/* The lab's own certificate authority: what it issues, and what it lets somebody bring. */
#include <stdlib.h>

#include "netsim/live/authority.h"
#include "tests/test.h"

TEST(what_is_issued_says_what_was_asked_for)
{
    static const char *const names[] = { "www.example.com", "*.example.org" };
    static const struct {
        const char *algorithm, *said;
    } cases[] = { { "EC_prime256v1", "EC-prime256v1" },
                  { "EC_secp384r1", "EC-secp384r1" },
                  { "RSA_2048", "RSA-2048" } };
    struct pem_pair authority, made;
    struct certificate_facts facts;
    struct err err = { 0 };
    REQUIRE(authority_make(&authority, &err));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        REQUIRE(authority_issue(&authority, names, ARRAY_SIZE(names), cases[i].algorithm, &made, &err));
        REQUIRE(certificate_read(made.certificate, &facts, &err));
        CHECK_STR(facts.key_algorithm, cases[i].said, "%s", cases[i].algorithm);
        CHECK_STR(facts.domain, "www.example.com", "");
        CHECK_STR(facts.subject, "CN=www.example.com", "");
        CHECK_STR(facts.signature_algorithm, "SHA256WITHECDSA", "");
        CHECK_INT(facts.names.n, 2);
        CHECK(facts.not_before < facts.not_after, "");
        CHECK(certificate_fits(made.certificate, made.key, authority.certificate, &err), "%s", err.text);
        certificate_facts_done(&facts);
        pem_pair_done(&made);
    }
    CHECK(!authority_issue(&authority, names, 1, "RSA_512", &made, &err), "");
    CHECK_STR(err.code, "InvalidParameterException", "");
    pem_pair_done(&authority);
}

TEST(what_does_not_fit_is_refused)
{
    static const char *const name = "www.example.com";
    struct pem_pair authority, other, made;
    struct certificate_facts facts;
    struct err err = { 0 };
    REQUIRE(authority_make(&authority, &err) && authority_make(&other, &err) &&
            authority_issue(&authority, &name, 1, "EC_prime256v1", &made, &err));
    char *two = xasprintf("%s%s", made.certificate, other.certificate);
    const struct {
        const char *pem, *key, *chain, *why;
    } cases[] = {
        { made.certificate, other.key, NULL, "the private key does not belong to the certificate" },
        { made.certificate, made.key, other.certificate,
          "the certificate chain does not lead on from the certificate" },
        { made.certificate, made.key, "", "the certificate chain does not lead on from the certificate" },
        { made.certificate, "", NULL, "the private key is not PEM text" },
        { "", made.key, NULL, "the certificate is not PEM text" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err why = { 0 };
        CHECK(!certificate_fits(cases[i].pem, cases[i].key, cases[i].chain, &why), "%zu", i);
        CHECK_STR(why.text, cases[i].why, "%zu", i);
    }
    CHECK(!certificate_read(two, &facts, &err), "");
    CHECK_STR(err.text, "the certificate field contains more than one certificate", "");
    free(two);
    pem_pair_done(&authority);
    pem_pair_done(&other);
    pem_pair_done(&made);
}

TEST_MAIN
