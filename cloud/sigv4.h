/* cloud/sigv4.h - is a request signed by whom it says? AWS Signature Version 4 in the Authorization field.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html   Used by: live_s3.c */
#pragma once
#include "cloud/cloud.h"
#include "netsim/live/http_server.h"

/* Who signed: his access key id, to be freed by the caller; NULL without an error when nobody did.  NULL with
 * InvalidAccessKeyId, SignatureDoesNotMatch, InvalidToken, AuthorizationHeaderMalformed or XAmzContentSHA256Mismatch.  How old a signature is is not
 * looked at: a lab's clock is its own. */
char *sigv4_signer(const struct cloud *cloud, const struct http_exchange *exchange, struct err *err);
