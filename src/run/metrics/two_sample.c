/* two_sample.c - the classifier two-sample test, and texts as numbers. */
#include "run/metrics/two_sample.h"

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

/* ---- the test ------------------------------------------------------------------------------------------------------------- */

/* Of item i of a side, by chance: 0 to each - 1 are taken, the first half of these trains. */
static int64_t place(uint64_t seed, int side, int64_t count, int64_t i)
{
    return tg_rng_permute(seed, TG_RNG_SPLIT, (uint64_t)side, count, i);
}

/* Items [first, end) of both sides, in turns, into x and y; y: 0 real, 1 made. */
static void gather(const float *const sides[2], const int64_t counts[2], int64_t d, uint64_t seed, int64_t first, int64_t end,
                   float *x, int32_t *y)
{
    for (int64_t i = first; i < end; i++)
        for (int side = 0; side < 2; side++, x += d) {
            memcpy(x, sides[side] + place(seed, side, counts[side], i) * d, (size_t)d * sizeof *x);
            *y++ = side;
        }
}

tg_status tg_two_sample_test(tg_judge_kind kind, const float *real, int64_t n, const float *made, int64_t m, int64_t d,
                             uint64_t seed, tg_two_sample *out)
{
    const int64_t each = n < m ? n : m, train = each / 2, test = each - train;
    if (each < 4) return tg_fail(TG_EINVAL, "a judge takes four samples of each or more; there are %lld", (long long)each);
    float *x = tg_alloc_array(2 * test, d * (int64_t)sizeof *x);
    int32_t *y = tg_alloc_array(2 * test, sizeof *y), *told = tg_alloc_array(2 * test, sizeof *told);
    tg_judge *judge = NULL;
    int64_t right = 0;
    tg_status s = x && y && told ? TG_OK : TG_ENOMEM;
    if (!s) {
        gather((const float *[]){real, made}, (int64_t[]){n, m}, d, seed, 0, train, x, y);
        s = tg_judge_fit(kind, x, y, 2 * train, d, 2, seed, &judge);
    }
    if (!s) {
        gather((const float *[]){real, made}, (int64_t[]){n, m}, d, seed, train, each, x, y);
        tg_judge_predict(judge, x, 2 * test, told);
        for (int64_t i = 0; i < 2 * test; i++) right += told[i] == y[i];
        *out = (tg_two_sample){(double)right / (double)(2 * test), tg_wilson(right, 2 * test), 2 * test};
    }
    tg_judge_free(judge);
    tg_free(x);
    tg_free(y);
    tg_free(told);
    return s;
}

/* ---- texts --------------------------------------------------------------------------------------------------------- */

static int64_t step(const char *at, const char *end)
{
    uint32_t code;
    const int bytes = tg_utf8_next(at, end, &code);
    return bytes ? bytes : 1;
}

int64_t tg_texts_shortest(const tg_text *texts, int64_t n)
{
    int64_t least = INT64_MAX;
    for (int64_t i = 0; i < n; i++) {
        int64_t count = 0;
        const char *end = texts[i].bytes + texts[i].length;
        for (const char *at = texts[i].bytes; at < end && count < least; at += step(at, end)) count++;
        least = count < least ? count : least;
    }
    return n ? least : 0;
}

/* n-grams of one length: adds each to its bin; returns how many different ones there are, as far as 2^16 bits tell them apart. */
static int64_t count_ngrams(tg_text text, int64_t characters, int n, int64_t d, float *bins)
{
    uint8_t seen[8192] = {0};
    const char *at = text.bytes, *end = at + text.length, *to = at;
    int64_t different = 0;
    for (int64_t i = 1; i <= characters && to < end; i++) {
        to += step(to, end);
        if (i < n) continue;
        const uint64_t hash = tg_xxh64_of(at, to - at), place = hash >> 48;
        bins[hash % (uint64_t)d]++;
        different += !(seen[place / 8] >> place % 8 & 1);
        seen[place / 8] |= (uint8_t)(1 << place % 8);
        at += step(at, end);
    }
    return different;
}

/* Ends of lines and marks of punctuation, whatever the script; ASCII's, and those that Unicode keeps together. */
static bool is_break(uint32_t c)
{
    if (c < 128) return c == '\n' || (c > ' ' && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '\'' && c != '-');
    return (c >= 0x2010 && c <= 0x205E) || (c >= 0x3001 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20);
}

/* Runs of characters between breaks: their mean length, its deviation, the share of those as long as the one before. */
static void measure_runs(tg_text text, int64_t characters, float out[TG_RUN_NUMBERS])
{
    const char *at = text.bytes, *end = at + text.length;
    int64_t runs = 0, alike = 0, length = 0, before = 0;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < characters && at < end; i++) {
        uint32_t code = 0;
        const int bytes = tg_utf8_next(at, end, &code);
        at += bytes ? bytes : 1;
        length++;
        if (!bytes || !is_break(code)) continue;
        if (length > 1) { /* marks behind each other end one run */
            sum += (double)length;
            squares += (double)(length * length);
            alike += runs > 0 && length == before;
            runs++;
            before = length;
        }
        length = 0;
    }
    const double mean = runs ? sum / (double)runs : (double)characters;
    const double spread = runs ? squares / (double)runs - mean * mean : 0;
    out[0] = (float)mean;
    out[1] = (float)sqrt(spread > 0 ? spread : 0);
    out[2] = runs > 1 ? (float)alike / (float)(runs - 1) : 0;
}

void tg_ngram_features(tg_text text, int64_t characters, int most, int64_t d, float *out)
{
    for (int64_t k = 0; k < d; k++) out[k] = 0;
    for (int n = 1; n <= most; n++) out[d + n - 1] = (float)count_ngrams(text, characters, n, d, out);
    for (int64_t k = 0; k < d; k++) out[k] = tg_logf(1 + out[k]);
    measure_runs(text, characters, out + d + most);
}

tg_status tg_two_sample_texts(tg_judge_kind kind, const tg_text *real, int64_t n, const tg_text *made, int64_t m, uint64_t seed,
                              tg_two_sample *out)
{
    enum { D = TG_NGRAM_BINS + TG_NGRAM_MOST + TG_RUN_NUMBERS };
    const int64_t of_real = tg_texts_shortest(real, n), of_made = tg_texts_shortest(made, m);
    const int64_t characters = of_real < of_made ? of_real : of_made;
    if (characters < 1) return tg_fail(TG_EINVAL, "there are no texts, or empty ones, which nothing can be told by");
    float *x = tg_alloc_array(n + m, D * (int64_t)sizeof *x), *y = x ? x + n * D : NULL;
    if (!x) return TG_ENOMEM;
    for (int64_t i = 0; i < n; i++) tg_ngram_features(real[i], characters, TG_NGRAM_MOST, TG_NGRAM_BINS, x + i * D);
    for (int64_t i = 0; i < m; i++) tg_ngram_features(made[i], characters, TG_NGRAM_MOST, TG_NGRAM_BINS, y + i * D);
    tg_status s = tg_two_sample_test(kind, x, n, y, m, D, seed, out);
    tg_free(x);
    return s;
}
