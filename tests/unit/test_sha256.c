#include "base/sha256.h"
#include "tests/test.h"

TEST(digests_of_fips_180)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t digest[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        sha256(cases[i].text, strlen(cases[i].text), digest);
        sha256_hex(digest, hex);
        CHECK_STR(hex, cases[i].hex, "%s", cases[i].text);
    }
}

TEST(hmac_of_rfc_4231)
{
    static const struct {
        const char *key, *text, *hex;
    } cases[] = {
        { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa\xaa\xaa"
          "\xaa\xaa\xaa",
          "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t digest[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        hmac_sha256(cases[i].key, strlen(cases[i].key), cases[i].text, strlen(cases[i].text), digest);
        sha256_hex(digest, hex);
        CHECK_STR(hex, cases[i].hex, "%s", cases[i].text);
    }
}

TEST_MAIN
