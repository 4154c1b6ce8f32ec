/* duplicates.c - equal documents: a table of (part of the hash, index), open addressing, two slots a document. */
#include "data/duplicates.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "data/shingles.h"

typedef struct slot { uint32_t tag, document; } slot; /* document + 1; 0: free */

typedef struct span { const char *at; int64_t length; } span;

static span document(const char *text, const int64_t *starts, int64_t i)
{
    int64_t begin = starts[i], end = starts[i + 1];
    tg_trim(text, &begin, &end);
    return (span){text + begin, end - begin};
}

tg_status tg_duplicates_exact(const char *text, const int64_t *starts, int64_t count, int64_t *first)
{
    if (count >= INT32_MAX)
        return tg_fail(TG_EINVAL, "%" PRId64 " documents are more than the %" PRId32 " that are compared; split the data",
                       count, INT32_MAX - 1);
    const uint64_t slots = 2 * (uint64_t)count + 1; /* 32 bits of the hash, scaled, choose one */
    slot *table = tg_alloc_array((int64_t)slots, sizeof *table);
    if (!table) return TG_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        span d = document(text, starts, i);
        uint64_t hash = tg_xxh64_of(d.at, d.length), at = (hash >> 32) * slots >> 32;
        first[i] = i;
        for (; table[at].document; at = at + 1 < slots ? at + 1 : 0) {
            if (table[at].tag != (uint32_t)hash) continue;
            span other = document(text, starts, table[at].document - 1);
            if (other.length != d.length || memcmp(other.at, d.at, (size_t)d.length) != 0) continue;
            first[i] = table[at].document - 1;
            break;
        }
        if (first[i] == i) table[at] = (slot){(uint32_t)hash, (uint32_t)i + 1};
    }
    tg_free(table);
    return TG_OK;
}
