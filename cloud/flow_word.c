#include "cloud/flow_word.h"

#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/vec.h"

bool
flow_word_read(const char *word, int *protocol, int *port, struct err *err)
{
    const char *slash = strchr(word, '/');
    char *name = xstrndup(word, slash ? (size_t)(slash - word) : strlen(word)), *end = NULL;
    long number = slash ? strtol(slash + 1, &end, 10) : -1;
    bool known = protocol_parse(name, protocol) && *protocol != PROTOCOL_ALL &&
                 (!slash || (slash[1] >= '0' && slash[1] <= '9' && !*end && number <= 65535));
    free(name);
    if (!known) {
        err_set(err, ERR_USAGE, "", "`%s` is no protocol and port", word);
        return err_hint(err, "like tcp/443, udp/53 or icmp; or --protocol and --port");
    }
    *port = (int)number;
    return true;
}
