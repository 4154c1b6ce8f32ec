/* number.c - numbers to and from text, correctly rounded, in integers only: neither libc's locale nor its digits can
 * change a byte. A double that the fast way cannot do passes through `decimal`, a row of digits that is multiplied
 * and divided by powers of two: slow (microseconds) and simple. */
#include "base/status.h"
#include "base/str.h"

#include <string.h>

/* A double has at most 767 significant digits, so digits behind these only matter by being there. */
enum { DIGITS = 800, SHIFT = 60, POINT_LIMIT = 100000 };

/* 0.d0 d1 d2 ... * 10^point; no leading or trailing zeros; count 0: zero. */
typedef struct decimal {
    int count, point;
    bool more; /* digits behind the last were cut off, not all of them zero */
    uint8_t digit[DIGITS];
} decimal;

static void trim(decimal *d)
{
    while (d->count > 0 && d->digit[d->count - 1] == 0) d->count--;
    if (d->count == 0) d->point = 0;
}

/* d *= 2^bits, bits <= SHIFT: carry <= 10 * 2^60 stays below 2^64. */
static void multiply(decimal *d, int bits)
{
    uint8_t digit[DIGITS + 20];
    int end = d->count + 20, at = end;
    uint64_t carry = 0;
    for (int i = d->count - 1; i >= 0 || carry > 0; i--) {
        if (i >= 0) carry += (uint64_t)d->digit[i] << bits;
        digit[--at] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    int count = end - at;
    d->point += count - d->count;
    d->count = count < DIGITS ? count : DIGITS;
    memcpy(d->digit, digit + at, (size_t)d->count);
    for (int i = at + d->count; i < end; i++) d->more |= digit[i] != 0;
    trim(d);
}

/* d /= 2^bits, bits <= SHIFT. */
static void divide(decimal *d, int bits)
{
    uint64_t rest = 0, mask = (UINT64_C(1) << bits) - 1;
    int read = 0, write = 0;
    while (read < d->count || rest > 0) {
        rest = rest * 10 + (read < d->count ? d->digit[read] : 0);
        read++;
        uint8_t digit = (uint8_t)(rest >> bits);
        rest &= mask;
        if (write == 0 && digit == 0) {
            d->point--;
        } else if (write < DIGITS) {
            d->digit[write++] = digit;
        } else {
            d->more |= digit != 0;
        }
    }
    d->count = write;
    trim(d);
}

static void scale(decimal *d, int power_of_two)
{
    for (; power_of_two > SHIFT; power_of_two -= SHIFT) multiply(d, SHIFT);
    for (; power_of_two < -SHIFT; power_of_two += SHIFT) divide(d, SHIFT);
    if (power_of_two > 0) multiply(d, power_of_two);
    if (power_of_two < 0) divide(d, -power_of_two);
}

static decimal decimal_of(uint64_t integer, int power_of_two)
{
    decimal d = {.count = 0};
    uint8_t digit[20];
    int at = 20;
    for (; integer > 0; integer /= 10) digit[--at] = (uint8_t)(integer % 10);
    d.count = d.point = 20 - at;
    memcpy(d.digit, digit + at, (size_t)d.count);
    trim(&d);
    scale(&d, power_of_two);
    return d;
}

/* Would the first `count` digits (may be <= 0) be rounded up? Ties go to the even digit. */
static bool rounds_up(const decimal *d, int count)
{
    if (count < 0 || count >= d->count) return false;
    if (d->digit[count] != 5 || count + 1 < d->count || d->more) return d->digit[count] >= 5;
    return count > 0 && d->digit[count - 1] % 2 == 1;
}

/* Keeps `count` >= 0 digits and adds one in the last place if `up`. */
static void keep_digits(decimal *d, int count, bool up)
{
    if (count < d->count) d->count = count;
    if (up) {
        for (; d->count < count; d->count++) d->digit[d->count] = 0;
        while (d->count > 0 && d->digit[d->count - 1] == 9) d->count--;
        if (d->count == 0) {
            d->digit[d->count++] = 1;
            d->point++;
        } else {
            d->digit[d->count - 1]++;
        }
    }
    trim(d);
}

static int compare(const decimal *a, const decimal *b)
{
    if (a->count == 0 || b->count == 0) return (a->count > 0) - (b->count > 0);
    if (a->point != b->point) return a->point < b->point ? -1 : 1;
    int both = a->count < b->count ? a->count : b->count;
    int order = memcmp(a->digit, b->digit, (size_t)both);
    return order ? order : a->count - b->count;
}

/* ---- text to number */

bool tg_parse_int(const char *text, int64_t length, int64_t *out)
{
    int64_t x = 0, i = 0;
    bool minus = length > 0 && text[0] == '-';
    if (minus || (length > 0 && text[0] == '+')) i = 1;
    if (i >= length) return false;
    for (; i < length; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9) return false;
        if (__builtin_mul_overflow(x, 10, &x)) return false;
        if (__builtin_add_overflow(x, minus ? -digit : digit, &x)) return false;
    }
    *out = x;
    return true;
}

/* [+-] digits [. digits] [(e|E) [+-] digits], with a digit before or behind the point; digits go into d. */
static bool read_decimal(const char *text, int64_t length, decimal *d, bool *minus)
{
    int64_t i = 0, digits = 0, point = 0;
    bool fraction = false;
    *minus = length > 0 && text[0] == '-';
    if (length > 0 && (text[0] == '-' || text[0] == '+')) i++;
    for (; i < length; i++) {
        if (text[i] == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') break;
        digits++;
        if (d->count == 0 && text[i] == '0') {
            point -= fraction;
            continue;
        }
        point += !fraction;
        if (d->count < DIGITS) {
            d->digit[d->count++] = (uint8_t)(text[i] - '0');
        } else {
            d->more |= text[i] != '0';
        }
    }
    if (digits == 0) return false;
    if (i < length) {
        if (text[i] != 'e' && text[i] != 'E') return false;
        i++;
        bool down = i < length && text[i] == '-';
        if (i < length && (text[i] == '-' || text[i] == '+')) i++;
        if (i >= length) return false;
        int64_t exponent = 0, limit = INT64_MAX / 100;
        for (; i < length; i++) {
            if (text[i] < '0' || text[i] > '9') return false;
            if (exponent < limit) exponent = exponent * 10 + (text[i] - '0');
        }
        point += down ? -exponent : exponent;
    }
    d->point = (int)(point < -POINT_LIMIT ? -POINT_LIMIT : point > POINT_LIMIT ? POINT_LIMIT : point);
    trim(d);
    return true;
}

/* At most 2^53 times or by at most 10^22: both are exact, so one operation rounds correctly (Clinger 1990). */
static bool quick_value(const decimal *d, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int exponent = d->point - d->count;
    if (d->count > 15 || exponent < -22 || exponent > 22) return false;
    int64_t integer = 0;
    for (int i = 0; i < d->count; i++) integer = integer * 10 + d->digit[i];
    *out = exponent < 0 ? (double)integer / powers[-exponent] : (double)integer * powers[exponent];
    return true;
}

/* The integer nearest to d < 2^63, ties to even. */
static uint64_t nearest_integer(const decimal *d)
{
    uint64_t n = 0;
    for (int i = 0; i < d->point; i++) n = n * 10 + (i < d->count ? d->digit[i] : 0);
    return n + rounds_up(d, d->point);
}

/* Steps that bring 0.d0d1... * 10^point towards [1/2, 1): 2^steps[n] <= 10^n. */
static int step_of(int point)
{
    static const int steps[] = {1, 3, 6, 9, 13, 16, 19, 23, 26, 29, 33, 36, 39, 43, 46, 49, 53, 56, 59};
    return point < (int)(sizeof steps / sizeof *steps) ? steps[point] : SHIFT - 1;
}

/* The bits of the double nearest to d; false: too large. */
static bool slow_value(decimal *d, uint64_t *bits)
{
    *bits = 0;
    if (d->count == 0 || d->point < -330) return true;
    if (d->point > 310) return false;
    int exponent = 0; /* the value is d * 2^exponent all the time */
    while (d->point > 0) {
        int step = step_of(d->point);
        scale(d, -step);
        exponent += step;
    }
    while (d->point < 0 || d->digit[0] < 5) {
        int step = step_of(-d->point);
        scale(d, step);
        exponent -= step;
    }
    if (exponent < -1021) { /* denormal: 2^-1022 is the smallest with all 53 bits */
        scale(d, exponent + 1021);
        exponent = -1021;
    }
    scale(d, 53);
    uint64_t mantissa = nearest_integer(d);
    if (mantissa >> 53) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent > 1024) return false;
    if (mantissa >> 52) *bits = (uint64_t)(exponent + 1022) << 52;
    *bits |= mantissa & ((UINT64_C(1) << 52) - 1);
    return true;
}

bool tg_parse_real(const char *text, int64_t length, double *out)
{
    decimal d;
    d.count = d.point = 0;
    d.more = false;
    bool minus;
    double x;
    if (!read_decimal(text, length, &d, &minus)) return false;
    if (!quick_value(&d, &x)) {
        uint64_t bits;
        if (!slow_value(&d, &bits)) return false;
        memcpy(&x, &bits, sizeof x);
    }
    *out = minus ? -x : x;
    return true;
}

/* ---- number to text */

/* |x| = mantissa * 2^exponent; word is set where x is no number. */
typedef struct parts {
    bool minus;
    uint64_t mantissa;
    int exponent;
    const char *word;
} parts;

static parts take_apart(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int raised = (int)(bits >> 52 & 2047);
    parts p = {.minus = bits >> 63, .mantissa = bits & ((UINT64_C(1) << 52) - 1)};
    if (raised == 2047) {
        p.word = p.mantissa ? "nan" : "inf";
        p.minus &= p.mantissa == 0;
    }
    if (raised) p.mantissa |= UINT64_C(1) << 52;
    p.exponent = (raised ? raised : 1) - 1075;
    return p;
}

/* All decimals between the middles towards the two neighbours read back as the same double (the middles too, if its
 * mantissa is even). The fewest digits that lie there; of these the nearest. */
static decimal shortest(uint64_t mantissa, int exponent)
{
    decimal exact = decimal_of(mantissa, exponent);
    bool narrow_below = mantissa == UINT64_C(1) << 52 && exponent > -1074; /* a power of two */
    decimal low = narrow_below ? decimal_of(4 * mantissa - 1, exponent - 2)
                               : decimal_of(2 * mantissa - 1, exponent - 1);
    decimal high = decimal_of(2 * mantissa + 1, exponent - 1);
    int allowed = mantissa % 2 == 0 ? 0 : 1;
    for (int digits = 1; digits < 17; digits++) {
        bool nearer_up = rounds_up(&exact, digits);
        for (int other = 0; other < 2; other++) {
            decimal d = exact;
            keep_digits(&d, digits, nearer_up != (other == 1));
            if (compare(&d, &low) >= allowed && compare(&high, &d) >= allowed) return d;
        }
    }
    keep_digits(&exact, 17, rounds_up(&exact, 17));
    return exact;
}

static char *add_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length + 1);
    return at + length;
}

static char *add_zeros(char *at, int count)
{
    if (count > 0) memset(at, '0', (size_t)count);
    return at + (count > 0 ? count : 0);
}

static char *add_digits(char *at, const decimal *d, int from, int to)
{
    for (int i = from; i < to; i++) *at++ = (char)('0' + (i < d->count ? d->digit[i] : 0));
    return at;
}

/* ECMA-262, Number::toString: plain from 1e-6 to 1e21, else with an exponent. */
static char *lay_out(char *at, const decimal *d)
{
    int point = d->point, count = d->count;
    if (count == 0) return add_zeros(at, 1);
    if (point > 0 && point <= 21) {
        at = add_digits(at, d, 0, point);
        if (count > point) *at++ = '.';
        return add_digits(at, d, point, count);
    }
    if (point > -6 && point <= 0) {
        at = add_zeros(at, 1);
        *at++ = '.';
        return add_digits(add_zeros(at, -point), d, 0, count);
    }
    at = add_digits(at, d, 0, 1);
    if (count > 1) *at++ = '.';
    at = add_digits(at, d, 1, count);
    int exponent = point - 1;
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    decimal e = decimal_of((uint64_t)(exponent < 0 ? -exponent : exponent), 0);
    return add_digits(at, &e, 0, e.point);
}

int tg_format_real(char out[32], double x)
{
    parts p = take_apart(x);
    char *at = out;
    if (p.minus) *at++ = '-';
    if (p.word) {
        at = add_text(at, p.word);
    } else {
        decimal d = p.mantissa ? shortest(p.mantissa, p.exponent) : decimal_of(0, 0);
        at = lay_out(at, &d);
    }
    *at = 0;
    return (int)(at - out);
}

/* Exact digits, ties to even, as printf's %.*f; at most 310 + places bytes. Returns the end, where a NUL stands. */
static char *add_fixed(char *at, double x, int places)
{
    parts p = take_apart(x);
    if (p.minus) *at++ = '-';
    if (p.word) return add_text(at, p.word);
    decimal d = decimal_of(p.mantissa, p.exponent);
    int keep = d.point + places;
    if (keep < 0) {
        d.count = d.point = 0;
    } else {
        keep_digits(&d, keep, rounds_up(&d, keep));
    }
    at = d.point > 0 ? add_digits(at, &d, 0, d.point) : add_zeros(at, 1);
    if (places > 0) {
        int zeros = d.point < 0 ? -d.point : 0, from = d.point > 0 ? d.point : 0;
        *at++ = '.';
        at = add_zeros(at, zeros);
        at = add_digits(at, &d, from, from + places - zeros);
    }
    *at = 0;
    return at;
}

void tg_str_add_fixed(tg_str *s, double x, int decimals)
{
    char text[400];
    int places = decimals < 0 ? 0 : decimals > 60 ? 60 : decimals;
    tg_str_add_n(s, text, add_fixed(text, x, places) - text);
}

/* ---- for people; out holds at least 32 bytes */

char *tg_format_bytes(char *out, double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
    int unit = 0;
    if (!(bytes >= 0 && bytes < 1e18)) {
        add_text(out, "an unknown size");
        return out;
    }
    while (bytes >= (unit ? 1023.95 : 1023.5)) { /* what would be printed as 1024 */
        bytes /= 1024;
        unit++;
    }
    add_text(add_fixed(out, bytes, unit ? 1 : 0), units[unit]);
    return out;
}

char *tg_format_count(char *out, int64_t n)
{
    decimal d = decimal_of(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 0);
    char *at = out;
    if (n < 0) *at++ = '-';
    if (n == 0) *at++ = '0';
    for (int i = 0; i < d.point; i++) {
        if (i > 0 && (d.point - i) % 3 == 0) *at++ = ',';
        at = add_digits(at, &d, i, i + 1);
    }
    *at = 0;
    return out;
}

char *tg_format_seconds(char *out, double seconds)
{
    static const struct { int64_t size; const char *name; } units[] = {
        {86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}
    };
    if (!(seconds >= 0 && seconds < 1e12)) {
        add_text(out, "an unknown time");
    } else if (seconds < 0.9995) {
        add_text(add_fixed(out, seconds * 1000, 0), " ms");
    } else if (seconds < 9.95) {
        add_text(add_fixed(out, seconds, 1), " s");
    } else {
        int64_t whole = (int64_t)(seconds + 0.5);
        int unit = 0;
        while (whole < units[unit].size) unit++;
        int64_t count = whole / units[unit].size, rest = whole % units[unit].size;
        char *at = add_text(add_fixed(out, (double)count, 0), units[unit].name);
        if (unit < 3) {
            *at++ = ' ';
            count = rest / units[unit + 1].size;
            add_text(add_fixed(at, (double)count, 0), units[unit + 1].name);
        }
    }
    return out;
}
