/* base/sha256.h - the SHA-256 digest and HMAC over it, with which requests to AWS are signed.
 * Source: FIPS 180-4, RFC 2104.   Used by: cloud/live_s3.c. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
void sha256(const void *data, size_t size, uint8_t out[static SHA256_SIZE]);
void hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t out[static SHA256_SIZE]);
void sha256_hex(const uint8_t digest[static SHA256_SIZE], char hex[static 2 * SHA256_SIZE + 1]);
