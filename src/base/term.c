/* term.c - text for terminals: foreign bytes made safe, and the line that says how far a job is. */
#include "base/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/utf8.h"

/* Characters that act on a terminal or turn the reading direction under the reader. */
static bool is_hostile(uint32_t c)
{
    return (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void add_safe(tg_str *out, const char *bytes, int64_t count, bool one_line)
{
    const char *at = bytes, *end = bytes + count, *plain = bytes; /* plain: start of what may go as it is */
    while (at < end) {
        uint32_t c = 0;
        int n = tg_utf8_next(at, end, &c);
        bool newline = c == '\n' || c == '\t';
        if (n > 0 && !is_hostile(c) && (c >= ' ' || (newline && !one_line))) {
            at += n;
            continue;
        }
        tg_str_add_n(out, plain, at - plain);
        if (n > 0 && one_line && newline) tg_str_add(out, c == '\n' ? "\\n" : "\\t");
        else if (n > 1) tg_str_addf(out, "\\u{%04X}", (unsigned)c);
        else tg_str_addf(out, "\\x%02X", (unsigned)(unsigned char)*at);
        at += n > 0 ? n : 1;
        plain = at;
    }
    tg_str_add_n(out, plain, at - plain);
}

void tg_term_safe(tg_str *out, const char *bytes, int64_t count)
{
    add_safe(out, bytes, count, false);
}

void tg_term_safe_line(tg_str *out, const char *bytes, int64_t count)
{
    add_safe(out, bytes, count, true);
}

bool tg_term_is_tty(int fd)
{
    return isatty(fd) == 1;
}

tg_colours tg_term_colours(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *said = getenv("COLORTERM");
    if (no && *no) return TG_COLOURS_NONE;
    if (said && (!strcmp(said, "truecolor") || !strcmp(said, "24bit"))) return TG_COLOURS_DEEP;
    return term && *term && strcmp(term, "dumb") ? TG_COLOURS_256 : TG_COLOURS_NONE;
}

int tg_term_columns(int fd)
{
    int columns = tg_os_window_columns(fd);
    const char *said = getenv("COLUMNS");
    int64_t n = 0;
    if (columns <= 0 && said && tg_parse_int(said, (int64_t)strlen(said), &n) && n > 0 && n < 10000) columns = (int)n;
    return columns > 0 ? columns : 80;
}

/* ---- progress */

enum { PARTS = 7, LEAST = 4 }; /* fewer columns than LEAST say nothing */

/* "85.1k": three digits that mean something. */
static void add_short(tg_str *out, double x)
{
    static const char *const ends[] = {"", "k", "M", "G", "T"};
    int e = 0;
    for (; x >= 999.5 && e < 4; e++) x /= 1000;
    tg_str_add_fixed(out, x, x >= 99.95 || (e == 0 && x == floor(x)) ? 0 : x >= 9.995 ? 1 : 2);
    tg_str_add(out, ends[e]);
}

static void add_amount(tg_str *out, int64_t n, bool bytes)
{
    char text[32];
    if (bytes) tg_str_add(out, tg_format_bytes(text, (double)n));
    else tg_str_addf(out, "%lld", (long long)n);
}

static void add_done(tg_str *out, const tg_progress *p)
{
    bool bytes = p->unit && strcmp(p->unit, "bytes") == 0;
    add_amount(out, p->done, bytes);
    if (p->total > 0) {
        tg_str_add(out, "/");
        add_amount(out, p->total, bytes);
    }
    if (p->unit && !bytes) tg_str_addf(out, " %s", p->unit);
}

static void add_rate(tg_str *out, const tg_progress *p)
{
    char text[32];
    const char *unit = p->rate_unit ? p->rate_unit : p->unit;
    if (!(p->rate > 0) || !isfinite(p->rate) || !unit) return;
    if (strcmp(unit, "bytes") == 0) {
        tg_str_addf(out, "%s/s", tg_format_bytes(text, p->rate));
        return;
    }
    add_short(out, p->rate);
    tg_str_addf(out, " %s/s", unit);
}

/* A loss in as many decimals as tell two reports apart. */
static void add_figure(tg_str *out, const char *name, double x)
{
    if (isnan(x)) return;
    double size = fabs(x);
    tg_str_addf(out, "%s ", name);
    tg_str_add_fixed(out, x, size >= 100 ? 1 : size >= 1 || size == 0 ? 2 : size >= 0.1 ? 3 : 4);
}

static void fill_part(tg_str *out, const tg_progress *p, int part)
{
    char text[32];
    switch (part) {
    case 0: tg_str_add(out, p->what ? p->what : ""); break;
    case 1: add_done(out, p); break;
    case 2:
        if (p->total > 0) tg_str_addf(out, "%d%%", (int)(100.0 * (double)p->done / (double)p->total));
        break;
    case 3: add_rate(out, p); break;
    case 4:
        if (p->seconds_left >= 0 && isfinite(p->seconds_left) && !p->final)
            tg_str_addf(out, "left %s", tg_format_seconds(text, p->seconds_left));
        break;
    case 5: add_figure(out, "loss", p->loss); break;
    case 6: add_figure(out, "val", p->val_loss); break;
    default: break;
    }
}

/* What goes first where the line is too narrow: rate, percent, validation, time left, loss, done. */
static const int dispensable[] = {3, 2, 6, 4, 5, 1};

void tg_term_progress(tg_str *out, const tg_progress *p, int columns)
{
    tg_str parts[PARTS] = {{0}};
    int64_t width = 0;
    for (int i = 0; i < PARTS; i++) {
        fill_part(&parts[i], p, i);
        if (parts[i].failed) out->failed = true;
        if (parts[i].length) width += tg_utf8_columns(parts[i].data, parts[i].length) + (width ? 2 : 0);
    }
    for (int i = 0; i < PARTS - 1 && width > columns; i++) {
        tg_str *part = &parts[dispensable[i]];
        if (!part->length) continue;
        width -= tg_utf8_columns(part->data, part->length) + 2;
        tg_str_clear(part);
    }
    if (width > columns && columns >= LEAST) { /* only the name is left: its start */
        width = columns;
        parts[0].length = tg_utf8_cut(parts[0].data, parts[0].length, columns);
    }
    for (int i = 0, first = 1; i < PARTS && width <= columns; i++) {
        if (!parts[i].length) continue;
        if (!first) tg_str_add(out, "  ");
        tg_str_add_n(out, parts[i].data, parts[i].length);
        first = 0;
    }
    for (int i = 0; i < PARTS; i++) tg_str_free(&parts[i]);
}
