/* base/json_pool.h - memory for the small pieces of large JSON documents; for json.c and whoever builds as many.
 *
 * A dump or a state of tens of megabytes is a million values of 16 to 100 bytes.  The C library's allocator spends a third of the time of reading one
 * on them, and as much again when the first large block is asked for after they were freed: it joins them all.  Here pieces of one size come
 * from runs of pages and go back to a list of their size.
 *
 * jansson takes its allocator for the whole process, so this is the one place with state of its own.  Only what is allocated between begin and
 * end comes from here; whatever jansson frees later goes back to where it came from, so that results of json_dumps() stay free()'s. */
#pragma once

void json_pool_begin(void);
void json_pool_end(void);
