#include "cloud/xml_text.h"

void
xml_char(struct buf *out, char c)
{
    switch (c) {
    case '&':
        buf_str_add(out, "&amp;");
        break;
    case '<':
        buf_str_add(out, "&lt;");
        break;
    case '>':
        buf_str_add(out, "&gt;");
        break;
    case '"':
        buf_str_add(out, "&quot;");
        break;
    default:
        buf_char(out, (unsigned char)c < ' ' ? ' ' : c);
    }
}

void
xml_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n' || *text == '\t') {
            buf_char(out, *text);
        } else {
            xml_char(out, *text);
        }
    }
}
