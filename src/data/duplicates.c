/* duplicates.c - equal documents: (hash, index and check) of all in order, so that equal ones lie side by side. To read them
 * again would cost a read of a file each, wherever it lies. */
#include "data/duplicates.h"

#include <string.h>

#include "base/hash.h"
#include "base/meter.h"
#include "data/shingles.h"

enum {
    PART = 1 << 16,
    CHECK = 24, /* bits of another hash, below the index: 88 bits in all tell documents apart */
    KINDS = 64, /* different texts of one hash that are remembered */
    STEP = 64   /* documents told at once */
};

typedef struct search {
    const tg_scratch *text, *documents;
    tg_window here, list;
    tg_spill *hashes, *twins;
    int64_t kinds[KINDS]; /* index and check of the present hash's texts, the oldest replaced first */
    int64_t kinds_seen;
    tg_meter meter;
} search;

tg_status tg_document_look(const tg_scratch *documents, tg_window *w, int64_t i, int64_t *begin, tg_document *out)
{
    const int64_t size = sizeof *out, before = i > 0;
    const char *view;
    tg_status status = tg_scratch_look(documents, w, (i - before) * size, (1 + before) * size, &view);
    if (status) return status;
    *begin = before ? ((const tg_document *)(const void *)view)->end : 0;
    memcpy(out, view + before * size, sizeof *out);
    return TG_OK;
}

int64_t tg_document_count(const tg_scratch *documents)
{
    return tg_scratch_length(documents) / (int64_t)sizeof(tg_document);
}

/* A word at a time, unlike xxHash64's lanes (multiplier: Steele & Vigna 2021). */
static uint64_t mix(uint64_t h, const char *bytes, int64_t count)
{
    for (uint64_t word; count > 0; bytes += 8, count -= 8) {
        word = 0;
        memcpy(&word, bytes, count < 8 ? (size_t)count : 8);
        h = (h ^ word) * 0xd1342543de82ef95u;
        h ^= h >> 29;
    }
    return h;
}

/* Of text[begin .. end); *check has CHECK bits. */
static tg_status hash_of(search *s, int64_t begin, int64_t end, uint64_t *hash, int64_t *check)
{
    tg_xxh64 h;
    uint64_t other = (uint64_t)(end - begin);
    tg_xxh64_start(&h);
    for (int64_t n; begin < end; begin += n) {
        const char *view;
        n = end - begin < PART ? end - begin : PART;
        tg_status status = tg_scratch_look(s->text, &s->here, begin, n, &view);
        if (status) return status;
        tg_xxh64_add(&h, view, n);
        other = mix(other, view, n);
    }
    *hash = tg_xxh64_end(&h);
    *check = (int64_t)(other >> (64 - CHECK));
    return TG_OK;
}

static tg_status hash_all(search *s, int64_t count)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        tg_document d;
        int64_t begin, check;
        uint64_t hash;
        status = tg_document_look(s->documents, &s->list, i, &begin, &d);
        if (!status) status = tg_trim_in(s->text, &s->here, &begin, &d.end); /* white space at its ends does not count */
        if (!status) status = hash_of(s, begin, d.end, &hash, &check);
        if (!status) status = tg_spill_add(s->hashes, (tg_record){hash, i << CHECK | check});
        if (!status && (i % STEP == STEP - 1 || i == count - 1)) status = tg_meter_add(&s->meter, i % STEP + 1);
    }
    return status;
}

/* One among those before it that have its hash. */
static tg_status look_up(search *s, int64_t value)
{
    const int64_t check = (INT64_C(1) << CHECK) - 1;
    for (int64_t at = s->kinds_seen - 1; at >= 0 && at >= s->kinds_seen - KINDS; at--) {
        const int64_t other = s->kinds[at % KINDS];
        if (((other ^ value) & check) == 0) return tg_spill_add(s->twins, (tg_record){(uint64_t)(value >> CHECK), other >> CHECK});
    }
    s->kinds[s->kinds_seen++ % KINDS] = value;
    return TG_OK;
}

static tg_status compare_all(search *s)
{
    tg_record r;
    uint64_t last = 0;
    bool more = true;
    tg_status status = TG_OK;
    for (int64_t i = 1; !status; i++) {
        status = tg_spill_next(s->hashes, &r, &more);
        if (status || !more) break;
        if (r.key != last) s->kinds_seen = 0;
        last = r.key;
        status = look_up(s, r.value);
        if (!status && i % STEP == 0) status = tg_meter_add(&s->meter, STEP);
    }
    return status;
}

tg_status tg_duplicates_exact(tg_context *ctx, const tg_scratch *text, const tg_scratch *documents, tg_spill *twins)
{
    const int64_t count = tg_document_count(documents);
    search s = {.text = text, .documents = documents, .twins = twins};
    tg_status status = tg_spill_new(documents, &s.hashes);
    if (status) return status;
    s.meter = tg_meter_start(ctx, "find equal ones", "documents", 2 * count); /* to hash them, then to compare */
    status = hash_all(&s, count);
    if (!status) status = compare_all(&s);
    tg_meter_end(&s.meter);
    tg_window_free(&s.here);
    tg_window_free(&s.list);
    tg_spill_free(s.hashes);
    return status;
}
