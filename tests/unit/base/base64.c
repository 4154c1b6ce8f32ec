/* base64.c - tests of bytes as letters. */
#include "base/base64.h"

#include <string.h>

#include "test.h"

TEST(base64_gives_the_vectors_of_its_specification) /* RFC 4648, section 10 */
{
    static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t n = (int64_t)strlen(cases[i][0]);
        for (int64_t cut = 0; cut <= n; cut++) { /* in one piece and in two */
            tg_str out = {0};
            tg_base64 b = {.out = &out};
            tg_base64_put(&b, cases[i][0], cut);
            tg_base64_put(&b, cases[i][0] + cut, n - cut);
            tg_base64_end(&b);
            CHECK_TEXT(out.data ? out.data : "", cases[i][1]);
            tg_str_free(&out);
        }
    }
}

TEST(base64_knows_all_its_letters)
{
    static const uint8_t bytes[] = {0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93, 0x51,
                                    0x55, 0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92, 0x59, 0xa7, 0xa2, 0x9a,
                                    0xab, 0xb2, 0xdb, 0xaf, 0xc3, 0x1c, 0xb3, 0xd3, 0x5d, 0xb7, 0xe3, 0x9e, 0xbb, 0xf3, 0xdf, 0xbf};
    tg_str out = {0};
    tg_base64_add(&out, bytes, sizeof bytes);
    CHECK_TEXT(out.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    tg_str_free(&out);
}
