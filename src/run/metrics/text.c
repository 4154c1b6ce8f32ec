/* text.c - counts over symbols, words, marks and lines. */
#include "run/metrics/text.h"

#include "base/alloc.h"
#include "base/sort.h"
#include "base/str.h"
#include "base/utf8.h"
#include "data/shingles.h"

#include <math.h>
#include <string.h>

/* ---- diversity -------------------------------------------------------------------------------------------------- */

/* What a kind of n-gram is known by: how often it is in the text at hand; the two largest such counts of two texts, and whose the
 * first one is (+ 1). The largest count in another text is one of the two. */
typedef struct kind { int32_t here, most, second; int64_t owner; } kind;

static void count_text(const tg_symbols *g, int64_t i, kind *kinds)
{
    for (int64_t k = g->starts[i]; k < g->starts[i + 1]; k++) kinds[g->ids[k]].here++;
}

static void learn_text(const tg_symbols *g, int64_t i, kind *kinds)
{
    count_text(g, i, kinds);
    for (int64_t k = g->starts[i]; k < g->starts[i + 1]; k++) {
        kind *at = &kinds[g->ids[k]];
        if (at->here > at->most) {
            at->second = at->most;
            at->most = at->here;
            at->owner = i + 1;
        } else if (at->here > at->second) {
            at->second = at->here;
        }
        at->here = 0;
    }
}

/* N-grams of text i that other texts have, each as often as one of them has it; how many of its own are different. */
static int64_t matches_of(const tg_symbols *g, int64_t i, kind *kinds, int64_t *different)
{
    int64_t matches = 0;
    *different = 0;
    count_text(g, i, kinds);
    for (int64_t k = g->starts[i]; k < g->starts[i + 1]; k++) {
        kind *at = &kinds[g->ids[k]];
        const int32_t others = at->owner == i + 1 ? at->second : at->most;
        matches += at->here < others ? at->here : others;
        *different += at->here > 0;
        at->here = 0;
    }
    return matches;
}

/* Lets one order of n-grams count: precisions[i] is multiplied by text i's. */
static tg_status count_order(const tg_symbols *s, int n, double *precisions, tg_diversity *out)
{
    tg_symbols g;
    tg_status status = tg_grams_of(s, n, &g);
    if (status) return status;
    kind *kinds = tg_alloc_array(g.kinds, sizeof *kinds);
    int64_t texts = 0;
    double repeated = 0;
    for (int64_t i = 0; i < g.count && kinds; i++) learn_text(&g, i, kinds);
    for (int64_t i = 0; i < g.count && kinds; i++) {
        const int64_t have = g.starts[i + 1] - g.starts[i];
        if (have == 0) continue;
        int64_t different;
        const int64_t matches = matches_of(&g, i, kinds, &different);
        precisions[i] *= (matches > 0 ? (double)matches : n > 1 ? TG_BLEU_EPSILON : 0) / (double)have;
        repeated += (double)(have - different) / (double)have;
        texts++;
    }
    const int64_t all = g.starts[g.count];
    out->distinct[n - 1] = all > 0 ? (double)g.kinds / (double)all : (double)NAN;
    out->repetition = texts > 0 ? repeated / (double)texts : (double)NAN; /* the last order's stays */
    tg_free(kinds);
    tg_symbols_free(&g);
    return kinds ? TG_OK : TG_ENOMEM;
}

static int64_t symbols_in(const tg_symbols *s, int64_t i)
{
    return s->starts[i + 1] - s->starts[i];
}

/* with_length: how many texts have so many symbols, 0..longest, the one of `length` itself not counted. */
static int64_t nearest_length(const int64_t *with_length, int64_t longest, int64_t length)
{
    for (int64_t d = 0; d <= longest; d++) {
        if (d < length && with_length[length - d] > (d == 0)) return length - d;
        if (d > 0 && length + d <= longest && with_length[length + d] > 0) return length + d;
    }
    return length;
}

static tg_status self_bleu(const tg_symbols *s, const double *precisions, double *out)
{
    int64_t longest = 0, texts = 0;
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) longest = symbols_in(s, i) > longest ? symbols_in(s, i) : longest;
    int64_t *with_length = tg_alloc_array(longest + 1, sizeof *with_length);
    if (!with_length) return TG_ENOMEM;
    for (int64_t i = 0; i < s->count; i++) with_length[symbols_in(s, i)]++;
    for (int64_t i = 0; i < s->count; i++) {
        const int64_t length = symbols_in(s, i), orders = length < TG_DIVERSITY_ORDERS ? length : TG_DIVERSITY_ORDERS;
        if (length == 0) continue;
        const int64_t nearest = nearest_length(with_length, longest, length);
        const double brevity = nearest > length ? exp(1 - (double)nearest / (double)length) : 1;
        sum += brevity * pow(precisions[i], 1 / (double)orders);
        texts++;
    }
    tg_free(with_length);
    *out = texts > 1 ? sum / (double)texts : (double)NAN;
    return TG_OK;
}

tg_status tg_diversity_of(const tg_symbols *s, tg_diversity *out)
{
    tg_diversity d;
    double *precisions = tg_alloc_array(s->count, sizeof *precisions);
    if (!precisions) return TG_ENOMEM;
    for (int64_t i = 0; i < s->count; i++) precisions[i] = 1;
    tg_status status = TG_OK;
    for (int n = 1; n <= TG_DIVERSITY_ORDERS && !status; n++) status = count_order(s, n, precisions, &d);
    if (!status) status = self_bleu(s, precisions, &d.self_bleu);
    if (!status) *out = d;
    tg_free(precisions);
    return status;
}

/* ---- marks ------------------------------------------------------------------------------------------------------ */

enum { OPEN_MOST = 256 };

/* Of the pair that a character belongs to: what opens it, which is its name; 0: to none. */
static uint32_t pair_of(uint32_t code, bool *closes)
{
    static const uint32_t pairs[][2] = {
        {'(', ')'}, {'[', ']'}, {'{', '}'}, {0xff08, 0xff09}, {0xff3b, 0xff3d}, {0xff5b, 0xff5d}, {0x300c, 0x300d},
        {0x300e, 0x300f}, {0x300a, 0x300b}, {0x3008, 0x3009}, {0x3010, 0x3011}, {0x3014, 0x3015}, {0x201c, 0x201d},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        *closes = code == pairs[i][1];
        if (*closes || code == pairs[i][0]) return pairs[i][0];
    }
    return code == '"' ? '"' : 0;
}

static void balance_text(const tg_text *text, tg_balance *b)
{
    uint32_t open[OPEN_MOST];
    int depth = 0;
    for (const char *at = text->bytes, *end = at + text->length; at < end;) {
        uint32_t code = 0;
        bool closes;
        const int size = tg_utf8_next(at, end, &code);
        const uint32_t pair = size ? pair_of(code, &closes) : 0;
        at += size ? size : 1;
        if (!pair) continue;
        int found = closes || pair == '"' ? depth - 1 : -1;
        while (found >= 0 && open[found] != pair) found--;
        b->marks++;
        if (found >= 0) {
            b->matched += 2;
            depth = found;
        } else if (!closes && depth < OPEN_MOST) {
            open[depth++] = pair;
        }
    }
}

tg_balance tg_balance_of(const tg_text *texts, int64_t count)
{
    tg_balance b = {0, 0};
    for (int64_t i = 0; i < count; i++) balance_text(&texts[i], &b);
    return b;
}

/* ---- words that are known ---------------------------------------------------------------------------------------- */

typedef struct reader { const char *at, *end; tg_found_word word; bool has, paired; tg_str folded; } reader;

static void move_on(reader *r)
{
    do r->has = tg_word_next(&r->at, r->end, &r->word);
    while (r->has && !r->word.letters && !r->word.ideograph);
}

/* The next entry of a lexicon into r->folded; false: there is none. */
static bool next_entry(reader *r)
{
    while (r->has) {
        const tg_found_word w = r->word;
        const bool joined = r->paired; /* with the one before */
        const char *stop = w.bytes + w.length;
        move_on(r);
        const bool pair = w.ideograph && r->has && r->word.ideograph && r->word.bytes == stop;
        r->paired = pair;
        if (pair) stop += r->word.length;
        else if (joined) continue; /* the last of its run */
        tg_str_clear(&r->folded);
        for (const char *at = w.bytes; at < stop;) {
            char small[4];
            uint32_t code = 0;
            const int size = tg_utf8_next(at, stop, &code);
            tg_str_add_n(&r->folded, small, tg_utf8_put(small, tg_fold_case(code)));
            at += size ? size : 1;
        }
        return true;
    }
    return false;
}

typedef struct known { const tg_map *lexicon; int64_t words, known; } known;

/* Counts what k->lexicon has, and adds to `into`, where there is one, what it has not. */
static tg_status each_entry(const tg_text *texts, int64_t count, known *k, tg_map *into)
{
    reader r = {0};
    int64_t entry = 0;
    for (int64_t i = 0; i < count && entry >= 0 && !r.folded.failed; i++) {
        r.at = texts[i].bytes;
        r.end = r.at + texts[i].length;
        r.paired = false;
        move_on(&r);
        while (entry >= 0 && next_entry(&r) && !r.folded.failed) {
            const bool has = k->lexicon && tg_map_find(k->lexicon, r.folded.data, r.folded.length) >= 0;
            k->words++;
            k->known += has;
            if (has || !into) continue;
            entry = tg_map_add(into, r.folded.data, r.folded.length);
            if (entry >= 0) ++*tg_map_value(into, entry);
        }
    }
    const bool failed = r.folded.failed || entry < 0;
    tg_str_free(&r.folded);
    return failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_lexicon_add(tg_map *lexicon, const tg_text *texts, int64_t count)
{
    return each_entry(texts, count, &(known){NULL, 0, 0}, lexicon);
}

tg_status tg_words_known(const tg_map *lexicon, const tg_text *texts, int64_t count, tg_map *unknown, int64_t *words,
                         int64_t *known_ones)
{
    known k = {lexicon, 0, 0};
    const tg_status status = each_entry(texts, count, &k, unknown);
    if (status) return status;
    *words = k.words;
    *known_ones = k.known;
    return TG_OK;
}

/* ---- lengths ---------------------------------------------------------------------------------------------------- */

static int64_t clusters_in(const char *at, const char *end)
{
    int64_t n = 0;
    const char *plain = at;
    while (plain < end && (unsigned char)*plain < 0x80) plain++;
    if (plain == end && !memchr(at, '\r', (size_t)(end - at))) return end - at;
    for (; at < end; n++) at += tg_utf8_grapheme(at, end);
    return n;
}

/* Lines of a text, their lengths into out where it is not NULL; returns how many. */
static int64_t lines_of(const tg_text *text, bool cut, int64_t *out)
{
    int64_t n = 0;
    for (const char *at = text->bytes, *end = at + text->length; at < end; n++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *next = stop ? stop + 1 : end;
        if (!stop && cut) break;
        if (!stop) stop = end;
        else if (stop > at && stop[-1] == '\r') stop--;
        if (out) out[n] = clusters_in(at, stop);
        at = next;
    }
    return n;
}

static int by_length(const void *a, const void *b, void *user)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    (void)user;
    return x < y ? -1 : x > y;
}

static tg_status sort_lengths(tg_lengths *l, tg_lengths *out)
{
    int64_t *scratch = tg_alloc_array(l->count, sizeof *scratch);
    if (!scratch) {
        tg_lengths_free(l);
        return TG_ENOMEM;
    }
    tg_sort(l->items, l->count, sizeof *l->items, scratch, by_length, NULL);
    tg_free(scratch);
    *out = *l;
    return TG_OK;
}

tg_status tg_lengths_of_lines(const tg_text *texts, int64_t count, bool cut, tg_lengths *out)
{
    tg_lengths l = {0};
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) l.count += lines_of(&texts[i], cut, NULL);
    l.items = tg_alloc_array(l.count, sizeof *l.items);
    if (!l.items) return TG_ENOMEM;
    for (int64_t i = 0; i < count; i++) n += lines_of(&texts[i], cut, l.items + n);
    return sort_lengths(&l, out);
}

tg_status tg_lengths_of_texts(const tg_text *texts, int64_t count, tg_lengths *out)
{
    tg_lengths l = {tg_alloc_array(count, sizeof *l.items), count};
    if (!l.items) return TG_ENOMEM;
    for (int64_t i = 0; i < count; i++) l.items[i] = clusters_in(texts[i].bytes, texts[i].bytes + texts[i].length);
    return sort_lengths(&l, out);
}

void tg_lengths_free(tg_lengths *l)
{
    tg_free(l->items);
}

double tg_lengths_median(const tg_lengths *l)
{
    if (l->count == 0) return (double)NAN;
    const int64_t low = (l->count - 1) / 2, high = l->count / 2;
    return ((double)l->items[low] + (double)l->items[high]) / 2;
}

void tg_lengths_compare(const tg_lengths *a, const tg_lengths *b, double *wasserstein, double *ks)
{
    int64_t i = 0, j = 0, before = 0;
    double apart = 0;
    *wasserstein = *ks = a->count > 0 && b->count > 0 ? 0 : (double)NAN;
    if (a->count == 0 || b->count == 0) return;
    while (i < a->count || j < b->count) {
        const int64_t here = j == b->count || (i < a->count && a->items[i] < b->items[j]) ? a->items[i] : b->items[j];
        *wasserstein += apart * (double)(here - before);
        while (i < a->count && a->items[i] == here) i++;
        while (j < b->count && b->items[j] == here) j++;
        apart = fabs((double)i / (double)a->count - (double)j / (double)b->count);
        if (apart > *ks) *ks = apart;
        before = here;
    }
}

/* ---- real text --------------------------------------------------------------------------------------------------- */

static bool goes_on(const char *text, int64_t length, int64_t at)
{
    return at < length && ((unsigned char)text[at] & 0xc0) == 0x80;
}

int64_t tg_pieces_like(const char *text, int64_t length, const tg_text *like, int64_t count, tg_text *out)
{
    int64_t n = 0, all = 0, at = 0;
    while (n < count && like[n].length <= length - all) all += like[n++].length;
    const int64_t room = n > 0 ? (length - all) / n : 0; /* to move each piece in */
    for (int64_t i = 0; i < n; i++) {
        const int64_t last = at + room + like[i].length;
        int64_t begin = at, end;
        const char *line = room > 0 ? memchr(text + at, '\n', (size_t)room) : NULL;
        if (at > 0 && text[at - 1] != '\n' && line) begin = line + 1 - text;
        for (int k = 0; k < 3 && begin < last && goes_on(text, length, begin); k++) begin++;
        end = begin + like[i].length < last ? begin + like[i].length : last;
        for (int k = 0; k < 3 && end > begin && goes_on(text, length, end); k++) end--;
        out[i] = (tg_text){text + begin, end - begin};
        at = last;
    }
    return n;
}
