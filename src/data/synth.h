/* synth.h - text out of nothing: small seeded grammars of our own, for lessons, tests and demos.
 *   synth:verses[:ballad|couplet]    English: iambic lines that rhyme, quatrains, poems
 *   synth:couplets[:five|seven]      Chinese: two lines of equal length and parallel parts of speech, closing 仄 then 平
 *   synth:tasks[:copy|reverse|add]   problems with one right answer, one a line
 * Without a variant, all in turn. Poem i of a seed is the same whatever the size asked for. */
#ifndef TG_DATA_SYNTH_H
#define TG_DATA_SYNTH_H
#include "base/rng.h"
#include "base/str.h"

enum { TG_SYNTH_BYTES = 100000 };

/* What --list prints: "synth:verses  ..." a line each. */
const char *tg_synth_list(void);
/* Whether a source is a synth one ("synth:..."), known or not. */
bool tg_synth_is(const char *source);
/* Appends whole lines up to `bytes` bytes. Errors: TG_EINVAL (unknown kind or variant: the message lists them; too few
 * bytes for a line), TG_ENOMEM. */
tg_status tg_synth(const char *source, uint64_t seed, int64_t bytes, tg_str *out);

/* The grammars: one poem (problem) each. variant: -1 any, else position in the list above. */
void tg_synth_verse(tg_rng *r, int variant, tg_str *out);
void tg_synth_couplet(tg_rng *r, int variant, tg_str *out);
void tg_synth_task(tg_rng *r, int variant, tg_str *out);
/* Below n with the early ones likelier, as words are: the smaller of two draws. */
int64_t tg_synth_pick(tg_rng *r, int64_t n);
#endif
