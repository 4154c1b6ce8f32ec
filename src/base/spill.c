/* spill.c - sorted parts one behind the other in a scratch; a heap holds them by their next record. */
#include "base/spill.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { RECORD = sizeof(tg_record), LEAST = 8, MOST = 1 << 20, READ = 1 << 15 /* records */ };

typedef struct part {
    const tg_record *next, *end; /* in memory */
    tg_record *room;             /* where it is read to */
    int64_t offset, left;        /* in the scratch: bytes before, records behind */
} part;

struct tg_spill {
    tg_scratch *parts;
    tg_window window;
    tg_record *records;          /* [2 * room]: those of the part that is being filled, and what sorting works in */
    int64_t room, count, added;  /* count: in the part that is being filled; all before it have room records */
    tg_record *read_to;
    part *heap;
    int64_t in_heap, read;       /* read: records of a part at a time */
    tg_status failed;            /* what ended the merge */
};

tg_status tg_spill_new(const tg_scratch *like, tg_spill **out)
{
    tg_spill *s = tg_alloc(sizeof *s);
    if (!s) return TG_ENOMEM;
    s->room = tg_scratch_keep(like) / (2 * RECORD);
    s->room = s->room < LEAST ? LEAST : s->room > MOST ? MOST : s->room;
    s->records = tg_alloc_raw(2 * s->room * RECORD);
    tg_status status = s->records ? tg_scratch_like(like, &s->parts) : TG_ENOMEM;
    if (status) tg_spill_free(s);
    else *out = s;
    return status;
}

void tg_spill_free(tg_spill *s)
{
    if (!s) return;
    tg_scratch_free(s->parts);
    tg_window_free(&s->window);
    tg_free(s->records);
    tg_free(s->read_to);
    tg_free(s->heap);
    tg_free(s);
}

int64_t tg_spill_count(const tg_spill *s)
{
    return s->added;
}

static bool before(const tg_record *a, const tg_record *b)
{
    return a->key != b->key ? a->key < b->key : a->value < b->value;
}

/* By a byte of the key after the other, the last first: stable, and several times faster than comparing. */
static void sort_part(tg_spill *s)
{
    tg_record *from = s->records, *to = s->records + s->room;
    for (int shift = 0; shift < 64; shift += 8) {
        int64_t at[257] = {0};
        for (int64_t i = 0; i < s->count; i++) at[(from[i].key >> shift & 255) + 1]++;
        if (s->count == 0 || at[(from[0].key >> shift & 255) + 1] == s->count) continue; /* all have the same byte */
        for (int b = 0; b < 256; b++) at[b + 1] += at[b];
        for (int64_t i = 0; i < s->count; i++) to[at[from[i].key >> shift & 255]++] = from[i];
        tg_record *swap = from;
        from = to;
        to = swap;
    }
    if (from != s->records) memcpy(s->records, from, (size_t)(s->count * RECORD));
}

static tg_status put_part(tg_spill *s)
{
    sort_part(s);
    tg_status status = tg_scratch_add(s->parts, s->records, s->count * RECORD);
    s->count = 0;
    return status;
}

tg_status tg_spill_add(tg_spill *s, tg_record r)
{
    TG_ASSERT(!s->heap);
    tg_status status = s->count == s->room ? put_part(s) : TG_OK;
    if (status) return status;
    s->records[s->count++] = r;
    s->added++;
    return TG_OK;
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

/* Reads more of what the scratch has of p; next == end when that is nothing. */
static tg_status refill(tg_spill *s, part *p)
{
    const int64_t n = p->left < s->read ? p->left : s->read;
    const char *view;
    tg_status status = tg_scratch_look(s->parts, &s->window, p->offset, n * RECORD, &view);
    if (status) return status;
    memcpy(p->room, view, (size_t)(n * RECORD));
    p->next = p->room;
    p->end = p->room + n;
    p->offset += n * RECORD;
    p->left -= n;
    return TG_OK;
}

/* Lets heap[i] sink to where no child is before it. */
static void sink(const tg_spill *s, int64_t i)
{
    const part moved = s->heap[i];
    for (int64_t child; (child = 2 * i + 1) < s->in_heap; i = child) {
        if (child + 1 < s->in_heap && before(s->heap[child + 1].next, s->heap[child].next)) child++;
        if (!before(s->heap[child].next, moved.next)) break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = moved;
}

static tg_status open_parts(tg_spill *s)
{
    const int64_t parts = (s->added + s->room - 1) / s->room;
    s->heap = tg_alloc_array(parts + 1, sizeof *s->heap);
    if (!s->heap) return TG_ENOMEM;
    if (parts <= 1) { /* it is in memory still */
        sort_part(s);
        s->heap[0] = (part){.next = s->records, .end = s->records + s->count, .room = s->records};
        s->in_heap = parts;
        return TG_OK;
    }
    tg_status status = put_part(s);
    tg_free(s->records);
    s->records = NULL;
    s->read = 2 * s->room / parts;
    s->read = s->read < 1 ? 1 : s->read > READ ? READ : s->read;
    s->read_to = tg_alloc_raw(parts * s->read * RECORD);
    if (!status && !s->read_to) status = TG_ENOMEM;
    for (int64_t i = 0; i < parts && !status; i++) {
        const int64_t first = i * s->room, rest = s->added - first;
        s->heap[i] = (part){.room = s->read_to + i * s->read, .offset = first * RECORD, .left = rest < s->room ? rest : s->room};
        status = refill(s, &s->heap[i]);
    }
    if (status) return status;
    s->in_heap = parts;
    for (int64_t i = parts / 2; i-- > 0;) sink(s, i);
    return TG_OK;
}

tg_status tg_spill_next(tg_spill *s, tg_record *out, bool *more)
{
    if (s->failed) return s->failed;
    if (!s->heap) s->failed = open_parts(s);
    if (s->failed) return s->failed;
    *more = s->in_heap > 0;
    if (!*more) return TG_OK;
    part *first = s->heap;
    *out = *first->next++;
    if (first->next == first->end && first->left > 0) s->failed = refill(s, first);
    if (first->next == first->end) *first = s->heap[--s->in_heap];
    sink(s, 0);
    return s->failed;
}
