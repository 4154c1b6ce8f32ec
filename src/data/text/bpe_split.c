/* bpe_split.c - where a text is cut into chunks before anything is merged. A chunk's end depends on what follows its
 * begin only, and on no more than a few bytes behind it, so a text may be cut in parts (tg_bpe_chunk tells how).
 *
 * words, the rule of vocabularies that are trained here; of what matches at a place the first counts:
 *   one or more line ends (LF, CR)
 *   white space before a line end or the text's end, whole; before anything else without its last space, and whole where
 *     its last character is no space
 *   a space at most, then one of
 *     letters and marks; an apostrophe (' or U+2019) between two letters is one of them
 *     ideographs and kana, with marks
 *     one number
 *     other characters and marks, bytes that are not UTF-8 among them
 * A chunk is at most 1,024 bytes of whole characters; nothing crosses a line.
 *
 * gpt2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * scores: SentencePiece cuts nowhere, but where no piece has two bytes side by side, no merge can cross: it is cut between
 * characters with such bytes, and what comes out is the same. */
#include "base/utf8.h"
#include "data/text/bpe.h"
#include "data/text/classes.h"

enum { LONGEST = 1024 };

/* Past characters of the classes in `set`, a bit each, up to `stop`. */
static const char *pass(const char *at, const char *end, const char *stop, unsigned set)
{
    int size;
    while (at < end) {
        if (!(set >> class_at(at, end, &size) & 1) || size > stop - at) break;
        at += size;
    }
    return at;
}

#define BIT(class) (1u << (class))

/* ---- gpt2 */

static int64_t contraction(const char *at, const char *end)
{
    if (end - at < 2) return 0;
    if (at[1] == 's' || at[1] == 't' || at[1] == 'm' || at[1] == 'd') return 2;
    if (end - at < 3) return 0;
    const bool long_one = (at[1] == 'r' && at[2] == 'e') || (at[1] == 'v' && at[2] == 'e') || (at[1] == 'l' && at[2] == 'l');
    return long_one ? 3 : 0;
}

static int64_t gpt2_chunk(const char *at, const char *end)
{
    int size, class;
    if (*at == '\'') {
        const int64_t n = contraction(at, end);
        if (n) return n;
    }
    const char *from = *at == ' ' && end - at > 1 ? at + 1 : at;
    class = class_at(from, end, &size);
    if (class != SPACE) {
        const unsigned letters = BIT(LETTER) | BIT(IDEOGRAPH), others = BIT(OTHER) | BIT(MARK);
        const unsigned set = letters >> class & 1 ? letters : class == NUMBER ? BIT(NUMBER) : others;
        return pass(from + size, end, end, set) - at;
    }
    const char *before = at, *stop = at; /* the last space, and behind it */
    while (stop < end && class_at(stop, end, &size) == SPACE) {
        before = stop;
        stop += size;
    }
    return (stop == end || before == at ? stop : before) - at;
}

/* ---- words */

static bool is_line_end(char c) { return c == '\n' || c == '\r'; }

static int64_t space_chunk(const char *at, const char *end)
{
    const char *stop = at, *limit = end - at > LONGEST ? at + LONGEST : end;
    int size;
    if (is_line_end(*at)) {
        while (stop < limit && is_line_end(*stop)) stop++;
        return stop - at;
    }
    while (stop < limit && !is_line_end(*stop) && class_at(stop, end, &size) == SPACE && size <= limit - stop) stop += size;
    const bool goes_on = stop < end && !is_line_end(*stop) && class_at(stop, end, &size) != SPACE;
    return stop - at - (goes_on && stop[-1] == ' ' && stop - at > 1);
}

static int64_t words_chunk(const char *at, const char *end)
{
    const unsigned with_marks = BIT(MARK);
    int size, class = class_at(at, end, &size);
    const char *from = at, *stop = end - at > LONGEST ? at + LONGEST : end;
    if (class == SPACE) {
        if (*at != ' ' || end - at < 2) return space_chunk(at, end);
        class = class_at(++from, end, &size);
        if (class == SPACE) return space_chunk(at, end);
    }
    from += size;
    if (class == NUMBER) return from - at;
    if (class == IDEOGRAPH) return pass(from, end, stop, BIT(IDEOGRAPH) | with_marks) - at;
    if (class != LETTER) return pass(from, end, stop, BIT(OTHER) | with_marks) - at;
    for (int64_t n;; from += n) {
        from = pass(from, end, stop, BIT(LETTER) | with_marks);
        n = from < stop ? apostrophe(from, end) : 0;
        if (n == 0 || n > stop - from) return from - at;
    }
}

/* ---- scores */

static int64_t scores_chunk(const tg_bpe *t, const char *at, const char *end)
{
    const char *from = at;
    for (uint32_t code;;) {
        const int size = tg_utf8_next(at, end, &code);
        at += size ? size : 1;
        if (at >= end || !tg_bpe_touch(t, at[-1], at[0])) return at - from;
    }
}

int64_t tg_bpe_chunk(const tg_bpe *t, const char *at, const char *end)
{
    if (t->rule == TG_BPE_SCORES) return scores_chunk(t, at, end);
    return t->rule == TG_BPE_GPT2 ? gpt2_chunk(at, end) : words_chunk(at, end);
}
