/* base/base64.h - bytes as text of 64 characters (RFC 4648 section 4, with padding), and back. */
#pragma once
#include <stddef.h>

char *base64_text(const void *data, size_t size); /* the caller frees it */
/* The bytes that 'text' stands for, with a NUL after them; NULL if it is no base64.  Line ends are passed over.  The caller frees it. */
char *base64_bytes(const char *text, size_t *size);
