/* netsim/analysis/conn_alike.h - rows and columns of a square table that are the same; for conn_ways.c and conn_roles.c. */
#pragma once
#include <stddef.h>

/* like[i] becomes the first k whose row and column equal those of i, and kinds[k] == kinds[i]. */
void conn_find_alike(size_t n, const int *table, const int *kinds, int *like);
