/* status.c - the calling thread's last message, the library's only state outside of handles. A message that is too
 * long keeps its beginning and ends in "...", never in half a character. */
#include "base/status.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4096 };

static _Thread_local struct { tg_status code; char text[ROOM]; } last = {TG_EINVAL, ""};

const char *tg_error(void)
{
    return last.text;
}

/* Ends text, of which ROOM - 1 bytes are filled, with an ellipsis behind its last whole character. */
static void cut(char text[ROOM])
{
    int end = ROOM - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) end--;
    memcpy(text + end, "...", 4);
}

/* The arguments may point into the old message, so the new one is made beside it. */
tg_status tg_fail(tg_status code, const char *format, ...)
{
    char text[ROOM] = "";
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, ROOM, format, args);
    va_end(args);
    if (length >= ROOM) cut(text);
    last.code = code;
    memcpy(last.text, text, strlen(text) + 1);
    return code;
}

tg_status tg_note(const char *format, ...)
{
    char text[ROOM] = "";
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, ROOM, format, args);
    va_end(args);
    if (length < 0) length = 0;
    if (length < ROOM && !strncmp(last.text, text, (size_t)length) && last.text[length] == ':')
        return last.code; /* it says so already */
    if (length < ROOM) length += snprintf(text + length, (size_t)(ROOM - length), ": %s", last.text);
    if (length >= ROOM) cut(text);
    memcpy(last.text, text, strlen(text) + 1);
    return last.code;
}
