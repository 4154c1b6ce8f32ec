/* synth.h - data out of nothing: small seeded grammars, pictures and points of our own, for lessons, tests and demos.
 *   synth:verses[:ballad|couplet]    English: iambic lines that rhyme, quatrains, poems
 *   synth:couplets[:five|seven]      Chinese: two lines of equal length and parallel parts of speech, closing 仄 then 平
 *   synth:tasks[:copy|reverse|add]   problems with one right answer, one a line
 * Without a variant, all in turn. Poem i of a seed is the same whatever the size asked for.
 *   synth:shapes[:colour|grey]       pictures of 32 x 32 in five classes, of any place, size and colour; antialiased
 *   synth:points:8gaussians|25gaussians|swissroll|moons|pinwheel    points of the plane that papers try their models on
 * Picture i and point i of a seed are the same however many are asked for. */
#ifndef TG_DATA_SYNTH_H
#define TG_DATA_SYNTH_H
#include "base/rng.h"
#include "base/str.h"

enum { TG_SYNTH_BYTES = 100000, TG_SYNTH_IMAGES = 3000, TG_SYNTH_POINTS = 10000 }; /* as many as are made where nothing is said */

/* What --list prints: "synth:verses  ..." a line each. */
const char *tg_synth_list(void);
/* Whether a source is a synth one ("synth:..."), known or not. */
bool tg_synth_is(const char *source);
/* What it makes, as a manifest calls it: "text", "image", "points"; NULL: there is no such source. */
const char *tg_synth_kind(const char *source);
/* Appends whole lines up to `bytes` bytes. Errors: TG_EINVAL (unknown kind or variant: the message lists them; too few
 * bytes for a line), TG_ENOMEM. */
tg_status tg_synth(const char *source, uint64_t seed, int64_t bytes, tg_str *out);

/* Pictures, those of one class among the first `count` of the seed, as an IDX file; *many: how many. Classes are numbered
 * from 0; the name of one, NULL: there are no more. */
tg_status tg_synth_images(const char *source, uint64_t seed, int64_t count, int shape, tg_str *out, int64_t *many);
const char *tg_synth_shape_name(int shape);
/* Points as CSV: a header "x,y" or "x,y,class", then `count` rows. */
tg_status tg_synth_points(const char *source, uint64_t seed, int64_t count, tg_str *out);

/* One picture of TG_SHAPE_SIZE squared, [Y, X, 3] or, grey, [Y, X]; returns its class. */
enum { TG_SHAPE_SIZE = 32, TG_SHAPE_COLOUR = 0, TG_SHAPE_GREY };
int tg_synth_shape(tg_rng *r, int variant, uint8_t *pixels);
/* One point; returns its class. variant: position in the list above. */
int tg_synth_point(tg_rng *r, int variant, float out[2]);
bool tg_synth_point_has_class(int variant);
/* Of the variants that are a mixture of equal parts (8gaussians, 25gaussians; class k is part k): how many parts, their centres
 * and their deviation, either of which may be NULL; 0: it is none. At most TG_SYNTH_MODES. */
enum { TG_SYNTH_VARIANTS = 5, TG_SYNTH_MODES = 25 };
int tg_synth_point_modes(int variant, float centres[][2], float *deviation);

/* The grammars: one poem (problem) each. variant: -1 any, else position in the list above. */
void tg_synth_verse(tg_rng *r, int variant, tg_str *out);
void tg_synth_couplet(tg_rng *r, int variant, tg_str *out);
void tg_synth_task(tg_rng *r, int variant, tg_str *out);
/* Below n with the early ones likelier, as words are: the smaller of two draws. */
int64_t tg_synth_pick(tg_rng *r, int64_t n);
#endif
