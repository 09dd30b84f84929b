/* A line that is complete reads to its end, whatever it is; what is wrong or open says where; a quoted word reads back
 * as it was. */
#include "tests/fuzz/fuzz.h"

#include "shell/line.h"

static const char *
lookup(void *context, const char *name)
{
    (void)context;
    return name[0] == 'v' ? "a 'value' with $signs" : NULL;
}

static enum line_status
read_all(const char *text, bool tolerant, line_lookup *look, struct err *err)
{
    struct line_reader reader;
    struct line_command command;
    enum line_status status;
    size_t n = 0;
    line_reader_init(&reader, text, look, NULL);
    reader.tolerant = tolerant;
    while ((status = line_next(&reader, &command, err)) == LINE_COMMAND) {
        FUZZ_CHECK(command.host || command.variable || command.words.n > 0 || command.sink != LINE_PRINT);
        for (size_t i = 0; i < command.words.n; i++) {
            FUZZ_CHECK(command.words.items[i].start <= command.words.items[i].end);
        }
        line_command_done(&command);
        FUZZ_CHECK(++n <= strlen(text) + 1);
    }
    return status;
}

static void
check_quoting(const char *text)
{
    char *quoted = line_quote(text);
    size_t size = strlen(quoted) + 3;
    char *line = malloc(size);
    struct line_reader reader;
    struct line_command command;
    struct err err = { 0 };
    FUZZ_CHECK(line);
    snprintf(line, size, "x %s", quoted);
    line_reader_init(&reader, line, lookup, NULL);
    FUZZ_CHECK(line_next(&reader, &command, &err) == LINE_COMMAND);
    FUZZ_CHECK(command.words.n == 2 && strcmp(command.words.items[1].text, text) == 0);
    line_command_done(&command);
    free(line);
    free(quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct err err = { 0 }, again = { 0 };
    enum line_status status = line_check(text, &err);
    FUZZ_CHECK(status != LINE_COMMAND);
    FUZZ_CHECK((status == LINE_END) == (err.kind == ERR_NONE));
    FUZZ_CHECK(status == LINE_END || (err.line > 0 && err.column > 0));
    /* With variables only an unknown one can make the difference. */
    enum line_status whole = read_all(text, false, lookup, &again);
    FUZZ_CHECK(whole == status || whole == LINE_WRONG);
    read_all(text, true, lookup, NULL);
    check_quoting(text);
    free(text);
    return 0;
}
