/* shell/man.h - the manual page, in troff's man macros, made from the rows.   Uses: help.h.   Used by: builtin.c */
#pragma once
#include "base/buf.h"

void man_page(struct buf *out);
