/* str.c - the builder, and finding the name that somebody meant. */
#include "base/str.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* Room for `more` bytes and the NUL behind what is there. */
static bool reserve(tg_str *s, int64_t more)
{
    if (s->failed) return false;
    if (more < 0 || more > INT64_MAX / 4 - s->length) {
        tg_fail(TG_ENOMEM, "out of memory: a text grew beyond all measure; use smaller input");
        s->failed = true;
        return false;
    }
    int64_t need = s->length + more + 1;
    if (need <= s->room) return true;
    int64_t room = s->room < 48 ? 64 : s->room + s->room / 2;
    if (room < need) room = need;
    char *data = tg_realloc(s->data, s->room, room);
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->room = room;
    return true;
}

void tg_str_add_n(tg_str *s, const char *bytes, int64_t count)
{
    if (!reserve(s, count)) return;
    if (count) memcpy(s->data + s->length, bytes, (size_t)count);
    s->length += count;
    s->data[s->length] = 0;
}

void tg_str_add(tg_str *s, const char *text)
{
    tg_str_add_n(s, text, (int64_t)strlen(text));
}

void tg_str_addf(tg_str *s, const char *format, ...)
{
    char text[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < (int)sizeof text) {
        tg_str_add_n(s, text, length);
    } else if (reserve(s, length)) {
        vsnprintf(s->data + s->length, (size_t)length + 1, format, again);
        s->length += length;
    }
    va_end(again);
}

void tg_str_add_real(tg_str *s, double x)
{
    char text[32];
    tg_str_add_n(s, text, tg_format_real(text, x));
}

void tg_str_add_word(tg_str *s, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:@%,=-";
    if (*name && strspn(name, plain) == strlen(name) && *name != '-') {
        tg_str_add(s, name);
        return;
    }
    tg_str_add(s, *name == '-' ? "./'" : "'"); /* no option */
    for (const char *at = name; *at; at++) {
        if (*at == '\'') tg_str_add(s, "'\\''");
        else tg_str_add_n(s, at, 1);
    }
    tg_str_add(s, "'");
}

void tg_str_clear(tg_str *s)
{
    s->length = 0;
    s->failed = false;
    if (s->data) s->data[0] = 0;
}

void tg_str_free(tg_str *s)
{
    tg_free(s->data);
    *s = (tg_str){0};
}

bool tg_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum { LONGEST_NAME = 64 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that lead from a to b; both at most LONGEST_NAME long. */
static int edit_distance(const char *a, int a_length, const char *b, int b_length)
{
    int rows[3][LONGEST_NAME + 1];
    for (int i = 0; i <= a_length; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* Near enough: one slip in three letters, and not a wholly different word. The first of equally near ones. */
const char *tg_nearest(const char *word, const char *const *names, int64_t count)
{
    size_t length = strlen(word);
    if (length == 0 || length > LONGEST_NAME) return NULL;
    int allowed = least(((int)length + 2) / 3, (int)length - 1), best = allowed + 1;
    const char *found = NULL;
    for (int64_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]);
        if (n > LONGEST_NAME) continue;
        int distance = edit_distance(word, (int)length, names[i], (int)n);
        if (distance < best && distance < (int)n) {
            best = distance;
            found = names[i];
        }
    }
    return found;
}
