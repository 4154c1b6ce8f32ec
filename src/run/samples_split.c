/* samples_split.c - classes in order, equal samples told apart, training, validation and test, and what can be said of them by
 * adding up. Sums of pixels are of integers; those of coordinates run in the order of the file. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/sort.h"
#include "data/image/near.h"
#include "run/samples_parts.h"

enum { GROUP = 64 /* samples whose places are drawn at once */ };

/* ---- classes ------------------------------------------------------------------------------------------------------ */

static bool is_number(const char *name)
{
    const size_t n = strlen(name);
    return n > 0 && n < 10 && strspn(name, "0123456789") == n && (name[0] != '0' || n == 1);
}

static int by_name(const void *a, const void *b, void *user)
{
    const char *x = ((const tg_class *)a)->name, *y = ((const tg_class *)b)->name;
    const bool *numbers = user;
    if (*numbers && strlen(x) != strlen(y)) return strlen(x) < strlen(y) ? -1 : 1;
    return strcmp(x, y);
}

tg_status tg_samples_classes(tg_sampling *p)
{
    const int64_t count = tg_map_count(p->known);
    bool numbers = true;
    int64_t bytes;
    if (count == 0) return TG_OK;
    p->classes = tg_alloc_array(2 * count, sizeof *p->classes);
    p->places = tg_alloc_array(count, sizeof *p->places);
    if (!p->classes || !p->places) return TG_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        const char *name = tg_map_key(p->known, i, &bytes); /* keys keep their NUL */
        p->classes[i].name = (char *)(uintptr_t)name;        /* is only read */
        numbers &= is_number(name);
    }
    tg_sort(p->classes, count, sizeof *p->classes, p->classes + count, by_name, &numbers);
    for (int64_t k = 0; k < count; k++)
        p->places[tg_map_find(p->known, p->classes[k].name, (int64_t)strlen(p->classes[k].name) + 1)] = (int32_t)k;
    tg_scratch *narrow = NULL;
    tg_status status = tg_scratch_like(p->labels, &narrow);
    for (int64_t i = 0; i < p->count && !status; i++) {
        const char *view;
        int32_t label;
        status = tg_scratch_view(p->labels, i * 4, 4, &view);
        if (status) break;
        memcpy(&label, view, sizeof label);
        const uint16_t place = (uint16_t)p->places[label];
        status = tg_scratch_add(narrow, &place, sizeof place);
    }
    if (status) {
        tg_scratch_free(narrow);
        return status;
    }
    tg_scratch_free(p->labels);
    p->labels = narrow;
    p->class_count = count;
    return TG_OK;
}

static tg_status class_of(const tg_sampling *p, tg_window *w, int64_t i, int64_t *out)
{
    const char *view;
    uint16_t label;
    *out = -1;
    if (!p->class_count) return TG_OK;
    tg_status status = tg_scratch_look(p->labels, w, i * 2, 2, &view);
    if (status) return status;
    memcpy(&label, view, sizeof label);
    *out = label;
    return TG_OK;
}

/* ---- equals ------------------------------------------------------------------------------------------------------- */

typedef struct search { tg_map *hashes; tg_window one, other; int64_t bytes; } search;

/* The sample that came first among those equal to i, itself perhaps. Hashes find it; bytes decide. */
static tg_status find_root(tg_sampling *p, search *s, int64_t i)
{
    const char *mine, *other;
    tg_xxh64 h;
    p->roots[i] = i;
    tg_status status = tg_scratch_look(p->data, &s->one, i * s->bytes, s->bytes, &mine);
    if (status) return status;
    tg_xxh64_start(&h);
    tg_xxh64_add(&h, mine, s->bytes);
    const uint64_t key = tg_xxh64_end(&h);
    const int64_t known = tg_map_count(s->hashes), entry = tg_map_add(s->hashes, &key, sizeof key);
    if (entry < 0) return TG_ENOMEM;
    int64_t *first = tg_map_value(s->hashes, entry);
    if (entry == known) {
        *first = i;
        return TG_OK;
    }
    status = tg_scratch_look(p->data, &s->other, *first * s->bytes, s->bytes, &other);
    if (!status && !memcmp(mine, other, (size_t)s->bytes)) p->roots[i] = *first;
    return status;
}

/* Test and validation sets of the corpus's own come first: of a sample that is in one of them and in training, too, theirs stays. */
static void take_turns(const tg_sampling *p, int64_t *turns)
{
    static const int splits[] = {TG_TEST, TG_VAL, TG_TRAIN};
    int64_t at = 0;
    for (int t = 0; t < 3; t++)
        for (int64_t i = 0; i < p->count; i++)
            if ((!p->given || p->own.data[i] == TG_NO_SPLIT ? TG_TRAIN : p->own.data[i]) == splits[t]) turns[at++] = i;
}

static tg_status find_roots(tg_sampling *p, const int64_t *turns)
{
    search s = {.hashes = tg_map_new(), .bytes = p->size * (p->kind == TG_KIND_IMAGE ? 1 : (int64_t)sizeof(float))};
    tg_status status = s.hashes ? TG_OK : TG_ENOMEM;
    tg_meter m = tg_meter_start(p->ctx, "compare", "samples", p->count);
    for (int64_t k = 0; k < p->count && !status; k++) {
        status = find_root(p, &s, turns[k]);
        if (!status) status = tg_meter_add(&m, 1);
    }
    tg_meter_end(&m);
    tg_map_free(s.hashes);
    tg_window_free(&s.one);
    tg_window_free(&s.other);
    return status;
}

/* --dedupe near: roots of what is not equal to any before, but nearly; nearly[i] says so. */
static tg_status find_near_roots(tg_sampling *p, const int64_t *turns, char *nearly)
{
    if (p->kind != TG_KIND_IMAGE || p->o->dedupe != TG_DEDUPE_NEAR) return TG_OK;
    for (int64_t i = 0; i < p->count; i++) nearly[i] = p->roots[i] == i;
    tg_status status = tg_image_near(p->ctx, p->data, p->dims, turns, p->count, p->roots);
    for (int64_t i = 0; i < p->count; i++) nearly[i] &= p->roots[i] != i;
    return status;
}

/* Whether a sample is of a split that the corpus brought along, and stays as it is there. */
static bool is_fixed(const tg_sampling *p, int64_t i)
{
    return p->given && (p->own.data[i] == TG_VAL || p->own.data[i] == TG_TEST);
}

/* Which samples are left out, as a byte each: points never are, a distribution may well repeat itself. */
static tg_status drop(tg_sampling *p, const char *nearly, char *out)
{
    const bool drops = p->kind == TG_KIND_IMAGE && p->o->dedupe != TG_DEDUPE_OFF;
    tg_window w = {0};
    tg_status status = TG_OK;
    for (int64_t i = 0; i < p->count && !status; i++) {
        const int64_t root = p->roots[i];
        int64_t a = 0, b = 0;
        if (root == i) continue;
        out[i] = drops && !is_fixed(p, i);
        if (!out[i]) p->twins++;
        else if (is_fixed(p, root)) p->shared++;
        else if (nearly[i]) p->near++;
        else p->duplicates++;
        if (!status) status = class_of(p, &w, i, &a);
        if (!status) status = class_of(p, &w, root, &b);
        p->conflicts += a != b;
    }
    tg_window_free(&w);
    return status;
}

/* ---- splits ------------------------------------------------------------------------------------------------------- */

/* Where the samples that have no fixed place go: `many` of them, in order or drawn; left out ones are not asked. */
static void deal(tg_sampling *p, const char *left_out, int64_t many, char *to)
{
    int64_t ends[TG_SPLITS], places[GROUP], k = 0;
    const bool draws = p->o->split == TG_SPLIT_AUTO || p->o->split == TG_SPLIT_RANDOM;
    const double val = p->given && p->survey.own[TG_VAL] ? 0 : p->o->val;
    tg_split_at(val, p->given ? 0 : p->o->test, many, ends);
    for (int64_t i = 0; i < p->count; i++) {
        if (left_out[i] || is_fixed(p, i)) continue;
        const int64_t left = many - k;
        if (draws && k % GROUP == 0)
            tg_rng_places((uint64_t)p->o->seed, TG_RNG_SPLIT, 0, many, k, left < GROUP ? left : GROUP, places);
        const int64_t place = draws ? places[k % GROUP] : k;
        to[i] = (char)(place < ends[TG_TRAIN] ? TG_TRAIN : place < ends[TG_TRAIN] + ends[TG_VAL] ? TG_VAL : TG_TEST);
        k++;
    }
}

/* The samples of each split, ascending; and how many of training each class has. */
static tg_status lay(tg_sampling *p, const char *left_out, const char *to)
{
    tg_window w = {0};
    tg_status status = TG_OK;
    int64_t at = 0;
    for (int s = 0; s < TG_SPLITS; s++) {
        for (int64_t i = 0; i < p->count && !status; i++) {
            int64_t class;
            if (left_out[i] || to[i] != s) continue;
            p->order[at++] = i;
            p->counts[s]++;
            if (s != TG_TRAIN || !p->class_count) continue;
            status = class_of(p, &w, i, &class);
            if (!status) p->classes[class].documents++;
        }
    }
    tg_window_free(&w);
    return status;
}

/* Samples that are asked for and have been learned. */
static void count_leaks(tg_sampling *p, const char *left_out, const char *to, char *learned)
{
    for (int64_t i = 0; i < p->count; i++)
        if (!left_out[i] && to[i] == TG_TRAIN) learned[p->roots[i]] = 1;
    for (int64_t i = 0; i < p->count; i++)
        if (!left_out[i] && to[i] != TG_TRAIN) p->leaks += learned[p->roots[i]];
}

static tg_status check_counts(const tg_sampling *p, int64_t left)
{
    const bool val = p->o->val > 0 || (p->given && p->survey.own[TG_VAL]), test = p->o->test > 0 || (p->given && p->survey.own[TG_TEST]);
    const bool wanted[TG_SPLITS] = {true, val, test};
    if (p->counts[TG_TRAIN] == 0 && p->shared)
        return tg_fail(TG_EINVAL, "nothing is left to train on: all that would train is in the corpus's own test or validation split, too "
                       "(%" PRId64 " samples); collect others, or --split random", p->shared);
    for (int s = 0; s < TG_SPLITS; s++)
        if (wanted[s] && p->counts[s] == 0)
            return tg_fail(TG_EINVAL, "%" PRId64 " sample%s: too few for a split %s; collect more, or give %s", left, left == 1 ? "" : "s",
                           tg_split_names[s], s == TG_TRAIN ? "less to the others" : s == TG_VAL ? "--val 0" : "--test 0");
    return TG_OK;
}

static tg_status choose_rule(tg_sampling *p)
{
    const int64_t *own = p->survey.own;
    p->given = p->o->split == TG_SPLIT_AUTO && own[TG_VAL] + own[TG_TEST] > 0 && own[TG_TRAIN] + own[TG_NO_SPLIT] > 0;
    if (p->given && p->o->test > 0)
        return tg_fail(TG_EUSAGE, "--test: the corpus has a test split of its own (%" PRId64 " samples); leave --test out, or draw anew: "
                       "--split random", own[TG_TEST]);
    return TG_OK;
}

tg_status tg_samples_split(tg_sampling *p)
{
    tg_status status = choose_rule(p);
    if (status) return status;
    p->roots = tg_alloc_array(p->count, sizeof *p->roots);
    p->order = tg_alloc_array(p->count, sizeof *p->order);
    char *bytes = tg_alloc_array(4, p->count), *left_out = bytes, *to = bytes + p->count, *learned = to + p->count;
    char *nearly = learned + p->count;
    if (!p->roots || !p->order || !bytes) status = TG_ENOMEM;
    if (!status) take_turns(p, p->order); /* until it is dealt */
    if (!status) status = find_roots(p, p->order);
    if (!status) status = find_near_roots(p, p->order, nearly);
    if (!status) status = drop(p, nearly, left_out);
    int64_t many = 0, left = 0;
    for (int64_t i = 0; i < p->count && !status; i++) {
        many += !left_out[i] && !is_fixed(p, i);
        left += !left_out[i];
        if (is_fixed(p, i)) to[i] = p->own.data[i];
    }
    if (!status) {
        deal(p, left_out, many, to);
        status = lay(p, left_out, to);
    }
    if (!status) count_leaks(p, left_out, to, learned);
    tg_free(bytes);
    return status ? status : check_counts(p, left);
}

/* ---- figures ------------------------------------------------------------------------------------------------------ */

/* Of one split: sums of each element, and of its square, over all samples. */
static tg_status add_up(const tg_sampling *p, int64_t first, int64_t count, double *sum, double *square)
{
    const int64_t width = p->kind == TG_KIND_IMAGE ? 1 : (int64_t)sizeof(float);
    for (int64_t i = first; i < first + count; i++) {
        const char *view;
        tg_status status = tg_scratch_view(p->data, p->order[i] * p->size * width, p->size * width, &view);
        if (status) return status;
        for (int64_t k = 0; k < p->size; k++) {
            float x = (float)(uint8_t)view[k * (width == 1)];
            if (width > 1) memcpy(&x, view + k * width, sizeof x);
            sum[k] += (double)x;                 /* of pixels these are whole numbers, and exact */
            square[k] += (double)x * (double)x;
        }
    }
    return TG_OK;
}

/* Of each channel, or coordinate. */
static void moments(tg_sampling *p, const double *sum, const double *square)
{
    const int64_t groups = p->dims[0], each = p->size / groups, n = p->counts[TG_TRAIN] * each;
    const double unit = p->kind == TG_KIND_IMAGE ? 255 : 1;
    for (int64_t g = 0; g < groups; g++) {
        double s = 0, q = 0;
        for (int64_t k = g * each; k < (g + 1) * each; k++) s += sum[k], q += square[k];
        const double mean = s / (double)n, variance = q / (double)n - mean * mean;
        p->mean[g] = mean / unit;
        p->deviation[g] = variance > 0 ? sqrt(variance) / unit : 0;
    }
}

/* Nats of a sample when each pixel is black or white by itself, as often as in training, grey ones in part: what a model with a
 * Bernoulli likelihood that has learned nothing else comes to. */
static double of_pixels(const tg_sampling *p, const double *train, const double *of, int64_t count)
{
    double nats = 0;
    for (int64_t k = 0; k < p->size; k++) {
        const double white = (train[k] / 255 + 0.5) / (double)(p->counts[TG_TRAIN] + 1), share = of[k] / 255 / (double)count;
        nats -= share * (double)tg_logf((float)white) + (1 - share) * (double)tg_logf((float)(1 - white));
    }
    return nats;
}

/* The same under normal distributions of mean and deviation, a coordinate for itself; NaN where one is constant. */
static double of_gauss(const tg_sampling *p, const double *sum, const double *square, int64_t count)
{
    double nats = 0;
    for (int64_t k = 0; k < p->size; k++) {
        const double m = p->mean[k], v = p->deviation[k] * p->deviation[k];
        const double mean = sum[k] / (double)count, away = square[k] / (double)count - 2 * m * mean + m * m;
        if (v <= 0) return (double)NAN;
        nats += 0.5 * (1.8378770664093453 + (double)tg_logf((float)v) + away / v);
    }
    return nats;
}

tg_status tg_samples_figures(tg_sampling *p)
{
    const int64_t D = p->size, train = p->counts[TG_TRAIN], val = p->counts[TG_VAL];
    double *sums = tg_alloc_array(4 * D, sizeof *sums);
    p->mean = tg_alloc_array(2 * p->dims[0], sizeof *p->mean);
    tg_status status = sums && p->mean ? add_up(p, 0, train, sums, sums + D) : TG_ENOMEM;
    if (!status && val) status = add_up(p, train, val, sums + 2 * D, sums + 3 * D);
    if (!status) {
        const double *of = val ? sums + 2 * D : sums;
        p->deviation = p->mean + p->dims[0];
        moments(p, sums, sums + D);
        p->baseline = p->kind == TG_KIND_IMAGE ? of_pixels(p, sums, of, val ? val : train) : of_gauss(p, of, of + D, val ? val : train);
    }
    tg_free(sums);
    return status;
}
