/* base64.h - bytes as letters (RFC 4648, section 4, with padding), for pages and JSON. */
#ifndef TG_BASE_BASE64_H
#define TG_BASE_BASE64_H
#include "base/str.h"

/* In pieces: start from (tg_base64){.out = &text}, and end it. */
typedef struct tg_base64 { tg_str *out; uint32_t bits; int bytes; } tg_base64;
void tg_base64_put(tg_base64 *b, const void *bytes, int64_t count);
void tg_base64_end(tg_base64 *b);
void tg_base64_add(tg_str *out, const void *bytes, int64_t count); /* all at once */
#endif
