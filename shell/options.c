#include "shell/options.h"

#include <string.h>

#define AT(member) offsetof(struct options, member)
/* The place of options that mean nothing here: what pasted `aws` lines carry. */
#define NOWHERE ((size_t)-1)

const struct global_option global_options[] = {
    { "lab", 0, "NAME|DIR", NULL, "the lab to work on; VPCLAB_LAB, else `default`", AT(lab) },
    { "region", 0, "REGION", NULL, "the region, such as us-east-1", AT(region) },
    { "as", 0, "PRINCIPAL", NULL, "who acts: a user, role or session; else `root`", AT(as) },
    { "output", 'o', "FORMAT", "json table text record", "how the answer is printed; VPCLAB_OUTPUT", AT(output) },
    { "query", 0, "JMESPATH", NULL, "a part of the answer, as in `aws`", AT(query) },
    { "color", 0, "WHEN", "auto always never", "colour; auto is on a terminal, without NO_COLOR", AT(color) },
    { "no-pager", 0, NULL, NULL, "print long answers straight away", AT(no_pager) },
    { "quiet", 'q', NULL, NULL, "ids only; of a question, only the exit status", AT(quiet) },
    { "verbose", 'v', NULL, NULL, "say what is being done", AT(verbose) },
    { "dry-run", 'n', NULL, NULL, "check, and say what would happen, without doing it", AT(dry_run) },
    { "no-rc", 0, NULL, NULL, "skip the start-up commands of the shell", AT(no_rc) },
    { "help", 'h', NULL, NULL, "help for the command", AT(help) },
    { "version", 'V', NULL, NULL, "print the version", AT(version) },
    { "endpoint-url", 0, "URL", NULL, NULL, NOWHERE },
    { "profile", 0, "NAME", NULL, NULL, NOWHERE },
    { "no-cli-pager", 0, NULL, NULL, NULL, NOWHERE },
    { NULL, 0, NULL, NULL, NULL, 0 },
};

const struct global_option *
global_option_find(const char *word, bool *takes_value)
{
    *takes_value = false;
    if (word[0] != '-' || !word[1]) {
        return NULL;
    }
    for (const struct global_option *o = global_options; o->name; o++) {
        if (word[1] != '-') {
            if (o->letter == word[1] && (!word[2] || o->value)) {
                *takes_value = o->value && !word[2];
                return o;
            }
            continue;
        }
        size_t size = strlen(o->name);
        if (strncmp(word + 2, o->name, size) == 0 && (word[2 + size] == '\0' || word[2 + size] == '=')) {
            *takes_value = o->value && !word[2 + size];
            return o;
        }
    }
    return NULL;
}

static bool
is_choice(const char *choices, const char *value)
{
    size_t size = strlen(value);
    for (const char *c = choices; size && (c = strstr(c, value)); c += size) {
        if ((c == choices || c[-1] == ' ') && (c[size] == ' ' || !c[size])) {
            return true;
        }
    }
    return false;
}

static bool
set_option(struct options *options, const struct global_option *o, const char *value, struct err *err)
{
    if (o->value && o->choices && !is_choice(o->choices, value)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a value of --%s", value, o->name);
        return err_hint(err, "one of: %s", o->choices);
    }
    if (o->offset == NOWHERE) {
        return true;
    }
    char *place = (char *)options + o->offset;
    if (o->value) {
        *(const char **)place = value;
    } else {
        *(bool *)place = true;
    }
    return true;
}

bool
options_take(struct options *options, size_t *n, char **words, size_t end, struct err *err)
{
    size_t kept = 0, i = 0;
    while (i < *n) {
        bool next;
        char *word = words[i++];
        const struct global_option *o = NULL;
        if (i <= end && strcmp(word, "--") == 0) {
            end = 0;
        }
        if (i <= end) {
            o = global_option_find(word, &next);
        }
        if (!o) {
            words[kept++] = word;
            continue;
        }
        const char *value = strchr(word, '=');
        if (word[1] != '-') {
            value = word[2] ? word + 2 : NULL;
        } else if (value) {
            value++;
        }
        if (next && i == *n) {
            err_set(err, ERR_USAGE, "", "`--%s` needs a value: %s", o->name, o->value);
            return o->choices ? err_hint(err, "one of: %s", o->choices) : false;
        }
        if (!o->value && value) {
            return err_set(err, ERR_USAGE, "", "`--%s` takes no value", o->name);
        }
        if (!set_option(options, o, next ? words[i++] : value, err)) {
            return false;
        }
    }
    *n = kept;
    return true;
}
