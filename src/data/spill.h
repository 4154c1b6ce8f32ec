/* spill.h - more records than memory holds, in order: they are sorted by the part, parts go to a temporary file, and a
 * merge reads them back. What comes out does not depend on how much memory there was.
 *
 *     tg_spill *s;
 *     tg_spill_new("out/corpus", 64 << 20, &s);
 *     for each document i: tg_spill_add(s, (tg_record){hash, i});
 *     for (tg_record r; (status = tg_spill_next(s, &r, &more)) == TG_OK && more;) ...     equal hashes side by side
 *     tg_spill_free(s);
 */
#ifndef TG_DATA_SPILL_H
#define TG_DATA_SPILL_H
#include "tinygen/base.h"

typedef struct tg_record { uint64_t key; int64_t value; } tg_record;

typedef struct tg_spill tg_spill;
/* The temporary file, if there has to be one, lies beside path under a name that tg_clean_temps knows; its name is gone
 * as soon as it is read. memory: bytes of records at a time, 16 KiB or more; a file of up to memory^2 / 2 KiB is merged
 * (2 TiB at 64 MiB). Errors: TG_EINVAL, TG_ENOMEM. */
tg_status tg_spill_new(const char *path, int64_t memory, tg_spill **out);
void tg_spill_free(tg_spill *s); /* and its file */
/* Errors: TG_EIO (a full disk is told with its size), TG_ENOMEM; not after the first tg_spill_next: TG_EINVAL. */
tg_status tg_spill_add(tg_spill *s, tg_record r);
/* The next by key, then by value; *more is false, and *out left alone, when all have been. Errors: TG_EIO, TG_ENOMEM,
 * TG_EINVAL (more parts than memory can merge). */
tg_status tg_spill_next(tg_spill *s, tg_record *out, bool *more);
int64_t tg_spill_parts(const tg_spill *s); /* in the file so far; 0: all in memory */
#endif
