/* bpe_merge.c - joining the ids of one chunk: few of them by looking at all again and again, many by a heap. */
#include "base/alloc.h"
#include "data/text/bpe.h"

enum { FEW = 64, NONE = INT32_MAX };

/* ---- which two become one */

tg_status tg_bpe_pairs_new(int64_t count, tg_bpe_pairs *out)
{
    int bits = 4;
    while ((INT64_C(1) << bits) < 2 * count) bits++;
    const int64_t slots = INT64_C(1) << bits;
    *out = (tg_bpe_pairs){.slots = tg_alloc_array(slots, sizeof *out->slots), .shift = 64 - bits};
    if (!out->slots) return TG_ENOMEM;
    for (int64_t i = 0; i < slots; i++) out->slots[i] = (tg_bpe_pair){TG_BPE_EMPTY, NONE, -1};
    return TG_OK;
}

void tg_bpe_pairs_set(tg_bpe_pairs *p, uint64_t key, int32_t rank, int32_t id)
{
    tg_bpe_pair *slot = p->slots + (tg_bpe_find(p, key) - p->slots);
    *slot = (tg_bpe_pair){key, rank, id};
}

static inline const tg_bpe_pair *find(const tg_bpe *t, int32_t a, int32_t b)
{
    return tg_bpe_find(&t->pairs, tg_bpe_key(a, b));
}

/* ---- few: rank[i] and into[i] are of the ids i and i + 1 */

typedef struct few { int32_t *id, rank[FEW], into[FEW]; } few;

static inline void look(const tg_bpe *t, few *f, int64_t i)
{
    const tg_bpe_pair *p = find(t, f->id[i], f->id[i + 1]);
    f->rank[i] = p->rank;
    f->into[i] = p->id;
}

/* Joins the pair at `at` and, with merges, all behind it of the same rank, that is of the same two. */
static int64_t join_few(const tg_bpe *t, few *f, int64_t n, int64_t at, int32_t best)
{
    bool more = true, before = false; /* the id before is a new one */
    int64_t o = at;
    for (int64_t i = at; i < n; o++) {
        const bool now = more && i + 1 < n && f->rank[i] == best;
        f->id[o] = now ? f->into[i] : f->id[i];
        f->rank[o] = f->rank[i];
        f->into[o] = f->into[i];
        if (o > 0 && (now || before)) look(t, f, o - 1);
        if (now && t->rule == TG_BPE_SCORES) more = false;
        before = now;
        i += now ? 2 : 1;
    }
    return o;
}

static int64_t merge_few(const tg_bpe *t, int32_t *ids, int64_t n)
{
    few f = {.id = ids};
    for (int64_t i = 0; i + 1 < n; i++) look(t, &f, i);
    while (n > 1) {
        int32_t best = NONE;
        int64_t at = 0;
        for (int64_t i = 0; i + 1 < n; i++)
            if (f.rank[i] < best) best = f.rank[at = i];
        if (best == NONE) break;
        n = join_few(t, &f, n, at, best);
    }
    return n;
}

/* ---- many: a list of ids, and a heap of pairs that may have gone by the time they come up */

typedef struct entry { uint64_t key; /* rank << 32 | place */ int32_t left, right; } entry;
typedef struct many {
    const tg_bpe *t;
    entry *heap;          /* from the front the heap, from the back pairs that wait: 3n in all */
    int64_t count, waiting, room;
    int32_t *id, *next, *before; /* -1: none; id -1: joined to the one before */
} many;

static void sift_up(entry *heap, int64_t i)
{
    const entry e = heap[i];
    for (int64_t up; i > 0 && heap[up = (i - 1) / 2].key > e.key; i = up) heap[i] = heap[up];
    heap[i] = e;
}

static entry take(many *m)
{
    const entry top = m->heap[0], e = m->heap[--m->count];
    int64_t i = 0;
    for (int64_t down; (down = 2 * i + 1) < m->count; i = down) {
        if (down + 1 < m->count && m->heap[down + 1].key < m->heap[down].key) down++;
        if (m->heap[down].key >= e.key) break;
        m->heap[i] = m->heap[down];
    }
    m->heap[i] = e;
    return top;
}

static bool pair_at(const many *m, int32_t place, entry *out)
{
    if (place < 0 || m->next[place] < 0) return false;
    const int32_t left = m->id[place], right = m->id[m->next[place]];
    const tg_bpe_pair *p = find(m->t, left, right);
    *out = (entry){(uint64_t)p->rank << 32 | (uint32_t)place, left, right};
    return p->rank != NONE;
}

static void wait(many *m, int32_t place)
{
    entry e;
    if (pair_at(m, place, &e)) m->heap[m->room - ++m->waiting] = e;
}

static void let_in(many *m)
{
    while (m->waiting > 0) {
        m->heap[m->count] = m->heap[m->room - m->waiting--];
        sift_up(m->heap, m->count++);
    }
}

/* With merges, what a merge makes possible waits until it is done everywhere. */
static void join_many(many *m)
{
    while (m->count > 0 || m->waiting > 0) {
        const uint64_t rank = m->count > 0 ? m->heap[0].key >> 32 : 0;
        for (bool same = m->count > 0; same; same = m->count > 0 && m->heap[0].key >> 32 == rank) {
            const entry e = take(m);
            const int32_t place = (int32_t)(uint32_t)e.key, other = m->id[place] == e.left ? m->next[place] : -1;
            if (other >= 0 && m->id[other] == e.right) {
                m->id[place] = find(m->t, e.left, e.right)->id;
                m->id[other] = -1;
                m->next[place] = m->next[other];
                if (m->next[place] >= 0) m->before[m->next[place]] = place;
                wait(m, m->before[place]);
                wait(m, place);
            }
            if (m->t->rule == TG_BPE_SCORES) break;
        }
        let_in(m);
    }
}

int64_t tg_bpe_merge(const tg_bpe *t, tg_bpe_memory *memory, int32_t *ids, int64_t n)
{
    if (n <= FEW) return merge_few(t, ids, n);
    const int64_t bytes = n * (3 * (int64_t)sizeof(entry) + 3 * (int64_t)sizeof(int32_t));
    if (n > INT32_MAX / 2) {
        tg_fail(TG_EUNSUPPORTED, "a run of more than 1 GiB that nothing parts cannot be made into tokens");
        return -1;
    }
    if (memory->room < bytes) {
        tg_free(memory->bytes);
        memory->bytes = tg_alloc_raw(bytes);
        memory->room = memory->bytes ? bytes : 0;
        if (!memory->bytes) return -1;
    }
    many m = {.t = t, .heap = memory->bytes, .room = 3 * n, .id = ids};
    m.next = (int32_t *)(m.heap + m.room);
    m.before = m.next + n;
    for (int32_t i = 0; i < n; i++) {
        m.next[i] = i + 1 < n ? i + 1 : -1;
        m.before[i] = i - 1;
    }
    for (int32_t i = 0; i < n; i++)
        if (pair_at(&m, i, &m.heap[m.count])) {
            sift_up(m.heap, m.count);
            m.count++;
        }
    join_many(&m);
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++)
        if (ids[i] >= 0) ids[kept++] = ids[i];
    return kept;
}
