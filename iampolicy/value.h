/* iampolicy/value.h - the typed values that condition operators compare: exact decimals, instants, bytes.
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
 * https://www.w3.org/TR/NOTE-datetime.   Used by: condition.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/ip.h"
#include "iampolicy/document.h"

/* [+-]digits[.digits][e[+-]digits] as 0.DIGITS times ten to the power of 'point'.  Digits stay in the text, so there is
 * no width beyond which numbers become equal. */
struct iam_decimal {
    int8_t sign;       /* -1, 0, 1 */
    int64_t point;     /* 0 when sign is 0 */
    const char *first; /* the first digit that is not 0; a '.' may stand between */
    uint32_t n;        /* digits up to the last that is not 0 */
};
bool iam_decimal_parse(struct iam_text text, struct iam_decimal *decimal); /* borrows 'text' */
int iam_decimal_compare(const struct iam_decimal *a, const struct iam_decimal *b);

struct iam_instant {
    int64_t s; /* since 1970 UTC */
    uint32_t ns;
};
/* YYYY-MM, YYYY-MM-DD, YYYY-MM-DDThh:mm[:ss[.f]][TZ]; no zone is UTC; digits alone are seconds since 1970, even four
 * (choice C-14). */
bool iam_instant_parse(struct iam_text text, struct iam_instant *instant);
int iam_instant_compare(const struct iam_instant *a, const struct iam_instant *b);

/* An address or block; host bits are masked off, IPv4-mapped IPv6 becomes IPv4 (choice C-15). */
bool iam_cidr_parse(struct iam_text text, struct cidr *cidr);
/* An address alone. */
bool iam_address_parse(struct iam_text text, struct ip *ip);

/* Standard base64 with padding.  'out' has room for 3 bytes for each 4 characters; false if it is not base64. */
bool iam_base64_decode(struct iam_text text, unsigned char *out, uint32_t *size);
/* Do two base64 texts stand for the same bytes?  False if either is none. */
bool iam_base64_equal(struct iam_text a, struct iam_text b);

/* "true" or "false" in any case. */
bool iam_bool_parse(struct iam_text text, bool *value);

/* Equality without distinguishing the case of ASCII and Latin-1 letters (UTF-8). */
bool iam_fold_equal(struct iam_text a, struct iam_text b);
