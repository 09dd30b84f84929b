#include "iampolicy/json_out.h"

#include <stdint.h>
#include <string.h>
#include "iampolicy/document.h"

void
iam_put_string(struct buf *out, const char *text, size_t size)
{
    size_t n = size == SIZE_MAX ? strlen(text) : size, plain = 0;
    buf_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            continue;
        }
        size_t sequence =
            c < 0x80 ? 0 : iam_utf8_length((const unsigned char *)text + i, (const unsigned char *)text + n);
        if (sequence) {
            i += sequence - 1;
            continue;
        }
        buf_add(out, text + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            buf_printf(out, "\\%c", c);
        } else if (c == '\n') {
            buf_str_add(out, "\\n");
        } else if (c >= 0x80) {
            buf_str_add(out, "\\ufffd"); /* a byte that is no text, quoted from a line that was refused */
        } else {
            buf_printf(out, "\\u%04x", c);
        }
    }
    buf_add(out, text + plain, n - plain);
    buf_char(out, '"');
}
