/* gutenberg.c - finds the lines that stand around a book of Project Gutenberg. */
#include "data/text/gutenberg.h"

#include <string.h>

static bool is_gap(char c)
{
    return c == ' ' || c == '\t' || c == '*' || c == '\r';
}

/* Whether [at, end) begins with these words, in small letters here, in any case and with any gaps there. */
static bool says(const char *at, const char *end, const char *words)
{
    for (; *words; words++) {
        if (*words == ' ') {
            if (at == end || !is_gap(*at)) return false;
            while (at < end && is_gap(*at)) at++;
            continue;
        }
        if (at == end || (*at >= 'A' && *at <= 'Z' ? *at + 32 : *at) != *words) return false;
        at++;
    }
    return true;
}

typedef enum mark { NONE, BEFORE, BEHIND } mark;

static mark mark_of(const char *line, const char *end)
{
    bool stars = false;
    const char *at = line;
    for (; at < end && is_gap(*at); at++) stars |= *at == '*';
    if (stars && (says(at, end, "start of the project gutenberg") || says(at, end, "start of this project gutenberg") ||
                  says(at, end, "start of project gutenberg") || says(at, end, "end the small print")))
        return BEFORE;
    return says(at, end, "end of the project gutenberg") || says(at, end, "end of this project gutenberg") ||
                   says(at, end, "end of project gutenberg") ? BEHIND : NONE;
}

static const char *line_end(const char *at, const char *end)
{
    const char *found = memchr(at, '\n', (size_t)(end - at));
    return found ? found : end;
}

static bool ends_with_stars(const char *line, const char *end)
{
    while (end > line && (end[-1] == ' ' || end[-1] == '\r')) end--;
    return end - line >= 3 && memcmp(end - 3, "***", 3) == 0;
}

/* Behind the line that ends at `at`; a long title takes up to two more, and only the last has its stars. */
static const char *behind_title(const char *line, const char *at, const char *end)
{
    const char *from = at;
    for (int more = 0; !ends_with_stars(line, at) && more < 3; more++) {
        if (more == 2 || at == end) return from;
        line = at + 1;
        at = line_end(line, end);
    }
    return at;
}

static bool is_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at == end;
}

bool tg_gutenberg_body(const char *text, int64_t length, int64_t *begin, int64_t *end)
{
    const char *first = text, *last = text + length;
    bool found = false;
    for (const char *line = text, *stop; line < text + length; line = stop + 1) {
        stop = line_end(line, text + length);
        mark m = mark_of(line, stop);
        if (m == NONE) continue;
        found = true;
        if (m == BEHIND) {
            last = line;
            break;
        }
        stop = behind_title(line, stop, text + length);
        first = stop < text + length ? stop + 1 : stop;
    }
    if (!found) return false;
    for (const char *stop; first < last && is_blank(first, stop = line_end(first, last));)
        first = stop < last ? stop + 1 : stop;
    for (const char *line = last; line > first; last = line) {
        line--; /* the newline that ends the line before; the text's last line may have none */
        while (line > first && line[-1] != '\n') line--;
        if (!is_blank(line, line_end(line, last))) break;
    }
    *begin = first - text;
    *end = last - text;
    return true;
}
