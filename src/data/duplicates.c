/* duplicates.c - equal documents: (hash, index) of all in order, so that what may be equal lies side by side. */
#include "data/duplicates.h"

#include <string.h>

#include "base/hash.h"
#include "base/meter.h"
#include "data/shingles.h"

enum { PART = 1 << 16, KINDS = 64, /* different texts of one hash that are remembered */ STEP = 64 /* documents told at once */ };

typedef struct kind { int64_t document, begin, end; } kind;

typedef struct search {
    const tg_scratch *text, *documents;
    tg_window here, other, list; /* where the later of two is read, where the earlier, and where the list is */
    tg_spill *hashes, *twins;
    kind kinds[KINDS];           /* of the present hash, the oldest replaced first */
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

/* Document i without the white space at its ends. */
static tg_status find(search *s, int64_t i, kind *out)
{
    tg_document d;
    out->document = i;
    tg_status status = tg_document_look(s->documents, &s->list, i, &out->begin, &d);
    out->end = d.end;
    return status ? status : tg_trim_in(s->text, &s->here, &out->begin, &out->end);
}

static tg_status hash_all(search *s, int64_t count)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        kind k;
        uint64_t hash;
        status = find(s, i, &k);
        if (!status) status = hash_of(s, k.begin, k.end, &hash);
        if (!status) status = tg_spill_add(s->hashes, (tg_record){hash, i});
        if (!status && (i % STEP == STEP - 1 || i == count - 1)) status = tg_meter_add(&s->meter, i % STEP + 1);
    }
    return status;
}

/* A document among those before it that have its hash. */
static tg_status look_up(search *s, int64_t i)
{
    kind k;
    bool equal = false;
    tg_status status = find(s, i, &k);
    for (int64_t at = s->kinds_seen - 1; at >= 0 && at >= s->kinds_seen - KINDS && !equal && !status; at--) {
        const kind *other = &s->kinds[at % KINDS];
        if (other->end - other->begin == k.end - k.begin) status = compare(s, other->begin, k.begin, k.end - k.begin, &equal);
        if (!status && equal) status = tg_spill_add(s->twins, (tg_record){(uint64_t)i, other->document});
    }
    if (!equal) s->kinds[s->kinds_seen++ % KINDS] = k;
    return status;
}

/* Documents whose hash is theirs alone are not looked at again. */
static tg_status compare_all(search *s)
{
    tg_record r, last = {0, -1};
    bool more = true;
    tg_status status = TG_OK;
    for (int64_t i = 1; !status; i++) {
        status = tg_spill_next(s->hashes, &r, &more);
        if (status || !more) break;
        if (last.value >= 0 && r.key == last.key) {
            if (s->kinds_seen == 0) status = look_up(s, last.value);
            if (!status) status = look_up(s, r.value);
        } else s->kinds_seen = 0;
        last = r;
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
    tg_window_free(&s.other);
    tg_window_free(&s.list);
    tg_spill_free(s.hashes);
    return status;
}
