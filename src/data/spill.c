/* spill.c - parts one behind the other in one file, written and committed by base's writer, opened, then unlinked. A
 * heap holds the parts by their next record. */
#include "data/spill.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sort.h"

enum { RECORD = sizeof(tg_record), LEAST_MEMORY = 1 << 14, LEAST_READ = 64 }; /* records a read of a part */

typedef struct part {
    tg_record *at, *end;      /* in memory: what is next */
    tg_record *room;          /* where it is read to */
    int64_t offset, left;     /* in the file: bytes before, records behind */
} part;

struct tg_spill {
    char *path;
    tg_record *records, *scratch; /* [room] each, one block */
    int64_t room, count;          /* count: of the part that is being filled */
    tg_writer *writer;
    tg_file *file;
    int64_t parts, written;       /* written: records */
    part *heap;
    int64_t in_heap, read;        /* read: records of a part at a time; all but the last have room records */
    bool reading, failed;
};

tg_status tg_spill_new(const char *path, int64_t memory, tg_spill **out)
{
    if (memory < LEAST_MEMORY)
        return tg_fail(TG_EINVAL, "sorting in %" PRId64 " bytes of memory: %d or more", memory, LEAST_MEMORY);
    tg_spill *s = tg_alloc(sizeof *s);
    if (!s) return TG_ENOMEM;
    s->room = memory / RECORD / 2;
    s->path = tg_path_temporary(path, "tmp");
    s->records = tg_alloc_raw(2 * s->room * RECORD);
    if (!s->path || !s->records) {
        tg_spill_free(s);
        return TG_ENOMEM;
    }
    s->scratch = s->records + s->room;
    *out = s;
    return TG_OK;
}

void tg_spill_free(tg_spill *s)
{
    if (!s) return;
    tg_writer_abandon(s->writer);
    tg_file_close(s->file);
    tg_free(s->heap);
    tg_free(s->records);
    tg_free(s->path);
    tg_free(s);
}

int64_t tg_spill_parts(const tg_spill *s)
{
    return s->parts;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool before(const tg_record *a, const tg_record *b)
{
    return a->key != b->key ? a->key < b->key : a->value < b->value;
}

static int compare(const void *a, const void *b, void *user)
{
    (void)user;
    return before(a, b) ? -1 : before(b, a);
}

static tg_status write_part(tg_spill *s)
{
    tg_status status = s->writer ? TG_OK : tg_writer_new(s->path, &s->writer);
    if (status) return status;
    tg_sort(s->records, s->count, RECORD, s->scratch, compare, NULL);
    status = tg_writer_add(s->writer, s->records, s->count * RECORD);
    if (status) {
        s->failed = true;
        return tg_note("sorting %" PRId64 " records", s->written + s->count);
    }
    s->parts++;
    s->written += s->count;
    s->count = 0;
    return TG_OK;
}

tg_status tg_spill_add(tg_spill *s, tg_record r)
{
    if (s->reading) return tg_fail(TG_EINVAL, "a record that comes when the sorted ones are already being read");
    if (s->count == s->room) {
        tg_status status = write_part(s);
        if (status) return status;
    }
    s->records[s->count++] = r;
    return TG_OK;
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

/* Reads what the file still has of p; at == end when that is nothing. */
static tg_status refill(tg_spill *s, part *p)
{
    int64_t n = p->left < s->read ? p->left : s->read;
    p->at = p->room;
    p->end = p->at + n;
    tg_status status = n ? tg_file_read_at(s->file, p->offset, p->room, n * RECORD) : TG_OK;
    p->offset += n * RECORD;
    p->left -= n;
    return status;
}

/* Lets heap[i] sink to where no child is before it. */
static void sink(const tg_spill *s, int64_t i)
{
    part moved = s->heap[i];
    for (int64_t child; (child = 2 * i + 1) < s->in_heap; i = child) {
        if (child + 1 < s->in_heap && before(s->heap[child + 1].at, s->heap[child].at)) child++;
        if (!before(s->heap[child].at, moved.at)) break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = moved;
}

static tg_status open_file(tg_spill *s)
{
    tg_status status = write_part(s);
    if (status) return status;
    status = tg_writer_commit(s->writer);
    s->writer = NULL;
    if (!status) status = tg_file_open(s->path, &s->file);
    tg_status removed = tg_remove(s->path); /* even where it does not open */
    return status ? status : removed;
}

static tg_status open_parts(tg_spill *s)
{
    s->read = 2 * s->room / (s->parts + 1); /* the last one is being filled */
    if (s->read < LEAST_READ)
        return tg_fail(TG_EINVAL, "%" PRId64 " records in %" PRId64 " parts are too many to be sorted in %" PRId64
                       " bytes of memory; give it more", s->written + s->count, s->parts + 1, 2 * s->room * RECORD);
    tg_status status = open_file(s);
    s->heap = status ? NULL : tg_alloc_array(s->parts, sizeof *s->heap);
    if (!status && !s->heap) status = TG_ENOMEM;
    for (int64_t i = 0; !status && i < s->parts; i++) {
        int64_t first = i * s->room, rest = s->written - first;
        s->heap[i] = (part){.room = s->records + i * s->read, .offset = first * RECORD,
                            .left = rest < s->room ? rest : s->room};
        status = refill(s, &s->heap[i]);
    }
    if (status) return status;
    s->in_heap = s->parts;
    for (int64_t i = s->in_heap / 2; i-- > 0;) sink(s, i);
    return TG_OK;
}

/* All fits into memory: a heap of one part that has no file. */
static tg_status open_memory(tg_spill *s)
{
    s->heap = tg_alloc(sizeof *s->heap);
    if (!s->heap) return TG_ENOMEM;
    tg_sort(s->records, s->count, RECORD, s->scratch, compare, NULL);
    s->heap[0] = (part){.at = s->records, .end = s->records + s->count, .room = s->records};
    s->in_heap = s->count > 0;
    return TG_OK;
}

/* Takes the heap's first record. */
static tg_status take(tg_spill *s, tg_record *out)
{
    part *first = s->heap;
    tg_record r = *first->at++;
    tg_status status = first->at == first->end ? refill(s, first) : TG_OK;
    if (status) return status;
    if (first->at == first->end) *first = s->heap[--s->in_heap];
    sink(s, 0);
    *out = r;
    return TG_OK;
}

tg_status tg_spill_next(tg_spill *s, tg_record *out, bool *more)
{
    if (s->failed) return tg_fail(TG_EIO, "sorted records cannot be read: an earlier read or write failed");
    tg_status status = TG_OK;
    if (!s->reading) status = s->parts ? open_parts(s) : open_memory(s);
    s->reading = true;
    bool some = !status && s->in_heap > 0;
    if (some) status = take(s, out);
    if (status) s->failed = true;
    else *more = some;
    return status;
}
