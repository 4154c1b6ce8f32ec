/* duplicates.c - equal documents: a table of (part of the hash, index), open addressing, three slots for two documents. */
#include "data/duplicates.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/meter.h"
#include "data/shingles.h"

typedef struct slot { uint32_t tag, document; } slot; /* document + 1; 0: free */

typedef struct search {
    const tg_scratch *text;
    tg_window here, other; /* where documents are read in order, and where an earlier one is, to be compared */
    const int64_t *starts;
    slot *table;
    uint64_t slots;
    int32_t *first;
} search;

enum { PART = 1 << 16 };

static tg_status hash_of(search *s, int64_t begin, int64_t end, uint64_t *hash)
{
    tg_xxh64 h;
    tg_xxh64_start(&h);
    for (int64_t n; begin < end; begin += n) {
        const char *view;
        n = end - begin < PART ? end - begin : PART;
        tg_status status = tg_scratch_look(s->text, &s->here, begin, n, &view);
        if (status) return status;
        tg_xxh64_add(&h, view, n);
    }
    *hash = tg_xxh64_end(&h);
    return TG_OK;
}

/* Whether text[a .. a + count) and text[b .. b + count) are the same bytes. */
static tg_status compare(search *s, int64_t a, int64_t b, int64_t count, bool *equal)
{
    *equal = true;
    for (int64_t n; count > 0 && *equal; a += n, b += n, count -= n) {
        const char *x, *y;
        n = count < PART ? count : PART;
        tg_status status = tg_scratch_look(s->text, &s->other, a, n, &x);
        if (!status) status = tg_scratch_look(s->text, &s->here, b, n, &y);
        if (status) return status;
        *equal = memcmp(x, y, (size_t)n) == 0;
    }
    return TG_OK;
}

/* Document i among those before it. The start of an earlier one is trimmed anew: to keep it would cost more memory than
 * it costs time. */
static tg_status look_up(search *s, int64_t i)
{
    int64_t begin = s->starts[i], end = s->starts[i + 1];
    uint64_t hash;
    tg_status status = tg_trim_in(s->text, &s->here, &begin, &end);
    if (!status) status = hash_of(s, begin, end, &hash);
    if (status) return status;
    uint64_t at = (hash >> 32) * s->slots >> 32;
    s->first[i] = (int32_t)i;
    for (; s->table[at].document; at = at + 1 < s->slots ? at + 1 : 0) {
        if (s->table[at].tag != (uint32_t)hash) continue;
        int64_t from = s->starts[s->table[at].document - 1], to = s->starts[s->table[at].document];
        bool equal = false;
        status = tg_trim_in(s->text, &s->other, &from, &to);
        if (!status && to - from == end - begin) status = compare(s, from, begin, end - begin, &equal);
        if (status) return status;
        if (!equal) continue;
        s->first[i] = (int32_t)(s->table[at].document - 1);
        return TG_OK;
    }
    s->table[at] = (slot){(uint32_t)hash, (uint32_t)i + 1};
    return TG_OK;
}

tg_status tg_duplicates_exact(tg_context *ctx, const tg_scratch *text, const int64_t *starts, int64_t count, int32_t *first)
{
    if (count >= INT32_MAX)
        return tg_fail(TG_EINVAL, "%" PRId64 " documents are more than the %" PRId32 " that are compared; split the data",
                       count, INT32_MAX - 1);
    search s = {.text = text, .starts = starts, .first = first,
                .slots = (uint64_t)count + (uint64_t)count / 2 + 1}; /* 32 bits of the hash, scaled, choose one */
    s.table = tg_alloc_array((int64_t)s.slots, sizeof *s.table);
    if (!s.table) return TG_ENOMEM;
    tg_meter m = tg_meter_start(ctx, "find equal ones", "documents", count);
    tg_status status = TG_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        status = look_up(&s, i);
        if (!status && (i % 64 == 63 || i == count - 1)) status = tg_meter_add(&m, i % 64 + 1);
    }
    tg_meter_end(&m);
    tg_window_free(&s.here);
    tg_window_free(&s.other);
    tg_free(s.table);
    return status;
}
