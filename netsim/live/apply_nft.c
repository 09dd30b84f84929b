#include "netsim/live/apply_nft.h"

#include <string.h>

#define TABLE            "inet vpc"
#define ELEMENTS_AT_ONCE 256

/* What a command becomes on the way to the kernel, in bytes; generous. */
enum { RULE_SIZE = 800, ELEMENT_SIZE = 160, OTHER_SIZE = 300 };

static const struct plan_ns nothing;

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void
nft_rules(const struct plan_chain *chain, struct buf *out)
{
    for (const char *line = chain->rules; *line;) {
        const char *end = strchrnul(line, '\n');
        buf_str_add(out, "add rule " TABLE " ");
        buf_str_add(out, chain->name);
        buf_char(out, ' ');
        buf_add(out, line, (size_t)(end - line));
        buf_char(out, '\n');
        line = *end ? end + 1 : end;
    }
}

/* Elements of a set that came or went, as one command; nothing if there are none.  A changed one goes and comes. */
static void
write_elements(struct buf *out, const char *verb, const struct plan_set *from, const struct plan_set *to, bool gone)
{
    static const struct plan_set no_set;
    size_t n = 0;
    from = from ? from : &no_set;
    to = to ? to : &no_set;
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->elements, &to->elements, plan_element_compare);) {
        const struct plan_element *was = m.was, *is = m.is;
        bool changed = !was || !is || !same_text(was->data, is->data);
        const struct plan_element *e = gone ? was : is;
        if (!changed || !e) {
            continue;
        }
        if (n++ % ELEMENTS_AT_ONCE) {
            buf_str_add(out, ", ");
        } else {
            buf_printf(out, "%s%s element " TABLE " %s { ", n > 1 ? " }\n" : "", verb, (gone ? from : to)->name);
        }
        buf_str_add(out, e->key);
        if (e->data) {
            buf_str_add(out, " : ");
            buf_str_add(out, e->data);
        }
    }
    if (n) {
        buf_str_add(out, " }\n");
    }
}

void
nft_elements(const struct plan_set *set, struct buf *out)
{
    write_elements(out, "add", NULL, set, false);
}

void
nft_chain(const struct plan_chain *chain, struct buf *out)
{
    if (*chain->head) {
        buf_printf(out, "add chain " TABLE " %s { %s }\n", chain->name, chain->head);
    } else {
        buf_printf(out, "add chain " TABLE " %s\n", chain->name);
    }
}

static void
write_set(struct buf *out, const struct plan_set *set)
{
    const char *space = strchr(set->head, ' '); /* "map NAME { ... }" */
    buf_printf(out, "add %.*s " TABLE "%s\n", (int)(space - set->head), set->head, space);
}

static bool
is_map(const struct plan_set *set)
{
    return strncmp(set->head, "map ", 4) == 0;
}

/* A chain that comes and that no hook calls. */
static bool
is_new(const struct plan_chain *was, const struct plan_chain *is)
{
    return !was && is && !*is->head;
}

/* What nothing refers to as yet.  References decide the order, as below. */
static void
write_new(const struct plan_ns *from, const struct plan_ns *to, struct buf *out)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        if (is_new(m.was, m.is)) {
            nft_chain(m.is, out);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        if (!m.was) {
            write_set(out, m.is);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        if (!m.was) {
            write_elements(out, "add", NULL, m.is, false);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        if (is_new(m.was, m.is)) {
            nft_rules(m.is, out);
        }
    }
}

void
nft_undo_new(const struct plan_ns *from, const struct plan_ns *to, struct buf *out)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        if (is_new(m.was, m.is)) {
            buf_printf(out, "flush chain " TABLE " %s\n", ((const struct plan_chain *)m.is)->name);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        if (!m.was) {
            buf_printf(out, "delete set " TABLE " %s\n", ((const struct plan_set *)m.is)->name);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        if (is_new(m.was, m.is)) {
            buf_printf(out, "delete chain " TABLE " %s\n", ((const struct plan_chain *)m.is)->name);
        }
    }
}

static void
delete_gone(const struct plan_ns *from, const struct plan_ns *to, struct buf *out)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        const struct plan_chain *was = m.was, *is = m.is;
        if (!is) {
            buf_printf(out, "delete chain " TABLE " %s\n", was->name);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        const struct plan_set *was = m.was, *is = m.is;
        if (!is) {
            buf_printf(out, "delete set " TABLE " %s\n", was->name);
        }
    }
}

void
nft_diff(const struct plan_ns *from, const struct plan_ns *to, struct buf *first, struct buf *out)
{
    bool fresh = !from || !(from->chains.n || from->sets.n || from->whole);
    if (fresh && !(to->chains.n || to->sets.n)) {
        return;
    }
    from = fresh ? &nothing : from;
    if (fresh) {
        buf_str_add(out, "add table " TABLE "\n");
        first = NULL; /* nobody's packets pass as yet */
    }
    if (first) {
        write_new(from, to, first);
    }
    /* References decide the order: what is named must be there before, what is deleted must not be named any more. */
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        if (!m.was && !(first && is_new(m.was, m.is))) {
            nft_chain(m.is, out);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        if (!m.was && !first) {
            write_set(out, m.is);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        const struct plan_chain *was = m.was, *is = m.is;
        if (was && (!is || !same_text(was->rules, is->rules))) {
            buf_printf(out, "flush chain " TABLE " %s\n", was->name);
        }
    }
    /* A set that goes takes its elements along, and a packet that is under way by rules of before still meets them;
     * what a map's elements refer to must be free first. */
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        const struct plan_set *was = m.was, *is = m.is;
        if (was && (is || is_map(was))) {
            write_elements(out, "delete", was, is, true);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        const struct plan_set *was = m.was, *is = m.is;
        if (is && !(first && !was)) {
            write_elements(out, "add", was, is, false);
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->chains, &to->chains, plan_chain_compare);) {
        const struct plan_chain *was = m.was, *is = m.is;
        if (is && (!was || !same_text(was->rules, is->rules)) && !(first && is_new(was, is))) {
            nft_rules(is, out);
        }
    }
    delete_gone(from, to, out);
}

size_t
nft_piece(const char *text, size_t limit)
{
    size_t size = 0;
    const char *line = text;
    while (*line) {
        const char *end = strchrnul(line, '\n');
        size_t weight = OTHER_SIZE;
        if (strncmp(line, "add rule", 8) == 0) {
            weight = RULE_SIZE;
        } else if (strncmp(line, "add element", 11) == 0 || strncmp(line, "delete element", 14) == 0) {
            for (const char *p = line; p < end; p++) {
                weight += *p == ',' ? ELEMENT_SIZE : 0;
            }
        }
        if (size && size + weight > limit) {
            break;
        }
        size += weight;
        line = *end ? end + 1 : end;
    }
    return (size_t)(line - text);
}
