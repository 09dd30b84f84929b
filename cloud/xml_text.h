/* cloud/xml_text.h - text inside XML.  Used by: conn_graph.c, ops_policy_test.c */
#pragma once
#include "base/buf.h"

/* As it may stand in an element or between double quotes.  Control characters, which XML has not, become spaces. */
void xml_char(struct buf *out, char c);
void xml_text(struct buf *out, const char *text); /* but for line feeds and tabs, which it has */
