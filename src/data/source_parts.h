/* source_parts.h - what the files that gather sources share: source.c has texts and tables of them, source_samples.c images, points
 * and tables of numbers. */
#ifndef TG_DATA_SOURCE_PARTS_H
#define TG_DATA_SOURCE_PARTS_H
#include "base/file.h"
#include "data/source.h"

enum { TG_SOURCE_PART = 1 << 20, TG_SOURCE_KEEP = 32 << 20 /* bytes of a text in memory */ };

int64_t tg_gather_room(const tg_gather *g); /* bytes that --max-bytes leaves */
/* Hands an item on, and counts it. Errors: TG_EINVAL (another kind than before), those of g->take. */
tg_status tg_gather_take(tg_gather *g, const tg_item *about, tg_scratch *text);
/* Whether a beginning is that of something that is of no use in part. */
tg_status tg_gather_wants_all(tg_scratch *text, bool *out);
/* What gzip has packed is unpacked: *text becomes another. *over: it is damaged, and passed over since nobody named it. */
tg_status tg_gather_unpack(tg_gather *g, const char *origin, tg_scratch **text, bool named, bool *over);
/* Takes what is an image, an IDX file, a table of numbers, or passes over or refuses what it ought to be and is not. *done false: it
 * is to be taken as a text. */
tg_status tg_gather_sample(tg_gather *g, tg_item *about, tg_scratch *text, bool named, bool *done);
/* What most is in a folder: g->found_kind. */
tg_status tg_gather_look(tg_gather *g, const char *folder, const tg_listing *files);
/* The split that the first folder of a name below a source tells, borrowed; NULL: none. */
const char *tg_gather_folder_split(tg_gather *g, const char *name);
tg_status tg_gather_synth_samples(tg_gather *g, const char *source, const char *kind);
#endif
