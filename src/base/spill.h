/* spill.h - more records than memory holds, in order: they are sorted by the part, and a merge reads the parts back. What
 * comes out does not depend on how much memory there was.
 *
 *     tg_spill_new(text, &s);
 *     for each document i: tg_spill_add(s, (tg_record){hash, i});
 *     for (tg_record r; !(status = tg_spill_next(s, &r, &more)) && more;) ...     equal hashes side by side
 *     tg_spill_free(s);
 */
#ifndef TG_BASE_SPILL_H
#define TG_BASE_SPILL_H
#include "base/scratch.h"

typedef struct tg_record { uint64_t key; int64_t value; } tg_record;

typedef struct tg_spill tg_spill;
/* With the folder and the bound of a scratch: so many bytes of records are sorted at once, and so many of sorted parts kept
 * in memory; the rest lies in a file without a name. Errors: TG_ENOMEM. */
tg_status tg_spill_new(const tg_scratch *like, tg_spill **out);
void tg_spill_free(tg_spill *s); /* NULL is fine */
/* Before the first tg_spill_next; of one key, smaller values must be added first. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_spill_add(tg_spill *s, tg_record r);
int64_t tg_spill_count(const tg_spill *s); /* records added */
/* The next by key, then by value; *more is false, and *out left alone, when all have been. After an error every call has
 * it again. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_spill_next(tg_spill *s, tg_record *out, bool *more);
#endif
