/* cloud/flow_word.h - protocol and port in one word: tcp/5432, udp/53, icmp.  Used by: ops_reach.c, ops_trace.c */
#pragma once
#include "base/err.h"

/* '*port' is -1 where the word has none.  ERR_USAGE where it is no such word. */
bool flow_word_read(const char *word, int *protocol, int *port, struct err *err);
