#include "tests/test.h"

#include "cloud/xml_text.h"

TEST(text_in_xml_means_what_it_meant)
{
    static const struct {
        const char *text, *written, *chars;
    } cases[] = {
        { "", "", "" },
        { "web -> db", "web -&gt; db", "web -&gt; db" },
        { "<a b=\"c\">&amp;", "&lt;a b=&quot;c&quot;&gt;&amp;amp;", "&lt;a b=&quot;c&quot;&gt;&amp;amp;" },
        { "1\n2\t3\x01"
          "4\xc3\xa9",
          "1\n2\t3 4\xc3\xa9", "1 2 3 4\xc3\xa9" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = { 0 }, chars = { 0 };
        xml_text(&out, cases[i].text);
        CHECK_STR(buf_str(&out), cases[i].written, "%s", cases[i].text);
        for (const char *c = cases[i].text; *c; c++) {
            xml_char(&chars, *c);
        }
        CHECK_STR(buf_str(&chars), cases[i].chars, "%s, on one line", cases[i].text);
        buf_done(&out);
        buf_done(&chars);
    }
}

TEST_MAIN
