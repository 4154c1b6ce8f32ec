/* scrub_number.c - what a row of digits in groups is: an identity number, a card, a telephone, or none of them. */
#include <string.h>

#include "data/text/scrub_parts.h"

enum { GROUPS = 8, DIGITS = 24 };

/* Groups of digits with one separator each: ' ', '-', '.', '/', '(' for an opening and ')' for a closing parenthesis
 * with the space or hyphen around it. Only the first group may begin in parentheses. */
typedef struct number {
    const tg_scrub_text *text;
    int64_t begin;               /* with what belongs to it before the first digit: '+', '(' */
    bool plus, paren;
    int count;
    int64_t first[GROUPS], end[GROUPS];
    char before[GROUPS];         /* separators */
} number;

static int size_of(const number *n, int i)
{
    int64_t size = n->end[i] - n->first[i];
    return size > DIGITS ? DIGITS : (int)size;
}

static char digit(const number *n, int group, int i)
{
    return (char)byte_at(n->text, n->first[group] + i);
}

/* Digits of the first k groups; how many, DIGITS or more: too many. */
static int digits_of(const number *n, int k, char out[DIGITS])
{
    int count = 0;
    for (int g = 0; g < k; g++)
        for (int i = 0; i < size_of(n, g) && count < DIGITS; i++) out[count++] = digit(n, g, i);
    return count;
}

static int value_of(const char *digits, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) value = value * 10 + (digits[i] - '0');
    return value;
}

/* Length of the ASCII or full-width parenthesis at `at`, 0: there is none. */
static int64_t paren_at(const tg_scrub_text *t, int64_t at, bool opens)
{
    if (byte_at(t, at) == (opens ? '(' : ')')) return 1;
    static const char wide[2][4] = {"\xef\xbc\x89", "\xef\xbc\x88"};
    return at >= 0 && t->length - at >= 3 && memcmp(t->bytes + at, wide[opens], 3) == 0 ? 3 : 0;
}

/* The separator at *at, which it passes, if a digit follows it; 0: none. */
static char separator(const tg_scrub_text *t, int64_t *at, bool open)
{
    int64_t p = *at, n;
    char kind = (char)byte_at(t, p);
    if (open) {
        if ((n = paren_at(t, p, false)) == 0) return 0;
        kind = ')';
        p += n;
        if (byte_at(t, p) == ' ' || byte_at(t, p) == '-') p++;
    } else if ((n = paren_at(t, kind == ' ' ? p + 1 : p, true)) > 0) {
        p += n + (kind == ' ');
        kind = '(';
    } else if (kind == ' ' || kind == '-' || kind == '.' || kind == '/') p++;
    else return 0;
    if (!is_digit(byte_at(t, p))) return 0;
    *at = p;
    return kind;
}

static number number_at(const tg_scrub_text *t, int64_t at)
{
    number n = {.text = t, .begin = at};
    int64_t p = at;
    bool open = false;
    for (int wide = 1; wide <= 3; wide += 2)
        if (at - wide >= t->floor && paren_at(t, at - wide, true) == wide) {
            n.begin = at - wide;
            n.paren = open = true;
            break;
        }
    if (at > t->floor && byte_at(t, at - 1) == '+') {
        n.begin = at - 1;
        n.plus = true;
    }
    for (char before = 0;;) {
        n.first[n.count] = p;
        while (is_digit(byte_at(t, p)) && p - n.first[n.count] < 2 * DIGITS) p++;
        n.end[n.count] = p;
        n.before[n.count++] = before;
        if (n.count == GROUPS || is_digit(byte_at(t, p))) break;
        before = separator(t, &p, open);
        if (before == 0) {
            if (open && n.count > 1) n.count--; /* opened and not closed: what stands before it is all */
            break;
        }
        open = before == '(';
    }
    if (n.paren && (n.count < 2 || n.before[1] != ')')) {
        n.begin = at;
        n.paren = false;
    }
    return n;
}

/* Whether the first k groups may be all of the number. */
static bool ends(const number *n, int k)
{
    unsigned char next = byte_at(n->text, n->end[k - 1]), after = byte_at(n->text, n->end[k - 1] + 1);
    if (is_word(next) || next == '@' || next == '%') return false;
    if (next == '-') return !is_word(after);
    return next != '.' || !is_digit(after);
}

static bool same_separators(const number *n, int from, int k, char separator)
{
    for (int i = from; i < k; i++)
        if (n->before[i] != separator) return false;
    return true;
}

static bool take(const number *n, int k, tg_scrub_kind kind, tg_scrub_span *out)
{
    *out = (tg_scrub_span){n->begin, n->end[k - 1], kind};
    return true;
}

/* ---- identity numbers and cards --------------------------------------------------------------------------------- */

static bool is_date(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1850 && year <= 2099 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (leap && month == 2);
}

/* GB 11643: province, birth date at 6, check digit by ISO 7064 mod 11-2. */
static bool is_identity(const char d[18])
{
    int province = value_of(d, 2), sum = d[17] == 'X' ? 10 : d[17] - '0', weight = 1;
    if (province < 11 || (province > 65 && province != 71 && province != 81 && province != 82 && province != 91))
        return false;
    for (int i = 16; i >= 0; i--) {
        weight = weight * 2 % 11;
        sum += weight * (d[i] - '0');
    }
    return sum % 11 == 1 && is_date(value_of(d + 6, 4), value_of(d + 10, 2), value_of(d + 12, 2));
}

static bool find_identity(const number *n, tg_scrub_span *out)
{
    char d[DIGITS];
    for (int k = 1; k <= n->count && k <= 4; k++) {
        int count = digits_of(n, k, d);
        int64_t end = n->end[k - 1];
        bool x = count == 17 && (byte_at(n->text, end) | 32) == 'x';
        if (count > 18) break;
        if (count != 18 && !x) continue;
        if (k > 1 && (size_of(n, 0) != 6 || !same_separators(n, 2, k, n->before[1]))) return false;
        if (x) d[17] = 'X';
        if (x ? is_word(byte_at(n->text, end + 1)) : !ends(n, k)) return false;
        if (!is_identity(d)) return false;
        *out = (tg_scrub_span){n->begin, end + x, TG_SCRUB_ID};
        return true;
    }
    return false;
}

/* Issuers that number so many digits (ISO/IEC 7812); 9558 is of Chinese cards older than the standard there. */
static bool is_issuer(const char *d, int count)
{
    int two = value_of(d, 2), four = value_of(d, 4);
    if (count == 13) { /* Visa of old, unless it is an article's number (EAN-13) */
        int sum = 0;
        for (int i = 0; i < 13; i++) sum += (d[i] - '0') * (i % 2 ? 3 : 1);
        return d[0] == '4' && sum % 10 != 0;
    }
    if (count == 14) return two == 30 || two == 36 || two == 38 || two == 39;
    if (count == 15) return two == 34 || two == 37;
    return d[0] == '4' || d[0] == '6' || (two >= 50 && two <= 58) || (four >= 3528 && four <= 3589) ||
           (four >= 2221 && four <= 2720) || (four == 9558 && count == 19);
}

static bool is_luhn(const char *d, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        int x = (d[count - 1 - i] - '0') << i % 2;
        sum += x > 9 ? x - 9 : x;
    }
    return sum % 10 == 0;
}

/* Whether the first k groups stand in a longer row of fours, as a table's do. */
static bool in_table(const number *n, int k)
{
    if (k < n->count && n->before[k] == n->before[1] && size_of(n, k) == 4) return true;
    bool digits = false, word = byte_at(n->text, n->begin - 1) == (unsigned char)n->before[1];
    for (int i = 2; i <= 5; i++) {
        unsigned char c = byte_at(n->text, n->begin - i);
        digits |= is_digit(c);
        word &= is_word(c);
    }
    return word && digits && n->begin > n->text->floor;
}

/* 4 4 4 4 and up to 3 more, 4 6 5, 4 6 4, 6 and the rest. */
static bool card_groups(const number *n, int k)
{
    if (k == 1) return true;
    if (in_table(n, k)) return false;
    if ((n->before[1] != ' ' && n->before[1] != '-') || !same_separators(n, 2, k, n->before[1])) return false;
    if (k == 2) return size_of(n, 0) == 6;
    if (size_of(n, 0) != 4) return false;
    if (k == 3) return size_of(n, 1) == 6;
    return size_of(n, 1) == 4 && size_of(n, 2) == 4 && (k == 4 || (k == 5 && size_of(n, 3) == 4));
}

static bool find_card(const number *n, tg_scrub_span *out)
{
    char d[DIGITS];
    for (int k = n->count < 5 ? n->count : 5; k >= 1; k--) {
        int count = digits_of(n, k, d);
        if (count < 13 || count > 19 || !card_groups(n, k) || !ends(n, k)) continue;
        if (is_issuer(d, count) && is_luhn(d, count)) return take(n, k, TG_SCRUB_CARD, out);
    }
    return false;
}

/* ---- telephone -------------------------------------------------------------------------------------------------- */

static bool all_zero(const char *d, int count)
{
    while (count > 0 && d[count - 1] == '0') count--;
    return count == 0;
}

/* Digits of the country code that d begins with (ITU E.164), 0: there is no such country. */
static int country_code(const char *d)
{
    static const char twos[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 "
                               "63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
    static const char threes[] = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99 ";
    if (d[0] == '1' || d[0] == '7') return 1;
    char two[3] = {d[0], d[1], 0};
    return strstr(twos, two) ? 2 : strstr(threes, two) ? 3 : 0;
}

static bool is_international(const char *d, int count, int groups)
{
    int code = count >= 8 ? country_code(d) : 0;
    if (code == 0 || all_zero(d + count - 5, 5)) return false; /* +250 000 000 people */
    if (d[0] == '1') return count == 11 && d[1] >= '2' && d[4] >= '2';
    if (code == 2 && d[0] == '8' && d[1] == '6') return count >= 11 && count <= 13;
    if (d[code] == '0' && value_of(d, 2) != 39) return false; /* Italy's alone keep their 0 */
    return (groups > 1 || count >= 10) && count <= (value_of(d, 2) == 49 || value_of(d, 2) == 43 ? 14 : 13);
}

/* +44 (0)20 7946 0958 and 0044 20 7946 0958: the longest row of groups that may be one. */
static bool find_international(const number *n, tg_scrub_span *out)
{
    int skip = n->plus ? 0 : 2;
    if (skip && (digit(n, 0, 0) != '0' || digit(n, 0, 1) != '0')) return false;
    for (int k = n->count; k >= 1; k--) {
        char d[DIGITS];
        int count = 0;
        bool trunk = false;
        for (int g = 0; g < k; g++) {
            if (g > 0 && n->before[g] == '(' && size_of(n, g) == 1 && digit(n, g, 0) == '0') trunk = true;
            else for (int i = 0; i < size_of(n, g) && count < DIGITS; i++) d[count++] = digit(n, g, i);
        }
        bool dots = false, others = false;
        for (int g = 1; g < k; g++) {
            dots |= n->before[g] == '.';
            others |= n->before[g] != '.';
            if (n->before[g] == '/') count = 0;
        }
        if ((dots && (others || k < 3)) || (trunk && k < 4) || !ends(n, k)) continue;
        if (size_of(n, k - 1) < 2 && n->before[k - 1] != '-') continue; /* 58858-0 is a switchboard */
        if (skip && (dots || count < 12 || (k < n->count && n->before[k] == ' '))) continue; /* 0020.0002.0034 */
        if (count >= skip + 8 && is_international(d + skip, count - skip, k)) return take(n, k, TG_SCRUB_PHONE, out);
    }
    return false;
}

/* 13800138000, 138-0013-8000, 86 138 0013 8000: 1[3-9] and nine digits more, not a sum of money or people. */
static bool find_mobile(const number *n, tg_scrub_span *out)
{
    char d[DIGITS];
    int skip = n->count > 1 && size_of(n, 0) == 2 && digit(n, 0, 0) == '8' && digit(n, 0, 1) == '6';
    for (int k = skip + 1; k <= n->count && k <= skip + 3; k++) {
        int count = digits_of(n, k, d) - 2 * skip;
        const char *own = d + 2 * skip, *next = n->text->bytes + n->end[k - 1];
        if (count < 11) continue;
        if (count > 11 || k == skip + 2 || own[0] != '1' || own[1] < '3' || all_zero(own + 3, 8)) return false;
        if (!ends(n, k)) return false;
        char first = n->before[skip + 1 < k ? skip + 1 : 0];
        if (k > skip + 1 && ((first != ' ' && first != '-') || !same_separators(n, skip + 2, k, first))) return false;
        if (k > skip + 1 && size_of(n, skip) != 3) return false;
        int64_t left = n->text->length - n->end[k - 1];
        static const char *const counted[] = {"元", "万", "亿", "人"};
        for (int i = 0; i < 4 && left > 0; i++) {
            const char *unit = next + (*next == ' ' && left > 3);
            if (left >= 3 && memcmp(unit, counted[i], 3) == 0) return false;
        }
        return take(n, k, TG_SCRUB_PHONE, out);
    }
    return false;
}

/* 010-65529988, (021)5888 1234, 0755-26001234-801: area code, 7 or 8 digits, an extension. */
static bool find_chinese_landline(const number *n, tg_scrub_span *out)
{
    if (n->count < 2 || digit(n, 0, 0) != '0' || n->before[1] == '.' || n->before[1] == '/' || n->before[1] == '(')
        return false;
    int area = size_of(n, 0), own = size_of(n, 1), k = 2;
    char second = digit(n, 0, 1);
    bool great = area == 3 && (second == '2' || (second == '1' && digit(n, 0, 2) == '0')); /* cities: 010, 02x */
    if (!great && (area != 4 || second < '3')) return false;
    if (own < 7 && n->count > 2 && (n->before[2] == ' ' || n->before[2] == '-')) {
        own += size_of(n, 2);
        k = 3;
    }
    if (digit(n, 1, 0) < '2' || (own != 8 && (own != 7 || great))) return false;
    if (k < n->count && n->before[k] == '-' && size_of(n, k) <= 6) k++;
    return ends(n, k) && take(n, k, TG_SCRUB_PHONE, out);
}

/* [1] 415 555 0132 with '-', '.', ' ' or parentheses around the area; 400-810-8888. */
static bool find_north_american(const number *n, tg_scrub_span *out)
{
    int g = n->count > 3 && size_of(n, 0) == 1 && digit(n, 0, 0) == '1', k = g + 3;
    if (n->count < k || size_of(n, g) != 3 || size_of(n, g + 1) != 3 || size_of(n, g + 2) != 4) return false;
    char first = n->before[g + 1], second = n->before[g + 2];
    if (digit(n, g, 0) < '2' || digit(n, g + 1, 0) < '2') return false;
    if (second != ' ' && second != '-' && second != '.') return false;
    if (first != second && first != ')' && first != '/' && !(first == ' ' && second == '-')) return false;
    return ends(n, k) && take(n, k, TG_SCRUB_PHONE, out);
}

/* Pairs that only rise, up to 59: 01 02 03 04 05, a lottery's numbers or minutes. */
static bool pairs_rise(const number *n, int k)
{
    for (int g = 0, last = -1; g < k; g++) {
        int value = (digit(n, g, 0) - '0') * 10 + digit(n, g, 1) - '0';
        if (size_of(n, g) != 2 || value <= last || value > 59) return false;
        last = value;
    }
    return true;
}

/* 020 7946 0958, 030/901820, 01 23 45 67 89: an area code with its 0, and two to five groups. */
static bool find_european(const number *n, tg_scrub_span *out)
{
    char d[DIGITS];
    if (digit(n, 0, 0) != '0' || digit(n, 0, 1) < '1' || size_of(n, 0) < 2) return false;
    if (n->count == 1 || n->before[1] == '(') /* 07700900123: a British mobile may stand in one piece */
        return size_of(n, 0) == 11 && digit(n, 0, 1) == '7' && ends(n, 1) && take(n, 1, TG_SCRUB_PHONE, out);
    if (size_of(n, 0) > 5) return false;
    char rest = n->count > 2 ? n->before[2] : ' ';
    bool free_first = n->before[1] == '/' || n->before[1] == ')' || (n->before[1] == '-' && rest == ' ');
    int k = 2;
    if (rest == ' ' || rest == '-' || (rest == '.' && n->before[1] == '.'))
        while (k < n->count && k < 6 && n->before[k] == rest && (free_first || n->before[1] == rest)) k++;
    int count = digits_of(n, k, d);
    if (count < 9 || count > 12 || (n->before[1] == '.' && k < 4) || pairs_rise(n, k) || !ends(n, k)) return false;
    bool fours = true, pairs = true; /* 0020 0308 0301: a table of something; pairs are France's, five of them */
    for (int g = 0; g < k; g++) {
        if (size_of(n, g) < 2) return false;
        fours &= size_of(n, g) == 4;
        pairs &= size_of(n, g) == 2;
    }
    if (fours || (pairs && k != 5)) return false;
    if (k == 2 && n->before[1] == '-' && size_of(n, 0) == 5 && size_of(n, 1) == 4) return false; /* 02556-1027, a ZIP */
    if (k > 2 && size_of(n, 1) == 2 && size_of(n, 2) == 4 && (k == 3 || is_date(value_of(d + 4, 4), 1, 1)))
        return false; /* 01 02 2003 14, and 078-05-1120, as social security writes */
    return take(n, k, TG_SCRUB_PHONE, out);
}

/* 2024-01-15, 20240115, and years in a row. */
static bool is_dates(const number *n, int k, const char *d, int count)
{
    if (count == 8 && is_date(value_of(d, 4), value_of(d + 4, 2), value_of(d + 6, 2))) return true;
    bool years = true;
    for (int g = 0; g < k && years; g++) years = size_of(n, g) == 4 && is_date(value_of(d + 4 * g, 4), 1, 1);
    return years || (k > 2 && size_of(n, 0) == 4 && size_of(n, 1) <= 2 && is_date(value_of(d, 4), 1, 1));
}

/* 7 to 12 digits after a word that announces them. */
static bool find_announced(const number *n, tg_scrub_span *out)
{
    static const char words[] = "|tel|telephone|phone|phones|mobile|cell|fax|call|dial|whatsapp|电话|手机|座机|传真|热线|致电|拨打|";
    static const char fillers[] = "|number|no|at|me|us|him|her|on|is|or|号码|号|：|是|为|我|他|她|（|";
    char d[DIGITS];
    for (int k = n->count < 5 ? n->count : 5; k >= 1; k--) {
        int count = digits_of(n, k, d);
        if (count < 7 || count > 12 || !ends(n, k) || is_dates(n, k, d, count)) continue;
        bool plain = true;
        for (int g = 1; g < k; g++) plain &= n->before[g] != '/' && n->before[g] != '(' && size_of(n, g) > 1;
        if (plain && tg_scrub_after(n->text, n->begin, words, fillers)) return take(n, k, TG_SCRUB_PHONE, out);
    }
    return false;
}

bool tg_scrub_number(const tg_scrub_text *t, int64_t at, tg_scrub_span *out)
{
    number n = number_at(t, at);
    if (size_of(&n, 0) >= DIGITS || !tg_scrub_begins(t, n.begin)) return false;
    if (n.plus) return find_international(&n, out);
    if (!n.paren && (find_identity(&n, out) || find_card(&n, out))) return true;
    /* "1 000 415 555 0132": one more group of a longer row. */
    bool in_row = n.count > 1 && n.before[1] == ' ' && n.begin > t->floor + 1 && byte_at(t, n.begin - 1) == ' ' &&
                  is_digit(byte_at(t, n.begin - 2));
    if (!in_row && (find_international(&n, out) || find_mobile(&n, out) || find_chinese_landline(&n, out) ||
                    find_north_american(&n, out) || find_european(&n, out)))
        return true;
    return find_announced(&n, out);
}
