/* iampolicy/catalog/catalog_data.h - the generated texts behind catalog.h; only catalog.c reads them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct catalog_text {
    const char *prefix; /* "s3" */
    const char *name;   /* "Amazon S3" */
    bool rcp;           /* resource control policies apply to it */
    const char *lines;  /* tools/catalog.py says how to read them */
};
extern const char catalog_version[];
extern const struct catalog_text catalog_global_keys;
extern const struct catalog_text catalog_services[]; /* sorted by prefix */
extern const size_t catalog_n_services;
