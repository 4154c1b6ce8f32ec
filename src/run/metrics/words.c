/* words.c - cutting texts, and numbers for what was cut out. */
#include "run/metrics/words.h"

#include "base/alloc.h"
#include "base/map.h"
#include "data/text/classes.h"

/* ---- cutting ---------------------------------------------------------------------------------------------------- */

static const char *pass(const char *at, const char *end, int class, int other)
{
    int size;
    for (; at < end; at += size) {
        const int here = class_at(at, end, &size);
        if (here != class && here != other) break;
    }
    return at;
}

bool tg_word_next(const char **at, const char *end, tg_found_word *out)
{
    const char *from = *at, *stop;
    int size = 0, class = SPACE;
    for (; from < end; from += size)
        if ((class = class_at(from, end, &size)) != SPACE) break;
    if (from >= end) {
        *at = end;
        return false;
    }
    stop = pass(from + size, end, class == LETTER || class == NUMBER ? class : MARK, MARK);
    for (int64_t n; class == LETTER && (n = apostrophe(stop, end)) > 0;) stop = pass(stop + n, end, LETTER, MARK);
    *out = (tg_found_word){from, stop - from, class == LETTER, class == IDEOGRAPH};
    *at = stop;
    return true;
}

int tg_char_at(const char *at, const char *end)
{
    uint32_t code;
    const int n = (unsigned char)*at < 0x80 ? 1 : tg_utf8_next(at, end, &code);
    return n ? n : 1;
}

static bool char_next(const char **at, const char *end, tg_found_word *out)
{
    if (*at >= end) return false;
    *out = (tg_found_word){*at, tg_char_at(*at, end), false, false};
    *at += out->length;
    return true;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static tg_status new_symbols(int64_t longest, int64_t count, tg_symbols *out)
{
    if (longest > INT32_MAX) {
        tg_fail(TG_EINVAL, "texts of more than 2^31 - 1 characters: judge fewer samples");
        return TG_EINVAL;
    }
    tg_symbols s = {.ids = tg_alloc_array(longest, sizeof *s.ids), .starts = tg_alloc_array(count + 1, sizeof *s.starts),
                    .count = count};
    if (!s.ids || !s.starts) {
        tg_symbols_free(&s);
        return TG_ENOMEM;
    }
    *out = s;
    return TG_OK;
}

void tg_symbols_free(tg_symbols *s)
{
    tg_free(s->ids);
    tg_free(s->starts);
}

/* Done: *out has s; after a failure it is left alone. */
static tg_status finish(tg_symbols *s, tg_map *kinds, tg_status status, tg_symbols *out)
{
    if (kinds) s->kinds = tg_map_count(kinds);
    tg_map_free(kinds);
    if (status) tg_symbols_free(s);
    else *out = *s;
    return status;
}

static tg_status cut(const tg_text *texts, int64_t count, bool (*next)(const char **, const char *, tg_found_word *), tg_symbols *out)
{
    tg_symbols s;
    int64_t all = 0, n = 0, id = 0;
    for (int64_t i = 0; i < count; i++) all += texts[i].length;
    tg_status status = new_symbols(all, count, &s);
    if (status) return status;
    tg_map *kinds = tg_map_new();
    for (int64_t i = 0; i < count && kinds && id >= 0; i++) {
        const char *at = texts[i].bytes, *end = at + texts[i].length;
        for (tg_found_word w; id >= 0 && next(&at, end, &w);)
            if ((id = tg_map_add(kinds, w.bytes, w.length)) >= 0) s.ids[n++] = (int32_t)id;
        s.starts[i + 1] = n;
    }
    return finish(&s, kinds, kinds && id >= 0 ? TG_OK : TG_ENOMEM, out);
}

tg_status tg_symbols_of_words(const tg_text *texts, int64_t count, tg_symbols *out)
{
    return cut(texts, count, tg_word_next, out);
}

tg_status tg_symbols_of_chars(const tg_text *texts, int64_t count, tg_symbols *out)
{
    return cut(texts, count, char_next, out);
}

tg_status tg_symbols_of(const tg_text *texts, int64_t count, bool *words, tg_symbols *out)
{
    tg_symbols s;
    int64_t short_ones = 0;
    tg_status status = tg_symbols_of_words(texts, count, &s);
    if (status) return status;
    for (int64_t i = 0; i < count; i++) short_ones += s.starts[i + 1] - s.starts[i] < TG_WORDS_ENOUGH;
    *words = 2 * short_ones < count || count == 0;
    if (*words) {
        *out = s;
        return TG_OK;
    }
    tg_symbols_free(&s);
    return tg_symbols_of_chars(texts, count, out);
}

/* An n-gram is the number of its first n - 1 symbols, and its last. */
static tg_status longer_by_one(const tg_symbols *s, const tg_symbols *grams, int n, tg_symbols *out)
{
    tg_symbols longer;
    int64_t made = 0, id = 0;
    tg_status status = new_symbols(grams->starts[grams->count], s->count, &longer);
    if (status) return status;
    tg_map *kinds = tg_map_new();
    for (int64_t i = 0; i < s->count && kinds && id >= 0; i++) {
        const int64_t have = s->starts[i + 1] - s->starts[i] - n;
        for (int64_t k = 0; k < have && id >= 0; k++) {
            const int32_t pair[2] = {grams->ids[grams->starts[i] + k], s->ids[s->starts[i] + k + n]};
            if ((id = tg_map_add(kinds, pair, sizeof pair)) >= 0) longer.ids[made++] = (int32_t)id;
        }
        longer.starts[i + 1] = made;
    }
    return finish(&longer, kinds, kinds && id >= 0 ? TG_OK : TG_ENOMEM, out);
}

tg_status tg_grams_of(const tg_symbols *s, int n, tg_symbols *out)
{
    tg_symbols grams, longer;
    if (n < 1) return tg_fail(TG_EINVAL, "n-grams of %d symbols: 1 is the least", n);
    const int64_t all = s->starts[s->count];
    tg_status status = new_symbols(all, s->count, &grams);
    if (status) return status;
    for (int64_t i = 0; i < all; i++) grams.ids[i] = s->ids[i];
    for (int64_t i = 0; i <= s->count; i++) grams.starts[i] = s->starts[i];
    grams.kinds = s->kinds;
    for (int have = 1; have < n; have++) {
        status = longer_by_one(s, &grams, have, &longer);
        tg_symbols_free(&grams);
        if (status) return status;
        grams = longer;
    }
    *out = grams;
    return TG_OK;
}
