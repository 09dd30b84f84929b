#include "base/err.h"

#include <stdio.h>
#include <string.h>

/* Ends 'text' where a UTF-8 character ends, should vsnprintf have cut one in two, and says that something was cut. */
static void
end_cut_text(char *text, size_t room)
{
    size_t size = room - 1;
    static const char dots[] = "...";
    size -= sizeof dots - 1;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size--;
    }
    memcpy(text + size, dots, sizeof dots);
}

static void
print_into(char *text, size_t room, const char *format, va_list args)
{
    int n = vsnprintf(text, room, format, args);
    if (n < 0) {
        text[0] = '\0';
    } else if ((size_t)n >= room) {
        end_cut_text(text, room);
    }
}

static void __attribute__((format(printf, 3, 4))) printf_into(char *text, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_into(text, room, format, args);
    va_end(args);
}

bool
err_vset(struct err *err, enum err_kind kind, const char *code, const char *format, va_list args)
{
    if (!err || err->kind != ERR_NONE) {
        return false;
    }
    err->kind = kind;
    printf_into(err->code, sizeof err->code, "%s", code ? code : "");
    print_into(err->text, sizeof err->text, format, args);
    return false;
}

bool
err_set(struct err *err, enum err_kind kind, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(err, kind, code, format, args);
    va_end(args);
    return false;
}

bool
err_hint(struct err *err, const char *format, ...)
{
    if (!err || err->kind == ERR_NONE || err->hint[0]) {
        return false;
    }
    va_list args;
    va_start(args, format);
    print_into(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return false;
}

bool
err_at(struct err *err, const char *where, int line, int column)
{
    if (!err || err->kind == ERR_NONE) {
        return false;
    }
    if (where && !err->where[0]) {
        printf_into(err->where, sizeof err->where, "%s", where);
    }
    if (line > 0 && err->line == 0) {
        err->line = line;
        err->column = column;
    }
    return false;
}

void
err_clear(struct err *err)
{
    if (err) {
        *err = (struct err){ 0 };
    }
}

int
err_exit_status(const struct err *err)
{
    static const int status[] = {
        [ERR_NONE] = 0, [ERR_INPUT] = 4, [ERR_USAGE] = 2, [ERR_DOCUMENT] = 3, [ERR_MACHINE] = 5, [ERR_FAULT] = 70,
    };
    return status[err->kind];
}
