/* cloud/load_text.h - how the answer of `load` says its amounts.  Used by: ops_load.c, load_inside.c */
#pragma once
#include "cloud/op.h"

json_t *load_amount_json(long long bytes, long long packets); /* packets -1: nobody counted them */
void load_amount_text(struct buf *text, const json_t *amount); /* "1.50 MB in 42 packets" */
void load_scaled_text(struct buf *text, double number, double kilo, const char *unit);
void load_text(const json_t *out, struct buf *text);
