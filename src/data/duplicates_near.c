/* duplicates_near.c - MinHash and bands (Leskovec et al., ch. 3.3 and 3.4). The signature of a document is, for each of
 * bands·rows hash functions, the least hash of its shingles; two documents agree in one function with the probability
 * of their Jaccard similarity. Only a hash of each band is kept. Band after band, documents are sorted by it; equal
 * ones are a bucket, and pairs of it that are not yet in one group are compared for true. Signing is done by all
 * threads, comparing by one: what is compared depends on what was joined before. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/meter.h"
#include "data/duplicates.h"
#include "data/shingles.h"

enum {
    HASHES = 128, BLOCK = 1 << 13, BLOCK_BYTES = 1 << 23, MAX_VAIN = 1 << 20, MAX_LANES = 64, KEPT = 128, KEPT_ITEMS = 2048
};
static const double missed = 1e-4; /* at most, of pairs at the threshold */

/* A set that was compared lately: in a bucket of unlike documents each is compared with 64. */
typedef struct kept { int64_t owner, count; uint64_t items[KEPT_ITEMS]; } kept; /* owner: document + 1; 0: none */

typedef struct near {
    tg_scratch *text;
    const int64_t *starts;
    int64_t count;
    double threshold;
    int rows, bands;
    uint64_t multiply[HASHES], plus[HASHES];
    uint32_t *keys;             /* [bands + 1, count]; behind the bands', a hash of the whole set */
    int32_t *sizes;             /* of the sets; 0: an earlier document has the same set and stands for this one */
    int32_t *first;             /* a forest: a document's parent, never a later one; a root is its own */
    uint64_t *pairs, *scratch;  /* [count]: key and index, to be sorted */
    uint64_t *vain;             /* pairs that were compared and found too different; a new one takes an old one's place */
    int64_t vain_slots;
    kept *kept;                 /* [KEPT], of a document by the rest of its index */
    tg_shingles a, b;
    int64_t in_a;               /* the document whose set a is; -1: none */
    tg_meter meter;             /* of comparing: every document once in every band */
    tg_status status;           /* of reading the text while comparing, and of being stopped */
} near;

/* ---- signatures ------------------------------------------------------------------------------------------------- */

/* Most rows with which a pair at the threshold is still found: rows keep pairs below it out. */
static int choose_rows(double threshold)
{
    for (int rows = 16; rows > 1; rows--) {
        double agree = 1, miss = 1;
        for (int i = 0; i < rows; i++) agree *= threshold;
        for (int i = 0; i < HASHES / rows; i++) miss *= 1 - agree;
        if (miss <= missed) return rows;
    }
    return 1;
}

/* at: the document's bytes. */
static void sign(near *n, int64_t i, const char *at, tg_shingles *set)
{
    uint32_t least[HASHES];
    uint64_t all = 0;
    const int hashes = n->rows * n->bands;
    tg_shingles_of(at, 0, n->starts[i + 1] - n->starts[i], set);
    memset(least, 0xff, sizeof least);
    for (int64_t s = 0; s < set->count; s++) {
        const uint64_t item = set->items[s];
        all += tg_stir(item);
        for (int h = 0; h < hashes; h++) {
            uint32_t x = (uint32_t)((item * n->multiply[h] + n->plus[h]) >> 32);
            least[h] = x < least[h] ? x : least[h];
        }
    }
    for (int b = 0; b < n->bands; b++) {
        uint64_t key = 0;
        for (int r = 0; r < n->rows; r++) key = tg_stir(key + least[b * n->rows + r]);
        n->keys[b * n->count + i] = (uint32_t)key;
    }
    n->keys[n->bands * n->count + i] = (uint32_t)tg_stir(all);
    n->sizes[i] = (int32_t)set->count;
}

typedef struct signing {
    near *n;
    int64_t begin, count, lanes; /* documents begin to begin + count are done now; */
    const char *bytes;           /* they lie here */
    tg_shingles sets[MAX_LANES];
} signing;

static void sign_part(void *arg, int64_t lane)
{
    signing *s = arg;
    int64_t end = s->begin + s->count * (lane + 1) / s->lanes;
    for (int64_t i = s->begin + s->count * lane / s->lanes; i < end; i++) sign(s->n, i, s->bytes + (s->n->starts[i] - s->n->starts[s->begin]), &s->sets[lane]);
}

/* The next documents: BLOCK of them, or so many as BLOCK_BYTES hold, one at least. */
static tg_status next_block(signing *s)
{
    const near *n = s->n;
    const int64_t *from = n->starts + s->begin, left = n->count - s->begin;
    for (s->count = 1; s->count < left && s->count < BLOCK && from[s->count + 1] - from[0] <= BLOCK_BYTES;) s->count++;
    return tg_scratch_view(n->text, from[0], from[s->count] - from[0], &s->bytes);
}

static tg_status sign_all(near *n, tg_context *ctx, int64_t longest)
{
    signing s = {.n = n, .lanes = ctx ? tg_pool_threads(ctx->pool) : 1};
    if (s.lanes > MAX_LANES) s.lanes = MAX_LANES;
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < s.lanes; i++) status = tg_shingles_new(longest, &s.sets[i]);
    tg_meter m = tg_meter_start(ctx, "compare", "documents", n->count);
    for (; !status && s.begin < n->count; s.begin += s.count) {
        status = next_block(&s);
        if (status) break;
        tg_pool_run(ctx ? ctx->pool : NULL, sign_part, &s, s.lanes);
        status = tg_meter_add(&m, s.count);
    }
    tg_meter_end(&m);
    for (int64_t i = 0; i < s.lanes; i++) tg_shingles_free(&s.sets[i]);
    return status;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static int64_t root(int32_t *parent, int64_t i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

static void join(int32_t *parent, int64_t i, int64_t j)
{
    i = root(parent, i);
    j = root(parent, j);
    if (i < j) parent[j] = (int32_t)i;
    else parent[i] = (int32_t)j;
}

static void read_set(near *n, int64_t i, tg_shingles *set)
{
    const char *bytes = "";
    const int64_t length = n->starts[i + 1] - n->starts[i];
    if (!n->status) n->status = tg_scratch_view(n->text, n->starts[i], length, &bytes);
    tg_shingles_of(bytes, 0, n->status ? 0 : length, set);
}

/* Its table is not there; valid until the next call. */
static tg_shingles set_of(near *n, int64_t i)
{
    kept *k = &n->kept[i % KEPT];
    if (k->owner == i + 1) return (tg_shingles){.items = k->items, .count = k->count};
    read_set(n, i, &n->b);
    if (n->b.count <= KEPT_ITEMS) {
        k->owner = i + 1;
        k->count = n->b.count;
        memcpy(k->items, n->b.items, (size_t)k->count * sizeof *k->items);
    }
    return n->b;
}

static double likeness(near *n, int64_t i, int64_t j)
{
    if (n->in_a != j) read_set(n, j, &n->a);
    n->in_a = j;
    const tg_shingles other = set_of(n, i);
    return tg_shingles_jaccard(&n->a, &other);
}

/* i < j. The sizes alone bound the likeness from above. */
static bool are_near(near *n, int64_t i, int64_t j)
{
    int32_t less = n->sizes[i] < n->sizes[j] ? n->sizes[i] : n->sizes[j], more = n->sizes[i] + n->sizes[j] - less;
    if ((double)less / (double)more < n->threshold) return false;
    uint64_t pair = (uint64_t)i << 32 | (uint64_t)j, *seen = &n->vain[tg_stir(pair) % (uint64_t)n->vain_slots];
    if (*seen == pair) return false;
    if (likeness(n, i, j) >= n->threshold) return true;
    *seen = pair;
    return false;
}

static int64_t document(uint64_t pair)
{
    return (int64_t)(pair & UINT32_MAX);
}

static int64_t not_before(int64_t at)
{
    return at > TG_NEAR_NEIGHBOURS ? at - TG_NEAR_NEIGHBOURS : 0;
}

static void advance(near *n, int64_t count)
{
    if (!n->status) n->status = tg_meter_add(&n->meter, count);
}

/* Joins what is near; pairs ascend by document. */
static void join_near(near *n, uint64_t *bucket, int64_t count)
{
    for (int64_t p = 1; p < count && !n->status; p++, advance(n, 1))
        for (int64_t j = document(bucket[p]), q = p - 1; q >= not_before(p); q--) {
            int64_t i = document(bucket[q]);
            if (root(n->first, i) != root(n->first, j) && are_near(n, i, j)) join(n->first, i, j);
        }
}

/* The same for equal sets; those that remain, each of its kind, stand at the bucket's head. */
static void join_equal(near *n, uint64_t *bucket, int64_t count)
{
    int64_t kinds = 1;
    for (int64_t p = 1; p < count && !n->status; p++, advance(n, 1)) {
        int64_t j = document(bucket[p]), q = kinds - 1;
        while (q >= not_before(kinds) && likeness(n, document(bucket[q]), j) < 1) q--;
        if (q >= not_before(kinds)) {
            join(n->first, document(bucket[q]), j);
            n->sizes[j] = 0;
        } else bucket[kinds++] = bucket[p];
    }
}

/* By the upper 32 bits, stable; in four passes the result ends where it began. */
static void sort_by_key(uint64_t *pairs, uint64_t *scratch, int64_t count)
{
    for (int shift = 32; shift < 64; shift += 8) {
        int64_t at[257] = {0};
        for (int64_t i = 0; i < count; i++) at[(pairs[i] >> shift & 255) + 1]++;
        for (int b = 0; b < 256; b++) at[b + 1] += at[b];
        for (int64_t i = 0; i < count; i++) scratch[at[pairs[i] >> shift & 255]++] = pairs[i];
        uint64_t *swap = pairs;
        pairs = scratch;
        scratch = swap;
    }
}

static void walk_buckets(near *n, int band, void (*work)(near *, uint64_t *, int64_t))
{
    const uint32_t *keys = n->keys + band * n->count;
    int64_t count = 0, passed = 0; /* passed: not yet told; a document alone is not worth a look at the clock */
    for (int64_t i = 0; i < n->count; i++)
        if (n->sizes[i]) n->pairs[count++] = (uint64_t)keys[i] << 32 | (uint64_t)i;
    sort_by_key(n->pairs, n->scratch, count);
    advance(n, n->count - count);
    for (int64_t begin = 0, end; begin < count && !n->status; begin = end) {
        for (end = begin + 1; end < count && n->pairs[end] >> 32 == n->pairs[begin] >> 32;) end++;
        if (end - begin > 1) work(n, n->pairs + begin, end - begin);
        if (++passed < 1024 && end < count) continue;
        advance(n, passed);
        passed = 0;
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static tg_status make_room(near *n, int64_t longest)
{
    n->vain_slots = 16 * n->count + 1 < MAX_VAIN ? 16 * n->count + 1 : MAX_VAIN;
    n->keys = tg_alloc_array((n->bands + 1) * n->count, sizeof *n->keys);
    n->sizes = tg_alloc_array(n->count, sizeof *n->sizes);
    n->pairs = tg_alloc_array(n->count, sizeof *n->pairs);
    n->scratch = tg_alloc_array(n->count, sizeof *n->scratch);
    n->vain = tg_alloc_array(n->vain_slots, sizeof *n->vain);
    n->kept = tg_alloc_array(KEPT, sizeof *n->kept);
    if (!n->keys || !n->sizes || !n->pairs || !n->scratch || !n->vain || !n->kept) return TG_ENOMEM;
    tg_status status = tg_shingles_new(longest, &n->a);
    return status ? status : tg_shingles_new(longest, &n->b);
}

static void free_room(near *n)
{
    tg_free(n->keys);
    tg_free(n->sizes);
    tg_free(n->pairs);
    tg_free(n->scratch);
    tg_free(n->vain);
    tg_free(n->kept);
    tg_shingles_free(&n->a);
    tg_shingles_free(&n->b);
}

tg_status tg_duplicates_near_among(tg_context *ctx, tg_scratch *text, const int64_t *starts, int64_t count,
                                   double threshold, int64_t most, int32_t *first)
{
    if (count > most)
        return tg_fail(TG_EINVAL, "%" PRId64 " documents are more than the %" PRId64 " whose likeness is searched; find "
                       "only equal ones (--dedupe exact)", count, most);
    if (!(threshold >= 0.1 && threshold <= 1)) return tg_fail(TG_EINVAL, "a likeness of documents lies in 0.1 to 1");
    int rows = choose_rows(threshold);
    near n = {.text = text, .starts = starts, .count = count, .threshold = threshold, .rows = rows,
              .bands = HASHES / rows, .first = first, .in_a = -1};
    int64_t longest = 0;
    for (int64_t i = 0; i < count; i++) {
        first[i] = (int32_t)i;
        if (starts[i + 1] - starts[i] > longest) longest = starts[i + 1] - starts[i];
    }
    for (uint64_t h = 0; h < HASHES; h++) {
        n.multiply[h] = tg_stir(2 * h + 1) | 1;
        n.plus[h] = tg_stir(2 * h + 2);
    }
    tg_status status = make_room(&n, longest);
    if (!status) status = sign_all(&n, ctx, longest);
    n.meter = tg_meter_start(ctx, "join near ones", "looks", count * (n.bands + 1));
    if (!status) walk_buckets(&n, n.bands, join_equal);
    for (int b = 0; !status && !n.status && b < n.bands; b++) walk_buckets(&n, b, join_near);
    tg_meter_end(&n.meter);
    if (!status) status = n.status;
    for (int64_t i = 0; i < count; i++) first[i] = (int32_t)root(first, i);
    free_room(&n);
    return status;
}

tg_status tg_duplicates_near(tg_context *ctx, tg_scratch *text, const int64_t *starts, int64_t count, double threshold,
                             int32_t *first)
{
    return tg_duplicates_near_among(ctx, text, starts, count, threshold, TG_NEAR_MOST, first);
}
